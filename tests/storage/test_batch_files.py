"""Batch files: the format, the directory, and a disk that fails at each step."""

from __future__ import annotations

import errno
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from testamur.errors import (
    CorruptBatchError,
    StoreUnavailableError,
    UnknownBatchError,
    UnknownEntryError,
)
from testamur.merkle.hashing import Hash32
from testamur.storage.batch_files import PARTIAL, BatchFiles, LocalBatchFiles
from testamur.storage.batch_format import batch_root, encode_batch, parse_batch, verified_batch
from testamur.storage.filesystem import LocalFileSystem
from tests.support.faulty import Fault, FaultyFileSystem, VolatileFileSystem
from tests.support.stored import digest, some_entries

DOCUMENT = Path(__file__).parents[2] / "docs/formats/batch-file.md"
ENTRIES = sorted(some_entries(40))
DATA = encode_batch(ENTRIES)
ROOT = batch_root(ENTRIES)
WRITES = ["make_directory", "create", "sync", "rename", "sync_directory"]


def test_the_worked_example_of_the_format_holds() -> None:
    lines = DOCUMENT.read_text().split("```text\n")[1].split("```")[0].splitlines()
    example = dict(line.split(" = ", 1) for line in lines)
    entries = [Hash32(sha256(text.encode()).digest()) for text in ("one", "two", "three")]
    data = bytes.fromhex(example["file"])
    assert encode_batch(sorted(entries)) == data
    assert list(parse_batch(data)) == sorted(entries)
    assert batch_root(parse_batch(data)).hex() == example["root"]
    assert example["name"] == f"batches/{example['root'][:2]}/{example['root']}"


def test_a_batch_parses_to_what_was_encoded() -> None:
    assert list(parse_batch(DATA)) == ENTRIES
    assert list(verified_batch(DATA, ROOT)) == ENTRIES


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "at least one"),
        (DATA[:-1], "whole entries"),
        (DATA + b"\x00", "whole entries"),
        (DATA[32:64] + DATA[:32], "ascend"),
        (DATA[:32] + DATA[:32], "ascend"),
    ],
    ids=["empty", "truncated", "trailing-byte", "descending", "duplicate"],
)
def test_a_malformed_file_is_corrupt(data: bytes, reason: str) -> None:
    with pytest.raises(CorruptBatchError, match=reason):
        parse_batch(data)


def test_a_file_that_lacks_an_entry_gives_another_root() -> None:
    with pytest.raises(CorruptBatchError, match="gives root"):
        verified_batch(DATA[32:], ROOT)


@pytest.mark.parametrize(
    "entries",
    [[], ENTRIES[::-1], [*ENTRIES, ENTRIES[-1]], [Hash32(b"short")]],
    ids=["none", "descending", "duplicate", "short"],
)
def test_what_is_no_batch_is_not_encoded(entries: list[Hash32]) -> None:
    with pytest.raises(ValueError, match=r"entr"):
        encode_batch(entries)


def test_a_file_is_found_by_its_root(tmp_path: Path) -> None:
    files = LocalBatchFiles(tmp_path / "batches")
    assert list(files.roots()) == []
    files.put(ROOT, DATA)
    files.put(ROOT, DATA)
    assert files.read(ROOT) == DATA
    assert list(files.roots()) == [ROOT]
    name = ROOT.hex()
    assert (tmp_path / "batches" / name[:2] / name).read_bytes() == DATA


def test_every_entry_is_found_at_its_index_and_no_other_entry(tmp_path: Path) -> None:
    files = LocalBatchFiles(tmp_path / "batches")
    files.put(ROOT, DATA)
    for index, entry in enumerate(ENTRIES):
        assert files.index_of(ROOT, entry) == index
    for absent in (bytes(32), b"\xff" * 32, digest("absent")):
        with pytest.raises(UnknownEntryError):
            files.index_of(ROOT, Hash32(absent))


def test_a_batch_without_a_file_is_unknown(tmp_path: Path) -> None:
    files = LocalBatchFiles(tmp_path / "batches")
    with pytest.raises(UnknownBatchError):
        files.read(ROOT)
    with pytest.raises(UnknownBatchError):
        files.index_of(ROOT, ENTRIES[0])
    with pytest.raises(ValueError, match="32 bytes"):
        files.read(Hash32(b"../../etc"))


