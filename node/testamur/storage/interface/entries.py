"""What a store guarantees for entries: the queue, batches, replicas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from testamur.merkle.hashing import Hash32
from testamur.storage.model import (
    AddResult,
    Batch,
    BatchState,
    Claim,
    EntryState,
    FollowedRecord,
    Padding,
    QueueState,
    Replica,
    Replication,
    StoreTotals,
)
from testamur.storage.tokens import Terms


class Submissions(Protocol):
    """The queue of submitted entries, and where each entry stands."""

    def add_entries(
        self, entries: Sequence[Hash32], /, *, submitted_at: int, terms: Terms | None = None
    ) -> AddResult:
        """Accept ``entries`` in their order, all or none; durable when it returns.

        Idempotent by the full 32 bytes, over the queue and all sealed batches: a known entry
        keeps its place and its time. An entry that stands several times in one call counts once.
        ``submitted_at`` is in Unix seconds.

        With ``terms`` the submission is counted for the operator log, and its new entries towards
        the token's quota of the day, in the same transaction: a crash neither loses a count nor
        doubles it. Without, nobody is held to anything.

        Raises:
            ValueError: an entry is not 32 bytes.
            TokenInvalidError: the token that submits is unknown, or was revoked meanwhile.
            QuotaExceededError, QueueFullError: new entries would go beyond the token's quota or
                the queue's limit.
            StoreUnavailableError: repeat the call; what was kept is then counted as known.
        """
        ...

    def queue(self) -> QueueState:
        """Count what waits to be sealed, and since when."""
        ...

    def find_entry(self, entry: Hash32) -> EntryState:
        """Say where ``entry`` stands; time independent of how many entries there are.

        Padding is not known here: nobody submitted it.

        Raises:
            UnknownEntryError: it was never accepted.
        """
        ...

    def find_entries(self, entries: Sequence[Hash32], /) -> Mapping[Hash32, EntryState]:
        """Say where each of ``entries`` stands, in one view; the unknown ones are left out."""
        ...

    def batches_of(self, entries: Sequence[Hash32], /) -> Mapping[Hash32, Hash32]:
        """Give the batch root of each of ``entries`` that is sealed; the others are left out."""
        ...

    def totals(self) -> StoreTotals:
        """Count everything, in one consistent view; takes time linear in the store's size."""
        ...


class Batches(Protocol):
    """From the queue to sealed batches, and the states of those."""

    def claim(self, *, limit: int, now: int) -> Claim | None:
        """Take up to ``limit`` (at least 1) of the oldest queued entries for one batch.

        At most one claim is unfinished at any time. While there is one it is returned again,
        whatever ``limit`` says: after a crash the caller runs the normal path. None when nothing
        waits. ``now`` (Unix seconds) is noted on a new claim.
        """
        ...

    def unfinished_claim(self) -> Claim | None:
        """Give the claim that waits to be sealed, read anew from the backend; None without one."""
        ...

    def pad(self, claim: int, padding: Sequence[Padding], /) -> Claim:
        """Store padding with its salts for the unfinished claim, before any file holds it.

        Afterwards the claim gives the same batch however often sealing starts over. Repeating
        the call with equal padding succeeds.

        Raises:
            ImmutableConflictError: the claim has other padding already.
            StateConflictError: this claim is not unfinished.
            ValueError: padding repeats itself or an entry; fresh salts never do.
        """
        ...

    def seal(self, claim: int, *, root: Hash32, count: int, sealed_at: int) -> Batch:
        """Turn the unfinished claim into a sealed batch; call it when the file is durable.

        Its entries leave the queue and enter the index in the same transaction. ``count``
        includes padding. Repeating the call with equal ``root`` and ``count`` returns the batch
        as it stands, with its first ``sealed_at``.

        Raises:
            ImmutableConflictError: the claim was sealed with another root or count, or another
                claim with this root.
            StateConflictError: there is no such claim, or ``count`` is not what it holds.
        """
        ...

    def batch(self, root: Hash32) -> Batch:
        """Give one batch.

        Raises:
            UnknownBatchError: none has this root.
        """
        ...

    def batches(
        self, *, state: BatchState | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[Batch]:
        """List up to ``limit`` batches in order of sealing, those numbered above ``after``.

        Pages are stable: a batch keeps its number, and a new one only follows the last.
        """
        ...

    def advance(self, root: Hash32, from_state: BatchState, to_state: BatchState) -> None:
        """Move a batch along ``BATCH_TRANSITIONS``; a batch already in ``to_state`` is fine.

        Raises:
            UnknownBatchError: none has this root.
            StateConflictError: the batch is in neither of the two states.
            ValueError: the table has no such transition.
        """
        ...

    def padding_of(self, root: Hash32) -> Sequence[Padding]:
        """Give the padding of a batch with its salts, ascending by entry.

        Raises:
            UnknownBatchError: none has this root.
        """
        ...

    def indexed_counts(self) -> Mapping[Hash32, int]:
        """Count the entries that the index holds for each batch, padding not included."""
        ...

    def rebuild_index(self, read: Callable[[Hash32], Iterable[Hash32]]) -> int:
        """Derive the index from entry to batch anew and say how many rows had to be mended.

        ``read`` gives a batch file's entries, checked by the caller. One transaction a batch, so
        a rebuild that stops half-way is simply started again. A row that was lost comes back
        with its batch's ``sealed_at`` as its time.
        """
        ...


class Replicas(Protocol):
    """Batches that other nodes sealed, held here so that this node proves them, too.

    A replica belongs to a member and a root. Who anchored a copy of another's commitment, or of
    a whole batch, holds a replica of his own and takes nothing from the first.
    """

    def add_replica(self, member: int, root: Hash32, entries: Sequence[Hash32], /) -> None:
        """Index the batch ``root`` of ``member``; call it when its file is durable.

        ``entries`` are the file's, which gave this root. Repeating the call changes nothing.

        Raises:
            ImmutableConflictError: it is held with another number of entries.
            ValueError: there is no entry, or one that is not 32 bytes.
        """
        ...

    def missing_replicas(self, *, start: int, limit: int = 100) -> Sequence[FollowedRecord]:
        """List up to ``limit`` anchors whose batch is not held, from index ``start`` on, ascending.

        The first anchor of each member and root only, and none of an empty batch. A batch that
        this node's own member anchored is held where it was sealed in this store; after the loss
        of a disk it is missing like any other's. Takes time linear in the records from ``start``.
        """
        ...

    def find_replica(self, entry: Hash32, member: int | None = None) -> Replica:
        """Find the replica that holds ``entry``: of ``member``, or of anyone.

        Of several the one with the lowest record. One whose record a reorganisation took away
        is not found. Takes time independent of how many entries there are.

        Raises:
            UnknownEntryError: none holds it.
        """
        ...

    def replica(self, root: Hash32) -> Replica:
        """Give the replica with this root; of several members' the one with the lowest record.

        Raises:
            UnknownBatchError: none has it, or a reorganisation took its record away.
        """
        ...

    def replicas(self, *, after: int = 0, limit: int = 100) -> Sequence[Replica]:
        """List up to ``limit`` replicas in order of storing, those numbered above ``after``."""
        ...

    def replication(self, member: int) -> Replication:
        """Count the batches of ``member``; takes time linear in its anchors."""
        ...

    def replica_entry_counts(self) -> Mapping[int, int]:
        """Count the entries that the index holds for each replica, by its number."""
        ...

    def in_replica(self, number: int, entries: Sequence[Hash32], /) -> int:
        """Count those of ``entries`` that the index gives the replica with this number."""
        ...
