"""The library's assembly beside the same hashes in plain Solidity and in Python."""

from __future__ import annotations

import pytest

from testamur.merkle.hashing import EMPTY_ROOT, leaf_hash, node_hash
from tests.support.compiled import compiled
from tests.support.deployed_ledger import digest
from tests.support.evm import Evm

TWIN = compiled("HashTwin")
EVM = Evm()
ADDRESS = EVM.deploy(TWIN.interface, TWIN.bytecode).contract

WORDS = [bytes(32), b"\xff" * 32, bytes(31) + b"\x01", b"\x01" + bytes(31), digest("word")]


@pytest.mark.parametrize("left", WORDS)
@pytest.mark.parametrize("right", WORDS)
def test_node_hash_equals_its_twins_and_leaves_memory_alone(left: bytes, right: bytes) -> None:
    expected = node_hash(left, right)
    assert EVM.call(TWIN.interface, ADDRESS, "nodeHash", left, right) == (expected, expected)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 64, 93, 94, 200])
def test_leaf_hash_equals_its_twins_and_leaves_memory_alone(length: int) -> None:
    entry = (digest("entry") * 7)[:length]
    expected = leaf_hash(entry)
    assert EVM.call(TWIN.interface, ADDRESS, "leafHash", entry) == (expected, expected)


def test_empty_root_is_the_hash_of_nothing() -> None:
    assert EVM.call(TWIN.interface, ADDRESS, "emptyRoot") == (EMPTY_ROOT, EMPTY_ROOT)
