"""Storing and sealing."""

from __future__ import annotations

from testamur.errors.base import TestamurError


class StorageError(TestamurError):
    """The store cannot do what was asked."""

    code = "storage_error"


class StoreUnavailableError(StorageError):
    """The database or the disk failed; whether the last write was kept is unknown."""

    code = "store_unavailable"
    advice = "Check disk space and permissions, then start the node again: it resumes by itself."

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation}: {reason}")
        self.operation = operation


class StoreDamagedError(StoreUnavailableError):
    """The database's file is damaged, or is no database."""

    code = "store_damaged"
    advice = (
        "Stop the node and restore its data directory from a backup. Without one, start with an "
        "empty one: records come again from the chain, and anchored batches from the members that "
        "hold them; entries that were not anchored yet, tokens and the operator log do not."
    )


class StoreIdentityError(StorageError):
    """The data directory belongs to another ledger or member."""

    code = "store_identity"
    advice = "Point the node at its own data directory, or at the chain that it was made for."


class StoreLockedError(StorageError):
    """Another process has the data directory open."""

    code = "store_locked"
    advice = "Stop the other node first: one process at a time may use a data directory."


class ImmutableConflictError(StorageError):
    """Something immutable exists already, with other content."""

    code = "immutable_conflict"


class StateConflictError(StorageError):
    """The stored state does not allow this change: somebody else moved it on, or back."""

    code = "state_conflict"


class ContinuityError(StorageError):
    """A block or record does not follow the last one that was stored."""

    code = "continuity"


class CorruptBatchError(StorageError):
    """A batch file does not give the root that it is named after."""

    code = "corrupt_batch"
    advice = "Replace the batch file from a backup or from another member, then run check again."


class UnknownBatchError(StorageError):
    """This node has no batch with that root."""

    code = "unknown_batch"
    advice = "Check the root; if another member anchored it, ask that member's node."


class UnknownEntryError(StorageError):
    """This node knows no such entry."""

    code = "unknown_entry"
    advice = "Check the entry; if another member registered it, ask that member's node."


class UnknownRecordError(StorageError):
    """The ledger, as far as it was followed, has no such record."""

    code = "unknown_record"


class BatchingError(TestamurError):
    """A batch cannot be sealed."""

    code = "batching_error"


class NotSealingError(BatchingError):
    """A node without an anchor key was asked to seal: it follows the ledger and proves."""

    code = "not_sealing"
    advice = "Ask the node of the member that submits, or give this node its anchor key."


class ReadBackError(BatchingError):
    """The batch file, read again and hashed on a separate path, gave another root."""

    code = "read_back"
    advice = "Nothing was sealed. Check this machine's memory and disk before going on."
