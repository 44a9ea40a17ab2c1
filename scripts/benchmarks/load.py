"""The load of the HTTP figures, in a process of its own: ``python -m scripts.benchmarks.load``.

It reads one :class:`Load` as JSON from standard input, keeps that many connections busy over
loopback until the requests are used up or the time is over, writes a :class:`LoadResult` as JSON
and ends. Each connection sends its next request when the answer to the last one is whole. The
parsing is as small as our own servers allow, so that a node is the bottleneck and not this.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

import uvloop

ROOT: Final = Path(__file__).resolve().parents[2]
GRACE_SECONDS: Final = 60
_LENGTH: Final = b"content-length: "
_ENTRY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of a server."""

    url: str
    """``http://127.0.0.1:PORT``."""
    connections: int
    """Kept busy at a time."""
    seconds_max: float
    """When no further request is sent."""
    submissions: int = 0
    """Submissions to send, each of one random entry."""
    paths: Sequence[str] = ()
    """Paths to get, one request each, after that."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What came of it."""

    requests: int
    """Answered as they should be."""
    refused: int
    """Answered otherwise, or cut off."""
    seconds: float
    """From the first request to the last answer."""
    p50_ms: float
    """Median of the times from a request to its whole answer."""
    p99_ms: float
    """The time within which 99 of 100 were answered."""
    generator_cpu: float
    """Share of one core that this process took; near 1, it was the bottleneck itself."""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class RefusedError(Exception):
    """A server did not answer as it should, so that no figure can be made."""


def run(load: Load) -> LoadResult:
    """Put the load on from a process of its own, and wait for its end.

    Raises:
        RefusedError: an answer was not the one that is measured.
    """
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.load"],
        input=json.dumps(asdict(load)),
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=load.seconds_max + GRACE_SECONDS,
        check=True,
    )
    result = LoadResult(**json.loads(done.stdout))
    if result.refused or not result.requests:
        raise RefusedError(f"{result.refused} refused, {result.requests} answered at {load.url}")
    return result


def environment() -> dict[str, str]:
    """Give an environment in which our own processes find this folder and the package."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TESTAMUR_")}
    return kept | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "node")])}


class _Connection(asyncio.Protocol):
    def __init__(self, queue: Iterator[bytes], deadline: float) -> None:
        self._queue = queue
        self._deadline = deadline
        self._answer = bytearray()
        self._whole: int | None = None
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport
        self.times: list[float] = []
        self.refused = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not descend from those of asyncio that they stand for.
        self._transport = cast("asyncio.WriteTransport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._whole is None:
            head = self._answer.find(b"\r\n\r\n")
            if head < 0:
                return
            start = self._answer.find(_LENGTH, 0, head) + len(_LENGTH)
            self._whole = head + 4 + int(self._answer[start : self._answer.index(b"\r\n", start)])
        if len(self._answer) >= self._whole:
            if self._answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")):
                self.times.append(time.perf_counter() - self._sent_at)
            else:
                self.refused += 1
            self._answer.clear()
            self._whole = None
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.ended.done():
            self.refused += 1
            self.ended.set_result(None)

    def _next(self) -> None:
        request = next(self._queue, None) if time.perf_counter() < self._deadline else None
        if request is None:
            self.ended.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def _requests(load: Load) -> Iterator[bytes]:
    host = f"Host: {urlsplit(load.url).netloc}\r\n"
    head = (
        f"POST /v1/entries HTTP/1.1\r\n{host}Content-Type: application/octet-stream\r\n"
        f"Content-Length: {_ENTRY_BYTES}\r\n\r\n"
    ).encode()
    for _ in range(load.submissions):
        yield head + os.urandom(_ENTRY_BYTES)
    for path in load.paths:
        yield f"GET {path} HTTP/1.1\r\n{host}\r\n".encode()


async def _measure(load: Load) -> LoadResult:
    loop = asyncio.get_running_loop()
    where = urlsplit(load.url)
    host, port = where.hostname or "", where.port or 80
    queue = _requests(load)
    begun, used = time.perf_counter(), time.process_time()
    made = [
        await loop.create_connection(
            lambda: _Connection(queue, begun + load.seconds_max), host, port
        )
        for _ in range(load.connections)
    ]
    connections = [connection for _, connection in made]
    await asyncio.gather(*(connection.ended for connection in connections))
    seconds = time.perf_counter() - begun
    times = sorted(one for connection in connections for one in connection.times)
    return LoadResult(
        requests=len(times),
        refused=sum(connection.refused for connection in connections),
        seconds=seconds,
        p50_ms=_within(times, 0.50),
        p99_ms=_within(times, 0.99),
        generator_cpu=(time.process_time() - used) / seconds,
    )


def _within(times: Sequence[float], share: float) -> float:
    return 1000 * times[min(int(share * len(times)), len(times) - 1)] if times else 0.0


if __name__ == "__main__":
    asked = Load(**json.load(sys.stdin))
    print(json.dumps(asdict(uvloop.run(_measure(asked)))))
