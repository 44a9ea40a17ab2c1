"""Trees over leaf hashes, level by level.

RFC 9162 defines the tree from the top: split at the largest power of two strictly below n. The
same tree built from the bottom pairs neighbours and lifts an odd last node unchanged, because
each left part of the split is a full subtree and only the right edge is ragged. Node ``i`` of
level ``l`` therefore covers the leaves [i·2^l, min((i+1)·2^l, size)), and every hash that a
proof may hold is one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import overload

from testamur.errors import TreeRangeError
from testamur.merkle.hashing import EMPTY_ROOT, Hash32, check_hashes, node_hash

Levels = tuple[Sequence[Hash32], ...]
"""``levels[0]`` are the leaf hashes, the last level is the root alone; no leaves: no levels."""


def levels(leaf_hashes: Sequence[bytes]) -> Levels:
    """Build all levels; about 2·n hashes of 32 bytes in memory, n hashings.

    Raises:
        HashLengthError: a leaf hash is not 32 bytes.
    """
    check_hashes(leaf_hashes, "leaf hash")
    if not leaf_hashes:
        return ()
    built: list[Sequence[Hash32]] = [[Hash32(bytes(leaf)) for leaf in leaf_hashes]]
    while len(built[-1]) > 1:
        built.append(_parents(built[-1]))
    return tuple(built)


def root(leaf_hashes: Sequence[bytes]) -> Hash32:
    """Root of the tree over ``leaf_hashes``; :data:`EMPTY_ROOT` without leaves.

    Raises:
        HashLengthError: a leaf hash is not 32 bytes.
    """
    check_hashes(leaf_hashes, "leaf hash")
    if not leaf_hashes:
        return EMPTY_ROOT
    level: Sequence[Hash32] = [Hash32(bytes(leaf)) for leaf in leaf_hashes]
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def root_of_prefix(built: Levels, size: int) -> Hash32:
    """Root of the tree over the first ``size`` leaves, on levels built before: O(log n).

    The full subtrees of those leaves stand in the levels; the root joins them from the right.

    Raises:
        TreeRangeError: not ``0 < size <= `` the number of leaves.
    """
    if not built or not 0 < size <= len(built[0]):
        raise TreeRangeError(f"no {size} leaves are the first of this tree")
    joined: Hash32 | None = None
    for height, level in enumerate(built):
        if (size >> height) & 1:
            subtree = level[(size >> height) - 1]
            joined = subtree if joined is None else node_hash(subtree, joined)
    if joined is None:
        raise TreeRangeError(f"no {size} leaves are the first of this tree")
    return joined


def prefix(built: Levels, size: int) -> Levels:
    """Levels of the tree over the first ``size`` leaves, on levels built before: O(log n).

    Full subtrees are the same in both trees; only the last node of each level is made anew.

    Raises:
        TreeRangeError: not ``0 < size <= `` the number of leaves.
    """
    if not built or not 0 < size <= len(built[0]):
        raise TreeRangeError(f"no {size} leaves are the first of this tree")
    last = size - 1
    edge = built[0][last]
    made = [_PrefixLevel(built[0], edge, last)]
    for level in built:
        if not last:
            break
        if last & 1:
            edge = node_hash(level[last - 1], edge)
        last >>= 1
        made.append(_PrefixLevel(built[len(made)], edge, last))
    return tuple(made)


class _PrefixLevel(Sequence[Hash32]):
    """The nodes of one level that stand before the right edge, and that edge."""

    def __init__(self, level: Sequence[Hash32], edge: Hash32, last: int) -> None:
        self._level = level
        self._edge = edge
        self._last = last

    def __len__(self) -> int:
        return self._last + 1

    @overload
    def __getitem__(self, index: int) -> Hash32: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Hash32]: ...
    def __getitem__(self, index: int | slice) -> Hash32 | Sequence[Hash32]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        return self._edge if position == self._last else self._level[position]


def _parents(level: Sequence[Hash32]) -> list[Hash32]:
    # The lengths were checked once, at the leaves, so the loop hashes directly.
    pairs = zip(level[0::2], level[1::2], strict=False)
    parents = [Hash32(sha256(b"\x01" + left + right).digest()) for left, right in pairs]
    if len(level) % 2:
        parents.append(level[-1])
    return parents
