"""The tree and its proofs against the RFC's own recursion and against merkletools."""

from __future__ import annotations

from hashlib import sha256

import pytest
from blockcerts_merkletools import MerkleTools
from hypothesis import given
from hypothesis import strategies as st

from testamur.errors import (
    HashLengthError,
    MerkleError,
    ProofLengthError,
    RootMismatchError,
    TreeRangeError,
)
from testamur.merkle import hashing, proofs, tree
from tests.support import merkle_reference as reference

SIZES = range(131)
LEAVES = [hashing.leaf_hash(b"entry %d" % number) for number in range(SIZES[-1])]


class PrefixedSha256(MerkleTools):
    """merkletools with RFC 9162's node hash in place of its own."""

    def __init__(self) -> None:
        super().__init__("sha256")
        self.hash_function = lambda data: sha256(b"\x01" + bytes(data))


def merkletools_root(leaves: list[bytes]) -> bytes:
    tools = PrefixedSha256()
    tools.add_leaf([leaf.hex() for leaf in leaves])
    tools.make_tree()
    return bytes.fromhex(tools.get_merkle_root())


def test_hashes_are_those_of_the_rfc() -> None:
    assert hashing.leaf_hash(b"abc") == sha256(b"\x00abc").digest()
    one, two = sha256(b"1").digest(), sha256(b"2").digest()
    assert hashing.node_hash(one, two) == sha256(b"\x01" + one + two).digest()
    assert sha256(b"").digest() == hashing.EMPTY_ROOT != bytes(32)


@pytest.mark.parametrize("size", SIZES)
def test_root_equals_the_recursive_definition(size: int) -> None:
    assert tree.root(LEAVES[:size]) == reference.mth(LEAVES[:size])


@pytest.mark.parametrize("size", SIZES[1:])
def test_root_equals_the_one_of_merkletools(size: int) -> None:
    assert tree.root(LEAVES[:size]) == merkletools_root(LEAVES[:size])


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_prefix_of_larger_levels_is_the_tree_over_it(size: int) -> None:
    prefix = tree.prefix(tree.levels(LEAVES), size)
    assert [list(level) for level in prefix] == [list(x) for x in tree.levels(LEAVES[:size])]
    assert list(prefix[0][1:]) == LEAVES[1:size]


@pytest.mark.parametrize("size", [-1, 0, len(LEAVES) + 1])
def test_there_is_no_prefix_of_another_size(size: int) -> None:
    with pytest.raises(TreeRangeError):
        tree.prefix(tree.levels(LEAVES), size)


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_inclusion_path_is_the_one_of_the_rfc_and_verifies(size: int) -> None:
    leaves, root, built = LEAVES[:size], tree.root(LEAVES[:size]), tree.levels(LEAVES[:size])
    for index in range(size):
        path = proofs.inclusion_path_in(built, index)
        assert path == reference.path(index, leaves)
        proofs.verify_inclusion(
            leaf_hash=leaves[index], index=index, size=size, proof=path, root=root
        )


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_consistency_path_is_the_one_of_the_rfc_and_verifies(size: int) -> None:
    leaves, root, built = LEAVES[:size], tree.root(LEAVES[:size]), tree.levels(LEAVES[:size])
    for old_size in range(1, size + 1):
        path = proofs.consistency_path_in(built, old_size)
        assert path == reference.proof(old_size, leaves)
        proofs.verify_consistency(
            old_size=old_size,
            new_size=size,
            old_root=tree.root(leaves[:old_size]),
            new_root=root,
            proof=path,
        )


@pytest.mark.parametrize("size", SIZES[1:])
def test_the_root_of_every_prefix_is_read_from_the_levels(size: int) -> None:
    built = tree.levels(LEAVES[:size])
    for prefix in range(1, size + 1):
        assert tree.root_of_prefix(built, prefix) == tree.root(LEAVES[:prefix])
    for outside in (-1, 0, size + 1):
        with pytest.raises(TreeRangeError):
            tree.root_of_prefix(built, outside)


@pytest.mark.parametrize("size", range(1, 34))
def test_an_inclusion_path_verifies_nowhere_else(size: int) -> None:
    leaves, root = LEAVES[:size], tree.root(LEAVES[:size])
    for index in range(size):
        path = proofs.inclusion_path(leaves, index)
        for other in set(range(size)) - {index}:
            with pytest.raises((ProofLengthError, RootMismatchError)):
                proofs.verify_inclusion(
                    leaf_hash=leaves[index], index=other, size=size, proof=path, root=root
                )


