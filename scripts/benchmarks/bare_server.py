"""The bare framework, as a peer: ``python -m scripts.benchmarks.bare_server``.

FastAPI in the very server that a node uses, with one route that reads a submission and answers
it without a look at it. What a node is slower than this is what durability and checks cost; what
this is slower than the wire no node in this framework can win back.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import FastAPI, Request

from scripts.benchmarks.load import environment
from testamur.api.server import make_server

STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class BareServer:
    """One that runs."""

    url: str
    """Where it answers."""
    process: int
    """Its process id."""


@contextmanager
def bare_server() -> Iterator[BareServer]:
    """Run one as a process until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.benchmarks.bare_server"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield BareServer(f"http://127.0.0.1:{int(line)}", process.pid)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _app() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.post("/v1/entries", status_code=202)
    async def submit(request: Request) -> dict[str, int]:
        await request.body()
        return {"added": 1, "known": 0}

    return app


def _serve() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        print(listening.getsockname()[1], flush=True)
        make_server(_app()).run(sockets=[listening])


if __name__ == "__main__":
    _serve()
