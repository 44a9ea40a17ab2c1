"""The values that go into and come out of a store: frozen, sized, explained.

The lifecycles stand here as tables, because a state that is not in its table cannot be stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from testamur.ledger.records import RECORD_BYTES
from testamur.merkle.hashing import HASH_BYTES, Hash32

ADDRESS_BYTES: Final = 20

BatchState = Literal["sealed", "submitted", "anchored", "final"]
"""A batch's life: tree durable; transaction sent; mined; past reorganisation."""

BATCH_STATES: Final[tuple[BatchState, ...]] = get_args(BatchState)

BATCH_TRANSITIONS: Final[frozenset[tuple[BatchState, BatchState]]] = frozenset(
    {
        ("sealed", "submitted"),
        ("submitted", "anchored"),
        ("anchored", "final"),
        # After a restore the chain may hold a root that this database believes unsent.
        ("sealed", "anchored"),
        # A reorganisation takes the record away; the same bytes are broadcast again.
        ("anchored", "submitted"),
        # The same after a restore, where this database has no transaction to broadcast.
        ("anchored", "sealed"),
        # The batch's sequence was consumed by another root: it is to be sent under a new one.
        ("submitted", "sealed"),
    }
)

EntryLife = Literal["queued", "sealed", "submitted", "anchored", "final"]
"""An entry's life: ``queued`` until it stands in a batch, then the state of that batch."""

AnchorState = Literal["signed", "broadcast", "mined", "final", "reverted"]
"""A transaction's life: on disk; handed to an endpoint; in a block; past reorganisation. A
reverted one was mined and changed nothing."""

ANCHOR_STATES: Final[tuple[AnchorState, ...]] = get_args(AnchorState)

ANCHOR_TRANSITIONS: Final[frozenset[tuple[AnchorState, AnchorState]]] = frozenset(
    {
        ("signed", "broadcast"),
        ("broadcast", "mined"),
        ("mined", "final"),
        ("broadcast", "reverted"),
        # A crash between sending and noting it: the chain shows what became of it.
        ("signed", "mined"),
        ("signed", "reverted"),
        # A reorganisation puts it back to those that wait for a block.
        ("mined", "broadcast"),
        ("reverted", "broadcast"),
    }
)


@dataclass(frozen=True, slots=True)
class LedgerIdentity:
    """Which ledger, and which member of it, a data directory belongs to."""

    chain_id: int
    """EIP-155 chain id, positive."""
    genesis: Hash32
    """Hash of the chain's block 0; tells two chains with one chain id apart."""
    contract: bytes
    """Address of the ledger contract, 20 bytes."""
    ledger_id: Hash32
    """Leaf hash of record 0."""
    member: int
    """The member that this node works for, 1 to 2^32-1."""

    def __post_init__(self) -> None:
        _check_bytes("genesis", self.genesis, HASH_BYTES)
        _check_bytes("contract", self.contract, ADDRESS_BYTES)
        _check_bytes("ledger_id", self.ledger_id, HASH_BYTES)


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of a submission; ``added + known`` is the number of distinct entries in it."""

    added: int
    """Entries that are new and stand in the queue now."""
    known: int
    """Entries that were queued or sealed before; nothing changed about them."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """How much waits to be sealed; entries of an unfinished claim wait, too."""

    count: int
    """Entries not in a sealed batch."""
    oldest_submitted_at: int | None
    """Unix seconds of the one that waits longest; None when nothing waits."""


@dataclass(frozen=True, slots=True)
class EntryState:
    """Where one entry stands."""

    entry: Hash32
    """The commitment that was submitted."""
    state: EntryLife
    """``queued``, or the state of its batch."""
    submitted_at: int | None
    """Unix seconds at which it was first accepted; None where that was at another node."""
    batch: Hash32 | None
    """Root of its batch; None while it is queued."""


@dataclass(frozen=True, slots=True)
class Padding:
    """An entry that stands for no credential, with the salt that shows so."""

    entry: Hash32
    """Commitment under profile ``padding`` to a zero digest."""
    salt: Hash32
    """Its salt, kept so that the member can open it to an auditor."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Entries taken out of the queue for one batch that is not sealed yet."""

    number: int
    """Positive, never reused."""
    claimed_at: int
    """Unix seconds."""
    entries: tuple[Hash32, ...]
    """The submitted entries, oldest first; at least one."""
    padding: tuple[Padding, ...]
    """What :meth:`Batches.pad` stored for this claim, ascending by entry; may be empty."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A sealed batch; its entries are in the batch file named after ``root``."""

    number: int
    """Order of sealing, positive, ascending; gaps are possible."""
    root: Hash32
    """RFC 9162 root over the entries, ascending."""
    count: int
    """Number of entries, padding included."""
    padding_count: int
    """How many of them are padding."""
    sealed_at: int
    """Unix seconds."""
    state: BatchState
    """Where it stands."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A batch that another node sealed; its entries are in the batch file named after ``root``."""

    number: int
    """Order of storing, positive, ascending; gaps are possible."""
    member: int
    """The member that anchored it."""
    root: Hash32
    """RFC 9162 root over the entries, derived by this node."""
    count: int
    """Number of entries; padding is not told apart."""
    record: int | None
    """Index of the first anchor of this member with this root, as the ledger is followed now;
    None where a reorganisation took it away."""


