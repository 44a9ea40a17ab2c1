"""Uvicorn's fast HTTP parser with a bound on a request's head, which it lacks."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX: Final = 64 * 1024
"""Most bytes of request line and headers, give or take one read of the socket."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes a connection whose request head does not end; no answer is owed to such a client."""

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
