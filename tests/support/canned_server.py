"""A server on loopback that answers each path with given bytes, valid HTTP or not."""

from __future__ import annotations

import socketserver
from collections.abc import Mapping
from threading import Thread
from types import TracebackType
from typing import Self


def reply(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Build a well-formed HTTP response that closes its connection."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class CannedServer:
    """Serves ``answers`` by path until the ``with`` statement ends; no answer: it hangs up."""

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                path = self.rfile.readline().decode().split(" ")[1]
                while self.rfile.readline().strip():
                    pass
                asked.append(path)
                self.wfile.write(answers.get(path, b""))

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
