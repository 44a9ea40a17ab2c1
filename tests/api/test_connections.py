"""Connections that say nothing, or little at a time, keep nobody else out."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from testamur.api.server import BoundedHttpProtocol
from tests.support.node import served
from tests.support.waiting import wait_until


class Small(BoundedHttpProtocol):
    """Limits that a test reaches."""

    connections_max = 5


class Impatient(BoundedHttpProtocol):
    """As above."""

    head_seconds_max = 0.2


def application(begun: threading.Event | None = None) -> FastAPI:
    app = FastAPI()

    @app.get("/health/live")
    async def live() -> str:
        return "live"

    @app.get("/slow")
    async def slow() -> str:
        if begun is not None:
            begun.set()
        await asyncio.sleep(0.6)
        return "slow"

    return app


@pytest.fixture
def small() -> Iterator[str]:
    with served(application(), protocol=Small) as url:
        yield url


@pytest.fixture
def impatient() -> Iterator[str]:
    with served(application(), protocol=Impatient) as url:
        yield url


def connected(url: str) -> socket.socket:
    where = urlsplit(url)
    return socket.create_connection((where.hostname, where.port), timeout=10)


def ended(connection: socket.socket) -> bool:
    """Whether the other side closed, without waiting for it."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_silent_connections_keep_nobody_out(small: str) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(connected(small)) for _ in range(30)]
        assert httpx.get(f"{small}/health/live").status_code == 200
        wait_until(lambda: sum(map(ended, silent)) >= 30 - Small.connections_max, 10)


def test_who_is_idle_longest_makes_room(small: str) -> None:
    with ExitStack() as stack:
        idle = []
        for _ in range(8):
            idle.append(stack.enter_context(connected(small)))
            idle[-1].sendall(b"GET /health/live HTTP/1.1\r\nHost: n\r\n\r\n")
            assert idle[-1].recv(1000).endswith(b'"live"')  # so each is idle since later
        wait_until(lambda: sum(map(ended, idle)) == 8 - Small.connections_max, 10)
        assert [ended(one) for one in idle] == [True] * 3 + [False] * 5


@pytest.mark.parametrize(
    "sent", [b"", b"GET /health/live HTTP/1.1\r\nHost: n", b"\r\n"], ids=["silent", "half", "line"]
)
def test_a_head_that_does_not_come_ends_the_connection(impatient: str, sent: bytes) -> None:
    with connected(impatient) as connection:
        connection.sendall(sent)
        wait_until(lambda: ended(connection), 10)


def test_a_next_head_that_does_not_come_ends_it_too(impatient: str) -> None:
    with connected(impatient) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: n\r\n\r\n")
        assert connection.recv(1000).endswith(b'"live"')
        connection.sendall(b"\r\n")
        wait_until(lambda: ended(connection), 3)


def test_who_sends_on_while_he_is_answered_is_answered() -> None:
    begun = threading.Event()
    with served(application(begun), protocol=Impatient) as url, connected(url) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: n\r\n\r\n")
        assert begun.wait(10)
        connection.sendall(b"\r\n")  # as if another request were to follow
        assert connection.recv(1000).endswith(b'"slow"')
