"""A server on loopback that answers each path with given bytes, valid HTTP or not."""

from __future__ import annotations

import socketserver
from collections.abc import Mapping

from tests.support.threaded_server import ThreadedServer


def reply(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Build a well-formed HTTP response that closes its connection."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class CannedServer(ThreadedServer):
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

        super().__init__(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler))
