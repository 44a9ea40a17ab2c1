"""Who may write, over real HTTP: tokens, their scopes, and what is said to whoever has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from testamur.ledger.operator_log import COMMAND_LINE
from testamur.service.access import NewToken, TokenRequest
from tests.api.problems import assert_problem
from tests.support.node import Consortium, HttpNode, founded

NEVER = "testamur_0123456789_" + "ab" * 20


@dataclass
class Clock:
    """What the node takes for the time; moved by hand."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Closed:
    """A node that lets nobody submit without a token."""

    node: HttpNode
    consortium: Consortium
    clock: Clock
    _names: list[str] = field(default_factory=list)

    def token(self, *scopes: str, **given: Any) -> NewToken:
        """Make a token as the operator does."""
        self._names.append(f"token {len(self._names)}")
        wanted = TokenRequest(self._names[-1], scopes, **given)
        return self.node.node.service.access.create(wanted, by=COMMAND_LINE)

    def submit(self, text: str | None, count: int = 1) -> Any:
        """Submit new entries with a token."""
        entries = [one.entry.hex() for one in self.consortium.some(1, count)]
        return self.node.http.post("/v1/entries", json=entries, headers=bearer(text))


def bearer(text: str | None) -> dict[str, str]:
    return {} if text is None else {"Authorization": f"Bearer {text}"}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    clock = Clock()
    with founded(tmp_path_factory.mktemp("closed")) as consortium:
        consortium.clock = clock
        with consortium.serving(1, open_submission=False) as node:
            node.step("following")
            yield Closed(node, consortium, clock)


def test_without_a_token_nothing_is_taken(closed: Closed) -> None:
    before = closed.node.http.get("/v1/ledger").json()["queued"]
    answer = closed.submit(None)
    assert_problem(answer, 401, "token_missing", advice=True)
    assert answer.headers["www-authenticate"] == 'Bearer realm="testamur"'
    assert closed.node.http.get("/v1/ledger").json()["queued"] == before


def test_with_a_token_for_it_entries_are_taken(closed: Closed) -> None:
    answer = closed.submit(closed.token("submit").text, 3)
    assert answer.status_code == 202
    assert answer.json() == {"added": 3, "known": 0}


def spoiled(text: str) -> list[str]:
    head, token_id, secret = text.split("_")
    flipped = "0" if secret[-1] != "0" else "1"
    return [
        NEVER,
        text[:-1] + flipped,
        f"{head}_{token_id}_{'0' * len(secret)}",
        f"{head}_{'0' * len(token_id)}_{secret}",
        text.upper(),
        text[:-1],
        text + "0",
        secret,
        token_id,
        "x",
    ]


def test_a_token_that_is_none_is_answered_alike_whatever_is_wrong(closed: Closed) -> None:
    good = closed.token("submit")
    revoked = closed.token("submit")
    closed.node.node.service.access.revoke(revoked.token.id, by=COMMAND_LINE)
    answers = [closed.submit(text) for text in [*spoiled(good.text), revoked.text]]
    for answer in answers:
        assert_problem(answer, 401, "token_invalid", advice=True)
        assert answer.headers["www-authenticate"].endswith('error="invalid_token"')
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic dTpw", "Bearer {0} {0}", "{0}", "Token {0}", "Bearer {0},"],
)
def test_a_header_of_another_form_is_no_token(closed: Closed, header: str) -> None:
    text = closed.token("submit").text
    entry = [closed.consortium.some(1)[0].entry.hex()]
    answer = closed.node.http.post(
        "/v1/entries", json=entry, headers={"Authorization": header.format(text)}
    )
    assert_problem(answer, 401, "token_invalid", advice=True)
    assert text not in answer.text


def test_the_scheme_is_named_in_any_case_and_a_second_token_is_refused(closed: Closed) -> None:
    text = closed.token("submit").text
    entry = [closed.consortium.some(1)[0].entry.hex()]
    for value in (f"bearer {text}", f"BEARER  {text}"):
        answer = closed.node.http.post("/v1/entries", json=entry, headers={"Authorization": value})
        assert answer.status_code == 202
    twice = [("Authorization", f"Bearer {text}")] * 2
    answer = closed.node.http.post("/v1/entries", json=entry, headers=twice)
    assert_problem(answer, 401, "token_invalid", advice=True)


