"""Every form of a verification over HTTP, and what each is answered."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from testamur.credentials.locator import Locator, serialise
from testamur.ledger.bundle import make_bundle
from testamur.merkle.hashing import Hash32
from tests.api.problems import assert_problem
from tests.support.located import JSON_TEMPLATE, PDF_TEMPLATE, located
from tests.support.node import STATES, Committed, Consortium, HttpNode

Registered = tuple[Committed, dict[str, Any]]
_SEEDS = count()


def checks(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["status"], check["code"]) for check in report["checks"]}


def only_check(report: dict[str, Any]) -> tuple[str, str, str]:
    (check,) = report["checks"]
    return check["name"], check["status"], check["code"]


def verdict(report: dict[str, Any]) -> tuple[str, str]:
    return report["outcome"], report["verdict"]


def made(
    consortium: Consortium, template: bytes = PDF_TEMPLATE, *, member: int = 1
) -> tuple[Committed, Locator]:
    """Give a credential that nobody submitted yet."""
    return located(consortium.ledger_id, member, template, seed=f"forms {next(_SEEDS)}")


def upload(node: HttpNode, **parts: bytes) -> dict[str, Any]:
    files = {name: (f"{name}.bin", data) for name, data in parts.items()}
    answer = node.http.post("/v1/verify", files=files)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


def located_form(committed: Committed, locator: Locator, **given: Any) -> dict[str, Any]:
    asked = {
        "profile": committed.profile,
        "digest": committed.digest.hex(),
        "member": locator.member,
        "salt": locator.salt.hex(),
    }
    return asked | given


def ask(node: HttpNode, body: dict[str, Any]) -> dict[str, Any]:
    answer = node.http.post("/v1/verify", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


# --- a locator in place of the receipt ----------------------------------------------------------


@pytest.mark.parametrize("template", [PDF_TEMPLATE, JSON_TEMPLATE], ids=["PDF", "JSON"])
def test_a_file_with_a_locator_needs_no_receipt(
    consortium: Consortium, node: HttpNode, template: bytes
) -> None:
    committed, locator = made(consortium, template)
    consortium.register(node, committed)
    by_file = upload(node, file=committed.data)
    assert verdict(by_file) == ("accept", "verified")
    assert by_file["registered_by"]["id"] == 1
    assert by_file["summary"].startswith("Registered by University of Aldermere")
    assert checks(by_file)["locator"] == ("valid", "locator_agrees")
    by_digest = ask(node, located_form(committed, locator))
    assert verdict(by_digest) == ("accept", "verified")
    assert committed.salt.hex() not in json.dumps([by_file, by_digest])


def test_until_it_is_final_a_located_credential_is_pending(
    consortium: Consortium, node: HttpNode
) -> None:
    committed, locator = made(consortium)
    assert verdict(upload(node, file=committed.data)) == ("review", "not_found")
    node.submit(committed)
    for state in STATES:
        consortium.bring(node, committed.entry, state)
        report = ask(node, located_form(committed, locator))
        if state == "final":
            assert verdict(report) == ("accept", "verified")
        else:
            assert verdict(report) == ("retry", "pending"), state
        if state in {"queued", "sealed", "submitted"}:
            assert only_check(report) == ("entry", "unknown", "not_anchored")
            assert (
                report["summary"] == "Submitted, but not anchored yet: ask again in some minutes."
            )


def test_no_record_of_exactly_this_file_is_said_in_those_words(
    consortium: Consortium, node: HttpNode
) -> None:
    committed, _ = made(consortium)
    consortium.register(node, committed)
    report = upload(node, file=committed.data + b"\n")
    assert verdict(report) == ("review", "not_found")
    assert report["summary"].startswith(
        "No record of exactly this file: changed, even by re-saving, or never registered. "
        "It stands in no batch of University of Aldermere as of "
    )
    assert only_check(report) == ("entry", "unknown", "not_found")
    head = node.http.get("/v1/ledger").json()["final"]
    assert report["as_of"] == {"block": head["block"], "time": head["time"]}
    assert report["registered_by"] is report["registered_at"] is report["carried_by"] is None


@pytest.mark.parametrize(
    "given",
    [
        {"salt": ...},
        {"member": ...},
        {"member": 0},
        {"member": 2**32},
        {"member": "1"},
        {"member": True},
        {"salt": "00" * 31},
        {"salt": None},
        {"profile": "padding"},
        {"locator": "testamur:1:x"},
        {"ledger_id": "00" * 32},
    ],
    ids=str,
)
def test_a_located_verification_of_another_form_is_refused(
    consortium: Consortium, node: HttpNode, given: dict[str, Any]
) -> None:
    committed, locator = made(consortium)
    asked = located_form(committed, locator) | given
    body = {name: value for name, value in asked.items() if value is not ...}
    answer = node.http.post("/v1/verify", json=body)
    assert_problem(answer, 400, "request_format")
    assert committed.salt.hex() not in answer.text


def test_a_node_that_lacks_batches_of_a_member_says_how_many_and_no_more_than_that(
    consortium: Consortium,
) -> None:
    committed, locator = made(consortium, member=2)
    consortium.register(consortium.nodes[2], *consortium.some(2))
    asked = consortium.nodes[3]
    asked.step("following")
    (lacking,) = [
        one["batches_anchored"] - one["batches_held"]
        for one in asked.http.get("/v1/members").json()["members"]
        if one["id"] == 2
    ]
    report = ask(asked, located_form(committed, locator))
    assert verdict(report) == ("retry", "could_not_check")
    assert only_check(report) == ("entry", "unknown", "batches_not_held")
    batches = "a batch" if lacking == 1 else f"{lacking} batches"
    assert f"lacks {batches} that Universidad de Brisamar anchored" in report["summary"]


def test_a_member_that_nobody_knows_is_not_called_a_forgery(
    consortium: Consortium, node: HttpNode
) -> None:
    committed, locator = made(consortium)
    report = ask(node, located_form(committed, locator, member=2**32 - 1))
    assert verdict(report) == ("retry", "could_not_check")
    assert only_check(report) == ("entry", "unknown", "unknown_member")


def test_a_locator_of_another_ledger_is_refused(consortium: Consortium, node: HttpNode) -> None:
    committed, _ = located(Hash32(b"\x07" * 32), 1, PDF_TEMPLATE, seed="elsewhere")
    report = upload(node, file=committed.data)
    assert verdict(report) == ("reject", "invalid")
    assert only_check(report) == ("locator", "invalid", "other_ledger")
    assert "another ledger" in report["summary"]
    assert consortium.ledger_id.hex() not in report["summary"]


def test_two_locators_that_differ_are_refused(consortium: Consortium, node: HttpNode) -> None:
    committed, locator = made(consortium)
    consortium.register(node, committed)
    other = serialise(replace(locator, salt=Hash32(b"\x07" * 32))).encode()
    twice = committed.data + serialise(locator).encode()
    assert only_check(upload(node, file=committed.data + other)) == (
        "locator",
        "invalid",
        "several_locators",
    )
    assert verdict(upload(node, file=twice)) == ("review", "not_found")
    report = upload(node, file=committed.data, locator=other)
    assert only_check(report) == ("locator", "invalid", "several_locators")
    damaged = committed.data.replace(b"testamur:1:", b"testamur:1:x")
    assert only_check(upload(node, file=damaged)) == ("locator", "invalid", "locator_format")


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7 nothing in it", b'{"a":1}', b'{"a":1,"a":1}'])
def test_without_receipt_and_locator_the_holder_is_to_be_asked(node: HttpNode, data: bytes) -> None:
    report = upload(node, file=data)
    assert verdict(report) == ("review", "receipt_needed")
    assert only_check(report) == ("receipt", "unknown", "receipt_needed")
    assert report["summary"].startswith("Ask the holder")


@pytest.mark.parametrize("link", ["{}", "https://any.example/verify?x=1#{}", " #{}\n"])
def test_a_locator_may_come_beside_the_file(
    consortium: Consortium, node: HttpNode, link: str
) -> None:
    committed, locator = located(consortium.ledger_id, 1, b"%PDF-1.4 plain " + link.encode()[:1],
                                 seed=f"beside {link}")  # fmt: skip
    consortium.register(node, committed)
    assert verdict(upload(node, file=committed.data)) == ("review", "receipt_needed")
    given = link.format(serialise(locator)).encode()
    report = upload(node, file=committed.data, locator=given)
    assert verdict(report) == ("accept", "verified")
    empty = upload(node, file=committed.data, locator=b" ")
    assert verdict(empty) == ("review", "receipt_needed")


@pytest.mark.parametrize("text", [b"x", b"testamur:1:", b"https://any.example/", b"\xff", b"a#b#c"])
def test_what_is_no_locator_beside_a_file_is_refused(node: HttpNode, text: bytes) -> None:
    answer = node.http.post("/v1/verify", files={"file": b"x", "locator": text})
    assert_problem(answer, 400, "request_format")


# --- a receipt and a locator --------------------------------------------------------------------


def test_a_receipt_counts_and_a_locator_that_contradicts_it_is_a_warning(
    consortium: Consortium, node: HttpNode
) -> None:
    committed, locator = made(consortium)
    # The same file, registered a second time with a salt of its own.
    again = consortium.commit(1, committed.data)
    first, second = consortium.register(node, committed, again)
    agreeing = upload(node, file=committed.data, receipt=json.dumps(first).encode())
    assert verdict(agreeing) == ("accept", "verified")
    assert checks(agreeing)["locator"] == ("valid", "locator_agrees")
    report = upload(node, file=committed.data, receipt=json.dumps(second).encode())
    assert verdict(report) == ("review", "verified_with_warnings")
    assert checks(report)["locator"] == ("unknown", "locator_differs")
    assert report["summary"].endswith(
        "The credential's own locator names another registration than this receipt."
    )
    asked = {"profile": again.profile, "digest": again.digest.hex(), "receipt": second}
    assert verdict(ask(node, asked)) == ("accept", "verified")
    told = ask(node, asked | {"locator": serialise(locator)})
    assert checks(told)["locator"] == ("unknown", "locator_differs")
    answer = node.http.post("/v1/verify", json=asked | {"locator": "testamur:1:"})
    assert_problem(answer, 400, "request_format")


# --- a bundle -----------------------------------------------------------------------------------


def test_a_bundle_is_all_that_is_needed(node: HttpNode, registered: Registered) -> None:
    committed, receipt = registered
    bundle = make_bundle("a.json", committed.data, json.dumps(receipt).encode())
    report = upload(node, file=bundle)
    assert verdict(report) == ("accept", "verified")
    twice = {"file": bundle, "receipt": json.dumps(receipt).encode()}
    assert_problem(node.http.post("/v1/verify", files=twice), 400, "request_format")


def test_a_bundle_that_was_changed_is_rejected(node: HttpNode, registered: Registered) -> None:
    committed, receipt = registered
    bundle = bytearray(make_bundle("a.json", committed.data, json.dumps(receipt).encode()))
    for position in range(0, len(bundle), 37):
        bundle[position] ^= 1
        report = upload(node, file=bytes(bundle))
        assert report["outcome"] != "accept", position
        bundle[position] ^= 1
    report = upload(node, file=bytes(bundle) + b"\n")
    assert verdict(report) == ("reject", "invalid")
    assert only_check(report) == ("bundle", "invalid", "bundle_format")


def test_a_bundle_whose_files_do_not_fit_is_rejected(
    node: HttpNode, registered: Registered
) -> None:
    committed, receipt = registered
    other = make_bundle("a.json", committed.data + b" x", json.dumps(receipt).encode())
    assert upload(node, file=other)["outcome"] == "reject"
    for no_receipt in (b"", b"{", b"%PDF"):
        report = upload(node, file=make_bundle("a.json", committed.data, no_receipt))
        assert only_check(report) == ("bundle", "invalid", "bundle_format")
    report = upload(node, file=make_bundle("a.json", committed.data, b"[]"))
    assert only_check(report) == ("receipt", "invalid", "receipt_format")


def test_a_zip_file_that_is_no_bundle_may_be_a_credential(
    consortium: Consortium, node: HttpNode, registered: Registered
) -> None:
    made_by_a_tool = b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + b"\x55" * 40
    # Begins as a bundle does, and is none.
    begun = make_bundle("a.json", registered[0].data, b"{}")[:-1]
    for data in (made_by_a_tool, begun):
        committed = consortium.commit(1, data, "a.docx")
        assert committed.profile == "bytes-sha256"
        (receipt,) = consortium.register(node, committed)
        report = upload(node, file=data, receipt=json.dumps(receipt).encode())
        assert verdict(report) == ("accept", "verified")
    assert verdict(upload(node, file=made_by_a_tool)) == ("review", "receipt_needed")
    assert only_check(upload(node, file=begun)) == ("bundle", "invalid", "bundle_format")


# --- what a browser's form sends ----------------------------------------------------------------


def test_a_choice_that_nobody_made_counts_as_absent(consortium: Consortium, node: HttpNode) -> None:
    committed, _ = made(consortium)
    consortium.register(node, committed)
    empty = b'--x\r\nContent-Disposition: form-data; name="%s"; filename=""\r\n\r\n\r\n'
    file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%s\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    sent = file % committed.data + empty % b"receipt" + b"--x--\r\n"
    answer = node.http.post("/v1/verify", content=sent, headers=headers)
    assert verdict(answer.json()) == ("accept", "verified")
    sent = empty % b"file" + empty % b"receipt" + b"--x--\r\n"
    assert_problem(
        node.http.post("/v1/verify", content=sent, headers=headers), 400, "request_format"
    )
