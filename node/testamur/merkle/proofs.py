"""Inclusion and consistency proofs: made here, and checked here (RFC 9162 section 2.1.3-2.1.4).

A proof is a list of hashes and nothing else. Whoever verifies brings index, size and root from
a source that he trusts; the proof may come from anyone. Verifiers return nothing and raise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from testamur.errors import ProofLengthError, RootMismatchError, TreeRangeError
from testamur.merkle.hashing import Hash32, check_hashes, hash32, node_hash
from testamur.merkle.tree import Levels, levels

SIZE_MAX: Final = 2**63 - 1
"""No tree is larger; keeps a foreign integer from costing more than 63 steps."""


def inclusion_path(leaf_hashes: Sequence[bytes], index: int) -> list[Hash32]:
    """Siblings from leaf ``index`` up to the root, leaf side first.

    Raises:
        TreeRangeError: not ``0 <= index < len(leaf_hashes)``.
        HashLengthError: a leaf hash is not 32 bytes.
    """
    return inclusion_path_in(levels(leaf_hashes), index)


def inclusion_path_in(built: Levels, index: int) -> list[Hash32]:
    """As :func:`inclusion_path`, on levels built before: O(log n).

    Raises:
        TreeRangeError: not ``0 <= index < size``.
    """
    _check_index(index, len(built[0]) if built else 0)
    path = []
    for level in built[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        index >>= 1
    return path


def consistency_path(leaf_hashes: Sequence[bytes], old_size: int) -> list[Hash32]:
    """Prove that the first ``old_size`` leaves are a prefix of the tree over ``leaf_hashes``.

    Raises:
        TreeRangeError: not ``0 < old_size <= len(leaf_hashes)``; there is nothing to prove
            about the empty tree, which is a prefix of every tree.
        HashLengthError: a leaf hash is not 32 bytes.
    """
    return consistency_path_in(levels(leaf_hashes), old_size)


def consistency_path_in(built: Levels, old_size: int) -> list[Hash32]:
    """As :func:`consistency_path`, on levels built before: O(log n).

    Raises:
        TreeRangeError: not ``0 < old_size <= size``.
    """
    size = len(built[0]) if built else 0
    _check_old_size(old_size, size)
    if old_size == size:
        return []
    # SUBPROOF of RFC 9162 section 2.1.4.1, read from the leaf side: start at the old tree's last
    # full subtree, then take siblings on the way up as in an inclusion proof.
    level, node = _last_full_subtree(old_size)
    path = []
    if node:  # otherwise the subtree is the whole old tree, whose root the verifier has
        path.append(built[level][node])
    for height in range(level, len(built) - 1):
        sibling = node ^ 1
        if sibling < len(built[height]):
            path.append(built[height][sibling])
        node >>= 1
    return path


def verify_inclusion(
    *, leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that ``leaf_hash`` is leaf ``index`` of the tree with ``size`` leaves and ``root``.

    Requires ``0 <= index < size``. ``index``, ``size`` and ``root`` come from a source that the
    caller trusts; ``leaf_hash`` is computed by the caller from the entry; ``proof`` may come
    from anyone. RFC 9162 section 2.1.3.2.

    Raises:
        HashLengthError: the leaf hash, the root or a proof hash is not 32 bytes.
        TreeRangeError: not ``0 <= index < size``.
        ProofLengthError: ``proof`` is longer or shorter than ``index`` and ``size`` demand.
        RootMismatchError: the length is right, the hash is not; carries both roots.
    """
    expected = hash32(root, "root")
    computed = root_from_inclusion(leaf_hash=leaf_hash, index=index, size=size, proof=proof)
    if computed != expected:
        raise RootMismatchError(expected=expected, computed=computed)


