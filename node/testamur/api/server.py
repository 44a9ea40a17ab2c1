"""The HTTP server: uvicorn with limits, and without an access log."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX: Final = 64 * 1024
"""Most bytes of request line and headers, give or take one read of the socket."""

CONNECTIONS_MAX: Final = 512
"""Most requests and connections at a time; more are answered with 503."""

SHUTDOWN_SECONDS_MAX: Final = 5
"""How long requests under way may take when the node is asked to stop."""


def make_server(app: FastAPI) -> Server:
    """Make the server of an application; it is given its listening socket when it runs."""
    return Server(
        Config(
            app,
            http=BoundedHttpProtocol,
            limit_concurrency=CONNECTIONS_MAX,
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
    """Uvicorn's fast parser with a bound on a request's head, which it lacks.

    A connection whose head does not end is closed; no answer is owed to such a client.
    """

    _head_bytes: int | None = 0  # None: the head has ended, and what follows is the body

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop counting."""
        self._head_bytes = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Hand on what was read, unless the head is too long already."""
        if self._head_bytes is not None:
            # Before this read, because a short head and a long body may come in one.
            if self._head_bytes > HEAD_BYTES_MAX:
                self.transport.close()
                return
            self._head_bytes += len(data)
        super().data_received(data)
