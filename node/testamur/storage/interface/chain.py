"""What a store guarantees for what is sent to the chain, and for what was read from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from testamur.merkle.hashing import Hash32
from testamur.storage.model import (
    AnchorState,
    AnchorTransaction,
    FollowedBlock,
    FollowedRecord,
    JournaledTransaction,
    LedgerReading,
)


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
