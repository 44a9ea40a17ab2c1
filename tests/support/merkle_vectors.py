"""The vectors of tests/vectors/merkle: made from the RFC's recursion, without the product's code.

Good cases come from :mod:`tests.support.merkle_reference`. Broken ones are a good one with one
mutation, which names the file, and the code that must refuse it. Format: docs/formats/merkle.md.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from tests.support import merkle_reference as reference

if TYPE_CHECKING:
    from collections.abc import Callable

Case = dict[str, object]

ENTRIES: Final = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The eight entries that Certificate Transparency's implementations share as test data."""

LARGE: Final = 2**33 + 3
"""Beyond what 32 bits hold, where languages with small integers go wrong."""


def leaf(entry: bytes) -> bytes:
    """Leaf hash."""
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Node hash."""
    return sha256(b"\x01" + left + right).digest()


LEAVES: Final = [leaf(entry) for entry in ENTRIES]
SAME: Final = leaf(b"same")
OTHER: Final = leaf(b"other")


@cache
def same_root(size: int) -> bytes:
    """Root of ``size`` equal leaves: a tree of any size in a few hashes."""
    if size == 1:
        return SAME
    k = reference.split(size)
    return node(same_root(k), same_root(size - k))


def same_path(index: int, size: int) -> list[bytes]:
    """Path of leaf ``index`` where all other leaves are equal."""
    if size == 1:
        return []
    k = reference.split(size)
    if index < k:
        return [*same_path(index, k), same_root(size - k)]
    return [*same_path(index - k, size - k), same_root(k)]


def other_root(index: int, size: int) -> bytes:
    """Root where leaf ``index`` differs from all others, which are equal."""
    if size == 1:
        return OTHER
    k = reference.split(size)
    if index < k:
        return node(other_root(index, k), same_root(size - k))
    return node(same_root(k), other_root(index - k, size - k))


def same_proof(old: int, size: int, *, known: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 9162 section 2.1.4.1 where all leaves are equal."""
    if old == size:
        return [] if known else [same_root(size)]
    k = reference.split(size)
    if old <= k:
        return [*same_proof(old, k, known=known), same_root(size - k)]
    return [*same_proof(old - k, size - k, known=False), same_root(k)]


def flipped(value: bytes) -> bytes:
    """``value`` with its last bit flipped."""
    return value[:-1] + bytes([value[-1] ^ 1])


def tree_cases() -> dict[str, Case]:
    """Entries and the root over them; the broken ones give the root of a well-known mistake."""
    cases: dict[str, Case] = {
        f"size-{size}": _tree(ENTRIES[:size], reference.mth(LEAVES[:size])) for size in range(9)
    }
    plain = [sha256(entry).digest() for entry in ENTRIES]
    three, two = LEAVES[:3], LEAVES[:2]
    mistakes = {
        "size-0-root-all-zero": (0, bytes(32)),
        "size-0-root-of-one-empty-entry": (0, LEAVES[0]),
        "size-1-leaf-without-prefix": (1, plain[0]),
        "size-2-leaves-without-prefix": (2, node(plain[0], plain[1])),
        "size-2-node-without-prefix": (2, sha256(two[0] + two[1]).digest()),
        "size-2-children-swapped": (2, node(two[1], two[0])),
        "size-3-last-leaf-doubled": (3, node(node(*two), node(three[2], three[2]))),
        "size-3-last-leaf-hashed-alone": (3, node(node(*two), leaf(three[2]))),
        "size-3-padded-with-zeros": (3, node(node(*two), node(three[2], bytes(32)))),
        "size-5-split-in-the-middle": (
            5, node(reference.mth(LEAVES[:3]), reference.mth(LEAVES[3:5])),
        ),
    }  # fmt: skip
    for name, (size, root) in mistakes.items():
        cases[name] = _tree(ENTRIES[:size], root) | {"error": "root_mismatch"}
    return cases


def _tree(entries: list[bytes], root: bytes) -> Case:
    return {"entries": [entry.hex() for entry in entries], "root": root.hex()}


def inclusion_cases() -> dict[str, Case]:
    """Inclusion proofs."""
    cases = {
        f"size-{size}-index-{index}": _inclusion(size, index)
        for size, index in (
            (1, 0), (2, 0), (2, 1), (3, 0), (3, 2), (5, 4), (6, 4), (7, 3), (7, 6), (8, 0), (8, 7),
        )
    }  # fmt: skip
    for size, index in ((LARGE, 2**32 + 1), (LARGE, LARGE - 1), (2**53 - 1, 2**53 - 2)):
        cases[f"size-{size}-index-{index}"] = _case(
            OTHER, index, size, same_path(index, size), other_root(index, size)
        )
    seven = _inclusion(7, 3)
    cases["size-7-index-3-taken-for-size-8"] = seven | {
        "size": 8,
        "comment": "A proof binds the size by its length alone: know the root's size yourself.",
    }
    cases["size-7-inner-node-taken-for-leaf-1-of-4"] = _case(
        node(LEAVES[2], LEAVES[3]),
        1,
        4,
        reference.path(3, LEAVES[:7])[1:],
        reference.mth(LEAVES[:7]),
    ) | {"comment": "Why a verifier hashes the entry itself and takes no size from a proof."}
    return cases | _broken_inclusion(cases)


