"""Records and the birth: bytes in, bytes out, and every refusal."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from testamur.errors import BirthFormatError, RecordFormatError
from testamur.ledger.birth import encode_birth, parse_birth
from testamur.ledger.records import (
    RECORD_BYTES,
    ZERO,
    Record,
    RecordKind,
    governance_record,
    parse_record,
)
from testamur.merkle.hashing import EMPTY_ROOT, Hash32, leaf_hash
from tests.support.paper_ledger import PaperLedger

ROOT = Hash32(sha256(b"root").digest())
ANCHOR = Record(RecordKind.ANCHOR, 7, 1_700_000_000, 3, ROOT, 0, EMPTY_ROOT)


def test_an_anchor_is_laid_out_as_the_contract_lays_it_out() -> None:
    expected = (
        b"\x01"
        + (7).to_bytes(4)
        + (1_700_000_000).to_bytes(8)
        + (3).to_bytes(8)
        + ROOT
        + (0).to_bytes(8)
        + EMPTY_ROOT
    )
    assert len(expected) == RECORD_BYTES
    assert ANCHOR.encode() == expected
    assert parse_record(expected) == ANCHOR
    assert ANCHOR.leaf_hash() == leaf_hash(expected)


def test_a_governance_record_follows_from_its_change_alone() -> None:
    record = governance_record(b"a change")
    assert record.encode() == bytes(21) + sha256(b"a change").digest() + bytes(40)


@given(
    st.integers(1, 2**32 - 1),
    st.integers(0, 2**53 - 1),
    st.integers(1, 2**32),
    st.binary(min_size=32, max_size=32).filter(lambda root: root != EMPTY_ROOT),
)
def test_every_anchor_survives_the_round_trip(
    member: int, time: int, count: int, root: bytes
) -> None:
    record = Record(RecordKind.ANCHOR, member, time, count, Hash32(root), 0, EMPTY_ROOT)
    assert parse_record(record.encode()) == record


@pytest.mark.parametrize("data", [b"", ANCHOR.encode()[:-1], ANCHOR.encode() + b"\x00"])
def test_a_record_of_another_length_is_refused(data: bytes) -> None:
    with pytest.raises(RecordFormatError, match="93 bytes"):
        parse_record(data)


@pytest.mark.parametrize("kind", [3, 4, 255])
def test_an_unknown_kind_is_refused(kind: int) -> None:
    with pytest.raises(RecordFormatError, match="kind"):
        parse_record(bytes([kind]) + ANCHOR.encode()[1:])


@pytest.mark.parametrize(
    "broken",
    [
        {"member": 0},
        {"count": 0},
        {"root": EMPTY_ROOT},
        {"count": 2**32 + 1},
        {"status_count": 1},
        {"status_root": ZERO},
        {"time": 2**53},
        {"kind": RecordKind.GOVERNANCE},
    ],
)
def test_a_record_that_breaks_a_rule_of_its_kind_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(RecordFormatError):
        replace(ANCHOR, **broken)  # type: ignore[arg-type]


def test_a_birth_survives_the_round_trip_and_gives_the_ledger_id() -> None:
    ledger = PaperLedger()
    assert parse_birth(ledger.change) == ledger.birth
    assert ledger.birth.ledger_id() == leaf_hash(governance_record(ledger.change).encode())


def test_a_birth_is_encoded_as_the_solidity_compiler_encodes_it() -> None:
    birth = PaperLedger().birth
    members = [
        (m.anchor_key, m.control_key, m.witness_key, m.name, m.domain, m.endpoint)
        for m in birth.members
    ]
    types = ["uint256", "address", "bytes32", "(address,address,bytes32,string,string,string)[]"]
    values = [birth.chain_id, birth.contract, birth.parent_block_hash, members]
    assert encode_birth(birth) == encode(types, values)


@pytest.mark.parametrize(
    "change",
    [
        b"",
        bytes(31),
        bytes(128),
        PaperLedger().change + b"\x00",
        PaperLedger().change + bytes(32),
        PaperLedger().change[:-1],
        b"\xff" * 512,
    ],
)
def test_bytes_that_are_no_birth_are_refused(change: bytes) -> None:
    with pytest.raises(BirthFormatError):
        parse_birth(change)


@given(st.data())
def test_a_changed_birth_is_refused_or_is_another_ledger(data: st.DataObject) -> None:
    ledger = PaperLedger()
    change = bytearray(ledger.change)
    position = data.draw(st.integers(0, len(change) - 1))
    change[position] ^= data.draw(st.integers(1, 255))
    try:
        birth = parse_birth(bytes(change))
    except BirthFormatError:
        return
    assert birth != ledger.birth
    assert birth.ledger_id() != ledger.ledger_id
