"""The demo's processes: a chain, three nodes and many commands; started, watched and stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from testamur.errors import DemoError

START_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 15.0
COMMAND_SECONDS_MAX: Final = 120.0


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended."""

    arguments: Sequence[str]
    """What came after ``testamur``."""
    code: int
    """Exit code."""
    output: str
    """What it printed to standard output."""
    errors: str
    """What it printed to standard error."""

    def json_lines(self) -> list[dict[str, Any]]:
        """Read the output as one JSON object a line.

        Raises:
            DemoError: it is none.
        """
        try:
            return [dict(json.loads(line)) for line in self.output.splitlines()]
        except ValueError as exc:
            raise DemoError(f"the command printed no JSON: {self.output or self.errors}") from exc


@dataclass(slots=True)
class Processes:
    """Everything that the demo started; use it in a ``with`` statement. Not for threads."""

    directory: Path
    """Where logs are written."""
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _pipe: tuple[int, int] = (-1, -1)
    """What tells every process that the demo is there: both ends are ours, one is theirs."""

    def __enter__(self) -> Self:
        self._pipe = os.pipe()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()
        for end in self._pipe:
            os.close(end)

    def start(self, name: str, *arguments: str, output: Path | None = None) -> None:
        """Start ``testamur`` with ``arguments`` as a process of its own session.

        Its own, so that Ctrl-C reaches the demo alone, which then stops it in order.
        """
        with (
            (self.directory / f"{name}.log").open("ab") as log,
            (output or Path(os.devnull)).open("ab") as standard_output,
        ):
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own command
                command(*arguments),
                stdin=self._pipe[0],
                stdout=standard_output,
                stderr=log,
                start_new_session=True,
            )

    def wait_until(self, name: str, ready: Callable[[], Any]) -> Any:
        """Poll ``ready`` until it gives something true, while process ``name`` lives.

        Raises:
            DemoError: the process ended, or :data:`START_SECONDS_MAX` passed.
        """
        deadline = time.monotonic() + START_SECONDS_MAX
        while not (value := ready()):
            if self._running[name].poll() is not None:
                raise DemoError(f"{name} ended; the end of its log:\n{self._tail(name)}")
            if time.monotonic() > deadline:
                raise DemoError(f"{name} did not start; the end of its log:\n{self._tail(name)}")
            time.sleep(0.05)
        return value

    def ended(self) -> str | None:
        """Name a process that ended by itself, if one did."""
        return next((n for n, process in self._running.items() if process.poll() is not None), None)

    def stop_all(self) -> None:
        """Stop everything, the newest first."""
        for process in reversed(self._running.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in reversed(self._running.values()):
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def run_all(self, *commands: Sequence[str]) -> list[Finished]:
        """Run ``testamur`` commands to their ends, all at once; gives the results in order.

        Raises:
            DemoError: one did not end in time.
        """
        deadline = time.monotonic() + COMMAND_SECONDS_MAX
        started: list[subprocess.Popen[str]] = []
        finished = []
        try:
            for arguments in commands:  # one by one, so that those started are known if one fails
                started.append(self._command(arguments))  # noqa: PERF401
            for process, arguments in zip(started, commands, strict=True):
                out, err = process.communicate(timeout=max(0.0, deadline - time.monotonic()))
                finished.append(Finished(arguments, process.returncode, out, err))
        except subprocess.TimeoutExpired as exc:
            raise DemoError(f"testamur {' '.join(arguments)} did not end") from exc
        finally:
            for process in started:
                if process.poll() is None:
                    process.kill()
                    process.communicate()
        return finished

    def _command(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - our own command
            command(*arguments),
            stdin=self._pipe[0],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _tail(self, name: str) -> str:
        text = (self.directory / f"{name}.log").read_text("utf-8", errors="replace")
        return "\n".join(text.splitlines()[-12:])


def command(*arguments: str) -> list[str]:
    """Give the command line of ``testamur`` in this very environment."""
    return [sys.executable, "-m", "testamur.cli.demo.child", *arguments]


def free_ports(count: int) -> Sequence[int]:
    """Find free loopback ports; members' endpoints have to be known before nodes start."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
