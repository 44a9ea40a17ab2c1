"""``testamur token``, and what becomes of a token on its way to a node."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from testamur.cli.bearer import given_token
from testamur.cli.node_client import NodeClient
from testamur.cli.patience import Patience
from testamur.errors import ConfigurationError, NodeBusyError, NodeRefusedError
from testamur.service.access import Access
from testamur.storage.sql.store import open_store
from tests.cli.running import Run
from tests.support.canned_server import CannedServer, reply
from tests.support.stored import IDENTITY, digest

TEXT = "testamur_0123456789_" + "ab" * 20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the data directory of a node that has started once."""
    with open_store(tmp_path / "data") as store:
        store.bind_identity(IDENTITY)
    return tmp_path / "data"


def create(testamur: Run, data: Path, *more: object, name: str = "LMS") -> dict[str, object]:
    result = testamur(
        *("token", "create", "--data-dir", data, "--name", name, "--scope", "submit", "--json"),
        *more,
        random_bytes=secrets.token_bytes,
    )
    assert result.code == 0, result.err
    return result.rows[0]


def test_a_token_is_shown_once_and_is_good(testamur: Run, data: Path) -> None:
    made = create(testamur, data, "--scope", "audit", "--expires", "90d", "--quota-per-day", "7")
    text = str(made.pop("token"))
    assert made["scopes"] == ["submit", "audit"]
    assert made["expires_at"] == int(str(made["created_at"])) + 90 * 86_400
    assert made["quota_per_day"] == 7
    with open_store(data) as store:
        access = Access(store, clock=lambda: float(str(made["created_at"])), random_bytes=bytes)
        assert access.authorise(text, "submit").id == made["id"]
    listed = testamur("token", "list", "--data-dir", data, "--json")
    assert listed.rows == [made]
    for shown in (listed, testamur("token", "list", "--data-dir", data)):
        assert text.split("_")[2] not in shown.out + shown.err


def test_for_people_the_token_alone_is_on_standard_output(testamur: Run, data: Path) -> None:
    result = testamur("token", "create", "--data-dir", data, "--name", "LMS", "--scope", "submit")
    assert result.code == 0
    (line,) = result.out.splitlines()
    assert line.startswith("testamur_")
    assert line not in result.err
    assert "shown this once" in result.err


def test_a_token_expires_unless_never_is_asked_for(testamur: Run, data: Path) -> None:
    made = create(testamur, data)
    assert made["expires_at"] == int(str(made["created_at"])) + 365 * 86_400
    other = create(testamur, data, "--expires", "never", name="for ever")
    assert other["expires_at"] is None


def test_a_token_is_revoked_by_name_or_id(testamur: Run, data: Path) -> None:
    first = create(testamur, data)
    assert testamur("token", "revoke", "LMS", "--data-dir", data).code == 0
    second = create(testamur, data)
    revoked = testamur("token", "revoke", second["id"], "--data-dir", data, "--json")
    assert revoked.rows[0]["revoked_at"] is not None
    listed = testamur("token", "list", "--data-dir", data, "--json").rows
    assert [one["id"] for one in listed] == [first["id"], second["id"]]
    assert all(one["revoked_at"] for one in listed)
    again = testamur("token", "revoke", "LMS", "--data-dir", data)
    assert (again.code, "unknown_token" in again.err) == (2, True)


def test_a_name_that_is_taken_is_refused(testamur: Run, data: Path) -> None:
    create(testamur, data)
    result = testamur("token", "create", "--data-dir", data, "--name", "LMS", "--scope", "submit")
    assert (result.code, "token_name_taken" in result.err) == (2, True)


@pytest.mark.parametrize(
    "options",
    [
        ("--name", "", "--scope", "submit"),
        ("--name", "x", "--scope", "all"),
        ("--name", "x", "--scope", "submit", "--expires", "1y"),
        ("--name", "x", "--scope", "submit", "--quota-per-day", "0"),
    ],
)
def test_a_token_described_wrongly_is_not_made(
    testamur: Run, data: Path, options: tuple[str, ...]
) -> None:
    result = testamur("token", "create", "--data-dir", data, *options)
    assert (result.code, "token_format" in result.err) == (2, True)
    assert testamur("token", "list", "--data-dir", data, "--json").rows == []


def test_a_running_node_and_no_node_are_told_apart(
    testamur: Run, data: Path, tmp_path: Path
) -> None:
    with open_store(data):
        result = testamur("token", "list", "--data-dir", data)
    assert (result.code, "store_locked" in result.err) == (3, True)
    result = testamur("token", "list", "--data-dir", tmp_path)
    assert (result.code, "not a node's data directory" in result.err) == (2, True)
    result = testamur("token", "list")
    assert (result.code, "--data-dir" in result.err) == (2, True)


def test_a_node_that_has_never_started_has_no_log_to_write_into(
    testamur: Run, tmp_path: Path
) -> None:
    open_store(tmp_path).close()
    result = testamur(
        "token", "create", "--data-dir", tmp_path, "--name", "LMS", "--scope", "submit"
    )
    assert "started once" in result.err
    assert testamur("token", "list", "--data-dir", tmp_path, "--json").rows == []


