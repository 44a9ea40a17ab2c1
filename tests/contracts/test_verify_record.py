"""verifyRecord: every record at every size, paths of every age, and broken vectors."""

from __future__ import annotations

import pytest

from testamur.merkle.proofs import inclusion_path
from tests.support.deployed_ledger import DeployedLedger
from tests.support.evm import RevertError

SIZE_MAX = 40
AGES_MAX = 17


@pytest.fixture(scope="module")
def ledger() -> DeployedLedger:
    ledger = DeployedLedger()
    ledger.grow_to(11)
    return ledger


def peak_of(index: int, size: int) -> tuple[int, int]:
    """Height of the peak that holds a record, and the size at which it was complete.

    By taking the largest full subtrees from the left, not by the contract's bit trick.
    """
    begin = 0
    while True:
        height = (size - begin).bit_length() - 1
        begin += 1 << height
        if index < begin:
            return height, begin


@pytest.mark.slow  # 820 proofs
def test_every_record_verifies_at_every_size_with_a_whole_path_and_with_the_least() -> None:
    ledger = DeployedLedger()
    for size in range(1, SIZE_MAX + 1):
        ledger.grow_to(size)
        for index in range(size):
            path = inclusion_path(ledger.leaf_hashes, index)
            height, _ = peak_of(index, size)
            ledger.call("verifyRecord", ledger.records[index], index, path)
            ledger.call("verifyRecord", ledger.records[index], index, path[:height])


@pytest.mark.slow  # 969 proofs
def test_an_old_path_verifies_exactly_if_the_peak_was_complete_when_it_was_made() -> None:
    ledger = DeployedLedger()
    for size in range(1, AGES_MAX + 1):
        ledger.grow_to(size)
        for index in range(size):
            _, complete_at = peak_of(index, size)
            for made_at in range(index + 1, size + 1):
                path = inclusion_path(ledger.leaf_hashes[:made_at], index)
                if made_at >= complete_at:
                    ledger.call("verifyRecord", ledger.records[index], index, path)
                    continue
                with pytest.raises(RevertError) as caught:
                    ledger.call("verifyRecord", ledger.records[index], index, path)
                assert caught.value.name in {"PathLength", "PeakMismatch"}


def flip(data: bytes, bit: int = 0) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def refusal(ledger: DeployedLedger, record: bytes, index: int, path: list[bytes]) -> RevertError:
    with pytest.raises(RevertError) as caught:
        ledger.call("verifyRecord", record, index, path)
    return caught.value


@pytest.mark.parametrize("index", range(11))
def test_another_records_index_is_refused(ledger: DeployedLedger, index: int) -> None:
    path = inclusion_path(ledger.leaf_hashes, index)
    for other in range(11):
        if other != index:
            error = refusal(ledger, ledger.records[index], other, path)
            assert error.name in {"PathLength", "PeakMismatch"}


@pytest.mark.parametrize("bit", [0, 8, 39, 40, 103, 168, 424, 93 * 8 - 1])
def test_a_record_with_one_bit_changed_is_refused(ledger: DeployedLedger, bit: int) -> None:
    path = inclusion_path(ledger.leaf_hashes, 3)
    error = refusal(ledger, flip(ledger.records[3], bit), 3, path)
    assert error.name == "PeakMismatch"


@pytest.mark.parametrize("position", range(3))
def test_a_path_with_one_bit_changed_below_the_peak_is_refused(
    ledger: DeployedLedger, position: int
) -> None:
    path = list[bytes](inclusion_path(ledger.leaf_hashes, 3))
    path[position] = flip(path[position], 255)
    assert refusal(ledger, ledger.records[3], 3, path).name == "PeakMismatch"


def test_hashes_above_the_peak_are_not_read(ledger: DeployedLedger) -> None:
    path = list[bytes](inclusion_path(ledger.leaf_hashes, 3))
    assert len(path) == 4
    ledger.call("verifyRecord", ledger.records[3], 3, [*path[:3], bytes(32)])


def test_swapped_hashes_are_refused(ledger: DeployedLedger) -> None:
    path = list[bytes](inclusion_path(ledger.leaf_hashes, 3))
    swapped = [path[1], path[0], *path[2:]]
    assert refusal(ledger, ledger.records[3], 3, swapped).name == "PeakMismatch"


def test_mismatch_tells_the_peak_and_what_was_computed(ledger: DeployedLedger) -> None:
    # Record 10 of 11 is a peak by itself.
    error = refusal(ledger, ledger.records[9], 10, [])
    expected = (ledger.leaf_hashes[10], ledger.leaf_hashes[9])
    assert (error.name, error.arguments) == ("PeakMismatch", expected)


def test_path_length_is_refused_below_the_peak_and_above_any_path(ledger: DeployedLedger) -> None:
    path = list[bytes](inclusion_path(ledger.leaf_hashes, 3))
    short = refusal(ledger, ledger.records[3], 3, path[:2])
    long = refusal(ledger, ledger.records[3], 3, [*path, bytes(32)])
    assert (short.name, short.arguments) == ("PathLength", (2, 3, 4))
    assert (long.name, long.arguments) == ("PathLength", (5, 3, 4))


@pytest.mark.parametrize("index", [11, 12, 2**64 - 1])
def test_index_outside_the_ledger_is_refused(ledger: DeployedLedger, index: int) -> None:
    error = refusal(ledger, ledger.records[3], index, [])
    assert (error.name, error.arguments) == ("NoSuchRecord", (index, 11))


@pytest.mark.parametrize("length", [0, 32, 64, 92, 94])
def test_a_record_that_is_not_93_bytes_is_refused(ledger: DeployedLedger, length: int) -> None:
    error = refusal(ledger, bytes(length), 3, [])
    assert (error.name, error.arguments) == ("RecordLength", (length, 93))


def test_a_node_of_the_tree_does_not_pass_as_a_record(ledger: DeployedLedger) -> None:
    # The two children of a node are 64 bytes; a record never has that length.
    children = ledger.leaf_hashes[0] + ledger.leaf_hashes[1]
    assert refusal(ledger, children, 0, []).name == "RecordLength"
