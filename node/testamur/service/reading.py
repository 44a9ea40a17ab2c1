"""What an auditor reads: batches with their entries, records, and proofs at any size.

Nothing here asks the chain. Records are compared with the tree that the followed head was checked
by, so that a page and the proofs for it speak of the same ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from testamur.errors import (
    NotFollowedYetError,
    OutOfRangeError,
    UnknownBatchError,
    UnknownRecordError,
)
from testamur.ledger.records import Record, parse_record
from testamur.merkle import proofs, tree
from testamur.merkle.hashing import Hash32
from testamur.service.batch_trees import BatchTrees
from testamur.service.ledger_tree import HeadTree, LedgerSnapshot, LedgerTree
from testamur.storage.interface import Store
from testamur.storage.model import Batch, BatchState, FollowedRecord

ATTEMPTS: Final = 3
"""How often a page is read again that a reorganisation replaced while it was read."""


@dataclass(frozen=True, slots=True)
class HeldBatch:
    """A batch that is held here: one of this node's member, or a replica of another's."""

    member: int
    """Whose it is."""
    root: Hash32
    """Its root."""
    count: int
    """Entries, padding included."""
    state: BatchState
    """Where it stands; a replica is anchored or final."""
    record: int | None
    """Index of the record that anchored it; None before that."""
    number: int | None
    """Order of sealing at this node; None for a replica."""
    sealed_at: int | None
    """Unix seconds; None for a replica."""


@dataclass(frozen=True, slots=True)
class BatchPage:
    """Batches in the order of sealing."""

    batches: tuple[HeldBatch, ...]
    """One page of them."""
    after: int | None
    """Number to go on after; None at the end."""


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """One record of the ledger."""

    followed: FollowedRecord
    """Its bytes, and where on the chain they were read."""
    record: Record
    """The bytes parsed."""
    final: bool
    """Whether it is past reorganisation."""


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Records in the ledger's order."""

    records: tuple[ReadRecord, ...]
    """One page of them."""
    size: int
    """Records in the newest head that the page is of."""
    start: int | None
    """Index to go on from; None at the end."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A record proven in the tree over the first records."""

    leaf: Hash32
    """The record's leaf hash."""
    path: tuple[Hash32, ...]
    """Siblings, leaf side first."""
    root: Hash32
    """Root at the size that was asked for."""
    final: bool
    """Whether every record of that tree is past reorganisation."""


@dataclass(frozen=True, slots=True)
class Consistency:
    """One tree proven to be the beginning of another."""

    path: tuple[Hash32, ...]
    """Hashes in the order of RFC 9162 section 2.1.4."""
    old_root: Hash32
    """Root at the old size."""
    root: Hash32
    """Root at the new size."""
    final: bool
    """Whether every record of the larger tree is past reorganisation."""


