"""A way to a node that breaks off, or alters what the node says."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.support.threaded_server import ThreadedServer

BUSY_SECONDS = 7

Change = Callable[[str, bytes], bytes]
"""Gives what is answered in place of the body that the node gave for a path."""


def unchanged(_path: str, body: bytes) -> bytes:
    """Pass everything on."""
    return body


class UnreliableProxy(ThreadedServer):
    """Passes requests on to ``node`` until ``requests_left`` of them were; then it hangs up.

    With ``taken``, the request after the last one reaches the node, too, and only its answer is
    lost. ``cut`` counts those that got no answer. What begins with a text in ``busy`` is put off
    by some seconds, once for each time that the text stands there.
    """

    def __init__(self, node: str, *, taken: bool = False, change: Change = unchanged) -> None:
        self.requests_left: int | None = None
        self.cut = 0
        self.busy: list[str] = []
        self.asked: list[str] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def _pass_on(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                data = self.rfile.read(length)
                asked = f"{self.command} {self.path}"
                late = next((one for one in proxy.busy if asked.startswith(one)), None)
                if late is not None:
                    proxy.busy.remove(late)
                    self.send_response(429)
                    self.send_header("Retry-After", str(BUSY_SECONDS))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                kept = {"Content-Type", "Authorization"} & set(self.headers)
                proxy.asked.append(asked)
                cut = proxy.requests_left == 0
                proxy.cut += cut
                if cut and not taken:
                    self.close_connection = True
                    return
                answer = httpx.request(
                    self.command,
                    node + self.path,
                    content=data,
                    headers={name: self.headers[name] for name in kept},
                    timeout=30,
                )
                if cut:
                    self.close_connection = True
                    return
                if proxy.requests_left is not None:
                    proxy.requests_left -= 1
                body = change(self.path, answer.content)
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers["content-type"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _pass_on  # noqa: N815 - the names are the library's

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
