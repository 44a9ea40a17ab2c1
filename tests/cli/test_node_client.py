"""A node's answers: whatever it sends or does not send is one of two errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from testamur.cli.node_client import DEADLINE_SECONDS, REPLY_BYTES_MAX, NodeClient
from testamur.cli.patience import Patience
from testamur.errors import (
    ConfigurationError,
    NodeBusyError,
    NodeProtocolError,
    NodeUnavailableError,
)
from tests.cli.running import Run
from tests.cli.test_commit import LEDGER, diploma, sidecars, trust_file
from tests.support.canned_server import CannedServer, reply


def foreign_errors() -> list[type[Exception]]:
    found: list[type[Exception]] = [httpx.InvalidURL]
    families = [httpx.HTTPError, httpx.StreamError]
    while families:
        family = families.pop()
        found.append(family)
        families.extend(family.__subclasses__())
    return found


def ledger(member: object, ledger_id: str = LEDGER.hex()) -> bytes:
    return reply(json.dumps({"ledger_id": ledger_id, "member": member, "size": 4}).encode())


class RaisingTransport(httpx.BaseTransport):
    """Raises one of httpx's own errors for every request."""

    def __init__(self, kind: type[Exception]) -> None:
        self.kind = kind

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        error = self.kind.__new__(self.kind)
        Exception.__init__(error, f"{self.kind.__name__} for {request.method}")
        raise error


@pytest.mark.parametrize("kind", foreign_errors(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_http_library_means_unavailable(kind: type[Exception]) -> None:
    with (
        NodeClient("http://node.example", transport=RaisingTransport(kind)) as client,
        pytest.raises(NodeUnavailableError),
    ):
        client.get("/v1/ledger")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", NodeUnavailableError),
        (b"\x00\xff not HTTP\r\n\r\n", NodeUnavailableError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", NodeUnavailableError),
        (reply(b"{}", "503 Service Unavailable"), NodeUnavailableError),
        (reply(b"{}", "500 Internal Server Error"), NodeUnavailableError),
        (reply(b"{}", "429 Too Many Requests"), NodeUnavailableError),
        (reply(b"{}", "404 Not Found"), NodeProtocolError),
        (reply(b"{}", "201 Created"), NodeProtocolError),
        (reply(b"", "302 Found", "Location: http://127.0.0.1:1/"), NodeProtocolError),
        (reply(b"\x1f\x8b", "200 OK", "Content-Encoding: gzip"), NodeProtocolError),
        (reply(b"[]"), NodeProtocolError),
        (reply(b'{"member": 1, "member": 2}'), NodeProtocolError),
        (ledger("1"), NodeProtocolError),
        (ledger(True), NodeProtocolError),
        (ledger(0), NodeProtocolError),
        (ledger(2**32), NodeProtocolError),
        (ledger(1, "0a"), NodeProtocolError),
        (reply(b'{"member": 1}'), NodeProtocolError),
        (reply(b"\xff"), NodeProtocolError),
        (reply(b"[" * 5000), NodeProtocolError),
        (reply(b" " * (REPLY_BYTES_MAX + 1)), NodeProtocolError),
    ],
    ids=lambda value: value[:40].decode("ascii", "replace") if isinstance(value, bytes) else "",
)
def test_every_bad_answer_is_one_of_two_errors(answer: bytes, error: type[Exception]) -> None:
    with (
        CannedServer({"/v1/ledger": answer}) as server,
        NodeClient(server.url) as client,
        pytest.raises(error),
    ):
        client.own_ledger()


def test_a_reply_without_a_length_is_bounded_too() -> None:
    endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b" " * 5000
    with (
        CannedServer({"/x": endless}) as server,
        NodeClient(server.url) as client,
        pytest.raises(NodeProtocolError, match="more than 4999 bytes"),
    ):
        client.get("/x", bytes_max=4999)


class DrippingTransport(httpx.BaseTransport):
    """A node that always sends one more byte."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Drip(), request=request)


class Drip(httpx.SyncByteStream):
    """An endless body."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b" "


def test_a_node_that_drips_bytes_runs_into_the_deadline() -> None:
    now = iter(range(0, 10 * int(DEADLINE_SECONDS), 7))
    client = NodeClient(
        "http://node.example", transport=DrippingTransport(), monotonic=lambda: float(next(now))
    )
    with client, pytest.raises(NodeUnavailableError, match="too slow"):
        client.get("/v1/trust")


def test_a_problem_document_is_told() -> None:
    problem = json.dumps({"title": "No such entry", "detail": "this node knows no such entry"})
    with (
        CannedServer({"/x": reply(problem.encode(), "404 Not Found")}) as server,
        NodeClient(server.url) as client,
        pytest.raises(NodeProtocolError, match="answered 404: this node knows no such entry"),
    ):
        client.get("/x")


def test_an_expected_status_is_an_answer() -> None:
    with (
        CannedServer({"/x": reply(b"gone", "410 Gone")}) as server,
        NodeClient(server.url + "/") as client,
    ):
        answer = client.request("POST", "/x", content=b"{}", expected={200, 410})
    assert (answer.status, answer.body, server.asked) == (410, b"gone", ["/x"])


def test_a_reader_waits_only_for_a_node_that_he_asks_too_often() -> None:
    slept: list[float] = []
    answers = {
        "/often": reply(b"{}", "429 Too Many Requests", "Retry-After: 3"),
        "/down": reply(b"{}", "503 Service Unavailable", "Retry-After: 3"),
    }
    with CannedServer(answers) as server, NodeClient(server.url) as client:
        for path, waited in (("/down", []), ("/often", [3, 3])):
            patience = Patience(slept.append, seconds_max=6, only_too_often=True)
            with pytest.raises(NodeBusyError):
                patience.repeat(partial(client.get, path))
            assert slept == waited


def test_what_is_for_this_machine_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with CannedServer({"/x": reply(b"here")}) as node, CannedServer({}) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with NodeClient(node.url, token="secret") as client:
            assert client.request("POST", "/x", content=b"", authorised=True).body == b"here"
        assert proxy.asked == []
        # Whoever has to use one to get out still does.
        with NodeClient("http://node.example") as client, pytest.raises(NodeUnavailableError):
            client.get("/x")
        assert proxy.asked == ["http://node.example/x"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "node.example",
        "ftp://node.example",
        "http://",
        "http://user:word@node.example",
        "http://node.example?x=1",
        "http://node.example#x",
        "http://[::1",
        "http://node.example:port",
        "file:///etc/passwd",
    ],
)
def test_a_url_that_names_no_node_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(ConfigurationError):
        NodeClient(url)


