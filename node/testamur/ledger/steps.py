"""What the steps of verification share: how one could not be done, and how a proof is checked."""

from __future__ import annotations

from typing import Final

from testamur.errors import MerkleError, VerificationError
from testamur.ledger.report import minute
from testamur.ledger.view import Head
from testamur.merkle.hashing import Hash32
from testamur.merkle.proofs import verify_inclusion

FRESH_SECONDS: Final = 7 * 24 * 3600
"""Age of a head, in seconds, above which the report warns, unless the verifier says otherwise."""

SOURCE_FAILED: Final = (
    "The chain could not be read: it did not answer, or not as the chain of this ledger does."
)
"""Told to people where the source of the ledger failed. The error itself may name an endpoint, and
is for whoever runs it."""


class Unknown(Exception):  # noqa: N818 - not an error: a step that could not be done
    """A step lacks what it needs; that says nothing about the credential."""

    def __init__(self, code: str, detail: str) -> None:
        """Say why, for programs by ``code`` and for people in one sentence."""
        super().__init__(detail)
        self.code = code
        self.detail = detail


def check_freshness(time: int, *, now: int, fresh_seconds: int = FRESH_SECONDS) -> tuple[str, str]:
    """Check that the head which a report speaks of is not old; its ``time`` is its block's.

    Raises:
        Unknown: it is older than ``fresh_seconds``.
    """
    if now - time > fresh_seconds:
        raise Unknown("as_of_old", f"What is known is old: as of {minute(time)}.")
    return "fresh", f"As of {minute(time)}."


def shown(*, leaf: Hash32, index: int, head: Head, proof: tuple[Hash32, ...]) -> None:
    """Check what the verifier's source shows against its own head.

    Raises:
        Unknown: it does not hold there, which says nothing about the receipt.
    """
    try:
        verify_inclusion(leaf_hash=leaf, index=index, size=head.size, proof=proof, root=head.root)
    except MerkleError as exc:
        raise Unknown("view_broken", f"The source contradicts itself: {exc}.") from exc


def proven(
    what: str, *, leaf: Hash32, index: int, size: int, proof: tuple[Hash32, ...], root: Hash32
) -> None:
    """Check a proof of the receipt, which ``what`` names.

    Raises:
        VerificationError: it does not hold.
    """
    try:
        verify_inclusion(leaf_hash=leaf, index=index, size=size, proof=proof, root=root)
    except MerkleError as exc:
        raise VerificationError(f"{what}_{exc.code}", f"The {what} proof fails: {exc}.") from exc