def root_from_inclusion(
    *, leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]
) -> Hash32:
    """Compute the root that ``proof`` leads to; :func:`verify_inclusion` compares it.

    Raises:
        HashLengthError, TreeRangeError, ProofLengthError: as :func:`verify_inclusion`.
    """
    computed = hash32(leaf_hash, "leaf hash")
    check_hashes(proof, "proof hash")
    _check_index(index, size)
    _check_length(proof, inclusion_length(index, size))
    remaining = iter(proof)
    last = size - 1
    while last:
        if index & 1:
            computed = node_hash(next(remaining), computed)
        elif index < last:
            computed = node_hash(computed, next(remaining))
        # else: a lifted node has no sibling at this level
        index >>= 1
        last >>= 1
    return computed


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree (``new_size``, ``new_root``) extends (``old_size``, ``old_root``).

    Requires ``0 < old_size <= new_size``. Sizes and roots come from heads that the caller holds;
    ``proof`` may come from anyone. RFC 9162 section 2.1.4.2. An ``old_size`` of 0 is an error:
    every tree extends the empty one, so a caller has to treat that case itself, knowingly.

    Raises:
        HashLengthError: a root or a proof hash is not 32 bytes.
        TreeRangeError: not ``0 < old_size <= new_size``.
        ProofLengthError: ``proof`` is longer or shorter than the sizes demand.
        RootMismatchError: the proof leads to another old or new root; carries both.
    """
    old_root = hash32(old_root, "old root")
    new_root = hash32(new_root, "new root")
    check_hashes(proof, "proof hash")
    _check_old_size(old_size, new_size)
    _check_length(proof, consistency_length(old_size, new_size))
    if old_size == new_size:
        if old_root != new_root:
            raise RootMismatchError(expected=old_root, computed=new_root)
        return
    level, node = _last_full_subtree(old_size)
    remaining = iter(proof)
    old = new = next(remaining) if node else old_root
    last = (new_size - 1) >> level
    while last:
        if node & 1:
            sibling = next(remaining)
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        elif node < last:
            new = node_hash(new, next(remaining))
        node >>= 1
        last >>= 1
    if old != old_root:
        raise RootMismatchError(expected=old_root, computed=old)
    if new != new_root:
        raise RootMismatchError(expected=new_root, computed=new)


def inclusion_length(index: int, size: int) -> int:
    """How many hashes an inclusion proof of leaf ``index`` in ``size`` leaves has, exactly.

    Below the level at which the index and the last leaf part, every level has a sibling; above
    it the node lies on the right edge, where only left siblings (set bits) exist.

    Raises:
        TreeRangeError: not ``0 <= index < size``.
    """
    _check_index(index, size)
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def consistency_length(old_size: int, new_size: int) -> int:
    """How many hashes a consistency proof between the two sizes has, exactly.

    Raises:
        TreeRangeError: not ``0 < old_size <= new_size``.
    """
    _check_old_size(old_size, new_size)
    if old_size == new_size:
        return 0
    level, node = _last_full_subtree(old_size)
    last = (new_size - 1) >> level
    inner = (node ^ last).bit_length()
    return (1 if node else 0) + inner + (node >> inner).bit_count()


def _last_full_subtree(old_size: int) -> tuple[int, int]:
    """Level and index of the largest full subtree that ends at leaf ``old_size - 1``."""
    last = old_size - 1
    level = (~last & (last + 1)).bit_length() - 1  # trailing ones of ``last``
    return level, last >> level


def _check_index(index: int, size: int) -> None:
    if not 0 <= index < size <= SIZE_MAX:
        raise TreeRangeError(f"index {index} is not in a tree of {size} leaves")


def _check_old_size(old_size: int, new_size: int) -> None:
    if not 0 < old_size <= new_size <= SIZE_MAX:
        raise TreeRangeError(f"no tree of {old_size} leaves grows to one of {new_size}")


def _check_length(proof: Sequence[bytes], expected: int) -> None:
    if len(proof) != expected:
        raise ProofLengthError(got=len(proof), expected=expected)
