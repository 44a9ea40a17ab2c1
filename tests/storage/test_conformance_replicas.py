"""What every store does with the batches of other members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testamur.errors import (
    ImmutableConflictError,
    StoreUnavailableError,
    UnknownBatchError,
    UnknownEntryError,
)
from testamur.merkle.hashing import EMPTY_ROOT, Hash32
from testamur.storage.model import Replica, Replication
from tests.support.faulty import Fault, FaultyStore
from tests.support.stored import (
    IDENTITY,
    MEMBER,
    anchor_in,
    birth_in,
    block,
    digest,
    some_entries,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from testamur.storage.interface import Store

OTHER, THIRD = MEMBER + 1, MEMBER + 2


def anchored(store: Store, *batches: tuple[int, str], start: int = 2) -> None:
    """Put the birth into block 1, and the anchor of each (member, root) into a block of its own."""
    store.bind_identity(IDENTITY)
    if store.size() == 0:
        store.append_block(block(1), [birth_in(block(1))])
    for number, (member, name) in enumerate(batches, start=start):
        place = block(number)
        record = anchor_in(place, number - 1, root=digest(name), count=3, member=member)
        store.append_block(place, [record])


def missing(store: Store, start: int = 0, limit: int = 100) -> list[int]:
    return [record.index for record in store.missing_replicas(start=start, limit=limit)]


def test_what_others_anchored_is_missing_until_it_is_held(reopen: Callable[[], Store]) -> None:
    store = reopen()
    anchored(store, (OTHER, "a"), (THIRD, "b"), (OTHER, "c"))
    assert missing(store) == [1, 2, 3]
    assert missing(store, start=2) == [2, 3]
    assert missing(store, limit=2) == [1, 2]
    store.add_replica(THIRD, digest("b"), some_entries(3, "b"))
    store = reopen()
    assert missing(store) == [1, 3]
    assert store.replica(digest("b")) == Replica(1, THIRD, digest("b"), 3, record=2)
    assert [store.find_replica(entry).root for entry in some_entries(3, "b")] == [digest("b")] * 3


def test_a_batch_anchored_again_is_missing_once(store: Store) -> None:
    anchored(store, (OTHER, "a"), (OTHER, "a"), (THIRD, "a"))
    assert missing(store) == [1, 3]
    assert store.replication(OTHER) == Replication(anchored=1, held=0)
    store.add_replica(OTHER, digest("a"), some_entries(3))
    assert missing(store) == [3]
    assert store.replica(digest("a")).record == 1


def test_an_anchor_without_a_batch_is_never_missing(store: Store) -> None:
    anchored(store)
    store.append_block(block(2), [anchor_in(block(2), 1, root=EMPTY_ROOT, count=0, member=OTHER)])
    assert missing(store) == []
    assert store.replication(OTHER) == Replication(anchored=0, held=0)


def test_ours_is_held_where_it_was_sealed_and_missing_after_a_loss(store: Store) -> None:
    anchored(store, (MEMBER, "ours"), (MEMBER, "lost"), (OTHER, "ours"))
    store.add_entries(some_entries(3), submitted_at=1)
    claim = store.claim(limit=3, now=2)
    assert claim is not None
    store.seal(claim.number, root=digest("ours"), count=3, sealed_at=3)
    # That another member anchored a copy of our batch makes it none of his that we hold.
    assert missing(store) == [2, 3]
    assert store.replication(MEMBER) == Replication(anchored=2, held=1)
    assert store.replication(OTHER) == Replication(anchored=1, held=0)
    assert store.replication(OTHER).lacking == 1
    store.add_replica(MEMBER, digest("lost"), some_entries(3, "lost"))
    store.add_replica(OTHER, digest("ours"), some_entries(3))
    assert missing(store) == []
    assert store.replication(MEMBER) == Replication(anchored=2, held=2)


def test_a_copied_commitment_does_not_shadow_the_original(store: Store) -> None:
    anchored(store, (OTHER, "original"), (THIRD, "copy"))
    (entry, *rest) = some_entries(3)
    store.add_replica(THIRD, digest("copy"), [entry, *some_entries(2, "more")])
    assert store.find_replica(entry).member == THIRD
    store.add_replica(OTHER, digest("original"), [entry, *rest])
    assert store.find_replica(entry).member == OTHER
    assert store.find_replica(entry, THIRD).root == digest("copy")
    assert store.find_replica(entry, OTHER).root == digest("original")
    with pytest.raises(UnknownEntryError):
        store.find_replica(entry, MEMBER)


def test_a_copied_batch_is_a_replica_of_its_own(store: Store) -> None:
    anchored(store, (OTHER, "same"), (THIRD, "same"))
    for member in (THIRD, OTHER):
        store.add_replica(member, digest("same"), some_entries(3))
    assert store.replica(digest("same")).member == OTHER
    entry = some_entries(1)[0]
    assert store.find_replica(entry).record == 1
    assert store.find_replica(entry, THIRD).record == 2
    assert [(held.member, held.record) for held in store.replicas()] == [(THIRD, 2), (OTHER, 1)]


def test_a_reorganisation_takes_a_replica_out_of_sight_and_brings_it_back(store: Store) -> None:
    anchored(store, (OTHER, "a"), (THIRD, "b"))
    store.add_replica(THIRD, digest("b"), some_entries(3))
    store.rewind(1)
    with pytest.raises(UnknownEntryError):
        store.find_replica(some_entries(1)[0])
    with pytest.raises(UnknownBatchError):
        store.replica(digest("b"))
    assert store.replication(THIRD) == Replication(anchored=0, held=0)
    assert [held.record for held in store.replicas()] == [None]
    anchored(store, (THIRD, "b"), (OTHER, "a"))
    assert missing(store) == [2]
    assert store.find_replica(some_entries(1)[0]).record == 1


def test_what_nobody_anchored_is_not_known(store: Store) -> None:
    with pytest.raises(UnknownEntryError):
        store.find_replica(digest("entry"))
    with pytest.raises(UnknownBatchError):
        store.replica(digest("root"))
    assert (missing(store), store.replicas()) == ([], [])
    assert store.replication(OTHER) == Replication(anchored=0, held=0)


def test_adding_again_changes_nothing_and_another_count_is_refused(store: Store) -> None:
    anchored(store, (OTHER, "a"))
    for _ in range(2):
        store.add_replica(OTHER, digest("a"), some_entries(3))
    assert (store.replica_entry_counts(), len(store.replicas())) == ({1: 3}, 1)
    with pytest.raises(ImmutableConflictError, match="3 entries"):
        store.add_replica(OTHER, digest("a"), some_entries(4))
    assert store.replica_entry_counts() == {1: 3}


@pytest.mark.parametrize("entries", [[], [Hash32(bytes(31))], [*some_entries(1), Hash32(b"")]])
def test_what_is_no_batch_is_refused(store: Store, entries: list[Hash32]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        store.add_replica(OTHER, digest("a"), entries)
    assert store.replicas() == []


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
def test_a_failed_write_is_settled_by_the_next_one(store: Store, kept: bool) -> None:  # noqa: FBT001
    anchored(store, (OTHER, "a"))
    fault = Fault("add_replica", kept=kept)
    faulty = FaultyStore(store, fault)
    with pytest.raises(StoreUnavailableError):
        faulty.add_replica(OTHER, digest("a"), some_entries(3))
    assert missing(store) == ([] if kept else [1])
    fault.armed = False
    faulty.add_replica(OTHER, digest("a"), some_entries(3))
    assert (missing(store), store.replica_entry_counts()) == ([], {1: 3})


def test_replicas_are_listed_in_pages_and_their_index_is_counted(store: Store) -> None:
    names = ("a", "b", "c")
    anchored(store, *((OTHER, name) for name in names))
    for name in names:
        store.add_replica(OTHER, digest(name), some_entries(3, name))
    first = store.replicas(limit=2)
    rest = store.replicas(after=first[-1].number)
    assert [held.root for held in (*first, *rest)] == [digest(name) for name in names]
    assert store.replica_entry_counts() == {held.number: 3 for held in store.replicas()}
    looked_up = [*some_entries(3, "a"), *some_entries(1, "b"), digest("nowhere")]
    assert store.in_replica(first[0].number, looked_up) == 3
    assert store.in_replica(first[1].number, looked_up) == 1
