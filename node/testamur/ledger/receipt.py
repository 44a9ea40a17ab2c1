"""The receipt: the portable proof of one credential. Format: docs/formats/receipt.md.

Everything in it is untrusted; :mod:`testamur.ledger.verification` says what is checked against
what. A node hands it out without ``commitment``, because it never has the salt; the holder's
tool fills that in. Reading and writing it as JSON: :mod:`testamur.ledger.receipt_json`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from testamur.ledger.records import Record
from testamur.merkle.hashing import Hash32


@dataclass(frozen=True, slots=True)
class Commitment:
    """How the entry was made from the credential; known to the holder, never to a node."""

    profile: str
    """Name of the rule from artefact to digest."""
    salt: Hash32
    """The 32 random bytes."""


@dataclass(frozen=True, slots=True)
class BatchProof:
    """Where the entry stands in its batch."""

    index: int
    """Position of the entry among the batch's entries."""
    path: tuple[Hash32, ...]
    """Inclusion path up to ``record.root``."""


@dataclass(frozen=True, slots=True)
class RecordProof:
    """The anchor's record, and where it stands in the ledger."""

    index: int
    """Position in the ledger."""
    path: tuple[Hash32, ...]
    """Inclusion path up to ``ledger.root``."""
    record: Record
    """The record itself; always an anchor."""


@dataclass(frozen=True, slots=True)
class MemberProof:
    """The governance record that gave the member its name, domain and keys."""

    index: int
    """Position in the ledger; 0 for a founder."""
    path: tuple[Hash32, ...]
    """Inclusion path up to ``ledger.root``."""
    change: bytes
    """ABI bytes of the change, as emitted; the record follows from them."""


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """Which ledger, and the head that the paths lead to."""

    chain_id: int
    """EIP-155 chain id."""
    genesis: bytes
    """Hash of block 0, 32 bytes."""
    contract: bytes
    """Address of the ledger contract, 20 bytes."""
    ledger_id: Hash32
    """Leaf hash of record 0."""
    size: int
    """Records in the ledger at this head, at least 2."""
    root: Hash32
    """Root over them."""


@dataclass(frozen=True, slots=True)
class ShownStatus:
    """One entry of a status list, with its place in the list."""

    entry: Hash32
    """The commitment whose status is listed."""
    code: int
    """1 revoked, 2 suspended, 3 superseded."""
    time: int
    """Since when, as the member claims; Unix seconds."""
    index: int
    """Position in the list."""
    path: tuple[Hash32, ...]
    """Inclusion path up to the ``status_root`` of the record that names the list."""


@dataclass(frozen=True, slots=True)
class SuffixProof:
    """Shows offline that no later anchor of the member exists below the ledger's head."""

    range: tuple[Hash32, ...]
    """Compact range of the records before the status record: its full subtrees, largest first."""
    records: tuple[bytes, ...]
    """The status record and every record after it, 93 bytes each, up to ``ledger.size``."""


@dataclass(frozen=True, slots=True)
class StatusProof:
    """What the member's status list says of the entry."""

    record: RecordProof
    """The anchor that names the list: the member's newest, or its successor's."""
    shown: tuple[ShownStatus, ...]
    """The entry itself where it is listed; else its one or two neighbours; none: empty list."""
    suffix: SuffixProof | None
    """None where the verifier takes "newest" from the chain."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The anchor's event, proven up to a block header."""

    block_number: int
    """Number of the block."""
    block_hash: bytes
    """Hash of the block, 32 bytes."""
    header: bytes
    """Raw RLP of the block header."""
    receipt_proof: tuple[bytes, ...]
    """Nodes of the receipt trie, root first."""
    transaction_index: int
    """Position of the transaction in its block."""
    log_position: int
    """Position of the event in the transaction's receipt."""
    tx_hash: bytes
    """Hash of the transaction, 32 bytes; a hint, never evidence."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A parsed receipt."""

    commitment: Commitment | None
    """None only as a node hands it out."""
    entry: Hash32
    """The commitment that was submitted."""
    batch: BatchProof
    """The entry in the batch."""
    record: RecordProof
    """The record in the ledger."""
    member: MemberProof
    """Who anchored it."""
    ledger: LedgerHead
    """Which ledger."""
    checkpoint: str | None = None
    """A signed note with cosignatures over exactly ``ledger``'s head; None while pending."""
    status: StatusProof | None = None
    """Proof against the status list; None where the list is empty or left to a node."""
    evidence: Evidence | None = None
    """Proof up to a block header; None where none was captured."""

    def with_commitment(self, profile: str, salt: Hash32) -> Receipt:
        """Give the holder's complete receipt."""
        return replace(self, commitment=Commitment(profile, salt))
