"""What a store guarantees; every implementation passes the same tests (tests/storage).

Common to all methods, so that the docstrings below need not repeat it:

Durability. A method that changes something returns only when the change survives loss of power.
    When it raises :class:`StoreUnavailableError` the change is either there as a whole or not at
    all, and the caller cannot know which; repeating the same call is always safe and settles it.
Atomicity. Each method is one transaction. A refused call (any other error) changed nothing.
Concurrency. Every method may be called from any thread. Changes are serialised; reads run beside
    them and see what was committed before they began, never half a change.
Failure. Whatever the backend raises arrives as :class:`StoreUnavailableError`, chained with
    ``from``. A broken argument (31 bytes, a negative time) is a ``ValueError``.
Trust. Whoever can write to the store can stop the node, make it forget, and put entries into the
    queue, which are then anchored in the member's name. What is anchored already he cannot
    change unseen: batch roots and records are checked against the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from testamur.ledger.operator_log import Act, Actor, LogLine
from testamur.merkle.hashing import Hash32
from testamur.storage.model import (
    AddResult,
    AnchorState,
    AnchorTransaction,
    Batch,
    BatchState,
    Claim,
    EntryState,
    FollowedBlock,
    FollowedRecord,
    JournaledTransaction,
    LedgerIdentity,
    LedgerReading,
    Padding,
    QueueState,
    Replica,
    Replication,
    StoreTotals,
)
from testamur.storage.tokens import Terms, Token


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


class AnchorJournal(Protocol):
    """Signed anchor transactions: on disk before anybody else sees one."""

    def put_signed(self, transaction: AnchorTransaction) -> None:
        """Journal a signed transaction in state ``signed``; durable before it returns.

        Only then may it be broadcast. Several transactions may share a sequence and a nonce
        (replacement by higher fees). Repeating the call with equal content succeeds and leaves
        the state as it is.

        Raises:
            ImmutableConflictError: the journal has other content under this ``tx_hash``.
        """
        ...

    def anchor_transactions(
        self, *states: AnchorState, sequence: int | None = None, root: Hash32 | None = None
    ) -> Sequence[JournaledTransaction]:
        """List the transactions in one of ``states`` (none named: all), as they were journaled."""
        ...

    def last_sequence(self) -> int | None:
        """Give the highest sequence that any journaled transaction has; None without any."""
        ...

    def set_anchor_state(self, tx_hash: Hash32, state: AnchorState) -> None:
        """Move a transaction along ``ANCHOR_TRANSITIONS``; being there already is fine.

        Raises:
            StateConflictError: it is not in the journal, or its state does not lead there.
        """
        ...


class ChainView(Protocol):
    """The chain as far as it was followed: sparse blocks, and every record of the ledger."""

    def append_block(self, block: FollowedBlock, records: Sequence[FollowedRecord], /) -> None:
        """Append a block and its records, all or none.

        Blocks may be left out (those without records, as a rule), but numbers ascend, and a
        direct successor must name its predecessor's hash as parent. Record indexes go on where
        the last one stopped, and each record names this block. Repeating the last append
        succeeds.

        Raises:
            ContinuityError: any of this does not hold; nothing was appended.
            RecordFormatError: the bytes of a record are none.
        """
        ...

    def rewind(self, to_block_number: int) -> None:
        """Forget every block and record above ``to_block_number``; that block itself stays.

        Repeating it is fine.

        Raises:
            StateConflictError: it would reach below the finalized block.
        """
        ...

    def followed(self) -> FollowedBlock | None:
        """Give the highest appended block; None before the first."""
        ...

    def block_at(self, number: int) -> FollowedBlock | None:
        """Give the block with this number, if it was appended."""
        ...

    def recent_blocks(
        self, *, below: int | None = None, limit: int = 100
    ) -> Sequence[FollowedBlock]:
        """List up to ``limit`` appended blocks, highest first, those with a number < ``below``.

        This is what a search for the fork point after a reorganisation walks down.
        """
        ...

    def size(self) -> int:
        """Count the records."""
        ...

    def record(self, index: int) -> FollowedRecord:
        """Give one record.

        Raises:
            UnknownRecordError: not ``0 <= index < size()``.
        """
        ...

    def records(self, start: int, end: int) -> Sequence[FollowedRecord]:
        """Give the records [start, end) in order, in one consistent view; page over many.

        Raises:
            UnknownRecordError: not ``0 <= start <= end <= size()``.
        """
        ...

    def read_ledger(self, start: int) -> LedgerReading:
        """Give the records from index ``start`` on with both heads' blocks, in one view.

        Without records where there are not more than ``start``.
        """
        ...

    def record_of_batch(self, member: int, root: Hash32) -> FollowedRecord | None:
        """Give the first anchor record (kind 1) of ``member`` with this batch root, if any."""
        ...

    def records_of_batches(
        self, member: int, roots: Sequence[Hash32], /
    ) -> Mapping[Hash32, FollowedRecord]:
        """Give that record for each of ``roots`` that has one, in one consistent view."""
        ...

    def count_anchors(self, member: int, *, above: int, up_to: int) -> int:
        """Count the anchor records (kind 1) of ``member`` in the blocks (``above``, ``up_to``].

        Takes time linear in the records of those blocks.
        """
        ...

    def set_finalized(self, block: FollowedBlock) -> None:
        """Note that ``block`` is past reorganisation; repeating it is fine.

        Raises:
            StateConflictError: it is below the finalized one, or another one of that number:
                finality never moves backwards.
            ContinuityError: the chain was not followed that far, or to another block there.
        """
        ...

    def finalized(self) -> FollowedBlock | None:
        """Give the highest block known to be final; None before the first."""
        ...


class Tokens(Protocol):
    """API tokens, without their secret parts. Each change stands in the operator log with it."""

    def put_token(self, token: Token, secret_hash: Hash32, /, *, by: Actor) -> None:
        """Keep a new token, ``by`` whom it was made; good from when this returns.

        ``secret_hash`` is what :meth:`token` gives to compare with. Repeating the call with equal
        arguments succeeds.

        Raises:
            TokenNameTakenError: one that was not revoked has this name.
            ImmutableConflictError: there is another token with this id.
            StateConflictError: the store is not bound to a ledger.
        """
        ...

    def token(self, token_id: str) -> tuple[Token, Hash32] | None:
        """Give a token and the hash of its secret, revoked or not; None where there is none."""
        ...

    def tokens(self) -> Sequence[Token]:
        """List all tokens in the order of their making, revoked ones included."""
        ...

    def revoke_token(self, token_id: str, *, at: int, by: Actor) -> Token:
        """Revoke a token at ``at`` (Unix seconds); one that was revoked keeps its first time.

        Raises:
            UnknownTokenError: there is none with this id.
        """
        ...


class OperatorLog(Protocol):
    """The hash-chained log of who did what; lines are appended and never change.

    It begins when the store is bound to a ledger, which its first line is bound to.
    """

    def record_act(self, act: Act, /) -> None:
        """Append an act. Repeating the newest one, with the same time, adds nothing.

        Raises:
            StateConflictError: the store is not bound to a ledger.
        """
        ...

    def settle_submissions(self, *, before: int) -> None:
        """Write the counts of submissions of the minutes that ended by ``before`` as lines.

        Submissions are counted by actor and minute as they are taken; a line each would make the
        log larger than what it is about. Any other line is preceded by those that are due.
        """
        ...

    def log_lines(self, *, start: int = 0, limit: int = 100) -> Sequence[LogLine]:
        """Give up to ``limit`` lines from index ``start`` on, as they were written."""
        ...

    def log_end(self) -> tuple[int, Hash32 | None]:
        """Give how many lines there are, and the hash of the newest; None without any."""
        ...


class Store(
    Submissions,
    Batches,
    Replicas,
    AnchorJournal,
    ChainView,
    Tokens,
    OperatorLog,
    Protocol,
):
    """Everything that a node keeps besides its batch files."""

    def bind_identity(self, identity: LedgerIdentity, /) -> None:
        """Tie the store to a ledger and a member at the first call, compare at every later one.

        Raises:
            StoreIdentityError: the store belongs to another; the message names what differs.
        """
        ...

    def identity(self) -> LedgerIdentity | None:
        """Give what the store is tied to; None before :meth:`bind_identity`."""
        ...

    def ping(self) -> None:
        """Do one small read, for readiness."""
        ...

    def close(self) -> None:
        """Release the backend and its lock; any later call raises StoreUnavailableError."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
