"""What every store does with the anchor journal and the followed chain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from testamur.errors import (
    ContinuityError,
    ImmutableConflictError,
    RecordFormatError,
    StateConflictError,
    UnknownRecordError,
)
from testamur.merkle.hashing import Hash32
from testamur.storage.model import ANCHOR_STATES, ANCHOR_TRANSITIONS
from tests.support.stored import MEMBER, anchor_in, birth_in, block, digest, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from testamur.storage.interface import Store

WAYS = {
    "signed": [],
    "broadcast": ["broadcast"],
    "mined": ["broadcast", "mined"],
    "final": ["broadcast", "mined", "final"],
    "reverted": ["broadcast", "reverted"],
}


def test_a_signed_transaction_is_kept_byte_for_byte(reopen: Callable[[], Store]) -> None:
    store = reopen()
    assert store.last_sequence() is None
    store.put_signed(signed(1))
    store = reopen()
    store.put_signed(signed(1))
    (kept,) = store.anchor_transactions()
    assert (kept.transaction, kept.state) == (signed(1), "signed")
    with pytest.raises(ImmutableConflictError):
        store.put_signed(replace(signed(1), raw=b"other"))
    assert [kept.transaction for kept in store.anchor_transactions()] == [signed(1)]


def test_the_ledger_is_read_with_both_heads_in_one_view(store: Store) -> None:
    empty = store.read_ledger(0)
    assert (empty.finalized, empty.followed, empty.records) == (None, None, ())
    birth = birth_in(block(5))
    anchor = anchor_in(block(6), 1, root=digest("a root"), count=1)
    store.append_block(block(5), [birth])
    store.append_block(block(6), [anchor])
    store.set_finalized(block(5))
    whole = store.read_ledger(0)
    assert (whole.finalized, whole.followed) == (block(5), block(6))
    assert whole.records == (birth, anchor)
    assert store.read_ledger(1).records == (anchor,)
    assert store.read_ledger(2).records == ()


def test_journaling_again_leaves_the_state_as_it_is(store: Store) -> None:
    store.put_signed(signed(1))
    store.set_anchor_state(signed(1).tx_hash, "broadcast")
    store.put_signed(signed(1))
    assert store.anchor_transactions()[0].state == "broadcast"


def test_several_transactions_may_share_a_sequence(store: Store) -> None:
    other = digest("other root")
    for transaction in (signed(1, sequence=4), signed(2, sequence=4), signed(3, sequence=5)):
        store.put_signed(transaction)
    store.put_signed(signed(4, sequence=2, root=other))
    store.set_anchor_state(signed(2).tx_hash, "broadcast")
    listed = store.anchor_transactions
    assert [kept.transaction.raw for kept in listed(sequence=4)] == [b"raw 1", b"raw 2"]
    assert [kept.transaction.raw for kept in listed("broadcast")] == [b"raw 2"]
    assert [kept.transaction.raw for kept in listed("signed", sequence=4)] == [b"raw 1"]
    assert [kept.transaction.raw for kept in listed(root=other)] == [b"raw 4"]
    assert len(listed("signed", "broadcast")) == 4
    assert store.last_sequence() == 5


@pytest.mark.parametrize("to_state", ANCHOR_STATES)
@pytest.mark.parametrize("from_state", ANCHOR_STATES)
def test_transactions_move_as_the_table_says_and_no_other_way(
    store: Store, from_state: str, to_state: str
) -> None:
    tx_hash = signed(1).tx_hash
    store.put_signed(signed(1))
    for state in WAYS[from_state]:
        store.set_anchor_state(tx_hash, state)  # type: ignore[arg-type] # text of the table
    if (from_state, to_state) in ANCHOR_TRANSITIONS or from_state == to_state:
        store.set_anchor_state(tx_hash, to_state)  # type: ignore[arg-type]
        assert store.anchor_transactions()[0].state == to_state
    else:
        with pytest.raises(StateConflictError):
            store.set_anchor_state(tx_hash, to_state)  # type: ignore[arg-type]
        assert store.anchor_transactions()[0].state == from_state


def test_a_state_or_a_transaction_that_does_not_exist_is_refused(store: Store) -> None:
    with pytest.raises(StateConflictError, match="not in the journal"):
        store.set_anchor_state(digest("never"), "mined")
    with pytest.raises(ValueError, match="ever lost"):
        store.set_anchor_state(digest("never"), "lost")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="32 bytes"):
        store.put_signed(replace(signed(1), tx_hash=Hash32(b"short")))


def fill(store: Store) -> None:
    """Put records 0 to 3 into blocks 10, 12 and 13."""
    ten, twelve, thirteen = block(10), block(12), block(13)
    store.append_block(ten, [birth_in(ten)])
    two = [anchor_in(twelve, n, root=digest(f"batch {n}"), count=n) for n in (1, 2)]
    store.append_block(twelve, two)
    store.append_block(thirteen, [anchor_in(thirteen, 3, root=digest("batch 1"), count=1)])


def test_an_empty_chain_has_nothing(store: Store) -> None:
    assert store.followed() is None
    assert store.finalized() is None
    assert store.size() == 0
    assert store.records(0, 0) == []
    assert store.recent_blocks() == []
    assert store.record_of_batch(MEMBER, digest("batch 1")) is None
    store.rewind(0)


def test_records_are_read_back_as_they_were_appended(reopen: Callable[[], Store]) -> None:
    fill(reopen())
    store = reopen()
    assert store.size() == 4
    assert store.followed() == block(13)
    assert store.block_at(12) == block(12)
    assert store.block_at(11) is None
    assert list(store.recent_blocks()) == [block(13), block(12), block(10)]
    assert list(store.recent_blocks(below=13, limit=1)) == [block(12)]
    assert store.record(0) == birth_in(block(10))
    assert [record.index for record in store.records(1, 3)] == [1, 2]
    found = store.record_of_batch(MEMBER, digest("batch 1"))
    assert found is not None
    assert found.index == 1
    assert store.record_of_batch(MEMBER + 1, digest("batch 1")) is None


def test_the_first_record_of_each_of_many_batches_is_found(store: Store) -> None:
    fill(store)
    unknown = [digest(f"no batch {number}") for number in range(2500)]
    both = [digest("batch 1"), digest("batch 2")]
    found = store.records_of_batches(MEMBER, [both[0], *unknown, both[1]])
    assert {root: record.index for root, record in found.items()} == {both[0]: 1, both[1]: 2}
    assert found[both[1]] == store.record(2)
    assert store.records_of_batches(MEMBER + 1, both) == {}
    assert store.records_of_batches(MEMBER, []) == {}


@pytest.mark.parametrize(
    ("above", "up_to", "count"),
    [(-1, 13, 3), (10, 13, 3), (10, 12, 2), (12, 13, 1), (12, 12, 0), (-1, 10, 0), (13, 99, 0)],
)
def test_anchors_are_counted_by_block(store: Store, above: int, up_to: int, count: int) -> None:
    assert store.count_anchors(MEMBER, above=above, up_to=up_to) == 0
    fill(store)
    assert store.count_anchors(MEMBER, above=above, up_to=up_to) == count
    assert store.count_anchors(MEMBER + 1, above=above, up_to=up_to) == 0
    # The birth is nobody's anchor.
    assert store.count_anchors(0, above=above, up_to=up_to) == 0


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (0, 5), (3, 2), (4, 5)])
def test_a_range_beyond_the_ledger_is_an_error(store: Store, start: int, end: int) -> None:
    fill(store)
    with pytest.raises(UnknownRecordError):
        store.records(start, end)
    with pytest.raises(UnknownRecordError):
        store.record(4)


def test_repeating_the_last_append_changes_nothing(store: Store) -> None:
    fill(store)
    same = [anchor_in(block(13), 3, root=digest("batch 1"), count=1)]
    store.append_block(block(13), same)
    assert store.size() == 4
    with pytest.raises(ContinuityError, match="other records"):
        store.append_block(block(13), [])
    with pytest.raises(ContinuityError, match="other records"):
        store.append_block(block(13), [replace(same[0], log_index=77)])


def test_what_does_not_follow_is_refused_whole(store: Store) -> None:
    fill(store)
    fourteen = block(14)
    good = anchor_in(fourteen, 4, root=digest("batch 4"), count=4)
    wrong = [
        (block(12), []),
        (block(13, "fork"), []),
        (block(14, "fork"), []),
        (fourteen, [good, good]),
        (fourteen, [replace(good, index=5)]),
        (fourteen, [replace(good, index=3)]),
        (fourteen, [replace(good, block_number=13)]),
        (fourteen, [good, replace(good, index=5, block_hash=digest("other"))]),
    ]
    for place, records in wrong:
        with pytest.raises(ContinuityError):
            store.append_block(place, records)
    with pytest.raises(RecordFormatError):
        store.append_block(fourteen, [replace(good, record=b"\xff" + good.record[1:])])
    assert (store.followed(), store.size()) == (block(13), 4)
    store.append_block(fourteen, [good])
    assert store.size() == 5


def test_blocks_may_be_left_out_but_only_upwards(store: Store) -> None:
    fill(store)
    store.append_block(block(40, "fork"), [])
    assert store.followed() == block(40, "fork")
    assert store.size() == 4


def test_rewinding_removes_what_is_above_and_can_be_repeated(reopen: Callable[[], Store]) -> None:
    store = reopen()
    fill(store)
    for _ in range(2):
        store.rewind(11)
        store = reopen()
        assert (store.followed(), store.size()) == (block(10), 1)
        assert store.record_of_batch(MEMBER, digest("batch 1")) is None
    twelve = block(12, "fork")
    store.append_block(twelve, [anchor_in(twelve, 1, root=digest("fork"), count=1)])
    store.rewind(12)
    assert (store.followed(), store.size()) == (twelve, 2)


def test_finality_never_moves_backwards(reopen: Callable[[], Store]) -> None:
    store = reopen()
    with pytest.raises(ContinuityError):
        store.set_finalized(block(10))
    fill(store)
    store.set_finalized(block(11))  # left out: nothing of the ledger was in it
    store.set_finalized(block(12))
    store = reopen()
    store.set_finalized(block(12))
    assert store.finalized() == block(12)
    for lower in (block(11), block(12, "fork")):
        with pytest.raises(StateConflictError):
            store.set_finalized(lower)
    with pytest.raises(ContinuityError, match="not followed"):
        store.set_finalized(block(14))
    with pytest.raises(ContinuityError, match="another block"):
        store.set_finalized(block(13, "fork"))
    with pytest.raises(StateConflictError, match="final"):
        store.rewind(11)
    assert (store.size(), store.finalized()) == (4, block(12))
    store.rewind(12)
    assert (store.size(), store.finalized()) == (3, block(12))
