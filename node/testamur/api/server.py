"""The HTTP server: uvicorn with limits, and without an access log."""

from __future__ import annotations

import asyncio
import itertools
from typing import Final

from fastapi import FastAPI
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_BYTES_MAX: Final = 64 * 1024
"""Most bytes of request line and headers, give or take one read of the socket."""

HEAD_SECONDS_MAX: Final = 10.0
"""How long a connection may wait for its request's head to be whole."""

CONNECTIONS_MAX: Final = 512
"""Connections from which on a new one takes the place of the one that is idle longest."""

REQUESTS_MAX: Final = 768
"""Most connections, all of them with requests under way; more are answered with 503."""

SHUTDOWN_SECONDS_MAX: Final = 5
"""How long requests under way may take when the node is asked to stop."""


def make_server(app: FastAPI, *, protocol: type[BoundedHttpProtocol] | None = None) -> Server:
    """Make the server of an application; it is given its listening socket when it runs.

    ``protocol`` has the limits of a connection; None: those of this module.
    """
    return Server(
        Config(
            app,
            http=protocol or BoundedHttpProtocol,
            limit_concurrency=REQUESTS_MAX,
            # Paths hold entries, which no log may have.
            access_log=False,
            log_config=None,
            lifespan="off",
            server_header=False,
            # Everything, because entries and problems have bytes that anyone chose, and pages
            # share their origin with them.
            headers=[("X-Content-Type-Options", "nosniff")],
            # Who the client is, is decided in rate_limit.py; this would believe any proxy on
            # the same machine.
            proxy_headers=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
        )
    )


class BoundedHttpProtocol(HttpToolsProtocol):
    """Uvicorn's fast parser with bounds on a request's head, which it lacks: in bytes and in time.

    A connection whose head does not end is closed; no answer is owed to such a client. Otherwise
    a few hundred silent connections would shut everybody out, for as long as they are held.
    """

    head_seconds_max = HEAD_SECONDS_MAX
    connections_max = CONNECTIONS_MAX
    _head_bytes: int | None = 0  # None: the head has ended, and what follows is the body
    _head_timer: asyncio.TimerHandle | None = None
    _idle_since = 0
    _turns: Final = itertools.count(1)  # the loop's clock gives many the same time

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head; where there are many, in the place of who waits longest."""
        super().connection_made(transport)
        self._await_head()
        if len(self.connections) > self.connections_max:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop counting."""
        self._head_bytes = None
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Know that what follows is another head."""
        self._head_bytes = 0
        self._idle_since = next(self._turns)
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Hand on what was read, unless the head is too long already."""
        if self._head_bytes is not None:
            # Before this read, because a short head and a long body may come in one.
            if self._head_bytes > HEAD_BYTES_MAX:
                self.transport.close()
                return
            self._head_bytes += len(data)
            if self._head_timer is None:
                self._await_head()
        super().data_received(data)

    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self._head_bytes is not None and self._answered()

    @property
    def idle_since(self) -> int:
        """Ascending with the moment at which it last began to wait for a head."""
        return self._idle_since

    def _make_room(self) -> None:
        ours = [one for one in self.connections if isinstance(one, BoundedHttpProtocol)]
        open_ = [one for one in ours if not one.transport.is_closing()]
        idle = [one for one in open_ if one is not self and one.is_idle()]
        if len(open_) > self.connections_max and idle:
            min(idle, key=lambda one: one.idle_since).transport.close()

    def _answered(self) -> bool:
        # None before the first request, whatever uvicorn's types say.
        cycle: RequestResponseCycle | None = getattr(self, "cycle", None)
        return cycle is None or cycle.response_complete

    def _await_head(self) -> None:
        self._idle_since = next(self._turns)
        self._head_timer = self.loop.call_later(self.head_seconds_max, self._end_if_silent)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_if_silent(self) -> None:
        if self._answered():
            self.transport.close()
        else:  # it sent some of the next request while it waits for an answer, which it shall get
            self._await_head()
