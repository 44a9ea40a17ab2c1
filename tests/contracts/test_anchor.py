"""Anchoring: the head equals the Python tree's after every record, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from testamur.merkle import tree
from testamur.merkle.hashing import EMPTY_ROOT
from tests.support.deployed_ledger import DeployedLedger, digest
from tests.support.evm import GENESIS_TIME, RevertError

COUNT_MAX = 2**32
ROOT = digest("some root")
MEMBERS_SLOT = 65


@pytest.fixture(scope="module")
def ledger() -> DeployedLedger:
    return DeployedLedger()


@pytest.mark.slow  # 300 transactions, most in blocks of their own
def test_head_equals_the_python_trees_after_every_one_of_300_anchors() -> None:
    ledger = DeployedLedger()
    for n in range(300):
        status = (0, EMPTY_ROOT) if n % 5 == 0 else (n, digest(f"status {n}"))
        ledger.anchor(n % 3 + 1, count=n * n + 1, status=status)
        if n % 4:  # so that some blocks hold two
            ledger.evm.mine()
        assert ledger.call("head") == (n + 2, tree.root(ledger.leaf_hashes))


def test_event_holds_every_field_of_the_record_and_the_sequence() -> None:
    ledger = DeployedLedger()
    ledger.anchor(2)
    time = ledger.evm.time
    outcome = ledger.anchor(2, count=5, root=ROOT, status=(3, digest("status")))
    (log,) = outcome.logs
    assert time > GENESIS_TIME
    assert log.name == "Anchored"
    assert log.values == {
        "member": 2,
        "index": 2,
        "root": ROOT,
        "time": time,
        "count": 5,
        "statusCount": 3,
        "statusRoot": digest("status"),
        "sequence": 1,
    }


def test_standing_counts_a_members_own_anchors_and_points_at_the_newest() -> None:
    ledger = DeployedLedger()
    for member in (3, 1, 3):
        ledger.anchor(member)
    standings = [ledger.call("member", member)[1:] for member in (1, 2, 3)]
    assert standings == [(True, 1, 3), (True, 0, 0), (True, 2, 4)]


@pytest.mark.parametrize(
    ("count", "root", "status"),
    [
        (COUNT_MAX, ROOT, (COUNT_MAX, ROOT)),
        (1, ROOT, (0, EMPTY_ROOT)),
        (0, EMPTY_ROOT, (1, ROOT)),
        (0, EMPTY_ROOT, (0, EMPTY_ROOT)),
        (1, bytes(32), (0, EMPTY_ROOT)),
    ],
    ids=["largest", "no status", "status only", "refresh only", "a root of zeroes"],
)
def test_accepted_at_the_edges(
    ledger: DeployedLedger, count: int, root: bytes, status: tuple[int, bytes]
) -> None:
    ledger.anchor(1, count=count, root=root, status=status)
    assert ledger.call("head") == (len(ledger.records), tree.root(ledger.leaf_hashes))


REFUSED: dict[str, tuple[dict[str, Any], str, tuple[Any, ...]]] = {
    "another member's key": ({"member": 1, "account": 1}, "NotAnchorKey", (1, 1)),
    "a stranger's key": ({"member": 1, "account": 3}, "NotAnchorKey", (1, 3)),
    "member zero": ({"member": 0, "account": 0}, "NotAnchorKey", (0, 0)),
    "unknown member": ({"member": 4, "account": 0}, "NotAnchorKey", (4, 0)),
    "sequence ahead": ({"member": 2, "sequence": 1}, "StaleSequence", (1, 0)),
    "largest sequence": ({"member": 2, "sequence": 2**40 - 1}, "StaleSequence", (2**40 - 1, 0)),
    "count too large": (
        {"member": 2, "count": COUNT_MAX + 1},
        "CountTooLarge",
        (COUNT_MAX + 1, COUNT_MAX),
    ),
    "status count too large": (
        {"member": 2, "status": (2**64 - 1, ROOT)},
        "CountTooLarge",
        (2**64 - 1, COUNT_MAX),
    ),
    "count without root": (
        {"member": 2, "count": 1, "root": EMPTY_ROOT},
        "EmptyRootMismatch",
        (1, EMPTY_ROOT),
    ),
    "root without count": (
        {"member": 2, "count": 0, "root": ROOT},
        "EmptyRootMismatch",
        (0, ROOT),
    ),
    "zero root without count": (
        {"member": 2, "count": 0, "root": bytes(32)},
        "EmptyRootMismatch",
        (0, bytes(32)),
    ),
    "status count without root": (
        {"member": 2, "status": (1, EMPTY_ROOT)},
        "EmptyRootMismatch",
        (1, EMPTY_ROOT),
    ),
    "status root without count": (
        {"member": 2, "status": (0, ROOT)},
        "EmptyRootMismatch",
        (0, ROOT),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_and_nothing_changes(ledger: DeployedLedger, case: str) -> None:
    what, name, arguments = REFUSED[case]
    if name == "NotAnchorKey":
        arguments = (arguments[0], "0x" + ledger.evm.addresses[arguments[1]].hex())
    before = [ledger.call("head"), *(ledger.call("member", member) for member in range(5))]
    with pytest.raises(RevertError) as caught:
        ledger.anchor(**what)
    assert (caught.value.name, caught.value.arguments) == (name, arguments)
    assert before == [ledger.call("head"), *(ledger.call("member", m) for m in range(5))]


def test_the_same_sequence_never_anchors_twice() -> None:
    ledger = DeployedLedger()
    ledger.anchor(1, root=ROOT)
    with pytest.raises(RevertError) as caught:
        ledger.anchor(1, root=ROOT, sequence=0)
    assert (caught.value.name, caught.value.arguments) == ("StaleSequence", (0, 1))


def test_an_inactive_member_cannot_anchor(ledger: DeployedLedger) -> None:
    # No function removes a member yet, so the slot is overridden: bit 160 is the flag.
    slot = ledger.evm.mapping_slot(2, MEMBERS_SLOT)
    inactive = ledger.evm.storage(ledger.address, slot) & ~(0xFF << 160)
    arguments = (2, 1, ROOT, 0, EMPTY_ROOT, 0)
    sender = ledger.evm.addresses[1]
    ledger.call("anchor", *arguments, sender=sender)
    with pytest.raises(RevertError) as caught:
        ledger.call("anchor", *arguments, sender=sender, storage={slot: inactive})
    assert (caught.value.name, caught.value.arguments) == ("InactiveMember", (2,))


def test_nobody_anchors_with_the_zero_address_of_an_unknown_member(
    ledger: DeployedLedger,
) -> None:
    with pytest.raises(RevertError) as caught:
        ledger.call("anchor", 9, 1, ROOT, 0, EMPTY_ROOT, 0, sender=bytes(20))
    assert caught.value.name == "InactiveMember"


def test_a_transaction_that_sends_money_is_refused(ledger: DeployedLedger) -> None:
    with pytest.raises(RevertError):
        ledger.call("anchor", 1, 1, ROOT, 0, EMPTY_ROOT, ledger.sequences[1], value=1)