def _broken_inclusion(good: dict[str, Case]) -> dict[str, Case]:
    seven, path = good["size-7-index-3"], reference.path(3, LEAVES[:7])
    root = reference.mth(LEAVES[:7])
    cases = {
        f"size-7-index-3-{name}": seven | change | {"error": error}
        for name, change, error in (
            ("index-plus-one", {"index": 4}, "root_mismatch"),
            ("index-minus-one", {"index": 2}, "root_mismatch"),
            ("index-is-size", {"index": 7}, "tree_range"),
            ("index-negative", {"index": -1}, "tree_range"),
            ("size-zero", {"size": 0}, "tree_range"),
            ("size-minus-four", {"size": 3}, "tree_range"),
            ("size-plus-two", {"size": 9}, "proof_length"),
            ("path-truncated", {"proof": _hex(path[:-1])}, "proof_length"),
            ("path-without-first", {"proof": _hex(path[1:])}, "proof_length"),
            ("path-extended", {"proof": _hex([*path, OTHER])}, "proof_length"),
            ("path-empty", {"proof": []}, "proof_length"),
            ("path-reversed", {"proof": _hex(path[::-1])}, "root_mismatch"),
            ("root-in-path", {"proof": _hex([*path, root])}, "proof_length"),
            ("root-bit-flipped", {"root": flipped(root).hex()}, "root_mismatch"),
            ("root-all-zero", {"root": bytes(32).hex()}, "root_mismatch"),
            ("root-of-size-8", {"root": reference.mth(LEAVES).hex()}, "root_mismatch"),
            ("leaf-bit-flipped", {"leaf_hash": flipped(LEAVES[3]).hex()}, "root_mismatch"),
            ("leaf-is-sibling", {"leaf_hash": LEAVES[2].hex()}, "root_mismatch"),
            ("leaf-is-entry-hash", {"leaf_hash": sha256(ENTRIES[3]).hexdigest()}, "root_mismatch"),
            ("leaf-31-bytes", {"leaf_hash": LEAVES[3][:31].hex()}, "hash_length"),
            ("root-33-bytes", {"root": root.hex() + "00"}, "hash_length"),
            ("proof-hash-31-bytes", {"proof": _hex([path[0][:31], *path[1:]])}, "hash_length"),
            ("proof-hash-33-bytes", {"proof": _hex([*path[:2], path[2] + b"\0"])}, "hash_length"),
        )
    }
    cases["size-7-index-3-leaf-is-inner-node"] = seven | {
        "leaf_hash": node(LEAVES[2], LEAVES[3]).hex(),
        "proof": _hex(path[1:]),
        "error": "proof_length",
    }
    for position in range(3):
        changed = [flipped(one) if at == position else one for at, one in enumerate(path)]
        cases[f"size-7-index-3-proof-bit-flipped-at-{position}"] = seven | {
            "proof": _hex(changed), "error": "root_mismatch",
        }  # fmt: skip
    large_name = f"size-{LARGE}-index-{2**32 + 1}"
    one, large = good["size-1-index-0"], good[large_name]
    for name, base, change, error in (
        ("size-1-index-0-path-extended", one, {"proof": _hex([OTHER])}, "proof_length"),
        ("size-1-index-0-size-zero", one, {"size": 0}, "tree_range"),
        ("size-7-index-6-size-plus-one", good["size-7-index-6"], {"size": 8}, "proof_length"),
        ("size-7-index-6-size-minus-one", good["size-7-index-6"], {"size": 6}, "tree_range"),
        (f"{large_name}-index-minus-2-to-32", large, {"index": 1}, "root_mismatch"),
        (f"{large_name}-size-modulo-2-to-32", large, {"size": 3}, "tree_range"),
    ):  # fmt: skip
        cases[name] = base | change | {"error": error}
    return cases


def consistency_cases() -> dict[str, Case]:
    """Consistency proofs."""
    cases = {
        f"from-{old}-to-{new}": _consistency(old, new)
        for old, new in (
            (1, 1), (1, 2), (1, 8), (2, 3), (3, 7), (4, 7), (4, 8), (5, 5), (6, 7), (6, 8), (7, 8),
        )
    }  # fmt: skip
    for old, new in ((2**32 + 1, LARGE), (2**33, LARGE), (2**53 - 2, 2**53 - 1)):
        cases[f"from-{old}-to-{new}"] = {
            "old_size": old, "new_size": new,
            "old_root": same_root(old).hex(), "new_root": same_root(new).hex(),
            "proof": _hex(same_proof(old, new)),
        }  # fmt: skip
    return cases | _broken_consistency(cases)


