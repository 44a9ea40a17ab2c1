"""Trust files and receipts: one spelling, every field required, nothing unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from testamur.errors import ReceiptFormatError, TrustFileFormatError
from testamur.ledger.receipt import Evidence, Receipt, ShownStatus, StatusProof, SuffixProof
from testamur.ledger.receipt_json import parse_receipt, receipt_from_json, serialise_receipt
from testamur.ledger.trust import FinalityRule, parse_trust, serialise_trust
from testamur.merkle.hashing import Hash32
from tests.ledger.conftest import Registered
from tests.support.paper_ledger import PaperLedger

HASH = Hash32(sha256(b"a hash").digest())


@pytest.fixture
def full(registered: Registered) -> Receipt:
    """Give a receipt in which every optional part is present."""
    receipt = registered.receipt
    return replace(
        receipt,
        checkpoint="origin\n5\nroot\n\n— name signature\n",
        status=StatusProof(
            receipt.record,
            (ShownStatus(HASH, 1, 1_700_000_000, 0, (HASH,)),),
            SuffixProof((HASH,), (receipt.record.record.encode(),)),
        ),
        evidence=Evidence(9, HASH, b"\xf9header", (b"\x01", b"\x02\x03"), 0, 1, HASH),
    )


def paths_of(value: object, prefix: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a JSON value."""
    if prefix:
        yield prefix
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_of(item, (*prefix, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from paths_of(item, (*prefix, position))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def changed(value: object, path: tuple[str | int, ...], new: object) -> object:
    copy = json.loads(json.dumps(value))
    at(copy, path[:-1])[path[-1]] = new
    return copy


def test_a_receipt_survives_the_round_trip(full: Receipt, registered: Registered) -> None:
    for receipt in (full, registered.receipt, replace(full, commitment=None)):
        assert parse_receipt(serialise_receipt(receipt)) == receipt


def test_every_field_of_a_receipt_refuses_what_it_is_not(full: Receipt) -> None:
    value = json.loads(serialise_receipt(full))
    for path in paths_of(value):
        old = at(value, path)
        wrong: list[object] = [None, True, -1, 2**53, 1.5, "", "0X00", [1], {"a": 1}]
        if isinstance(old, str) and len(old) > 40:
            wrong += [old.upper(), old[:-1], old + "0", "0x" + old, " " + old]
        for new in wrong:
            if path == ("checkpoint",) and isinstance(new, str):
                continue  # any text is a note that the verifier then refuses or not
            if new == old or (path[-1] in {"change", "header"} and new == "0x" + str(old)):
                continue
            with pytest.raises(ReceiptFormatError):
                receipt_from_json(changed(value, path, new))


def test_a_receipt_without_a_required_field_is_refused(registered: Registered) -> None:
    value = json.loads(serialise_receipt(registered.receipt))
    for path in paths_of(value):
        if isinstance(path[-1], int) or path == ("commitment",):
            continue
        copy = json.loads(json.dumps(value))
        del at(copy, path[:-1])[path[-1]]
        with pytest.raises(ReceiptFormatError, match="missing"):
            receipt_from_json(copy)


def test_a_receipt_with_an_unknown_field_anywhere_is_refused(full: Receipt) -> None:
    value = json.loads(serialise_receipt(full))
    places = [(), *(path for path in paths_of(value) if isinstance(at(value, path), dict))]
    for place in places:
        copy = json.loads(json.dumps(value))
        at(copy, place)["surprise"] = 1
        with pytest.raises(ReceiptFormatError, match="unknown fields: 'surprise'"):
            receipt_from_json(copy)


def test_minus_zero_is_no_second_spelling_of_zero(full: Receipt) -> None:
    data = serialise_receipt(full).replace(b'"status_count": 0', b'"status_count": -0')
    with pytest.raises(ReceiptFormatError, match="status_count is not an integer"):
        parse_receipt(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"\xef\xbb\xbf{}",
        b'{"type":"testamur/receipt/v1","type":"testamur/receipt/v1"}',
        b"[" * 5000,
        b'{"type":"testamur/receipt/v2"}',
    ],
)
def test_bytes_that_are_no_receipt_are_refused(data: bytes) -> None:
    with pytest.raises(ReceiptFormatError):
        parse_receipt(data)


def test_a_trust_file_survives_the_round_trip() -> None:
    trust = PaperLedger().trust()
    members = (replace(trust.members[0], issuers=("did:web:x.example",)), *trust.members[1:])
    for one in (
        trust,
        replace(trust, finality=FinalityRule(depth=12), source="as this node sees it"),
        replace(trust, members=members),
    ):
        assert parse_trust(serialise_trust(one)) == one


def test_every_field_of_a_trust_file_refuses_what_it_is_not() -> None:
    value = json.loads(serialise_trust(PaperLedger().trust()))
    for path in paths_of(value):
        for new in (None, True, -1, 2**53, 1.5, [1], {"a": 1}):
            with pytest.raises(TrustFileFormatError):
                parse_trust(json.dumps(changed(value, path, new)).encode())


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (("type",), "testamur/trust/v2"),
        (("network", "kind"), "production"),
        (("finality", "rule"), "soon"),
        (("finality", "blocks"), 3),
        (("threshold",), 4),
        (("threshold",), 0),
        (("members",), []),
        (("members", 0, "id"), 2),
        (("members", 0, "id"), 0),
        (("members", 1, "id"), 9),
        (("surprise",), 1),
        (("members", 0, "name"), ""),
        (("members", 0, "domain"), ""),
        (("members", 0, "issuers"), []),
        (("members", 0, "issuers"), [""]),
        (("members", 0, "issuers"), ["x" * 1025]),
    ],
)
def test_a_trust_file_that_breaks_a_rule_is_refused(
    path: tuple[str | int, ...], new: object
) -> None:
    value = json.loads(serialise_trust(PaperLedger().trust()))
    with pytest.raises(TrustFileFormatError):
        parse_trust(json.dumps(changed(value, path, new)).encode())


def test_two_members_may_not_share_a_witness_key() -> None:
    value = json.loads(serialise_trust(PaperLedger().trust()))
    value["members"][1]["witness_key"] = value["members"][0]["witness_key"]
    with pytest.raises(TrustFileFormatError, match="witness key"):
        parse_trust(json.dumps(value).encode())
