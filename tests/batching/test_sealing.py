"""Sealing: what gets into a batch, and a failure of every step on the way."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from testamur.batching.policy import SealingLimits
from testamur.batching.sealing import Sealer
from testamur.errors import ReadBackError, StoreUnavailableError
from testamur.merkle.hashing import Hash32
from testamur.storage import integrity
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.batch_format import parse_batch, verified_batch
from testamur.storage.filesystem import LocalFileSystem
from testamur.storage.sql.store import open_store
from tests.support.faulty import Fault, FaultyFileSystem, FaultyStore
from tests.support.stored import PaddingMaker, digest, some_entries

if TYPE_CHECKING:
    from pathlib import Path

    from testamur.storage.interface import Store

LIMITS = SealingLimits(batch_entries_max=8, seal_at_count=5, seal_after_seconds=60, floor=4)
STORE_STEPS = ["unfinished_claim", "claim", "pad", "seal"]
DISK_STEPS = ["make_directory", "create", "sync", "rename", "sync_directory", "read"]


def sealer(store: Any, files: Any, limits: SealingLimits = LIMITS, padding: str = "made") -> Sealer:
    return Sealer(store, files, limits=limits, make_padding=PaddingMaker(padding))


def assert_clean(store: Store, files: LocalBatchFiles) -> None:
    assert integrity.check(store, files).problems == ()


def test_nothing_is_sealed_before_its_time(store: Store, files: LocalBatchFiles) -> None:
    sealing = sealer(store, files)
    assert sealing.seal_once(10**9, force=True) is None
    store.add_entries(some_entries(4), submitted_at=1000)
    assert sealing.seal_once(1059) is None
    batch = sealing.seal_once(1060)
    assert batch is not None
    assert (batch.count, batch.padding_count, batch.sealed_at) == (4, 0, 1060)
    assert batch.state == "sealed"
    assert sealing.seal_once(10**9, force=True) is None
    assert_clean(store, files)


def test_the_file_holds_the_claimed_entries_ascending(store: Store, files: LocalBatchFiles) -> None:
    entries = some_entries(20)
    store.add_entries(entries, submitted_at=1)
    sealing, sealed = sealer(store, files), []
    while (batch := sealing.seal_once(100)) is not None:
        sealed.append(batch)
    assert [batch.count for batch in sealed] == [8, 8, 4]
    for number, batch in enumerate(sealed):
        content = verified_batch(files.read(batch.root), batch.root)
        assert list(content) == sorted(entries[8 * number : 8 * number + 8])
    assert_clean(store, files)


def test_a_batch_of_one_hides_among_padding_that_can_be_opened(
    store: Store, files: LocalBatchFiles
) -> None:
    (entry,) = some_entries(1)
    store.add_entries([entry], submitted_at=1)
    batch = sealer(store, files).seal_once(2, force=True)
    assert batch is not None
    assert (batch.count, batch.padding_count) == (4, 3)
    padding = store.padding_of(batch.root)
    content = parse_batch(files.read(batch.root))
    assert {entry, *(pad.entry for pad in padding)} == set(content)
    assert {(digest(f"made salt {n}"), digest(f"made padding {n}")) for n in (1, 2, 3)} == {
        (pad.salt, pad.entry) for pad in padding
    }
    assert_clean(store, files)


def test_the_same_entries_give_the_same_root_in_any_order(
    tmp_path: Path, store: Store, files: LocalBatchFiles
) -> None:
    entries = some_entries(5)
    store.add_entries(entries, submitted_at=1)
    with open_store(tmp_path / "other") as other:
        other.add_entries(entries[::-1], submitted_at=1)
        one = sealer(store, files).seal_once(2, force=True)
        two = sealer(other, LocalBatchFiles(tmp_path / "other/b")).seal_once(2, force=True)
    assert one is not None
    assert two is not None
    assert one.root == two.root


def test_padding_that_repeats_is_refused(store: Store, files: LocalBatchFiles) -> None:
    store.add_entries(some_entries(1), submitted_at=1)
    same = (digest("salt"), digest("entry"))
    broken = Sealer(store, files, limits=LIMITS, make_padding=lambda: same)
    with pytest.raises(ValueError, match="twice"):
        broken.seal_once(2, force=True)
    assert store.batches() == []
    assert_clean(store, files)


def test_an_unfinished_claim_is_sealed_whatever_the_limits_say_now(
    store: Store, files: LocalBatchFiles
) -> None:
    store.add_entries(some_entries(3), submitted_at=1000)
    assert store.claim(limit=2, now=1001) is not None
    later = SealingLimits(batch_entries_max=1, seal_at_count=100, floor=0)
    batch = sealer(store, files, later).seal_once(1002)
    assert batch is not None
    assert batch.count == 2
    assert_clean(store, files)


def run_with_fault(store: Store, files: LocalBatchFiles, sealing: Sealer, fault: Fault) -> None:
    """Fail, fail again, then succeed; after each step everything fits, and nothing is lost."""
    entries = some_entries(3)
    store.add_entries(entries, submitted_at=1)
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="injected"):
            sealing.seal_once(2, force=True)
        assert_clean(store, files)
        assert all(store.find_entry(entry) for entry in entries)
        if fault.step == "seal" and fault.kept:
            # Kept as a whole: the next attempt has nothing left to do, and to fail at.
            break
    assert fault.met >= 1
    fault.armed = False
    sealing.seal_once(3, force=True)
    assert_clean(store, files)
    (batch,) = store.batches()
    assert (batch.count, batch.padding_count) == (4, 1)
    assert store.batches_of(entries) == dict.fromkeys(entries, batch.root)
    assert list(files.roots()) == [batch.root]
    assert store.unfinished_claim() is None


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("step", STORE_STEPS)
def test_sealing_survives_a_failure_of_the_database(
    store: Store, files: LocalBatchFiles, step: str, *, kept: bool
) -> None:
    fault = Fault(step, kept=kept)
    if kept and step in ("claim", "pad"):
        # Kept as a whole: the second attempt finds the claim or the padding and goes on.
        store.add_entries(some_entries(3), submitted_at=1)
        sealing = sealer(FaultyStore(store, fault), files)
        with pytest.raises(StoreUnavailableError):
            sealing.seal_once(2, force=True)
        assert_clean(store, files)
        before = store.unfinished_claim()
        assert before is not None
        batch = sealing.seal_once(3, force=True) if step == "pad" else None
        fault.armed = False
        batch = batch or sealing.seal_once(3, force=True)
        assert batch is not None
        assert {*before.entries} <= {*parse_batch(files.read(batch.root))}
        assert_clean(store, files)
        return
    run_with_fault(store, files, sealer(FaultyStore(store, fault), files), fault)


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["io-error", "disk-full"])
@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("step", DISK_STEPS)
def test_sealing_survives_a_failure_of_the_disk(
    tmp_path: Path, store: Store, files: LocalBatchFiles, step: str, error: int, *, kept: bool
) -> None:
    fault = Fault(step, kept=kept, error=error)
    faulty = LocalBatchFiles(
        tmp_path / "data" / "batches", FaultyFileSystem(LocalFileSystem(), fault)
    )
    run_with_fault(store, files, sealer(store, faulty), fault)


@pytest.mark.parametrize("step", [*STORE_STEPS, *DISK_STEPS])
def test_the_next_process_finishes_what_one_began(tmp_path: Path, step: str) -> None:
    directory, entries = tmp_path / "data", some_entries(3)
    for kept in (False, True):
        fault = Fault(step, kept=kept)
        with open_store(directory) as store:
            store.add_entries(entries, submitted_at=1)
            disk = FaultyFileSystem(LocalFileSystem(), fault)
            faulty = LocalBatchFiles(directory / "batches", disk)
            begun = sealer(FaultyStore(store, fault), faulty, padding=f"first {kept}")
            with pytest.raises(StoreUnavailableError):
                begun.seal_once(2, force=True)
        with open_store(directory) as store:
            files = LocalBatchFiles(directory / "batches")
            sealer(store, files, padding=f"next {kept}").seal_once(3, force=True)
            assert_clean(store, files)
            assert len(store.batches_of(entries)) == len(entries)
        entries = some_entries(3, "second")


class FlippingFileSystem(LocalFileSystem):
    """A memory or a disk that flips a bit of every file on its way to the disk."""

    def create(self, path: Path, data: bytes) -> None:
        """Write other data than was asked for."""
        super().create(path, data[:-1] + bytes([data[-1] ^ 1]))


def test_a_bit_that_flips_on_the_way_to_the_disk_is_found(tmp_path: Path, store: Store) -> None:
    store.add_entries(some_entries(5), submitted_at=1)
    flipping = LocalBatchFiles(tmp_path / "data" / "batches", FlippingFileSystem())
    with pytest.raises(ReadBackError, match="reads back as"):
        sealer(store, flipping).seal_once(2, force=True)
    assert store.batches() == []
    files = LocalBatchFiles(tmp_path / "data" / "batches")
    assert_clean(store, files)
    assert sealer(store, files).seal_once(3, force=True) is not None
    assert_clean(store, files)


class FlippingStore(FaultyStore):
    """A memory that flips a bit of an entry between the database and hashing."""

    def claim(self, **named: int) -> Any:
        """Give a claim that is not what the database holds."""
        claim = self._store.claim(**named)
        assert claim is not None
        first, *rest = claim.entries
        flipped = Hash32(first[:-1] + bytes([first[-1] ^ 1]))
        return type(claim)(claim.number, claim.claimed_at, (flipped, *rest), claim.padding)


def test_a_bit_that_flips_before_hashing_is_found(store: Store, files: LocalBatchFiles) -> None:
    store.add_entries(some_entries(5), submitted_at=1)
    flipping = FlippingStore(store, Fault("none", kept=False))
    with pytest.raises(ReadBackError, match="claimed"):
        sealer(flipping, files).seal_once(2, force=True)
    assert store.batches() == []
    assert sealer(store, files).seal_once(3, force=True) is not None
    assert_clean(store, files)