def _broken_consistency(good: dict[str, Case]) -> dict[str, Case]:
    proof = reference.proof(3, LEAVES[:7])
    old_root, new_root = reference.mth(LEAVES[:3]), reference.mth(LEAVES[:7])
    rewritten = [*LEAVES[:1], OTHER, *LEAVES[2:7]]
    base, large = "from-3-to-7", f"from-{2**32 + 1}-to-{LARGE}"
    changes: tuple[tuple[str, str, dict[str, object], str], ...] = (
        (base, "old-size-zero", {"old_size": 0}, "tree_range"),
        (base, "old-size-negative", {"old_size": -1}, "tree_range"),
        (base, "old-size-plus-one", {"old_size": 4}, "proof_length"),
        (base, "old-size-minus-one", {"old_size": 2}, "proof_length"),
        (base, "old-size-above-new", {"old_size": 8}, "tree_range"),
        (base, "sizes-swapped", {"old_size": 7, "new_size": 3}, "tree_range"),
        (base, "new-size-plus-two", {"new_size": 9}, "proof_length"),
        ("from-7-to-8", "new-size-plus-one", {"new_size": 9}, "proof_length"),
        ("from-4-to-8", "new-size-plus-one", {"new_size": 9}, "proof_length"),
        (base, "path-truncated", {"proof": _hex(proof[:-1])}, "proof_length"),
        (base, "path-without-first", {"proof": _hex(proof[1:])}, "proof_length"),
        (base, "path-extended", {"proof": _hex([*proof, OTHER])}, "proof_length"),
        (base, "path-empty", {"proof": []}, "proof_length"),
        (base, "path-reversed", {"proof": _hex(proof[::-1])}, "root_mismatch"),
        (base, "old-root-bit-flipped", {"old_root": flipped(old_root).hex()}, "root_mismatch"),
        (base, "new-root-bit-flipped", {"new_root": flipped(new_root).hex()}, "root_mismatch"),
        (base, "roots-swapped", {"old_root": new_root.hex(), "new_root": old_root.hex()},
         "root_mismatch"),
        (base, "history-rewritten", {"new_root": reference.mth(rewritten).hex(),
         "proof": _hex(reference.proof(3, rewritten))}, "root_mismatch"),
        (base, "old-root-31-bytes", {"old_root": old_root[:31].hex()}, "hash_length"),
        (base, "new-root-33-bytes", {"new_root": new_root.hex() + "00"}, "hash_length"),
        (base, "proof-hash-31-bytes", {"proof": _hex([proof[0][:31], *proof[1:]])}, "hash_length"),
        ("from-4-to-7", "old-root-in-path", {"proof": _hex([reference.mth(LEAVES[:4]),
         *reference.proof(4, LEAVES[:7])])}, "proof_length"),
        ("from-5-to-5", "path-extended", {"proof": _hex([OTHER])}, "proof_length"),
        ("from-5-to-5", "new-root-bit-flipped",
         {"new_root": flipped(reference.mth(LEAVES[:5])).hex()}, "root_mismatch"),
        (large, "old-size-modulo-2-to-32", {"old_size": 1}, "proof_length"),
        (large, "new-size-modulo-2-to-32", {"new_size": 3}, "tree_range"),
    )  # fmt: skip
    cases = {
        f"{name}-{mutation}": good[name] | change | {"error": error}
        for name, mutation, change, error in changes
    }
    for position in range(len(proof)):
        changed = [flipped(one) if at == position else one for at, one in enumerate(proof)]
        cases[f"{base}-proof-bit-flipped-at-{position}"] = good[base] | {
            "proof": _hex(changed), "error": "root_mismatch",
        }  # fmt: skip
    return cases


def _inclusion(size: int, index: int) -> Case:
    leaves = LEAVES[:size]
    return _case(leaves[index], index, size, reference.path(index, leaves), reference.mth(leaves))


def _case(leaf_hash: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> Case:
    return {
        "leaf_hash": leaf_hash.hex(), "index": index, "size": size,
        "root": root.hex(), "proof": _hex(proof),
    }  # fmt: skip


def _consistency(old: int, new: int) -> Case:
    return {
        "old_size": old, "new_size": new,
        "old_root": reference.mth(LEAVES[:old]).hex(),
        "new_root": reference.mth(LEAVES[:new]).hex(),
        "proof": _hex(reference.proof(old, LEAVES[:new])),
    }  # fmt: skip


def _hex(values: list[bytes]) -> list[str]:
    return [value.hex() for value in values]


FOLDERS: Final[dict[str, Callable[[], dict[str, Case]]]] = {
    "tree": tree_cases,
    "inclusion": inclusion_cases,
    "consistency": consistency_cases,
}
"""Folder below tests/vectors/merkle, and what makes its cases."""
