"""An endpoint between a client and the real chain that omits, alters, or hangs up."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen

from tests.support.devchain import RunningDevchain
from tests.support.threaded_server import ThreadedServer

Ask = Callable[[], Any]
Lie = Callable[[str, list[Any], Ask], Any]
"""Given method, parameters and a way to ask the real chain (its whole answer), gives the answer
to pass on; raises :class:`HangUp` for none."""

TIMEOUT_SECONDS = 10


class HangUp(Exception):  # noqa: N818 - what the endpoint does, not an error of the test
    """Close the connection without an answer."""


def honest(_method: str, _params: list[Any], ask: Ask) -> Any:
    """Pass everything on."""
    return ask()


def without_log(position: int) -> Lie:
    """Leave out one log of each list of logs that is long enough."""

    def lie(method: str, _params: list[Any], ask: Ask) -> Any:
        answer = ask()
        if method == "eth_getLogs":
            answer["result"] = [log for n, log in enumerate(answer["result"]) if n != position]
        return answer

    return lie


def hangs_up_on(*methods: str, after_passing_on: bool = False) -> Lie:
    """Hang up on some methods: before, or only after the real chain was asked."""

    def lie(method: str, _params: list[Any], ask: Ask) -> Any:
        if method in methods:
            if after_passing_on:
                ask()
            raise HangUp
        return ask()

    return lie


def answers(method: str, change: Callable[[Any], Any]) -> Lie:
    """Pass on ``change(answer)`` for one method; an answer is the whole JSON-RPC object."""

    def lie(asked: str, _params: list[Any], ask: Ask) -> Any:
        return change(ask()) if asked == method else ask()

    return lie


def pruned(running: RunningDevchain, also: Lie = honest) -> Lie:
    """Know the state of the newest 128 blocks alone, as geth does."""

    def lie(method: str, params: list[Any], ask: Any) -> Any:
        at = params[1] if len(params) > 1 else None
        if isinstance(at, dict):
            asked = running.chain.header_of(bytes.fromhex(at["blockHash"][2:]))
            if running.chain.head.block_number - asked.block_number >= 128:
                return {"error": {"code": -32000, "message": "missing trie node"}}
        return also(method, params, ask)

    return lie


class LyingEndpoint(ThreadedServer):
    """Serves on loopback until the ``with`` statement ends; ``lie`` may be set at any time."""

    def __init__(self, upstream: str, lie: Lie = honest) -> None:
        self.lie = lie
        self.asked: list[str] = []
        """Methods asked for, in order."""
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked = json.loads(body)
                endpoint.asked.append(asked["method"])
                try:
                    answer = endpoint.lie(
                        asked["method"], asked["params"], lambda: _post(upstream, body)
                    )
                except HangUp:
                    self.close_connection = True
                    return
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        super().__init__(Server(("127.0.0.1", 0), Handler))


def _post(url: str, body: bytes) -> Any:
    request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - loopback
        return json.loads(response.read())
