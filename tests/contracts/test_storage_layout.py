"""Raw slots, as docs/formats/contract.md gives them: light clients read them by proofs."""

from __future__ import annotations

import pytest

from testamur.merkle import tree
from tests.support.deployed_ledger import DeployedLedger

FRONTIER_SLOT = 1
MEMBERS_SLOT = 65


@pytest.fixture(scope="module")
def ledger() -> DeployedLedger:
    ledger = DeployedLedger()
    ledger.grow_to(13)
    return ledger


def bits(value: int, *, start: int, width: int) -> int:
    return value >> start & (1 << width) - 1


def test_slot_0_packs_size_epoch_and_member_count(ledger: DeployedLedger) -> None:
    slot = ledger.evm.storage(ledger.address, 0)
    assert bits(slot, start=0, width=64) == 13
    assert bits(slot, start=64, width=32) == 0
    assert bits(slot, start=96, width=32) == 3
    assert slot >> 128 == 0


def test_slots_1_to_64_hold_the_peak_of_each_set_bit_of_the_size(ledger: DeployedLedger) -> None:
    begin = 0
    for height in (3, 2, 0):
        end = begin + (1 << height)
        peak = tree.root(ledger.leaf_hashes[begin:end])
        assert ledger.evm.storage(ledger.address, FRONTIER_SLOT + height) == int.from_bytes(peak)
        begin = end


def test_frontier_above_the_size_was_never_written(ledger: DeployedLedger) -> None:
    slots = [ledger.evm.storage(ledger.address, FRONTIER_SLOT + n) for n in range(4, 64)]
    assert not any(slots)


@pytest.mark.parametrize(("member", "anchors", "last_record"), [(1, 4, 13), (2, 4, 11), (3, 4, 12)])
def test_a_member_has_a_hot_slot_and_a_cold_one(
    ledger: DeployedLedger, member: int, anchors: int, last_record: int
) -> None:
    slot = ledger.evm.mapping_slot(member, MEMBERS_SLOT)
    hot = ledger.evm.storage(ledger.address, slot)
    cold = ledger.evm.storage(ledger.address, slot + 1)
    founder = ledger.founders[member - 1]
    assert bits(hot, start=0, width=160) == int.from_bytes(founder.anchor_key)
    assert bits(hot, start=160, width=8) == 1
    assert bits(hot, start=168, width=40) == anchors
    assert bits(hot, start=208, width=48) == last_record
    assert cold == int.from_bytes(founder.control_key)
