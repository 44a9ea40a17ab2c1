"""The compact range: just enough of a growing tree to give its root and to append a leaf.

For a tree of n leaves it holds the roots of the full subtrees that n's binary form names, largest
first: the same values as the ``frontier`` of the contract. (RFC 9162 section 2.1.1: splitting at
the largest power of two below n, again and again, gives exactly these subtrees.)
"""

from __future__ import annotations

from dataclasses import dataclass

from testamur.merkle.hashing import EMPTY_ROOT, Hash32, hash32, node_hash


@dataclass(frozen=True, slots=True)
class CompactRange:
    """A tree of ``size`` leaves, of which only the peaks are kept; immutable, at most 64 hashes."""

    size: int = 0
    """Number of leaves."""
    peaks: tuple[Hash32, ...] = ()
    """Root of each full subtree, largest first: one for each set bit of ``size``."""

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"{len(self.peaks)} peaks are no tree of {self.size} leaves")

    def append(self, leaf_hash: bytes) -> CompactRange:
        """Give the range with one more leaf; one hashing on average, one a level at most.

        Raises:
            HashLengthError: the leaf hash is not 32 bytes.
        """
        node = hash32(leaf_hash, "leaf hash")
        peaks = list(self.peaks)
        # As in adding one to the binary size: each trailing set bit is a full subtree that the
        # carry joins with the new one at its right.
        rest = self.size
        while rest & 1:
            node = node_hash(peaks.pop(), node)
            rest >>= 1
        return CompactRange(self.size + 1, (*peaks, node))

    def root(self) -> Hash32:
        """Give the root, the same as :func:`testamur.merkle.tree.root` over the leaves."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root