def test_a_token_in_the_url_is_not_looked_at(closed: Closed) -> None:
    text = closed.token("submit").text
    answer = closed.node.http.post("/v1/entries", params={"access_token": text}, json=["ab" * 32])
    assert_problem(answer, 401, "token_missing", advice=True)


def test_a_token_is_good_until_it_expires(closed: Closed) -> None:
    made = closed.token("submit", expires_days=2)
    begun = closed.clock.now
    try:
        closed.clock.now = begun + 2 * 86_400 - 1
        assert closed.submit(made.text).status_code == 202
        closed.clock.now = begun + 2 * 86_400
        answer = closed.submit(made.text)
        assert_problem(answer, 401, "token_expired", advice=True)
        assert answer.headers["www-authenticate"].endswith('error="invalid_token"')
        # Whoever does not have the whole token is not told that there was one.
        assert_problem(closed.submit(made.text[:-1] + "x"), 401, "token_invalid", advice=True)
        assert closed.submit(closed.token("submit", expires_days=None).text).status_code == 202
    finally:
        closed.clock.now = begun


CALLS: list[tuple[str, str, str]] = [
    ("submit", "POST", "/v1/entries"),
    ("admin", "GET", "/v1/tokens"),
    ("admin", "POST", "/v1/tokens"),
    ("admin", "DELETE", "/v1/tokens/0123456789"),
    ("audit", "GET", "/v1/operator-log"),
]


@pytest.mark.parametrize(("scope", "method", "path"), CALLS)
def test_each_scope_opens_its_routes_and_no_other(
    closed: Closed, scope: str, method: str, path: str
) -> None:
    all_scopes = ("submit", "status:own", "status:any", "audit", "admin")
    for held in all_scopes:
        answer = closed.node.http.request(method, path, headers=bearer(closed.token(held).text))
        if held == scope:
            assert answer.status_code not in {401, 403}
        else:
            assert_problem(answer, 403, "scope_missing", advice=True)
            told = answer.headers["www-authenticate"]
            assert told.endswith(f'error="insufficient_scope", scope="{scope}"')
    others = [one for one in all_scopes if one != scope]
    answer = closed.node.http.request(method, path, headers=bearer(closed.token(*others).text))
    assert_problem(answer, 403, "scope_missing", advice=True)
    assert_problem(closed.node.http.request(method, path), 401, "token_missing", advice=True)


def test_reading_and_verifying_need_no_token(closed: Closed) -> None:
    for path in ("/v1/ledger", "/v1/batches", "/v1/members", "/v1/trust", "/health/ready"):
        assert closed.node.http.get(path).status_code == 200
    answer = closed.node.http.post("/v1/verify", json={})
    assert_problem(answer, 400, "request_format")


def test_an_open_node_takes_entries_without_a_token_but_no_bad_one(
    closed: Closed, node: HttpNode, consortium: Consortium
) -> None:
    assert node.submit(*consortium.some(1)) == {"added": 1, "known": 0}
    for text in (NEVER, closed.token("submit").text):
        entry = [consortium.some(1)[0].entry.hex()]
        answer = node.http.post("/v1/entries", json=entry, headers=bearer(text))
        assert_problem(answer, 401, "token_invalid", advice=True)


def test_tokens_are_made_listed_and_revoked_by_an_administrator(closed: Closed) -> None:
    http, admin = closed.node.http, bearer(closed.token("admin").text)
    wanted = {"name": "by HTTP", "scopes": ["audit", "submit"], "expires": "30d"}
    answer = http.post("/v1/tokens", json={**wanted, "quota_per_day": 5}, headers=admin)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    made = answer.json()
    text = made.pop("token")
    now = int(closed.clock.now)
    assert made == {
        "id": text.split("_")[1],
        "name": "by HTTP",
        "scopes": ["submit", "audit"],
        "created_at": now,
        "expires_at": now + 30 * 86_400,
        "quota_per_day": 5,
        "revoked_at": None,
    }
    listed = http.get("/v1/tokens", headers=admin)
    assert made in listed.json()["tokens"]
    assert text.split("_")[2] not in listed.text
    assert closed.submit(text).status_code == 202
    assert_problem(
        http.post("/v1/tokens", json=wanted, headers=admin), 409, "token_name_taken", advice=True
    )
    revoked = http.delete(f"/v1/tokens/{made['id']}", headers=admin)
    assert revoked.json() == made | {"revoked_at": now}
    assert_problem(closed.submit(text), 401, "token_invalid", advice=True)
    assert http.delete(f"/v1/tokens/{made['id']}", headers=admin).json() == revoked.json()
    missing = http.delete("/v1/tokens/0123456789", headers=admin)
    assert_problem(missing, 404, "unknown_token", advice=True)


