"""Trees of batches: proofs that verify, files that are checked, memory that is bounded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from testamur.errors import CorruptBatchError
from testamur.merkle.hashing import Hash32, leaf_hash
from testamur.merkle.proofs import verify_inclusion
from testamur.service.batch_trees import BatchTrees
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.batch_format import batch_root, encode_batch


def batch(name: str, count: int) -> list[Hash32]:
    return sorted(Hash32(sha256(f"{name} {number}".encode()).digest()) for number in range(count))


class CountingFiles(LocalBatchFiles):
    """Real files, and how often each was read."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.reads: list[Hash32] = []

    def read(self, root: Hash32) -> bytes:
        self.reads.append(root)
        return super().read(root)


@pytest.fixture
def files(tmp_path: Path) -> CountingFiles:
    return CountingFiles(tmp_path / "batches")


def put(files: LocalBatchFiles, entries: list[Hash32]) -> Hash32:
    root = batch_root(entries)
    files.put(root, encode_batch(entries))
    return root


def test_every_entry_of_a_batch_is_proven_from_one_reading(files: CountingFiles) -> None:
    entries = batch("a", 37)
    root = put(files, entries)
    trees = BatchTrees(files)
    for index, entry in enumerate(entries):
        proof = trees.proof(root, entry)
        assert proof.index == index
        verify_inclusion(
            leaf_hash=leaf_hash(entry), index=index, size=37, proof=proof.path, root=root
        )
    assert files.reads == [root]


def test_many_threads_read_one_batch_once(files: CountingFiles) -> None:
    entries = batch("a", 500)
    root = put(files, entries)
    trees = BatchTrees(files)
    with ThreadPoolExecutor(8) as threads:
        proofs = list(threads.map(lambda entry: trees.proof(root, entry), entries))
    assert [proof.index for proof in proofs] == list(range(500))
    assert files.reads == [root]


def test_old_trees_go_when_there_are_too_many_leaves(files: CountingFiles) -> None:
    first, second = batch("a", 60), batch("b", 60)
    roots = put(files, first), put(files, second)
    trees = BatchTrees(files, leaves_kept=100)
    trees.proof(roots[0], first[0])
    trees.proof(roots[1], second[0])
    trees.proof(roots[1], second[1])
    trees.proof(roots[0], first[1])
    assert files.reads == [roots[0], roots[1], roots[0]]


def test_a_damaged_or_missing_file_proves_nothing(files: CountingFiles, tmp_path: Path) -> None:
    entries = batch("a", 5)
    root = put(files, entries)
    path = tmp_path / "batches" / root.hex()[:2] / root.hex()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    trees = BatchTrees(files)
    with pytest.raises(CorruptBatchError, match="another root"):
        trees.proof(root, entries[0])
    path.write_bytes(whole)  # put right by the operator
    assert trees.proof(root, entries[0]).index == 0
    with pytest.raises(CorruptBatchError, match="lacks an entry"):
        trees.proof(root, batch("b", 1)[0])
    path.unlink()
    with pytest.raises(CorruptBatchError, match="missing"):
        BatchTrees(files).proof(root, entries[0])