class Reading:
    """Reads for anyone. May be used from any thread."""

    def __init__(
        self, store: Store, batches: BatchTrees, ledger: LedgerTree, *, member: int
    ) -> None:
        """Read what the node of ``member`` has."""
        self._store = store
        self._batches = batches
        self._ledger = ledger
        self._member = member

    def batches(self, *, after: int, limit: int) -> BatchPage:
        """List up to ``limit`` batches that were sealed here, those numbered above ``after``.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        found = self._store.batches(after=after, limit=limit + 1)
        page = found[:limit]
        return BatchPage(
            self._sealed(page),
            page[-1].number if len(found) > limit else None,
        )

    def batch(self, root: Hash32) -> HeldBatch:
        """Give one batch; of replicas with one root that with the lowest record.

        Raises:
            UnknownBatchError: none with this root is held here.
            StoreUnavailableError: the store cannot be read.
        """
        try:
            (found,) = self._sealed([self._store.batch(root)])
        except UnknownBatchError:
            held = self._store.replica(root)
            state = self._ledger.snapshot().state_of(held.record)
            return HeldBatch(held.member, root, held.count, state, held.record, None, None)
        return found

    def entries(self, root: Hash32) -> bytes:
        """Give the batch file, checked against ``root``: whoever keeps it keeps it for ever.

        Raises:
            UnknownBatchError: none with this root is held here.
            CorruptBatchError: it is, but the file is lost or damaged.
            StoreUnavailableError: it cannot be read.
        """
        return self._batches.content(self.batch(root).root)

    def records(self, *, start: int, limit: int) -> RecordPage:
        """Give up to ``limit`` records from index ``start`` on; none when ``start`` is the size.

        Raises:
            OutOfRangeError: ``start`` is beyond the newest head.
            NotFollowedYetError: no head yet, or the chain reorganised all the while.
            StoreUnavailableError: the store cannot be read.
        """
        for _ in range(ATTEMPTS):
            ledger = self._ledger.snapshot()
            seen = _seen(ledger)
            size = seen.head.size
            if start > size:
                raise OutOfRangeError(f"start {start} is beyond the {size} records of the ledger")
            end = min(start + limit, size)
            page = self._page(seen, start, end)
            if page is not None:
                final = 0 if ledger.final is None else ledger.final.head.size
                records = tuple(
                    ReadRecord(followed, record, final=followed.index < final)
                    for followed, record in page
                )
                return RecordPage(records, size, end if end < size else None)
        raise NotFollowedYetError("the chain reorganised while the records were read")

    def inclusion(self, *, index: int, size: int) -> Inclusion:
        """Prove record ``index`` in the tree over the first ``size`` records.

        Raises:
            OutOfRangeError: not ``0 <= index < size <= `` the newest head's size.
            NotFollowedYetError: no head yet.
            StoreUnavailableError: the store cannot be read.
        """
        built, final = self._at(size)
        if not 0 <= index < size:
            raise OutOfRangeError(f"index {index} is not in a ledger of {size} records")
        path = tuple(proofs.inclusion_path_in(built, index))
        return Inclusion(built[0][index], path, built[-1][0], final)

    def consistency(self, *, old_size: int, size: int) -> Consistency:
        """Prove that the first ``old_size`` records are the beginning of the first ``size``.

        Raises:
            OutOfRangeError: not ``0 < old_size <= size <= `` the newest head's size.
            NotFollowedYetError: no head yet.
            StoreUnavailableError: the store cannot be read.
        """
        built, final = self._at(size)
        if not 0 < old_size <= size:
            raise OutOfRangeError(f"no ledger of {old_size} records grows to one of {size}")
        path = tuple(proofs.consistency_path_in(built, old_size))
        return Consistency(path, tree.root_of_prefix(built, old_size), built[-1][0], final)

    def _sealed(self, batches: Sequence[Batch]) -> tuple[HeldBatch, ...]:
        found = self._store.records_of_batches(self._member, [batch.root for batch in batches])
        return tuple(
            HeldBatch(
                member=self._member,
                root=batch.root,
                count=batch.count,
                state=batch.state,
                record=found[batch.root].index if batch.root in found else None,
                number=batch.number,
                sealed_at=batch.sealed_at,
            )
            for batch in batches
        )

    def _page(
        self, seen: HeadTree, start: int, end: int
    ) -> Sequence[tuple[FollowedRecord, Record]] | None:
        """Read [start, end); None when the store has moved on to another branch."""
        try:
            found = self._store.records(start, end)
        except UnknownRecordError:
            return None
        page = [(followed, parse_record(followed.record)) for followed in found]
        if not all(seen.is_at(followed.index, record) for followed, record in page):
            return None
        return page

    def _at(self, size: int) -> tuple[tree.Levels, bool]:
        """Give the tree over the first ``size`` records, and whether it is final."""
        ledger = self._ledger.snapshot()
        seen = _seen(ledger)
        if not 0 < size <= seen.head.size:
            raise OutOfRangeError(f"size {size} is not within the {seen.head.size} records")
        # Taken from the newest head also where it is final: the final tree is its beginning.
        final = ledger.final is not None and size <= ledger.final.head.size
        return tree.prefix(seen.levels, size), final


def _seen(ledger: LedgerSnapshot) -> HeadTree:
    if ledger.seen is None:
        raise NotFollowedYetError("the chain was not followed to the ledger's birth yet")
    return ledger.seen
