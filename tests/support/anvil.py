"""anvil, the one chain of the tests that can be reorganised at will; npm brings it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.support.optional import require
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
START_SECONDS = 20


@dataclass(frozen=True, slots=True)
class RunningAnvil:
    """A chain in a process of its own; mines only when told to."""

    url: str
    """http://127.0.0.1:PORT"""

    def ask(self, method: str, *params: Any) -> Any:
        """Call one of its methods."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        headers = {"Content-Type": "application/json"}
        request = Request(self.url, body.encode(), headers)  # noqa: S310 - loopback
        with urlopen(request, timeout=START_SECONDS) as response:  # noqa: S310 - loopback
            answer = json.loads(response.read())
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def mine(self, blocks: int = 1) -> None:
        """Mine what waits, and empty blocks after it."""
        self.ask("anvil_mine", hex(blocks))


@contextmanager
def running_anvil() -> Iterator[RunningAnvil]:
    """Run anvil on a free port until the end of the block; skip where it is not installed."""
    found = str(INSTALLED) if INSTALLED.exists() else shutil.which("anvil")
    require(found, "anvil (npm ci)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(found), "--port", str(port), "--chain-id", "1337", "--no-mining", "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _listens(port), START_SECONDS)
        yield RunningAnvil(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
