"""The contract's logs, read strictly into records of the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from testamur.ledger.records import Record
from testamur.merkle.hashing import Hash32
from testamur.storage.model import FollowedRecord


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One log of the ledger contract, decoded, and where it stands on the chain."""

    index: int
    """Index of the record in the ledger, from 0."""
    record: Record
    """The record that the contract appended; rebuilt from the log."""
    sequence: int | None
    """The member's sequence that an anchor consumed; None for governance."""
    change: bytes | None
    """ABI bytes of a governance change; None for an anchor."""
    block_number: int
    """Block that holds the log."""
    block_hash: Hash32
    """Hash of that block."""
    tx_hash: Hash32
    """Transaction that emitted it."""
    transaction_index: int
    """Its position in the block."""
    log_index: int
    """The log's position in the block."""

    def followed(self) -> FollowedRecord:
        """Give the form that the store keeps."""
        return FollowedRecord(
            index=self.index,
            record=self.record.encode(),
            block_number=self.block_number,
            block_hash=self.block_hash,
            tx_hash=self.tx_hash,
            transaction_index=self.transaction_index,
            log_index=self.log_index,
            change=self.change,
        )
