"""Asking another node for a batch: one GET, bounded in bytes and in time, to a checked address.

The address is checked after the name was resolved, and that very address is connected to, so that
a second answer of the name server counts for nothing. Certificates are still checked for the name.
Redirects are answers like others: none is followed. No proxy of the environment is used, because
it would resolve the name a second time, elsewhere.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

import httpcore
import httpx

from testamur.consortium.endpoints import Endpoint, check_address, parse_endpoint
from testamur.errors import NodeProtocolError, NodeUnavailableError
from testamur.merkle.hashing import HASH_BYTES, Hash32

DEADLINE_SECONDS: Final = 60.0
"""Longest time for a whole answer, from connecting to its last byte."""

SILENCE_SECONDS_MAX: Final = 10.0
"""Longest wait for a connection, and for the next bytes of an answer."""

_TRY_LATER: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_HEADERS: Final = [
    # A compressed answer could grow without bound while it is unpacked.
    (b"Accept-Encoding", b"identity"),
    (b"Accept", b"application/octet-stream"),
    (b"User-Agent", b"testamur"),
    (b"Connection", b"close"),
]

Resolve = Callable[[str, int], list[str]]
"""Gives the addresses of a host name, as text; raises ``OSError``."""


def resolve(host: str, port: int) -> list[str]:
    """Ask the machine's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


class BatchFetcher:
    """Fetches batch files from members' nodes; keeps no connection. For one thread."""

    def __init__(
        self,
        *,
        allowed_private: frozenset[str],
        monotonic: Callable[[], float],
        resolve: Resolve = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Fetch with ``allowed_private`` endpoints, ``host:port``, beyond the public ones.

        ``ssl_context``: who is believed about certificates; None: the usual authorities.
        """
        self._allowed = allowed_private
        self._monotonic = monotonic
        self._resolve = resolve
        self._ssl_context = ssl_context

    def fetch(self, endpoint: str, root: Hash32, count: int) -> bytes | None:
        """Ask the node at ``endpoint``, text of the ledger, for the entries of the batch ``root``.

        Gives exactly ``32 * count`` bytes, unverified, or None where the node has no such batch.

        Raises:
            EndpointRefusedError: this node does not connect there.
            NodeUnavailableError: no answer in time, or one that says "later" (429, 503).
            NodeProtocolError: any other status, redirects included; or a body that is compressed
                or of another length.
        """
        found = parse_endpoint(endpoint, self._allowed)
        backend = _GuardedBackend(
            found, self._resolve, self._monotonic, self._monotonic() + DEADLINE_SECONDS
        )
        url = f"{found.url}/v1/batches/{root.hex()}/entries"
        try:
            with (
                httpcore.ConnectionPool(
                    ssl_context=self._trusted(), network_backend=backend, retries=0
                ) as pool,
                pool.stream("GET", url, headers=_HEADERS) as response,
            ):
                return _read(response, HASH_BYTES * count)
        except (
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
        ) as exc:
            # Its words may quote what the other side sent; its kind says enough.
            raise NodeUnavailableError(f"no answer in time: {type(exc).__name__}") from exc

    def _trusted(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = httpx.create_ssl_context(trust_env=False)
        return self._ssl_context


def _read(response: httpcore.Response, length: int) -> bytes | None:
    if response.status == HTTPStatus.NOT_FOUND:
        return None
    if response.status in _TRY_LATER:
        raise NodeUnavailableError(f"it answered {response.status}")
    if response.status != HTTPStatus.OK:
        raise NodeProtocolError(f"it answered {response.status}")
    if any(name.lower() == b"content-encoding" for name, _ in response.headers):
        raise NodeProtocolError("it sent a compressed answer, which was not asked for")
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > length:
            raise NodeProtocolError(f"it sent more than the {length} bytes of the batch")
    if len(body) < length:
        raise NodeProtocolError(f"it sent {len(body)} bytes of a batch of {length}")
    return bytes(body)


class _GuardedBackend(httpcore.NetworkBackend):
    """Connects to a checked address of one endpoint only, and lets nothing outlast a deadline."""

    def __init__(
        self,
        endpoint: Endpoint,
        resolve: Resolve,
        monotonic: Callable[[], float],
        deadline: float,
    ) -> None:
        self._endpoint = endpoint
        self._resolve = resolve
        self._monotonic = monotonic
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline rules
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve once, check every address, and connect to the first that answers."""
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as exc:
            raise httpcore.ConnectError("the name does not resolve") from exc
        for address in addresses:
            check_address(self._endpoint, address)
        failed = httpcore.ConnectError("the name does not resolve")
        for address in addresses:
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self.left(), local_address, socket_options
                )
            except httpcore.ConnectError as exc:
                failed = exc
            else:
                return _GuardedStream(stream, self)
        raise failed

    def left(self) -> float:
        """Give the seconds that the next step may take."""
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return min(left, SILENCE_SECONDS_MAX)


class _GuardedStream(httpcore.NetworkStream):
    """A connection whose every step is bounded by what is left until the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, guard: _GuardedBackend) -> None:
        self._stream = stream
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, self._guard.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, self._guard.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        return _GuardedStream(
            self._stream.start_tls(ssl_context, server_hostname, self._guard.left()), self._guard
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
