"""``testamur`` as processes: commands that end, and a node that serves until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.samples import PROJECT
from tests.support.waiting import wait_until

START_SECONDS = 40
STOP_SECONDS = 30


def command(*arguments: object) -> list[str]:
    """Give the command line of ``testamur`` in this very environment."""
    return [sys.executable, "-m", "testamur", *map(str, arguments)]


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give an environment in which the package is found as the tests find it, installed or not."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TESTAMUR_")}
    return kept | {"PYTHONPATH": str(PROJECT / "node")} | dict(given or {})


def run(
    *arguments: object, given: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment(given),
    )


@dataclass(slots=True)
class NodeProcess:
    """``testamur serve`` as a process."""

    process: subprocess.Popen[str]
    """To signal or kill it."""
    lines: list[str] = field(default_factory=list)
    """What it wrote to standard error so far."""
    url: str = ""
    """Where it answers; empty until it says so."""

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its log, parsed; every line is one JSON object."""
        return [json.loads(line) for line in self.lines]

    def ready(self) -> bool:
        """Whether it can do its work; fails the test where it ended instead."""
        assert self.process.poll() is None, "\n".join(self.lines)
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and give its exit code; negative where the signal ended it."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def node_process(config: Path, *, given: Mapping[str, str] | None = None) -> Iterator[NodeProcess]:
    """Run ``testamur serve`` until the end of the block; whatever is left of it is killed."""
    with serving(command("serve", "--config", config), environment(given)) as node:
        yield node


@contextmanager
def trial_process(home: Path, *arguments: object) -> Iterator[NodeProcess]:
    """Run ``testamur serve`` with nothing configured and nothing in the environment, likewise.

    ``home`` is the home directory; the port is a free one unless ``arguments`` name one.
    """
    port = () if "--port" in arguments else ("--port", 0)
    with serving(command("serve", *port, *arguments), bare_environment(home)) as node:
        yield node


def bare_environment(home: Path) -> dict[str, str]:
    """Give what ``env -i`` with a home directory leaves, and how the package is found."""
    return {"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": str(PROJECT / "node")}


@contextmanager
def serving(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[NodeProcess]:
    """Run a node by this command line, and wait until it says that it was started."""
    process = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    node = NodeProcess(process)

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            node.lines.append(line)
            if not node.url and '"node started"' in line:
                node.url = json.loads(line)["url"]

    reader = threading.Thread(target=read)
    reader.start()
    try:
        wait_until(lambda: bool(node.url) or process.poll() is not None, START_SECONDS)
        assert node.url, "\n".join(node.lines)
        yield node
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(STOP_SECONDS)
        reader.join(STOP_SECONDS)
        assert process.stderr is not None
        process.stderr.close()