def test_commit_takes_ledger_and_member_from_a_node(testamur: Run, tmp_path: Path) -> None:
    file = diploma(tmp_path)
    trust = reply(trust_file(tmp_path).read_bytes())
    with CannedServer({"/v1/trust": trust, "/v1/ledger": ledger(2)}) as server:
        assert testamur("commit", file, "--node", server.url).code == 0
        assert testamur("commit", file, "--node", server.url, "--member", 2).code == 0
        assert testamur("commit", file, "--node", server.url, "--member", 1).code == 2
    (path,) = sidecars(tmp_path)
    assert path.name == f"diploma.json.{LEDGER.hex()[:16]}-2.testamur.json"


@pytest.mark.parametrize(
    ("trust", "own", "code"),
    [
        (b"", ledger(1), 3),
        (reply(b"{}"), ledger(1), 3),
        (None, ledger(9), 2),
        (None, b"", 3),
        (None, ledger(1, bytes(32).hex()), 3),
    ],
)
def test_commit_writes_nothing_when_the_node_is_no_help(
    testamur: Run, tmp_path: Path, trust: bytes | None, own: bytes, code: int
) -> None:
    file = diploma(tmp_path)
    answer = reply(trust_file(tmp_path).read_bytes()) if trust is None else trust
    with CannedServer({"/v1/trust": answer, "/v1/ledger": own}) as server:
        result = testamur("commit", file, "--node", server.url)
    assert result.code == code
    assert "error:" in result.err
    assert sidecars(tmp_path) == []
