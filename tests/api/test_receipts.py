"""Receipts of many entries in one answer, and sealing on request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from testamur.api.receipt_routes import LINES_AT_ONCE
from testamur.api.requests import RECEIPTS_MAX
from tests.api.problems import assert_problem
from tests.support.node import Consortium, HttpNode, founded
from tests.support.stored import some_entries

pytestmark = pytest.mark.slow  # batches are brought to finality

RAW = {"Content-Type": "application/octet-stream"}
JSON = {"Content-Type": "application/json"}


def lines(node: HttpNode, entries: list[bytes]) -> list[dict[str, Any]]:
    answer = node.http.post("/v1/receipts", content=b"".join(entries), headers=RAW)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.content.splitlines()]


def test_every_entry_has_its_line_in_the_order_asked(
    consortium: Consortium, node: HttpNode
) -> None:
    final, again = consortium.some(1, 3), consortium.some(1, 2)
    consortium.register(node, *final)
    consortium.register(node, *again)
    (sealed,), (queued,) = consortium.some(1), consortium.some(1)
    node.submit(sealed)
    consortium.bring(node, sealed.entry, "sealed")
    node.submit(queued)
    unknown = some_entries(1, "never submitted")[0]
    asked = [again[0].entry, queued.entry, unknown, *(o.entry for o in final), sealed.entry]
    asked += [again[1].entry, unknown, again[0].entry]
    got = lines(node, asked)
    assert [line["entry"] for line in got] == [entry.hex() for entry in asked]
    for line in got:
        known = node.http.get(f"/v1/entries/{line['entry']}")
        receipt = node.http.get(f"/v1/receipts/{line['entry']}")
        if line["entry"] == unknown.hex():
            nothing = {"state": None, "batch": None, "record": None, "receipt": None}
            assert line == {"entry": unknown.hex(), **nothing, "code": "unknown_entry"}
            assert known.status_code == 404
            continue
        fields = ("state", "batch", "record")
        assert [line[name] for name in fields] == [known.json()[name] for name in fields]
        assert line["receipt"] == (receipt.json() if receipt.status_code == 200 else None)
        assert "code" not in line
    assert [line["state"] for line in got[:3]] == ["final", "queued", None]
    assert (got[6]["state"], got[6]["receipt"]) == ("sealed", None)
    # As JSON, the same.
    hexes = [entry.hex() for entry in asked]
    assert node.http.post("/v1/receipts", json=hexes).content.splitlines() == [
        json.dumps(line, separators=(",", ":")).encode() for line in got
    ]


def test_receipts_of_one_answer_verify(consortium: Consortium, node: HttpNode) -> None:
    some = consortium.some(1, LINES_AT_ONCE + 3)  # more than one group of lines
    consortium.register(node, *some)
    for one, line in zip(some, lines(node, [one.entry for one in some]), strict=True):
        made = {"profile": one.profile, "salt": one.salt.hex()}
        assert node.verify(one, line["receipt"] | {"commitment": made})["verdict"] == "verified"


def test_a_receipt_before_finality_is_given_with_its_state(
    consortium: Consortium, node: HttpNode
) -> None:
    (one,) = consortium.some(1)
    node.submit(one)
    consortium.bring(node, one.entry, "anchored")
    (line,) = lines(node, [one.entry])
    assert (line["state"], line["record"]) == ("anchored", line["receipt"]["record"]["index"])
    consortium.bring(node, one.entry, "final")
    assert lines(node, [one.entry])[0]["state"] == "final"


def test_as_many_as_the_limit_and_no_more(node: HttpNode) -> None:
    entries = some_entries(RECEIPTS_MAX + 1, "limit")
    assert len(lines(node, list(entries[:-1]))) == RECEIPTS_MAX
    for sent in (
        {"content": b"".join(entries), "headers": RAW},
        {"json": [entry.hex() for entry in entries]},
    ):
        answer = node.http.post("/v1/receipts", **sent)  # type: ignore[arg-type]
        assert_problem(answer, 413, "too_many_entries", advice=True)
    answer = node.http.post("/v1/receipts", content=b"[" + b" " * 200_000 + b"]", headers=JSON)
    assert_problem(answer, 413, "request_too_large", advice=True)
    for content, headers in ((b"", RAW), (b"a" * 33, RAW), (b"{}", JSON), (b"[]", JSON)):
        answer = node.http.post("/v1/receipts", content=content, headers=headers)
        assert_problem(answer, 400, "request_format")
    answer = node.http.post("/v1/receipts", content=b"a" * 32, headers={"Content-Type": "text/csv"})
    assert_problem(answer, 415, "unsupported_media_type")


def test_a_damaged_batch_does_not_take_the_other_receipts_with_it(tmp_path: Path) -> None:
    with founded(tmp_path) as consortium:
        bad, good = consortium.some(1, 2), consortium.some(1, 2)
        with consortium.serving(1) as node:
            consortium.register(node, *bad)
            consortium.register(node, *good)
            root = node.http.get(f"/v1/entries/{bad[0].entry.hex()}").json()["batch"]
        (file,) = (consortium.settings(1).data_dir / "batches").rglob(root)
        file.write_bytes(bytes(len(file.read_bytes())))
        with consortium.serving(1) as node:
            asked = [bad[0], good[0], bad[1], good[1]]
            got = lines(node, [one.entry for one in asked])
        assert [line.get("code") for line in got] == ["corrupt_batch", None, "corrupt_batch", None]
        assert [line["receipt"] is None for line in got] == [True, False, True, False]
        assert {line["state"] for line in got} == {"final"}


def test_what_waits_is_sealed_on_request(tmp_path: Path) -> None:
    with (
        founded(tmp_path) as consortium,
        consortium.serving(1, seal_after_seconds=10**6) as node,
    ):
        answer = node.http.post("/v1/batches", json={})
        assert (answer.status_code, answer.json()) == (202, {"waiting": 0})
        some = consortium.some(1, 3)
        node.submit(*some)
        node.step("sealing")  # an earlier wish, for nothing, seals nothing of later
        assert node.state(some[0].entry) == "queued"
        for _ in range(2):  # harmless to repeat
            answer = node.http.post("/v1/batches", json={})
            assert (answer.status_code, answer.json()) == (202, {"waiting": 3})
        node.step("sealing")
        assert {node.state(one.entry) for one in some} == {"sealed"}
        (late,) = consortium.some(1)
        node.submit(late)
        node.step("sealing")
        assert node.state(late.entry) == "queued"


def test_a_node_that_does_not_seal_says_so(tmp_path: Path) -> None:
    with founded(tmp_path) as consortium, consortium.serving(1, anchor_key_file=None) as node:
        assert_problem(node.http.post("/v1/batches", json={}), 409, "not_sealing", advice=True)


def test_sealing_needs_a_token_where_submitting_does(tmp_path: Path) -> None:
    with founded(tmp_path) as consortium, consortium.serving(1, open_submission=False) as node:
        assert_problem(node.http.post("/v1/batches", json={}), 401, "token_missing", advice=True)
        assert node.http.post("/v1/receipts", json=["ab" * 32]).status_code == 200


@pytest.mark.parametrize("sent", [b"", b"[]", b'{"seal": true}', b"null", b"{"])
def test_a_wish_is_an_empty_object(node: HttpNode, sent: bytes) -> None:
    answer = node.http.post("/v1/batches", content=sent, headers=JSON)
    assert_problem(answer, 400, "request_format")


def test_no_page_may_have_a_batch_sealed(node: HttpNode) -> None:
    page = {"Origin": "https://somewhere.example"}
    asked = {"Access-Control-Request-Headers": "content-type"}
    for method, status in (("POST", 405), ("GET", 200)):
        answer = node.http.options(
            "/v1/batches", headers={**page, **asked, "Access-Control-Request-Method": method}
        )
        assert answer.status_code == status
        assert ("access-control-allow-origin" in answer.headers) == (method == "GET")
    # What a page can send without asking first is not taken.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = node.http.post("/v1/batches", content=b"{}", headers={"Content-Type": kind})
        assert_problem(answer, 415, "unsupported_media_type")
    assert node.http.get("/v1/batches", headers=page).headers["access-control-allow-origin"] == "*"
