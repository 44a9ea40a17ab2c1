"""A server on loopback that answers each path with given bytes, valid HTTP or not."""

from __future__ import annotations

import socketserver
import ssl
from collections.abc import Mapping

from tests.support.threaded_server import ThreadedServer


def reply(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Build a well-formed HTTP response that closes its connection."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever hangs up in the middle is the test's subject."""


class CannedServer(ThreadedServer):
    """Serves ``answers`` by path until the ``with`` statement ends; no answer: it hangs up.

    On a free port, or on ``port``; over TLS where ``context`` is given.
    """

    def __init__(
        self,
        answers: Mapping[str, bytes],
        *,
        port: int = 0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                path = self.rfile.readline().decode().split(" ")[1]
                while self.rfile.readline().strip():
                    pass
                asked.append(path)
                self.wfile.write(answers.get(path, b""))

        server = _Server(("127.0.0.1", port), Handler)
        if context is not None:
            # The handshake is the handler's, at its first read: one that fails ends that thread.
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        super().__init__(server)
