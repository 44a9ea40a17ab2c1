"""How often one client may ask; who the client is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from testamur.api.app import create_app
from testamur.api.rate_limit import ClientLimits, RateLimited, TokenBuckets, client_address
from testamur.config import NodeSettings
from tests.api.problems import assert_problem
from tests.support.node import Consortium, HttpNode, served

APP = Starlette()
APP.state.pages = None
PROXY = (ip_network("127.0.0.0/8"),)


@dataclass
class Asked:
    """An application behind the limit, on a clock of the test's."""

    limits: ClientLimits
    now: float = 0.0
    statuses: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = RateLimited(self._answer, limits=self.limits, monotonic=lambda: self.now)

    async def _answer(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def ask(self, client: str | None, path: str = "/v1/ledger", method: str = "GET") -> Any:
        """Make one request; give status and Retry-After."""
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        asyncio.run(self.app(scope(client, path=path, method=method), receive, send))
        headers = dict(sent[0]["headers"])
        return sent[0]["status"], headers.get(b"retry-after", b"").decode()


def scope(client: str | None, *forwarded: str, path: str = "/", method: str = "GET") -> Any:
    return {
        "type": "http",
        "app": APP,
        "path": path,
        "method": method,
        "client": None if client is None else (client, 40_000),
        "headers": [(b"x-forwarded-for", text.encode()) for text in forwarded],
    }


def test_a_burst_is_let_through_and_then_the_rate_counts() -> None:
    asked = Asked(ClientLimits(per_second=0.5, burst=3))
    told = [asked.ask("192.0.2.1") for _ in range(4)]
    assert told == [(200, "")] * 3 + [(429, "2")]
    asked.now = 1.9
    assert asked.ask("192.0.2.1") == (429, "1")
    asked.now = 2.0
    assert asked.ask("192.0.2.1") == (200, "")
    assert asked.ask("192.0.2.1") == (429, "2")
    asked.now = 1e6
    assert [asked.ask("192.0.2.1")[0] for _ in range(4)] == [200, 200, 200, 429]


def test_being_refused_costs_nothing_more() -> None:
    asked = Asked(ClientLimits(per_second=1, burst=1))
    assert asked.ask("192.0.2.1")[0] == 200
    for _ in range(50):
        assert asked.ask("192.0.2.1")[0] == 429
    asked.now = 1.0
    assert asked.ask("192.0.2.1")[0] == 200


def test_clients_do_not_share_a_bucket_and_those_of_one_ipv6_network_do() -> None:
    asked = Asked(ClientLimits(per_second=1, burst=1))
    for client in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"):
        assert asked.ask(client)[0] == 200
    for client in ("192.0.2.1", "::ffff:192.0.2.2", "2001:db8::ffff:1"):
        assert asked.ask(client)[0] == 429
    assert asked.ask(None)[0] == 200
    assert asked.ask("no address")[0] == 429


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/health/live", "GET"),
        ("/health/ready", "GET"),
        ("/static/0123456789abcdef/page.js", "GET"),
        ("/v1/entries", "POST"),
    ],
)
def test_health_parts_of_pages_and_submissions_are_not_counted(path: str, method: str) -> None:
    asked = Asked(ClientLimits(per_second=1, burst=1))
    assert [asked.ask("192.0.2.1", path, method)[0] for _ in range(3)] == [200] * 3
    assert asked.ask("192.0.2.1", "/v1/verify", "POST")[0] == 200
    assert asked.ask("192.0.2.1", "/v1/verify", "POST")[0] == 429


@pytest.mark.parametrize("client", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_not_limited(client: str) -> None:
    asked = Asked(ClientLimits(per_second=1, burst=1))
    assert [asked.ask(client)[0] for _ in range(3)] == [200] * 3


def test_without_a_rate_nobody_is_limited() -> None:
    asked = Asked(ClientLimits(per_second=0, burst=1))
    assert [asked.ask("192.0.2.1")[0] for _ in range(3)] == [200] * 3


def test_the_number_of_buckets_is_bounded() -> None:
    buckets = TokenBuckets(ClientLimits(per_second=1, burst=1), clients_max=2)
    assert [buckets.take(name, 0.0) for name in ("a", "b", "a", "c")] == [0, 0, 1, 0]
    assert buckets.take("a", 0.0) == 1  # used last but one, so b was forgotten
    assert buckets.take("b", 0.0) == 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.1",), "192.0.2.1"),
        ("127.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", (), "127.0.0.1"),
        # What a client claims stands before what the proxy found.
        ("127.0.0.1", ("203.0.113.9, 198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("203.0.113.9", "198.51.100.1"), "198.51.100.1"),
        ("127.0.0.1", ("203.0.113.9, 198.51.100.1, 127.0.0.2",), "198.51.100.1"),
        ("127.0.0.1", ("rubbish, 198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("198.51.100.1, rubbish",), "127.0.0.1"),
        ("127.0.0.1", ("127.0.0.3, 127.0.0.2",), "127.0.0.3"),
        ("127.0.0.1", ("2001:db8::7",), "2001:db8::7"),
        ("127.0.0.1", ("",), "127.0.0.1"),
        (None, ("198.51.100.1",), "None"),
    ],
)
def test_a_forwarded_address_is_believed_from_trusted_proxies_alone(
    peer: str | None, forwarded: tuple[str, ...], found: str
) -> None:
    assert str(client_address(scope(peer, *forwarded), PROXY)) == found
    assert str(client_address(scope(peer, *forwarded), ())) == str(peer)


def test_proxies_are_named_in_the_settings(consortium: Consortium) -> None:
    given = consortium.settings(1, trusted_proxies="127.0.0.1, 10.0.0.0/8,::1")
    assert isinstance(given, NodeSettings)
    assert [str(one) for one in given.trusted_networks] == ["127.0.0.1/32", "10.0.0.0/8", "::1/128"]
    assert consortium.settings(1).trusted_networks == ()


@pytest.fixture(scope="module")
def limited(node: HttpNode) -> Iterator[httpx.Client]:
    """Give the node once more, over HTTP with three requests for each client."""
    limits = ClientLimits(per_second=1e-3, burst=3, trusted=PROXY)
    app = create_app(node.node.service, client_limits=limits)
    with served(app) as url, httpx.Client(base_url=url) as http:
        yield http


def test_over_http_a_client_that_asks_too_often_is_told_when_to_come_back(
    limited: httpx.Client,
) -> None:
    from_page = {"X-Forwarded-For": "198.51.100.7", "Origin": "https://somewhere.example"}
    answers = [limited.get("/v1/ledger", headers=from_page) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert_problem(answers[3], 429, "too_many_requests", advice=True)
    assert 990 <= int(answers[3].headers["retry-after"]) <= 1000
    assert answers[3].headers["access-control-allow-origin"] == "*"
    assert "198.51.100.7" not in answers[3].text
    other = {"X-Forwarded-For": "198.51.100.8"}
    assert limited.get("/v1/ledger", headers=other).status_code == 200
    assert limited.get("/health/live", headers=from_page).status_code == 200
    assert [limited.get("/v1/ledger").status_code for _ in range(5)] == [200] * 5