def test_a_token_comes_from_its_file_or_from_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "token"
    path.write_text(TEXT + "\n")
    path.chmod(0o600)
    assert given_token(path, {"TESTAMUR_TOKEN": "other"}) == TEXT
    assert given_token(None, {"TESTAMUR_TOKEN": TEXT}) == TEXT
    assert given_token(None, {}) is None
    assert capsys.readouterr().err == ""
    for mode in (0o640, 0o604):
        path.chmod(mode)
        assert given_token(path, {}) == TEXT
        assert "others can read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"two words", TEXT.encode() + b"\nx", b"\xff" * 40, b"x" * 5000]
)
def test_what_is_no_token_is_not_sent_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        given_token(path, {})
    assert "words" not in str(caught.value)
    assert TEXT not in str(caught.value)
    with pytest.raises(ConfigurationError):
        given_token(tmp_path / "absent", {})
    with pytest.raises(ConfigurationError):
        given_token(None, {"TESTAMUR_TOKEN": "two words"})


@pytest.mark.parametrize(
    "url",
    [
        "http://node.example",
        "http://10.0.0.1:8180",
        "http://localhost.example",
        "http://[2001:db8::1]",
    ],
)
def test_a_token_does_not_travel_readable(url: str) -> None:
    with pytest.raises(ConfigurationError, match="insecure-http") as caught:
        NodeClient(url, token=TEXT)
    assert TEXT not in str(caught.value)
    NodeClient(url, token=TEXT, insecure_http=True).close()
    NodeClient(url).close()


@pytest.mark.parametrize(
    "url", ["https://node.example", "http://127.0.0.1:8180", "http://localhost:1", "http://[::1]:1"]
)
def test_a_token_travels_encrypted_or_on_this_machine(url: str) -> None:
    NodeClient(url, token=TEXT).close()


Answer = tuple[int, object, dict[str, str]]


class Recording(httpx.BaseTransport):
    """Gives its answers one after the other, the last one for ever, and keeps the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status, body, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        # A stream, so that the client reads it itself, as from a network.
        stream = httpx.ByteStream(json.dumps(body).encode())
        return httpx.Response(status, stream=stream, headers=headers)


def answer(status: int, body: object, **headers: str) -> Answer:
    return status, body, {name.replace("_", "-"): value for name, value in headers.items()}


def test_a_token_goes_with_what_writes_and_with_nothing_else() -> None:
    transport = Recording(answer(202, {"added": 1, "known": 0}))
    with NodeClient("https://node.example", token=TEXT, transport=transport) as client:
        client.submit([digest("entry")])
        transport.answers = [answer(200, {})]
        client.get("/v1/trust")
        client.request("POST", "/v1/verify")
    sent = [request.headers.get("Authorization") for request in transport.requests]
    assert sent == [f"Bearer {TEXT}", None, None]


def test_a_token_is_not_sent_after_a_redirect() -> None:
    transport = Recording(answer(307, {}, Location="https://elsewhere.example/v1/entries"))
    with (
        NodeClient("https://node.example", token=TEXT, transport=transport) as client,
        pytest.raises(Exception, match="307"),
    ):
        client.submit([digest("entry")])
    assert [request.url.host for request in transport.requests] == ["node.example"]


@pytest.mark.parametrize("status", [401, 403])
def test_being_refused_is_told_with_what_to_do(status: int) -> None:
    problem = {"code": "token_missing", "detail": "this needs a token"}
    transport = Recording(answer(status, problem))
    with (
        NodeClient("https://node.example", token=TEXT, transport=transport) as client,
        pytest.raises(NodeRefusedError, match="this needs a token") as caught,
    ):
        client.submit([digest("entry")])
    assert "TESTAMUR_TOKEN" in caught.value.advice
    assert TEXT not in str(caught.value)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_node_is_waited_for_as_long_as_it_says(status: int) -> None:
    busy, taken = answer(status, {}, Retry_After="7"), answer(202, {"added": 1, "known": 0})
    slept: list[float] = []
    transport = Recording(busy, taken)
    with NodeClient("https://node.example", transport=transport) as client:
        patience = Patience(slept.append)
        assert patience.repeat(lambda: client.submit([digest("entry")])).added == 1
    assert slept == [7]


def test_a_node_that_stays_busy_is_given_up() -> None:
    transport = Recording(answer(429, {"detail": "the quota"}, Retry_After="250"))
    slept: list[float] = []
    with NodeClient("https://node.example", transport=transport) as client:
        patience = Patience(slept.append, seconds_max=600)
        with pytest.raises(NodeBusyError, match="the quota"):
            patience.repeat(lambda: client.submit([digest("entry")]))
    assert slept == [250, 250]


@pytest.mark.parametrize("told", ["soon", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 30])
def test_a_time_to_come_back_that_is_no_number_is_not_waited_for(told: str) -> None:
    transport = Recording(answer(503, {}, Retry_After=told))
    slept: list[float] = []
    with (
        NodeClient("https://node.example", transport=transport) as client,
        pytest.raises(Exception, match="503"),
    ):
        Patience(slept.append).repeat(lambda: client.submit([digest("entry")]))
    assert slept == []


@pytest.fixture
def refusing() -> Iterator[CannedServer]:
    """Give a node that refuses whoever asks."""
    problem = json.dumps({"code": "token_missing", "detail": "this needs a token"}).encode()
    with CannedServer({"/v1/tokens": reply(problem, "401 Unauthorized")}) as server:
        yield server


def test_a_node_that_refuses_is_told_with_what_to_do(testamur: Run, refusing: CannedServer) -> None:
    result = testamur("token", "list", "--node", refusing.url)
    assert result.code == 2
    assert "this needs a token" in result.err
    assert "TESTAMUR_TOKEN" in result.err
