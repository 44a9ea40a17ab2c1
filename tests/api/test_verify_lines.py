"""Many verifications in one request: a line each, and a line each is answered, in order."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from testamur.api import verify_requests, verify_routes
from testamur.api.verify_routes import SMALL_BYTES_MAX, UPLOADS_MAX
from tests.api.problems import assert_problem
from tests.support.node import Committed, HttpNode
from tests.support.waiting import wait_until

Registered = tuple[Committed, dict[str, Any]]
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


def lines(node: HttpNode, body: bytes) -> list[dict[str, Any]]:
    answer = node.http.post("/v1/verify", content=body, headers=NDJSON)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.endswith(b"\n")
    return [json.loads(line) for line in answer.content[:-1].split(b"\n")]


@pytest.fixture
def forms(registered: Registered) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the same credential by receipt and by member and salt."""
    committed, receipt = registered
    asked = {"profile": committed.profile, "digest": committed.digest.hex()}
    return asked | {"receipt": receipt}, asked | {"member": 1, "salt": committed.salt.hex()}


def test_each_line_is_answered_in_its_place_and_a_bad_one_harms_no_other(
    node: HttpNode, forms: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    by_receipt, by_locator = forms
    sent = [
        (by_receipt, "accept"),
        (b"", "request_format"),
        (by_locator, "accept"),
        (by_locator | {"digest": "00" * 32}, "review"),
        (b"{", "request_format"),
        (by_receipt | {"digest": "00" * 32}, "reject"),
        (b"\xff\x00", "request_format"),
        (by_locator | {"member": 0}, "request_format"),
        (by_locator | {"member": 2}, "retry"),
        ([by_locator], "request_format"),
        (b'{"profile":"' + b"x" * verify_requests.JSON_BYTES_MAX + b'"}', "request_too_large"),
        (by_receipt | {"receipt": None}, "reject"),
        (by_receipt, "accept"),
    ]
    body = b"\n".join(
        one if isinstance(one, bytes) else json.dumps(one).encode() for one, _ in sent
    )
    for end in (b"", b"\n"):
        told = lines(node, body + end)
        assert [one.get("outcome") or one["code"] for one in told] == [want for _, want in sent]
    problems = [one for one in told if "outcome" not in one]
    assert {one["status"] for one in problems} == {400, 413}
    assert all(one["type"] == "about:blank" and one["detail"] for one in problems)
    # The same as if it had come alone.
    alone = node.http.post("/v1/verify", json=by_receipt).json()
    assert told[0] == told[-1] == alone


def test_reports_of_one_request_are_of_one_head(
    node: HttpNode, forms: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    told = lines(node, b"\n".join(json.dumps(one).encode() for one in [*forms] * 20))
    assert len(told) == 40
    assert len({json.dumps(one["as_of"]) for one in told}) == 1


def test_a_thousand_lines_are_taken_and_one_more_is_refused(node: HttpNode) -> None:
    body = b"x\n" * verify_requests.LINES_MAX
    told = lines(node, body)
    assert [one["code"] for one in told] == ["request_format"] * verify_requests.LINES_MAX
    for more in (b"x", b"\n"):
        answer = node.http.post("/v1/verify", content=body + more, headers=NDJSON)
        assert_problem(answer, 413, "too_many_lines", advice=True)
    assert_problem(node.http.post("/v1/verify", content=b"", headers=NDJSON), 400, "request_format")


def test_lines_over_the_limit_of_bytes_are_refused(node: HttpNode) -> None:
    blocks = (b" " * 2**20 for _ in range(verify_requests.UPLOAD_BYTES_MAX // 2**20 + 1))
    answer = node.http.post("/v1/verify", content=blocks, headers=NDJSON)
    assert_problem(answer, 413, "request_too_large", advice=True)


def test_whoever_goes_away_in_the_middle_leaves_his_place_to_others(
    node: HttpNode, forms: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    body = b"\n".join([json.dumps(forms[0]).encode()] * 300)
    for _ in range(2 * UPLOADS_MAX):
        with node.http.stream("POST", "/v1/verify", content=body, headers=NDJSON) as answer:
            assert json.loads(next(answer.iter_lines()))["outcome"] == "accept"
    assert lines(node, json.dumps(forms[1]).encode())[0]["outcome"] == "accept"


def test_lines_that_take_too_long_are_cut_off_and_never_look_complete(
    node: HttpNode,
    forms: tuple[dict[str, Any], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = b"\n".join([json.dumps(forms[0]).encode()] * verify_requests.LINES_MAX)
    with monkeypatch.context() as patched:
        patched.setattr(verify_routes, "LINES_SECONDS_MAX", 0.05)
        for _ in range(UPLOADS_MAX + 1):
            with pytest.raises(httpx.RemoteProtocolError):
                node.http.post("/v1/verify", content=body, headers=NDJSON)
    assert lines(node, json.dumps(forms[1]).encode())[0]["outcome"] == "accept"


def test_an_upload_waits_for_its_turn_and_gets_it(
    node: HttpNode, registered: Registered, forms: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    body = b"\n".join([json.dumps(forms[0]).encode()] * 10)
    told: list[int] = []

    def send() -> None:
        with httpx.Client(base_url=node.url, timeout=60) as client:
            told.append(len(client.post("/v1/verify", content=body, headers=NDJSON).text.split()))
            committed, receipt = registered
            files = {"file": committed.data, "receipt": json.dumps(receipt).encode()}
            told.append(client.post("/v1/verify", files=files).status_code)

    senders = [threading.Thread(target=send) for _ in range(UPLOADS_MAX + 2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert told.count(200) == UPLOADS_MAX + 2


def test_whoever_sends_little_does_not_wait_for_those_who_send_much(
    node: HttpNode, forms: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    head = (
        "POST /v1/verify HTTP/1.1\r\nHost: node\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n"
    )
    large = json.dumps(forms[0]).encode() + b" " * SMALL_BYTES_MAX
    address = ("127.0.0.1", int(node.url.rsplit(":", 1)[1]))

    def large_waits() -> bool:
        try:
            node.http.post("/v1/verify", content=large, headers=JSON, timeout=1)
        except httpx.ReadTimeout:
            return True
        return False

    with ExitStack() as stack:
        for number in range(UPLOADS_MAX):
            # They declare much, and send nothing of it.
            slow = stack.enter_context(socket.create_connection(address))
            kind = ("application/json", "multipart/form-data; boundary=B")[number % 2]
            slow.sendall(head.format(kind, SMALL_BYTES_MAX + 1).encode())
        wait_until(large_waits, 20)
        for form in forms:
            assert node.http.post("/v1/verify", json=form).json()["outcome"] == "accept"
        assert node.http.post("/v1/verify", files={"file": b"%PDF"}).status_code == 200
    answer = node.http.post("/v1/verify", content=large, headers=JSON)
    assert answer.json()["outcome"] == "accept"