@dataclass(frozen=True, slots=True)
class Replication:
    """How many of a member's batches this node can prove from."""

    anchored: int
    """Distinct batches that the member anchored, as the ledger is followed now."""
    held: int
    """Those of them that are held here, as a sealed batch or as a replica."""

    @property
    def lacking(self) -> int:
        """How many are anchored and not held."""
        return self.anchored - self.held


@dataclass(frozen=True, slots=True)
class StoreTotals:
    """Counts that must fit together.

    ``accepted == queued + indexed``, ``sealed == in_batches`` and ``overlapping == 0``.
    """

    accepted: int
    """Entries ever acknowledged as added; counted in the transaction that added them."""
    sealed: int
    """Entries ever sealed; counted in the transaction that sealed them. The queue's limit goes by
    ``accepted - sealed``."""
    in_batches: int
    """Entries that the sealed batches say they have, padding not included."""
    queued: int
    """Entries in the queue, claimed ones included."""
    indexed: int
    """Entries in the index from entry to batch, padding not included."""
    overlapping: int
    """Entries that are in both."""


@dataclass(frozen=True, slots=True)
class AnchorTransaction:
    """A signed anchor transaction; immutable once it is in the journal."""

    sequence: int
    """The member's sequence that it consumes, from 0. Several transactions may share it."""
    root: Hash32
    """Root of the batch; EMPTY_ROOT when only the status list changes."""
    status_count: int
    """Entries of the status list."""
    status_root: Hash32
    """Root of the status list."""
    nonce: int
    """The account's nonce."""
    raw: bytes
    """The transaction as it is sent, byte for byte."""
    tx_hash: Hash32
    """Keccak-256 of ``raw``."""
    signed_at: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class JournaledTransaction:
    """A transaction of the journal with its present state."""

    transaction: AnchorTransaction
    """What was signed."""
    state: AnchorState
    """Where it stands."""


@dataclass(frozen=True, slots=True)
class FollowedBlock:
    """A block that the node has followed the chain to."""

    number: int
    """Height, from 0."""
    hash: Hash32
    """Its hash, as the chain gave it."""
    parent_hash: Hash32
    """Hash of block ``number - 1``."""
    timestamp: int
    """Unix seconds, as in its header."""


@dataclass(frozen=True, slots=True)
class FollowedRecord:
    """A record of the ledger, and where on the chain it was read."""

    index: int
    """Leaf index in the ledger, from 0."""
    record: bytes
    """93 bytes, docs/formats/record.md."""
    block_number: int
    """Block that holds its log."""
    block_hash: Hash32
    """Hash of that block."""
    tx_hash: Hash32
    """Transaction that emitted the log."""
    transaction_index: int
    """Its position in the block."""
    log_index: int
    """The log's position in the block."""
    change: bytes | None
    """The ABI bytes of the change, for a governance record; else None."""

    def __post_init__(self) -> None:
        _check_bytes("record", self.record, RECORD_BYTES)


@dataclass(frozen=True, slots=True)
class LedgerReading:
    """What was followed of the ledger, from one moment."""

    finalized: FollowedBlock | None
    """The highest block known to be final; None before the first."""
    followed: FollowedBlock | None
    """The highest block followed to; None before the first."""
    records: tuple[FollowedRecord, ...]
    """The records from the index that was asked for up to the last."""


def _check_bytes(name: str, value: bytes, length: int) -> None:
    if len(value) != length:
        raise ValueError(f"{name} has {len(value)} bytes, not {length}")
