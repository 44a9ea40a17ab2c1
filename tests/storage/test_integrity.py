# ruff: noqa: S608 - the statements are made of this file's own literals
"""The integrity check: silent on a sound store, and it names every damage."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from testamur.errors import StoreUnavailableError
from testamur.storage import integrity
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.batch_format import batch_root, encode_batch
from testamur.storage.filesystem import LocalFileSystem
from testamur.storage.sql.database import DATABASE_NAME
from testamur.storage.sql.store import open_store
from tests.support.counted import CountedStore
from tests.support.faulty import Fault, FaultyFileSystem
from tests.support.stored import (
    IDENTITY,
    MEMBER,
    anchor_in,
    birth_in,
    block,
    digest,
    some_entries,
    some_padding,
)

if TYPE_CHECKING:
    from pathlib import Path

    from testamur.merkle.hashing import Hash32
    from testamur.storage.interface import Store

SUBMITTED = 5
ENTRIES = sorted(
    [*some_entries(SUBMITTED), *(pad.entry for pad in some_padding(3))],
)
ROOT = batch_root(ENTRIES)
OTHERS = sorted([*some_entries(4, "other's"), ENTRIES[0]])  # one of ours is copied there
OTHERS_ROOT = batch_root(OTHERS)


def fill(store: Store, files: LocalBatchFiles) -> None:
    """Make a final batch with padding, a replica, an entry in the queue, and two anchors."""
    store.bind_identity(IDENTITY)
    store.add_entries(some_entries(SUBMITTED), submitted_at=1)
    claim = store.claim(limit=SUBMITTED, now=2)
    assert claim is not None
    store.pad(claim.number, some_padding(3))
    files.put(ROOT, encode_batch(ENTRIES))
    store.seal(claim.number, root=ROOT, count=len(ENTRIES), sealed_at=3)
    store.add_entries(some_entries(1, "waiting"), submitted_at=4)
    one, two = block(1), block(2)
    store.append_block(one, [birth_in(one)])
    records = [anchor_in(two, 1, root=OTHERS_ROOT, count=len(OTHERS), member=MEMBER + 1)]
    store.append_block(two, [*records, anchor_in(two, 2, root=ROOT, count=len(ENTRIES))])
    store.set_finalized(two)
    files.put(OTHERS_ROOT, encode_batch(OTHERS))
    store.add_replica(MEMBER + 1, OTHERS_ROOT, OTHERS)
    store.advance(ROOT, "sealed", "submitted")
    store.advance(ROOT, "submitted", "anchored")
    store.advance(ROOT, "anchored", "final")


def make(directory: Path) -> LocalBatchFiles:
    files = LocalBatchFiles(directory / "batches")
    with open_store(directory) as store:
        fill(store, files)
    return files


def problems_after(directory: Path, *statements: str) -> set[str]:
    """Damage the database behind the store's back, and give the codes that the check finds."""
    files = make(directory)
    with closing(sqlite3.connect(directory / DATABASE_NAME)) as raw, raw:
        for statement in statements:
            assert raw.execute(statement).rowcount, statement
    return problems_in(directory, files)


def problems_in(directory: Path, files: LocalBatchFiles) -> set[str]:
    with open_store(directory) as store:
        report = integrity.check(store, files)
    assert {problem.code for problem in report.problems} <= set(integrity.PROBLEM_CODES)
    assert all(problem.subject and problem.detail for problem in report.problems)
    assert report.clean == (not report.problems)
    return {problem.code for problem in report.problems}


def literal(value: Hash32) -> str:
    return f"x'{value.hex()}'"


def test_a_sound_store_is_clean_and_progress_is_told(tmp_path: Path) -> None:
    files = make(tmp_path)
    told: list[tuple[int, int]] = []
    with open_store(tmp_path) as store:
        report = integrity.check(store, files, lambda done, total: told.append((done, total)))
    assert report == integrity.IntegrityReport(1, len(ENTRIES), 1, len(OTHERS), 3, ())
    # How much of it is padding is not asked first, so that the total grows by that.
    total = len(ENTRIES) + len(OTHERS)
    assert told == [(len(ENTRIES), SUBMITTED + len(OTHERS)), (total, total)]


def test_what_is_of_the_whole_store_is_read_once(tmp_path: Path) -> None:
    files = make(tmp_path)
    with open_store(tmp_path) as store:
        counted = CountedStore(store)
        assert integrity.check(counted, files).clean  # type: ignore[arg-type]
    for whole in ("totals", "identity", "indexed_counts"):
        assert counted.calls[whole] == 1


def test_an_empty_store_is_clean(tmp_path: Path) -> None:
    assert problems_in(tmp_path, LocalBatchFiles(tmp_path / "batches")) == set()


