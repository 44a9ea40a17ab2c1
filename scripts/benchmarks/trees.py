"""Building a tree, beside the limit that OpenSSL sets and beside somebody else's library."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from hashlib import sha256

from blockcerts_merkletools import MerkleTools

from scripts.benchmarks.figures import (
    REPETITIONS,
    Figure,
    Measured,
    Progress,
    measured,
    rates,
    seconds_of,
)
from scripts.benchmarks.sizes import Sizes
from testamur.merkle import tree

BLOCK_BYTES = 64
NODE_COMPRESSIONS = 2
"""A node hashes 65 bytes, which SHA-256 pads to two blocks."""
_BUFFER = bytes(2**24)


def measure(sizes: Sizes, progress: Progress) -> Iterator[Figure]:
    """Build a tree over leaf hashes that are there, all levels kept, in each of the two ways."""
    leaves = [sha256(b"%d" % number).digest() for number in range(sizes.tree_leaves)]
    nodes = len(leaves) - 1
    progress(f"tree over {len(leaves):,} leaves")
    ours = rates(nodes, partial(tree.levels, leaves))
    progress("the same by merkletools")
    theirs = measured([nodes / _merkletools_seconds(leaves) for _ in range(REPETITIONS)])
    yield Figure(
        "tree_build",
        f"{len(leaves):,} leaves",
        ours,
        {
            "OpenSSL's limit": _openssl_nodes(),
            "merkletools": theirs,
        },
        {"OpenSSL by": "hashlib over 16 MiB at once, two compressions a node"},
    )


def _openssl_nodes() -> Measured:
    """Give the nodes a second that one core could hash if it did nothing but compress.

    By hashlib, which is OpenSSL, over one large buffer.
    """
    nodes = len(_BUFFER) // (NODE_COMPRESSIONS * BLOCK_BYTES)
    return rates(nodes, lambda: sha256(_BUFFER).digest())


def _merkletools_seconds(leaves: list[bytes]) -> float:
    # Its leaves are given as hex, which is not counted: only what it does with them.
    tools = MerkleTools("sha256")
    tools.add_leaf([leaf.hex() for leaf in leaves])
    return seconds_of(tools.make_tree)
