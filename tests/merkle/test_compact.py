"""The compact range against the whole tree, for all sizes to 130."""

from __future__ import annotations

import pytest

from testamur.errors import HashLengthError
from testamur.merkle import tree
from testamur.merkle.compact import CompactRange
from testamur.merkle.hashing import EMPTY_ROOT, leaf_hash

SIZES = 130


def test_it_has_the_root_of_the_tree_at_every_size() -> None:
    leaves = [leaf_hash(b"entry %d" % number) for number in range(SIZES)]
    grown = CompactRange()
    assert grown.root() == EMPTY_ROOT
    for size, leaf in enumerate(leaves, start=1):
        grown = grown.append(leaf)
        assert grown.size == size
        assert grown.root() == tree.root(leaves[:size])
        assert len(grown.peaks) == size.bit_count()


def test_appending_leaves_the_range_before_as_it_was() -> None:
    before = CompactRange().append(leaf_hash(b"one"))
    root = before.root()
    before.append(leaf_hash(b"two"))
    assert (before.size, before.root()) == (1, root)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_leaf_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(HashLengthError):
        CompactRange().append(bytes(length))


@pytest.mark.parametrize(("size", "peaks"), [(1, 0), (0, 1), (3, 1), (-1, 0)])
def test_peaks_that_do_not_fit_the_size_are_refused(size: int, peaks: int) -> None:
    with pytest.raises(ValueError, match="peaks are no tree"):
        CompactRange(size, (EMPTY_ROOT,) * peaks)