DAMAGE = {
    "index_missing": [f"DELETE FROM entries WHERE entry = {literal(some_entries(1)[0])}"],
    "index_astray": [
        "INSERT INTO batches VALUES (9, 1, x'" + "ab" * 32 + "', 1, 1, 0, 'sealed')",
        f"UPDATE entries SET batch = 9 WHERE entry = {literal(some_entries(1)[0])}",
    ],
    "index_surplus": [f"INSERT INTO entries VALUES ({literal(digest('nowhere'))}, 1, 1)"],
    "batch_count": ["UPDATE batches SET count = 9"],
    "replica_index_missing": [
        f"DELETE FROM replica_entries WHERE entry = {literal(OTHERS[0])}",
    ],
    "replica_index_surplus": [f"INSERT INTO replica_entries VALUES ({literal(digest('no'))}, 1)"],
    "padding_count": [f"DELETE FROM padding WHERE entry = {literal(some_padding(1)[0].entry)}"],
    "padding_missing": [
        f"DELETE FROM padding WHERE entry = {literal(some_padding(1)[0].entry)}",
        f"INSERT INTO padding VALUES ({literal(digest('nowhere'))}, zeroblob(32), 1)",
    ],
    "entries_lost": ["DELETE FROM queue"],
    "entries_surplus": ["UPDATE counters SET value = 3 WHERE name = 'accepted'"],
    "entries_miscounted": ["UPDATE counters SET value = value - 1 WHERE name = 'sealed'"],
    "entries_twice": [
        f"INSERT INTO queue (entry, submitted_at) VALUES ({literal(some_entries(1)[0])}, 1)"
    ],
    "record_gap": ['DELETE FROM records WHERE "index" = 1'],
    "record_format": [
        "UPDATE records SET record = CAST(x'ff' || substr(record, 2) AS BLOB) WHERE kind = 1"
    ],
    "record_block": ['UPDATE records SET block_hash = zeroblob(32) WHERE "index" = 2'],
    "record_change": ["UPDATE records SET change = x'00' WHERE \"index\" = 0"],
    "ledger_id": ["UPDATE identity SET ledger_id = zeroblob(32)"],
    "anchor_missing": ['DELETE FROM records WHERE "index" = 2'],
    "anchor_count": [
        f"UPDATE batches SET root = {literal(digest('unlike'))}",
        f'UPDATE records SET root = {literal(digest("unlike"))} WHERE "index" = 1',
        f'UPDATE records SET member = {MEMBER} WHERE "index" = 1',
    ],
    "anchor_unknown": [f"UPDATE batches SET root = {literal(digest('unlike'))}"],
    "operator_log": [
        """UPDATE operator_log SET line = CAST(replace(line, ':5', ':6') AS BLOB)""",
        "INSERT INTO operator_log SELECT 1, line FROM operator_log",
    ],
    "finalized_block": ["UPDATE finalized SET hash = zeroblob(32)"],
}


@pytest.mark.parametrize("code", sorted(DAMAGE))
def test_damage_in_the_database_is_named(tmp_path: Path, code: str) -> None:
    assert code in problems_after(tmp_path, *DAMAGE[code])


@pytest.mark.parametrize("root", [ROOT, OTHERS_ROOT], ids=["ours", "other's"])
def test_damage_in_the_files_is_named(tmp_path: Path, root: Hash32) -> None:
    files = make(tmp_path)
    path = tmp_path / "batches" / root.hex()[:2] / root.hex()
    data = path.read_bytes()
    damage = {
        "batch_root": data[:-1] + bytes([data[-1] ^ 1]),
        "batch_corrupt": data[:-1],
        "batch_missing": None,
    }
    for code, content in damage.items():
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        assert problems_in(tmp_path, files) == {code}


def test_a_replica_with_another_count_is_named(tmp_path: Path) -> None:
    found = problems_after(tmp_path, "UPDATE replicas SET count = 9")
    assert found == {"batch_count", "anchor_count"}


def test_a_replica_whose_record_a_reorganisation_took_away_is_no_problem(tmp_path: Path) -> None:
    found = problems_after(tmp_path, 'DELETE FROM records WHERE "index" >= 1')
    assert found == {"anchor_missing"}  # our own batch counts as final


def test_an_anchor_of_ours_that_was_fetched_from_others_is_known(tmp_path: Path) -> None:
    found = problems_after(
        tmp_path,
        f"UPDATE records SET member = {MEMBER} WHERE root = {literal(OTHERS_ROOT)}",
        f"UPDATE replicas SET member = {MEMBER}",
    )
    assert found == set()


def test_every_code_is_shown_by_some_damage() -> None:
    in_files = {"batch_root", "batch_corrupt", "batch_missing"}
    assert set(DAMAGE) | in_files == set(integrity.PROBLEM_CODES)


def test_a_disk_that_cannot_be_read_gives_no_report(tmp_path: Path) -> None:
    make(tmp_path)
    disk = FaultyFileSystem(LocalFileSystem(), Fault("read", kept=False))
    with open_store(tmp_path) as store, pytest.raises(StoreUnavailableError):
        integrity.check(store, LocalBatchFiles(tmp_path / "batches", disk))