def test_a_file_of_half_an_entry_is_corrupt(tmp_path: Path) -> None:
    files = LocalBatchFiles(tmp_path / "batches")
    files.put(ROOT, DATA[:-1])
    with pytest.raises(CorruptBatchError):
        files.index_of(ROOT, ENTRIES[0])


def test_putting_again_heals_a_damaged_file(tmp_path: Path) -> None:
    files = LocalBatchFiles(tmp_path / "batches")
    files.put(ROOT, DATA[:32])
    files.put(ROOT, DATA)
    assert files.read(ROOT) == DATA


def test_what_is_not_a_batch_is_not_listed(tmp_path: Path) -> None:
    files = LocalBatchFiles(tmp_path / "batches")
    files.put(ROOT, DATA)
    name, folder = ROOT.hex(), tmp_path / "batches" / ROOT.hex()[:2]
    for other in (name + PARTIAL, name.upper(), "ff" * 31, "00" * 32, "read me"):
        if other != name:
            (folder / other).write_bytes(b"")
    (tmp_path / "batches" / "stray").write_bytes(b"")
    assert list(files.roots()) == [ROOT]


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("step", WRITES)
def test_a_put_that_fails_is_mapped_and_succeeds_when_repeated(
    tmp_path: Path, step: str, *, kept: bool
) -> None:
    fault = Fault(step, kept=kept, error=errno.ENOSPC)
    files = LocalBatchFiles(tmp_path / "batches", FaultyFileSystem(LocalFileSystem(), fault))
    healthy = LocalBatchFiles(tmp_path / "batches")
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="injected"):
            files.put(ROOT, DATA)
        for root in healthy.roots():  # never a part of a file under a batch's name
            assert healthy.read(root) == DATA
    assert fault.met == 2
    fault.armed = False
    files.put(ROOT, DATA)
    assert healthy.read(ROOT) == DATA
    left = [path.name for path in (tmp_path / "batches").rglob("*") if path.is_file()]
    assert left == [ROOT.hex()]


READS: list[tuple[str, Callable[[BatchFiles], object]]] = [
    ("read", lambda files: files.read(ROOT)),
    ("read_range", lambda files: files.index_of(ROOT, ENTRIES[0])),
    ("size", lambda files: files.index_of(ROOT, ENTRIES[0])),
    ("names", lambda files: list(files.roots())),
]


@pytest.mark.parametrize(("step", "read"), READS)
def test_a_read_that_fails_is_not_an_unknown_batch(
    tmp_path: Path, step: str, read: Callable[[BatchFiles], object]
) -> None:
    LocalBatchFiles(tmp_path / "batches").put(ROOT, DATA)
    disk = FaultyFileSystem(LocalFileSystem(), Fault(step, kept=False))
    with pytest.raises(StoreUnavailableError):
        read(LocalBatchFiles(tmp_path / "batches", disk))


def test_power_may_fail_at_every_step_of_a_put() -> None:
    directory = Path("/data/batches")
    counting = VolatileFileSystem(Path("/data"))
    LocalBatchFiles(directory, counting).put(ROOT, DATA)
    for steps in range(counting.calls):
        disk = VolatileFileSystem(Path("/data"))
        files = LocalBatchFiles(directory, disk)
        disk.power_fails_after = steps
        with pytest.raises(StoreUnavailableError):
            files.put(ROOT, DATA)
        disk.power_returns()
        assert all(files.read(root) == DATA for root in files.roots())
        files.put(ROOT, DATA)
        disk.power_returns()
        assert files.read(ROOT) == DATA


def test_what_was_put_survives_the_loss_of_power() -> None:
    disk = VolatileFileSystem(Path("/data"))
    files = LocalBatchFiles(Path("/data/batches"), disk)
    for number in range(1, 20):
        files.put(batch_root(ENTRIES[:number]), encode_batch(ENTRIES[:number]))
    disk.power_returns()
    assert len(list(files.roots())) == 19
    assert all(batch_root(parse_batch(files.read(root))) == root for root in files.roots())
