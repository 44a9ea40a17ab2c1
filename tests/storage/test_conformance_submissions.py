"""What every store does with submissions, claims and batches."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from testamur.errors import (
    ImmutableConflictError,
    StateConflictError,
    StoreIdentityError,
    UnknownBatchError,
    UnknownEntryError,
)
from testamur.merkle.hashing import Hash32
from testamur.storage.model import (
    BATCH_STATES,
    BATCH_TRANSITIONS,
    AddResult,
    Batch,
    LedgerIdentity,
    QueueState,
    StoreTotals,
)
from tests.support.stored import IDENTITY, digest, some_entries, some_padding

if TYPE_CHECKING:
    from collections.abc import Callable

    from testamur.storage.interface import Store


def sealed(store: Store, count: int, name: str, now: int = 50) -> Batch:
    store.add_entries(some_entries(count, name), submitted_at=now)
    claim = store.claim(limit=count, now=now)
    assert claim is not None
    return store.seal(claim.number, root=digest(f"root {name}"), count=count, sealed_at=now)


def test_identity_is_bound_once_and_survives(reopen: Callable[[], Store]) -> None:
    store = reopen()
    assert store.identity() is None
    store.bind_identity(IDENTITY)
    store.bind_identity(IDENTITY)
    assert reopen().identity() == IDENTITY


@pytest.mark.parametrize("name", ["chain_id", "genesis", "contract", "ledger_id", "member"])
def test_another_identity_is_refused_and_what_differs_is_named(store: Store, name: str) -> None:
    store.bind_identity(IDENTITY)
    fields = {field: getattr(IDENTITY, field) for field in IDENTITY.__dataclass_fields__}
    fields[name] = 8 if isinstance(fields[name], int) else bytes(len(fields[name]))
    with pytest.raises(StoreIdentityError, match=name) as caught:
        store.bind_identity(LedgerIdentity(**fields))
    others = set(fields) - {name}
    assert not any(f"{other} " in str(caught.value).partition(": ")[2] for other in others)
    assert store.identity() == IDENTITY


def test_entries_are_kept_in_order_and_survive(reopen: Callable[[], Store]) -> None:
    entries = some_entries(50)
    assert reopen().add_entries(entries, submitted_at=9) == AddResult(added=50, known=0)
    store = reopen()
    assert store.queue() == QueueState(50, 9)
    claim = store.claim(limit=30, now=10)
    assert claim is not None
    assert list(claim.entries) == entries[:30]
    assert store.queue() == QueueState(50, 9)
    for entry in entries:
        assert store.find_entry(entry).state == "queued"


def test_the_same_entry_counts_once_in_one_call_and_over_all_calls(store: Store) -> None:
    one, two, three = some_entries(3)
    assert store.add_entries([one, two, one], submitted_at=5) == AddResult(added=2, known=0)
    assert store.add_entries([three, one], submitted_at=6) == AddResult(added=1, known=1)
    claim = store.claim(limit=9, now=7)
    assert claim is not None
    assert claim.entries == (one, two, three)
    store.seal(claim.number, root=digest("root"), count=3, sealed_at=8)
    assert store.add_entries([one, two, three], submitted_at=9) == AddResult(added=0, known=3)
    assert store.queue() == QueueState(0, None)
    assert store.find_entry(one).submitted_at == 5


def test_entries_that_share_31_bytes_are_different_entries(store: Store) -> None:
    entries = [Hash32(bytes(31) + bytes([last])) for last in range(256)]
    assert store.add_entries(entries, submitted_at=1) == AddResult(added=256, known=0)


def test_no_entries_are_fine(store: Store) -> None:
    assert store.add_entries([], submitted_at=1) == AddResult(added=0, known=0)
    assert store.claim(limit=1, now=1) is None
    assert store.unfinished_claim() is None
    assert store.batches() == []


@pytest.mark.parametrize("length", [0, 31, 33])
def test_an_entry_of_another_length_refuses_the_whole_call(store: Store, length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        store.add_entries([*some_entries(3), Hash32(bytes(length))], submitted_at=1)
    assert store.queue().count == 0


def test_numbers_out_of_range_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="submitted_at"):
        store.add_entries(some_entries(1), submitted_at=-1)
    with pytest.raises(ValueError, match="64 bits"):
        store.add_entries(some_entries(1), submitted_at=2**63)
    with pytest.raises(ValueError, match="limit"):
        store.claim(limit=0, now=1)
    assert store.queue().count == 0


def test_an_unknown_entry_is_an_error(store: Store) -> None:
    with pytest.raises(UnknownEntryError):
        store.find_entry(digest("never"))


def test_an_unfinished_claim_comes_first_again(reopen: Callable[[], Store]) -> None:
    store = reopen()
    store.add_entries(some_entries(5), submitted_at=1)
    claim = store.claim(limit=3, now=2)
    store.add_entries(some_entries(4, "later"), submitted_at=3)
    assert store.claim(limit=100, now=4) == claim
    store = reopen()
    assert store.unfinished_claim() == claim
    assert store.claim(limit=100, now=5) == claim


def test_padding_is_stored_once_with_its_salts(reopen: Callable[[], Store]) -> None:
    store = reopen()
    store.add_entries(some_entries(2), submitted_at=1)
    claim = store.claim(limit=2, now=2)
    assert claim is not None
    padded = store.pad(claim.number, some_padding(3))
    assert padded.padding == tuple(sorted(some_padding(3), key=lambda pad: pad.entry))
    store = reopen()
    assert store.unfinished_claim() == padded
    assert store.pad(claim.number, some_padding(3)) == padded
    with pytest.raises(ImmutableConflictError):
        store.pad(claim.number, some_padding(3, "other"))
    root = digest("root")
    batch = store.seal(claim.number, root=root, count=5, sealed_at=3)
    assert (batch.count, batch.padding_count) == (5, 3)
    assert tuple(store.padding_of(root)) == padded.padding
    with pytest.raises(StateConflictError):
        store.pad(claim.number, some_padding(3))
    with pytest.raises(UnknownEntryError):
        store.find_entry(some_padding(1)[0].entry)


def test_padding_that_is_an_entry_already_is_refused(store: Store) -> None:
    entry, other = some_padding(2)
    store.add_entries([digest("submitted"), entry.entry], submitted_at=1)
    claim = store.claim(limit=1, now=2)
    assert claim is not None
    for wrong in ([entry], [other, other]):
        with pytest.raises(ValueError, match="repeats"):
            store.pad(claim.number, wrong)
    assert store.unfinished_claim() == claim


def test_sealing_moves_the_entries_and_is_idempotent(reopen: Callable[[], Store]) -> None:
    store = reopen()
    entries = some_entries(5)
    store.add_entries(entries, submitted_at=1)
    claim = store.claim(limit=3, now=2)
    assert claim is not None
    root = digest("root")
    batch = store.seal(claim.number, root=root, count=3, sealed_at=3)
    store = reopen()
    assert store.seal(claim.number, root=root, count=3, sealed_at=99) == batch
    assert store.batch(root) == batch
    assert batch.sealed_at == 3
    assert store.queue() == QueueState(2, 1)
    assert store.batches_of(entries) == dict.fromkeys(entries[:3], root)
    state = store.find_entry(entries[0])
    assert (state.state, state.submitted_at, state.batch) == ("sealed", 1, root)
    assert store.indexed_counts() == {root: 3}
    totals = store.totals()
    assert totals == StoreTotals(
        accepted=5, sealed=3, in_batches=3, queued=2, indexed=3, overlapping=0
    )


def test_many_entries_are_found_at_once_as_each_is_alone(store: Store) -> None:
    first, second = sealed(store, 3, "first", now=5), sealed(store, 1200, "second", now=6)
    store.add_entries(some_entries(2, "waiting"), submitted_at=7)
    store.advance(first.root, "sealed", "submitted")
    known = [
        *some_entries(3, "first"),
        *some_entries(1200, "second"),  # more than one piece of a query
        *some_entries(2, "waiting"),
    ]
    found = store.find_entries([*known, *known[:2], *some_entries(3, "unknown")])
    assert set(found) == set(known)
    assert all(found[entry] == store.find_entry(entry) for entry in known[:50] + known[-50:])
    roots = {state.batch for state in found.values()}
    assert roots == {first.root, second.root, None}
    assert store.find_entries([]) == {}


def test_sealing_otherwise_is_a_conflict_that_changes_nothing(store: Store) -> None:
    store.add_entries(some_entries(5), submitted_at=1)
    claim = store.claim(limit=3, now=2)
    assert claim is not None
    with pytest.raises(StateConflictError, match="3 entries"):
        store.seal(claim.number, root=digest("root"), count=4, sealed_at=3)
    with pytest.raises(StateConflictError, match="no claim"):
        store.seal(claim.number + 1, root=digest("root"), count=3, sealed_at=3)
    with pytest.raises(ValueError, match="32 bytes"):
        store.seal(claim.number, root=Hash32(b"short"), count=3, sealed_at=3)
    assert store.unfinished_claim() == claim
    batch = store.seal(claim.number, root=digest("root"), count=3, sealed_at=3)
    for root, count in [(digest("other"), 3), (digest("root"), 4)]:
        with pytest.raises(ImmutableConflictError):
            store.seal(claim.number, root=root, count=count, sealed_at=3)
    following = store.claim(limit=3, now=4)
    assert following is not None
    with pytest.raises(ImmutableConflictError):
        store.seal(following.number, root=digest("root"), count=2, sealed_at=5)
    assert store.batches() == [batch]
    assert store.unfinished_claim() == following


def test_batches_are_listed_in_stable_pages(store: Store) -> None:
    made = [sealed(store, 2, f"batch {number}") for number in range(7)]
    assert list(store.batches()) == made
    first = store.batches(limit=3)
    extra = sealed(store, 1, "while paging")
    assert list(first) == made[:3]
    assert list(store.batches(after=first[-1].number, limit=4)) == made[3:7]
    assert list(store.batches(after=made[-1].number)) == [extra]
    store.advance(made[2].root, "sealed", "submitted")
    assert [batch.root for batch in store.batches(state="submitted")] == [made[2].root]
    assert made[2].root not in {batch.root for batch in store.batches(state="sealed")}


def test_a_claim_is_not_listed_as_a_batch(store: Store) -> None:
    store.add_entries(some_entries(1), submitted_at=1)
    store.claim(limit=1, now=1)
    assert store.batches() == []
    assert store.indexed_counts() == {}


@pytest.mark.parametrize("to_state", BATCH_STATES)
@pytest.mark.parametrize("from_state", BATCH_STATES)
def test_batches_move_as_the_table_says_and_no_other_way(
    store: Store, from_state: str, to_state: str
) -> None:
    root = sealed(store, 1, "one").root
    ways = {"sealed": [], "submitted": ["submitted"], "anchored": ["submitted", "anchored"]}
    ways["final"] = [*ways["anchored"], "final"]
    at = "sealed"
    for following in ways[from_state]:
        store.advance(root, at, following)  # type: ignore[arg-type] # text of the tables
        at = following
    if (from_state, to_state) in BATCH_TRANSITIONS:
        store.advance(root, from_state, to_state)  # type: ignore[arg-type]
        store.advance(root, from_state, to_state)  # type: ignore[arg-type]
        assert store.batch(root).state == to_state
        assert store.find_entry(some_entries(1, "one")[0]).state == to_state
    else:
        with pytest.raises(ValueError, match="no batch goes"):
            store.advance(root, from_state, to_state)  # type: ignore[arg-type]
        assert store.batch(root).state == from_state


def test_a_batch_in_neither_state_does_not_move(store: Store) -> None:
    root = sealed(store, 1, "one").root
    with pytest.raises(StateConflictError, match="is sealed"):
        store.advance(root, "anchored", "final")
    with pytest.raises(UnknownBatchError):
        store.advance(digest("never"), "sealed", "submitted")
    with pytest.raises(UnknownBatchError):
        store.batch(digest("never"))
    with pytest.raises(UnknownBatchError):
        store.padding_of(digest("never"))


def test_rebuilding_a_whole_index_changes_nothing(store: Store) -> None:
    entries = some_entries(6)
    store.add_entries(entries, submitted_at=1)
    claim = store.claim(limit=6, now=2)
    assert claim is not None
    padded = store.pad(claim.number, some_padding(2))
    content = sorted([*entries, *(pad.entry for pad in padded.padding)])
    store.seal(claim.number, root=digest("root"), count=8, sealed_at=3)
    assert store.rebuild_index(lambda _root: content) == 0
    assert store.find_entry(entries[0]).submitted_at == 1
    with pytest.raises(UnknownEntryError):
        store.find_entry(padded.padding[0].entry)


def test_threads_submit_and_seal_side_by_side(store: Store) -> None:
    errors: list[BaseException] = []

    def submit(name: str) -> None:
        try:
            for number in range(10):
                store.add_entries(some_entries(20, f"{name} {number % 7}"), submitted_at=1)
                store.queue()
        except BaseException as error:  # noqa: BLE001 - shown by the main thread
            errors.append(error)

    threads = [threading.Thread(target=submit, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    sealed_count = number = 0
    while any(thread.is_alive() for thread in threads) or store.queue().count:
        claim = store.claim(limit=50, now=2)
        if claim is not None:
            number += 1
            count = len(claim.entries)
            store.seal(claim.number, root=digest(f"root {number}"), count=count, sealed_at=3)
            sealed_count += count
    for thread in threads:
        thread.join()
    assert errors == []
    assert sealed_count == 4 * 7 * 20
    totals = store.totals()
    assert (totals.accepted, totals.indexed, totals.overlapping) == (560, 560, 0)
