"""A member's endpoint, read as hostile input: which URLs are taken, and which addresses.

The text stands on chain and is the member's to write. It must not make this node speak to a
service of its own network, so https and a public address are required; what an operator allows
by name, host and port, may be private and may speak plain HTTP. Pure; resolving and connecting
is the business of :mod:`testamur.consortium.fetching`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from testamur.errors import EndpointRefusedError
from testamur.ledger.birth import ENDPOINT_LENGTH_MAX

_PORTS: Final = {"https": 443, "http": 80}
_PLAIN: Final = re.compile(r"[\x21-\x7e]+")
_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_NAME_LENGTH_MAX: Final = 253
_UNICAST: Final = IPv6Network("2000::/3")
"""RFC 4291 section 2.4: all that is assigned for use between networks so far."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last four bytes are an IPv4 address, of any kind."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a member's node answers, as far as its text can be judged."""

    url: str
    """Scheme, host, port and path, without a slash at the end."""
    host: str
    """Name or address, lower-case, without brackets."""
    port: int
    """1 to 65535."""
    private: bool
    """Whether the operator allowed it by name to be at a private address."""


def parse_endpoint(text: str, allowed: frozenset[str]) -> Endpoint:
    """Read an endpoint from the ledger; ``allowed`` are the operator's, as ``host:port``.

    Raises:
        EndpointRefusedError: not an https URL of a plain form, and not allowed by name.
    """
    parts = _split(text)
    port = _port(parts)
    host = _host(parts)
    named = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    private = named in allowed
    if parts.scheme != "https" and not private:
        raise EndpointRefusedError("it is not https, and no setting allows it by name")
    path = parts.path.rstrip("/")
    return Endpoint(f"{parts.scheme}://{named}{path}", host, port, private)


def check_address(endpoint: Endpoint, address: str) -> None:
    """Allow a connection for ``endpoint`` to ``address``, which its name was resolved to.

    Raises:
        EndpointRefusedError: it is not a public unicast address, and the endpoint is not allowed
            to be private.
    """
    if not endpoint.private and not _is_public(ip_address(address)):
        raise EndpointRefusedError("its address is not public, and no setting allows it by name")


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    # An IPv4 address in another's clothes is judged as what it leads to.
    inner = address.ipv4_mapped or address.sixtofour
    if address in _NAT64:
        inner = IPv4Address(address.packed[-4:])
    if inner is not None:
        return _is_public(inner)
    return address.is_global and address in _UNICAST and address.teredo is None


def _split(text: str) -> SplitResult:
    if not 0 < len(text) <= ENDPOINT_LENGTH_MAX:
        raise EndpointRefusedError(f"it is empty, or longer than {ENDPOINT_LENGTH_MAX} characters")
    if not _PLAIN.fullmatch(text) or "\\" in text:
        raise EndpointRefusedError("it has a space, a backslash or a character beyond ASCII")
    try:
        parts = urlsplit(text)
    except ValueError as exc:
        raise EndpointRefusedError("it is no URL") from exc
    if parts.scheme not in _PORTS:
        raise EndpointRefusedError("it is no http or https URL")
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise EndpointRefusedError("it has a user name, a query or a fragment")
    return parts


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if len(host) <= _NAME_LENGTH_MAX and _NAME.fullmatch(host):
        return host  # an IPv4 address is of this form, too
    try:
        address = IPv6Address(host)
    except ValueError as exc:
        raise EndpointRefusedError("its host is neither a name nor an address") from exc
    if address.scope_id is not None:
        raise EndpointRefusedError("its address is of one network card only")
    return str(address)


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError as exc:
        raise EndpointRefusedError("its port is no number from 1 to 65535") from exc
    if port == 0:
        raise EndpointRefusedError("its port is no number from 1 to 65535")
    return _PORTS[parts.scheme] if port is None else port
