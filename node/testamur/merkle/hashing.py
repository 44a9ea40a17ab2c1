"""The three hash functions of RFC 9162 section 2.1.1, and the one type for their values."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NewType

from testamur.errors import HashLengthError

Hash32 = NewType("Hash32", bytes)
"""Exactly 32 bytes. Made from foreign bytes by :func:`hash32` only."""

HASH_BYTES: Final = 32

EMPTY_ROOT: Final = Hash32(sha256(b"").digest())
"""Root of the tree without leaves: SHA-256 of the empty string, never 32 zero bytes."""


def hash32(value: bytes, what: str = "hash") -> Hash32:
    """Take ``value``, from anyone, as a hash.

    Raises:
        HashLengthError: ``value`` is not 32 bytes; the message calls it ``what``.
    """
    if len(value) != HASH_BYTES:
        raise HashLengthError(what, len(value))
    return Hash32(bytes(value))


def check_hashes(values: Iterable[bytes], what: str = "hash") -> None:
    """Refuse a sequence in which any value is not 32 bytes.

    Raises:
        HashLengthError: for the first such value.
    """
    for value in values:
        if len(value) != HASH_BYTES:
            raise HashLengthError(what, len(value))


def leaf_hash(entry: bytes) -> Hash32:
    """Hash an entry of any length as a leaf: SHA-256(00 ‖ entry)."""
    return Hash32(sha256(b"\x00" + entry).digest())


def node_hash(left: bytes, right: bytes) -> Hash32:
    """Hash two children as their parent: SHA-256(01 ‖ left ‖ right).

    Raises:
        HashLengthError: a child is not 32 bytes; without this rule, bytes could move from one
            child to the other and leave the parent as it was.
    """
    if len(left) != HASH_BYTES:
        raise HashLengthError("left child", len(left))
    if len(right) != HASH_BYTES:
        raise HashLengthError("right child", len(right))
    return Hash32(sha256(b"\x01" + left + right).digest())
