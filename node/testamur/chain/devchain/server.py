"""The HTTP rim of the embedded chain: loopback only, one thread a connection, and the ticker.

The ticker appends an empty block every interval while a block with a transaction is not final;
an idle chain writes nothing.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from testamur.chain.devchain.chain import DevChain
from testamur.chain.devchain.json_rpc import MAX_BODY, Dispatcher
from testamur.chain.devchain.methods import Methods
from testamur.errors import ChainError, ConfigurationError, StorageError

DEFAULT_BLOCK_INTERVAL: Final = 0.2
"""Seconds between the empty blocks that carry something to finality."""

_IDLE_SECONDS: Final = 60
_log = logging.getLogger(__name__)


def require_loopback(host: str) -> str:
    """Return the address that ``host`` means, if it can only be reached from this machine.

    Raises:
        ConfigurationError: any other address; the accounts are public, so nobody else may come.
    """
    literal = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.IPv4Address(literal).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigurationError(f"the embedded chain listens on 127.0.0.0/8 only, not on {host}")
    return literal


class _Handler(BaseHTTPRequestHandler):
    server: _HttpServer
    protocol_version = "HTTP/1.1"
    server_version = "testamur-devchain"
    sys_version = ""
    # Answers are small and clients wait for them: never hold one back for a fuller packet.
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        self._send(HTTPStatus.OK, b"Testamur devchain: POST JSON-RPC here.\n", "text/plain")

    def do_POST(self) -> None:
        refusal = self._refusal()
        if refusal is not None:
            # The body was not read, so the connection cannot be used again.
            self.close_connection = True
            self._send(refusal, refusal.phrase.encode() + b"\n", "text/plain")
            return
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True  # the client went away in the middle
            return
        answer = self.server.dispatcher.answer(body)
        self._send(HTTPStatus.OK, answer, "application/json")

    def _refusal(self) -> HTTPStatus | None:
        # A web page cannot send this content type without asking first, so no page that somebody
        # has open can talk to the chain.
        if self.headers.get_content_type() != "application/json":
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            return HTTPStatus.LENGTH_REQUIRED
        if len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return None

    def _send(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        """Stay silent: a line a request helps nobody here."""


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    # With daemon threads that may idle on a kept-alive connection, waiting for them is no use.
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # http.server would look the host's name up, which may take seconds without a network.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log at debug level: a client that went away is no event."""
        _log.debug("connection of %s ended", client_address, exc_info=True)


class DevchainServer:
    """Serves a chain over HTTP until stopped; the chain stays the caller's."""

    def __init__(
        self,
        chain: DevChain,
        *,
        host: str = "127.0.0.1",
        port: int,
        block_interval: float = DEFAULT_BLOCK_INTERVAL,
    ) -> None:
        """Bind the port (0: a free one); :meth:`start` serves.

        Raises:
            ConfigurationError: not a loopback address, an interval that is not above 0, or the
                port is taken.
        """
        if not block_interval > 0:
            raise ConfigurationError("the block interval is a number of seconds above 0")
        self._chain = chain
        self._interval = block_interval
        self._stop = threading.Event()
        self.failed: BaseException | None = None
        """Why the ticker gave up; the chain then takes no more blocks."""
        address = (require_loopback(host), port)
        try:
            self._http = _HttpServer(address, Dispatcher(Methods(chain).table))
        except OSError as exc:
            raise ConfigurationError(f"cannot listen on {host} port {port}: {exc}") from exc
        self._threads = (
            threading.Thread(
                target=self._http.serve_forever,
                kwargs={"poll_interval": 0.05},
                name="devchain-http",
            ),
            threading.Thread(target=self._tick, name="devchain-ticker"),
        )

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://{self._http.server_name}:{self._http.server_port}"

    def start(self) -> None:
        """Serve in threads; returns at once."""
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Return when :meth:`request_stop` was called or the chain failed."""
        self._stop.wait()

    def request_stop(self) -> None:
        """Make :meth:`wait` return; may be called from a signal handler."""
        self._stop.set()

    def stop(self) -> None:
        """Stop serving; a block being built is finished first."""
        self._stop.set()
        if self._threads[0].is_alive():
            self._http.shutdown()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._http.server_close()

    def _tick(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                if self._chain.awaits_finality():
                    self._chain.mine_empty_block()
            except (StorageError, ChainError) as exc:
                _log.error("the chain stopped: %s", exc)
                self.failed = exc
                self._stop.set()