def test_an_inner_node_is_not_accepted_as_a_leaf() -> None:
    leaves, root = LEAVES[:4], tree.root(LEAVES[:4])
    inner = hashing.node_hash(leaves[0], leaves[1])
    with pytest.raises(ProofLengthError):
        proofs.verify_inclusion(
            leaf_hash=inner, index=0, size=4, proof=[tree.root(leaves[2:])], root=root
        )


def test_equal_sizes_need_an_empty_proof_and_equal_roots() -> None:
    root = tree.root(LEAVES[:3])
    proofs.verify_consistency(old_size=3, new_size=3, old_root=root, new_root=root, proof=[])
    with pytest.raises(RootMismatchError):
        proofs.verify_consistency(
            old_size=3, new_size=3, old_root=root, new_root=LEAVES[0], proof=[]
        )
    with pytest.raises(ProofLengthError):
        proofs.verify_consistency(
            old_size=3, new_size=3, old_root=root, new_root=root, proof=[LEAVES[0]]
        )


@pytest.mark.parametrize(("old_size", "new_size"), [(0, 0), (0, 5), (6, 5), (-1, 5), (1, 2**63)])
def test_consistency_refuses_sizes_that_prove_nothing(old_size: int, new_size: int) -> None:
    root = tree.root(LEAVES[:5])
    with pytest.raises(TreeRangeError):
        proofs.verify_consistency(
            old_size=old_size, new_size=new_size, old_root=root, new_root=root, proof=[]
        )


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (0, 2**63)])
def test_inclusion_refuses_an_index_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(TreeRangeError):
        proofs.verify_inclusion(
            leaf_hash=LEAVES[0], index=index, size=size, proof=[], root=LEAVES[0]
        )


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_paths_are_made_only_for_leaves_that_exist(index: int) -> None:
    with pytest.raises(TreeRangeError):
        proofs.inclusion_path(LEAVES[:5], index)


@pytest.mark.parametrize("old_size", [-1, 0, 6])
def test_consistency_paths_are_made_only_for_sizes_that_existed(old_size: int) -> None:
    with pytest.raises(TreeRangeError):
        proofs.consistency_path(LEAVES[:5], old_size)


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_every_hash_must_have_32_bytes(wrong: bytes) -> None:
    good = LEAVES[0]
    with pytest.raises(HashLengthError):
        hashing.node_hash(wrong, good)
    with pytest.raises(HashLengthError):
        hashing.node_hash(good, wrong)
    with pytest.raises(HashLengthError):
        tree.root([good, wrong])
    with pytest.raises(HashLengthError):
        proofs.inclusion_path([good, wrong], 0)
    for leaf, proof, root in [(wrong, [good], good), (good, [wrong], good), (good, [good], wrong)]:
        with pytest.raises(HashLengthError):
            proofs.verify_inclusion(leaf_hash=leaf, index=0, size=2, proof=proof, root=root)
    for old, proof, new in [(wrong, [good], good), (good, [wrong], good), (good, [good], wrong)]:
        with pytest.raises(HashLengthError):
            proofs.verify_consistency(
                old_size=1, new_size=2, old_root=old, new_root=new, proof=proof
            )


@given(st.lists(st.binary(max_size=80), min_size=1, max_size=300), st.data())
def test_any_tree_proves_any_leaf_and_any_prefix(entries: list[bytes], data: st.DataObject) -> None:
    leaves = [hashing.leaf_hash(entry) for entry in entries]
    index = data.draw(st.integers(0, len(leaves) - 1))
    old_size = data.draw(st.integers(1, len(leaves)))
    root = tree.root(leaves)
    assert root == reference.mth(leaves)
    proofs.verify_inclusion(
        leaf_hash=leaves[index],
        index=index,
        size=len(leaves),
        proof=proofs.inclusion_path(leaves, index),
        root=root,
    )
    proofs.verify_consistency(
        old_size=old_size,
        new_size=len(leaves),
        old_root=tree.root(leaves[:old_size]),
        new_root=root,
        proof=proofs.consistency_path(leaves, old_size),
    )


@given(st.integers(1, 300), st.data())
def test_one_flipped_bit_anywhere_is_refused(size: int, data: st.DataObject) -> None:
    leaves = [hashing.leaf_hash(b"%d" % number) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path = [bytes(step) for step in proofs.inclusion_path(leaves, index)]
    values = [bytes(leaves[index]), bytes(tree.root(leaves)), *path]
    victim = data.draw(st.integers(0, len(values) - 1))
    bit = data.draw(st.integers(0, 255))
    number = int.from_bytes(values[victim]) ^ (1 << bit)
    values[victim] = number.to_bytes(32)
    with pytest.raises(MerkleError):
        proofs.verify_inclusion(
            leaf_hash=values[0], index=index, size=size, proof=values[2:], root=values[1]
        )
