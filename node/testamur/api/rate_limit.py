"""How often one client may ask: a token bucket for each address, in memory.

Submissions are not counted here: they have tokens and quotas. Nor is health, nor what comes from
this machine: whoever is on it has other ways to keep the node busy.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from testamur.api.pages import shown
from testamur.api.problems import problem_of
from testamur.errors import TooManyRequestsError

CLIENTS_MAX: Final = 50_000
"""Buckets that are kept; beyond that the one that was not used for longest is forgotten."""
IPV6_CLIENT_BITS: Final = 64
"""The part of an IPv6 address that one client cannot choose freely."""
_UNCOUNTED_FOLDERS: Final = ("/health/", "/static/")
"""The second because a page of which a part is missing does not do what it says."""
_UNCOUNTED_POSTS: Final = frozenset({"/v1/entries", "/v1/batches"})

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """How often one client may ask, and how it is told from others."""

    per_second: float
    """Requests a second in the long run; 0: any number."""
    burst: int
    """Requests at once."""
    trusted: Sequence[IPv4Network | IPv6Network] = ()
    """Proxies whose word for a client's address is taken."""


UNLIMITED: Final = ClientLimits(0, 1)


class TokenBuckets:
    """A bucket for each client: ``burst`` full at first, refilled at ``per_second``."""

    def __init__(self, limits: ClientLimits, *, clients_max: int = CLIENTS_MAX) -> None:
        self._limits = limits
        self._clients_max = clients_max
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float) -> float:
        """Take one request out of a client's bucket; give the seconds to wait, 0 if it had one."""
        left, at = self._buckets.pop(client, (float(self._limits.burst), now))
        left = min(self._limits.burst, left + max(0.0, now - at) * self._limits.per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self._limits.per_second
        self._buckets[client] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > self._clients_max:
            self._buckets.popitem(last=False)
        return wait


class RateLimited:
    """Answers 429 to a client that asks too often."""

    def __init__(
        self, app: ASGIApp, *, limits: ClientLimits, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._limits = limits
        self._monotonic = monotonic
        self._buckets = TokenBuckets(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        client = self._counted(scope)
        wait = 0.0 if client is None else self._buckets.take(client, self._monotonic())
        if wait > 0:
            # Who asked stands in no answer and no log.
            error = TooManyRequestsError("too many requests from one address", math.ceil(wait))
            answer = await shown(Request(scope), problem_of(error))
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _counted(self, scope: Scope) -> str | None:
        """Give the name of the client whom a request is counted for; None: it is not."""
        if scope["type"] != "http" or not self._limits.per_second:
            return None
        path: str = scope["path"]
        if path.startswith(_UNCOUNTED_FOLDERS) or (
            scope["method"] == "POST" and path in _UNCOUNTED_POSTS
        ):
            return None
        address = client_address(scope, self._limits.trusted)
        return None if address is not None and address.is_loopback else _client(address)


def client_address(scope: Scope, trusted: Sequence[IPv4Network | IPv6Network]) -> Address | None:
    """Give the address that a request comes from; None where it has none.

    ``X-Forwarded-For`` is a claim of whoever sent it. Each proxy appends whom it was asked by, so
    it is read from its end, and only as long as the speaker is a trusted proxy.
    """
    client = scope.get("client")
    address = _address(client[0]) if client else None
    hops = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
    for hop in reversed(hops):
        if address is None or not any(address in network for network in trusted):
            break
        named = _address(hop.strip())
        if named is None:
            break
        address = named
    return address


def _address(text: str) -> Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _client(address: Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_CLIENT_BITS), strict=False))
    return str(address)