def test_a_token_without_a_word_about_its_end_lasts_a_year(closed: Closed) -> None:
    admin = bearer(closed.token("admin").text)
    made = [
        closed.node.http.post("/v1/tokens", json=body, headers=admin).json()
        for body in (
            {"name": "a year", "scopes": ["submit"]},
            {"name": "for ever", "scopes": ["submit"], "expires": "never"},
        )
    ]
    assert [one["expires_at"] for one in made] == [int(closed.clock.now) + 365 * 86_400, None]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": ""}, "token_format"),
        ({"name": "x" * 65}, "token_format"),
        ({"name": "a\nb"}, "token_format"),
        ({"name": "\u202eabc"}, "token_format"),
        ({"name": NEVER}, "token_format"),
        ({"name": 1}, "request_format"),
        ({"scopes": []}, "request_format"),
        ({"scopes": ["everything"]}, "token_format"),
        ({"scopes": ["submit"] * 6}, "request_format"),
        ({"expires": "0d"}, "token_format"),
        ({"expires": "99999d"}, "token_format"),
        ({"expires": "12h"}, "token_format"),
        ({"expires": None}, "request_format"),
        ({"quota_per_day": 0}, "request_format"),
        ({"quota_per_day": 10**15}, "token_format"),
        ({"quota_per_day": 1.5}, "request_format"),
        ({"surprise": 1}, "request_format"),
    ],
)
def test_a_token_that_is_described_wrongly_is_not_made(
    closed: Closed, change: dict[str, Any], code: str
) -> None:
    body = {"name": "wrong", "scopes": ["submit"]} | change
    admin = bearer(closed.token("admin").text)
    answer = closed.node.http.post("/v1/tokens", json=body, headers=admin)
    assert_problem(answer, 400, code, advice=code == "token_format")
    assert all(one.name != "wrong" for one in closed.node.node.service.access.tokens())


@pytest.mark.parametrize("path", ["/v1/tokens", "/v1/operator-log", "/v1/tokens/0123456789"])
def test_no_page_gets_at_tokens_or_the_log(closed: Closed, path: str) -> None:
    page = {"Origin": "https://somewhere.example"}
    headers = page | bearer(closed.token("admin", "audit").text)
    answer = closed.node.http.get(path, headers=headers)
    assert "access-control-allow-origin" not in answer.headers
    for method in ("GET", "POST", "DELETE"):
        asked = page | {
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization",
        }
        answer = closed.node.http.options(path, headers=asked)
        assert answer.status_code == 405
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(("scope", "method", "path"), CALLS)
def test_a_revoked_token_opens_nothing(closed: Closed, scope: str, method: str, path: str) -> None:
    made = closed.token(scope)
    closed.node.node.service.access.revoke(made.token.id, by=COMMAND_LINE)
    answer = closed.node.http.request(method, path, headers=bearer(made.text))
    assert_problem(answer, 401, "token_invalid", advice=True)


def test_a_node_keeps_no_token(closed: Closed) -> None:
    made = closed.token("submit")
    closed.submit(made.text)
    secret = made.text.split("_")[2].encode()
    kept = [path for path in Path(closed.node.settings.data_dir).rglob("*") if path.is_file()]
    assert any(made.token.id.encode() in path.read_bytes() for path in kept)
    for path in kept:
        assert secret not in path.read_bytes()
        assert bytes.fromhex(secret.decode()) not in path.read_bytes()
