"""What a verifier brings: the credential's digest, and his own view of the ledger.

Who trusts what is said field by field. A view is made by a node from what it follows, or by a
command from RPC endpoints; the proofs in it may come from anyone, because they are checked against
its heads.
"""

from __future__ import annotations

from dataclasses import dataclass

from testamur.credentials.claims import IssuerClaim
from testamur.credentials.locator import Locator
from testamur.errors import CredentialError
from testamur.ledger.receipt import RecordProof
from testamur.merkle.hashing import Hash32


@dataclass(frozen=True, slots=True)
class Presented:
    """What the verifier holds of the credential; computed by him, never taken from the receipt."""

    profile: str
    """The profile that the digest was computed under."""
    digest: Hash32
    """Digest of the presented credential."""
    issuer: IssuerClaim | None = None
    """The issuer that the credential names; None where it was not read."""
    locator: Locator | CredentialError | None = None
    """The locator in the credential, or that came with it; why there is not exactly one; None
    where there is none, or it was not looked for."""


@dataclass(frozen=True, slots=True)
class Head:
    """The ledger at one block, as the verifier's own source shows it; trusted."""

    size: int
    """Records."""
    root: Hash32
    """Root over them."""
    block: int
    """Number of the block at which it was read."""
    time: int
    """The block's timestamp, Unix seconds."""


@dataclass(frozen=True, slots=True)
class LeafProof:
    """What stands in the ledger at the index that a receipt names; untrusted until proven."""

    leaf: Hash32
    """Leaf hash of the record there."""
    path: tuple[Hash32, ...]
    """Its path in the head that holds it: ``final`` where the index is below its size."""


@dataclass(frozen=True, slots=True)
class RootProof:
    """The root that the ledger had at the size that a receipt names; untrusted until proven."""

    root: Hash32
    """Root at that size."""
    path: tuple[Hash32, ...]
    """Consistency proof from that size to ``final``."""


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The ledger as the verifier's own source shows it.

    The heads and the index of ``newest`` are trusted. The rest is checked against the heads: what
    does not hold there says that the view is broken, and nothing about the receipt.
    """

    final: Head
    """The head at the newest final block."""
    seen: Head
    """The head at the newest block; a reorg may still take it back."""
    at_index: LeafProof | None
    """What stands at the receipt's record index; None where neither head reaches it."""
    at_size: RootProof | None
    """What the root was at the receipt's ledger size; None where ``final`` does not reach it."""
    newest: RecordProof | None
    """The newest anchor of the receipt's member in ``final``; None without one."""
