"""RFC 9162 section 2.1 written down as it stands there: recursive, slow, obviously right."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def split(size: int) -> int:
    """Largest power of two strictly smaller than ``size`` (size > 1)."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def mth(leaf_hashes: Sequence[bytes]) -> bytes:
    """MTH(D[n]) over leaf hashes."""
    if not leaf_hashes:
        return sha256(b"").digest()
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    k = split(len(leaf_hashes))
    return sha256(b"\x01" + mth(leaf_hashes[:k]) + mth(leaf_hashes[k:])).digest()


def path(index: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]), section 2.1.3.1."""
    if len(leaf_hashes) == 1:
        return []
    k = split(len(leaf_hashes))
    if index < k:
        return [*path(index, leaf_hashes[:k]), mth(leaf_hashes[k:])]
    return [*path(index - k, leaf_hashes[k:]), mth(leaf_hashes[:k])]


def proof(old_size: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D[n]), section 2.1.4.1."""
    return subproof(old_size, leaf_hashes, known=True)


def subproof(old_size: int, leaf_hashes: Sequence[bytes], *, known: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b), section 2.1.4.1."""
    if old_size == len(leaf_hashes):
        return [] if known else [mth(leaf_hashes)]
    k = split(len(leaf_hashes))
    if old_size <= k:
        return [*subproof(old_size, leaf_hashes[:k], known=known), mth(leaf_hashes[k:])]
    return [*subproof(old_size - k, leaf_hashes[k:], known=False), mth(leaf_hashes[:k])]
