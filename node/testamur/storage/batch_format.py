"""The batch file, pure: entries of 32 bytes, strictly ascending, nothing else.

Format: docs/formats/batch-file.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from operator import lt
from typing import Final

from testamur.errors import CorruptBatchError
from testamur.merkle import tree
from testamur.merkle.hashing import HASH_BYTES, Hash32, leaf_hash

ENTRIES_MAX: Final = 2**32
"""No batch is larger: the contract refuses its record."""


def encode_batch(entries: Sequence[Hash32]) -> bytes:
    """Give the file's bytes for ``entries``, ascending already.

    Raises:
        ValueError: there is none, one is not 32 bytes, or they do not ascend strictly.
    """
    try:
        _check_order(entries)
    except CorruptBatchError as error:
        raise ValueError(str(error)) from error
    return b"".join(entries)


def parse_batch(data: bytes) -> tuple[Hash32, ...]:
    """Read a batch file, from anyone, as its entries.

    Raises:
        CorruptBatchError: empty, not whole entries, or not strictly ascending.
    """
    if len(data) % HASH_BYTES:
        raise CorruptBatchError(f"{len(data)} bytes are not whole entries of {HASH_BYTES}")
    entries = tuple(
        Hash32(data[start : start + HASH_BYTES]) for start in range(0, len(data), HASH_BYTES)
    )
    _check_order(entries)
    return entries


def batch_root(entries: Sequence[Hash32]) -> Hash32:
    """Give the RFC 9162 root over ``entries`` as they stand."""
    return tree.root([leaf_hash(entry) for entry in entries])


def verified_batch(data: bytes, root: Hash32) -> tuple[Hash32, ...]:
    """Read a batch file, from anyone, that has to give ``root``.

    Raises:
        CorruptBatchError: it does not parse, or gives another root.
    """
    entries = parse_batch(data)
    derived = batch_root(entries)
    if derived != root:
        raise CorruptBatchError(f"the file of batch {root.hex()} gives root {derived.hex()}")
    return entries


def _check_order(entries: Sequence[Hash32]) -> None:
    if not entries:
        raise CorruptBatchError("a batch has at least one entry")
    if len(entries) > ENTRIES_MAX:
        raise CorruptBatchError(f"a batch has at most {ENTRIES_MAX} entries")
    if set(map(len, entries)) != {HASH_BYTES}:
        raise CorruptBatchError("an entry is not 32 bytes")
    if not all(map(lt, entries, islice(entries, 1, None))):
        raise CorruptBatchError("the entries do not ascend strictly")
