"""What is particular to the SQL store: opening, the lock, the schema, the mapping of errors."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event

from testamur.errors import StoreDamagedError, StoreLockedError, StoreUnavailableError
from testamur.ledger.operator_log import COMMAND_LINE, NODE, Act
from testamur.storage.sql.database import DATABASE_NAME, LOCK_NAME, open_database
from testamur.storage.sql.engine import says_damaged
from testamur.storage.sql.store import SqlStore, open_store
from testamur.storage.sql.tables import METADATA
from tests.support.damage import lose_page, rename_in_schema
from tests.support.stored import IDENTITY, a_token, birth_in, block, digest, signed, some_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CALLS: dict[str, Callable[[SqlStore], Any]] = {
    "add_entries": lambda store: store.add_entries(some_entries(1), submitted_at=1),
    "add_replica": lambda store: store.add_replica(1, digest("root"), some_entries(1)),
    "advance": lambda store: store.advance(digest("root"), "sealed", "submitted"),
    "anchor_transactions": lambda store: store.anchor_transactions(),
    "append_block": lambda store: store.append_block(block(1), [birth_in(block(1))]),
    "batch": lambda store: store.batch(digest("root")),
    "batches": lambda store: store.batches(),
    "batches_of": lambda store: store.batches_of(some_entries(1)),
    "bind_identity": lambda store: store.bind_identity(IDENTITY),
    "block_at": lambda store: store.block_at(1),
    "claim": lambda store: store.claim(limit=1, now=1),
    "count_anchors": lambda store: store.count_anchors(1, above=0, up_to=1),
    "finalized": lambda store: store.finalized(),
    "find_entries": lambda store: store.find_entries(some_entries(1)),
    "find_entry": lambda store: store.find_entry(digest("entry")),
    "find_replica": lambda store: store.find_replica(digest("entry")),
    "followed": lambda store: store.followed(),
    "identity": lambda store: store.identity(),
    "in_replica": lambda store: store.in_replica(1, some_entries(1)),
    "log_end": lambda store: store.log_end(),
    "log_lines": lambda store: store.log_lines(),
    "indexed_counts": lambda store: store.indexed_counts(),
    "last_sequence": lambda store: store.last_sequence(),
    "missing_replicas": lambda store: store.missing_replicas(start=0),
    "pad": lambda store: store.pad(1, []),
    "padding_of": lambda store: store.padding_of(digest("root")),
    "ping": lambda store: store.ping(),
    "put_token": lambda store: store.put_token(a_token(), digest("secret"), by=COMMAND_LINE),
    "put_signed": lambda store: store.put_signed(signed(1)),
    "queue": lambda store: store.queue(),
    "read_ledger": lambda store: store.read_ledger(0),
    "rebuild_index": lambda store: store.rebuild_index(lambda _root: []),
    "record_act": lambda store: store.record_act(Act(NODE, "node_started", 1, {})),
    "recent_blocks": lambda store: store.recent_blocks(),
    "record": lambda store: store.record(0),
    "record_of_batch": lambda store: store.record_of_batch(1, digest("root")),
    "records": lambda store: store.records(0, 0),
    "records_of_batches": lambda store: store.records_of_batches(1, [digest("root")]),
    "replica": lambda store: store.replica(digest("root")),
    "replica_entry_counts": lambda store: store.replica_entry_counts(),
    "replicas": lambda store: store.replicas(),
    "replication": lambda store: store.replication(1),
    "revoke_token": lambda store: store.revoke_token("a", at=1, by=COMMAND_LINE),
    "rewind": lambda store: store.rewind(1),
    "seal": lambda store: store.seal(1, root=digest("root"), count=1, sealed_at=1),
    "set_anchor_state": lambda store: store.set_anchor_state(digest("tx"), "mined"),
    "set_finalized": lambda store: store.set_finalized(block(1)),
    "settle_submissions": lambda store: store.settle_submissions(before=1),
    "size": lambda store: store.size(),
    "token": lambda store: store.token("a"),
    "tokens": lambda store: store.tokens(),
    "totals": lambda store: store.totals(),
    "unfinished_claim": lambda store: store.unfinished_claim(),
}


def test_every_method_is_in_the_table_of_calls() -> None:
    methods = {name for name in dir(SqlStore) if not name.startswith("_")}
    assert methods - {"close"} == set(CALLS)


@pytest.fixture(scope="module")
def failing_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """Give a store whose database fails at every statement."""
    database = open_database(tmp_path_factory.mktemp("failing"))

    def fail(*_arguments: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    event.listen(database.engine, "before_cursor_execute", fail)
    with SqlStore(database) as store:
        yield store


@pytest.fixture(scope="module")
def closed_store(tmp_path_factory: pytest.TempPathFactory) -> SqlStore:
    """Give a store that was closed, and closed again."""
    store = open_store(tmp_path_factory.mktemp("closed"))
    store.close()
    store.close()
    return store


@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_method_maps_a_failing_database(failing_store: SqlStore, name: str) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        CALLS[name](failing_store)
    assert "disk I/O error" in str(caught.value)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_method_refuses_after_closing(closed_store: SqlStore, name: str) -> None:
    with pytest.raises(StoreUnavailableError, match="closed"):
        CALLS[name](closed_store)


def test_a_commit_that_fails_is_mapped_and_leaves_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    failing = True

    def fail(_connection: object) -> None:
        if failing:
            raise sqlite3.OperationalError("database or disk is full")

    event.listen(database.engine, "commit", fail)
    with SqlStore(database) as store:
        with pytest.raises(StoreUnavailableError, match="full"):
            store.add_entries(some_entries(3), submitted_at=1)
        failing = False
        assert store.queue().count == 0
        assert store.add_entries(some_entries(3), submitted_at=1).added == 3


def test_a_database_that_is_full_refuses_and_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    with SqlStore(open_database(tmp_path)) as store:
        store.add_entries(some_entries(10), submitted_at=1)
        database = store._database  # noqa: SLF001 - SQLite's own limit is the honest fault

        def limit(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 4}")

        event.listen(database.engine, "checkout", limit)
        with pytest.raises(StoreUnavailableError, match="full"):
            store.add_entries(some_entries(5000, "more"), submitted_at=2)
        assert store.queue().count == 10
        assert store.totals().accepted == 10


def test_a_directory_is_used_by_one_store_at_a_time(tmp_path: Path) -> None:
    with open_store(tmp_path), pytest.raises(StoreLockedError):
        open_store(tmp_path)
    open_store(tmp_path).close()


def test_the_lock_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    script = "import sys, fcntl; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print(1, flush=1)"
    script += "; sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / LOCK_NAME)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StoreLockedError):
            open_store(tmp_path)
        holder.kill()
    open_store(tmp_path).close()


def test_the_settings_that_durability_rests_on_are_in_force(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with database.read("look") as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    database.close()
    assert found == ["wal", 2, 1, 10_000]


def test_the_migrations_make_the_tables_of_the_code(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with database.read("compare") as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        made = "SELECT sql FROM sqlite_master WHERE name = ?"
        for name in ("entries", "padding"):
            assert "WITHOUT ROWID" in connection.exec_driver_sql(made, (name,)).scalar_one()
        for name in ("queue", "batches"):
            assert "AUTOINCREMENT" in connection.exec_driver_sql(made, (name,)).scalar_one()
    database.close()


def test_a_schema_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    for _ in range(2):  # and the lock was given back
        with pytest.raises(StoreUnavailableError, match="9999"):
            open_store(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE_NAME).write_bytes(b"not a database" * 100)
    for _ in range(2):  # and the lock was given back
        with pytest.raises(StoreDamagedError, match="not a database"):
            open_store(tmp_path)


@pytest.mark.parametrize("name", [b"entri{s", b"entr{\xf2s"])
def test_a_damaged_schema_is_told_when_the_store_is_opened(tmp_path: Path, name: bytes) -> None:
    open_store(tmp_path).close()
    rename_in_schema(tmp_path / DATABASE_NAME, b"entries", name)
    with pytest.raises(StoreDamagedError) as caught:
        open_store(tmp_path)
    assert "backup" in caught.value.advice
    assert caught.value.__cause__ is not None


def test_a_damaged_page_is_told_by_whoever_reads_or_writes_it(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    lose_page(tmp_path / DATABASE_NAME, "queue")
    with open_store(tmp_path) as store:
        with pytest.raises(StoreDamagedError, match="malformed"):
            store.queue()
        with pytest.raises(StoreDamagedError, match="malformed"):
            store.add_entries(some_entries(1), submitted_at=1)
        assert store.identity() is None  # the others go on


@pytest.mark.parametrize(
    ("code", "damaged"),
    [
        (sqlite3.SQLITE_CORRUPT, True),
        (sqlite3.SQLITE_CORRUPT_INDEX, True),
        (sqlite3.SQLITE_NOTADB, True),
        (sqlite3.SQLITE_IOERR_READ, False),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_CANTOPEN, False),
    ],
)
def test_only_the_codes_of_damage_count_as_damage(code: int, *, damaged: bool) -> None:
    error = sqlite3.DatabaseError("it failed")
    error.sqlite_errorcode = code
    assert says_damaged(error) is damaged


def test_a_place_that_cannot_be_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailableError):
        open_store(tmp_path / "file" / "data")


def test_the_data_is_for_its_owner_alone(tmp_path: Path) -> None:
    open_store(tmp_path / "data").close()
    assert os.stat(tmp_path / "data").st_mode & 0o077 == 0  # noqa: PTH116 - the plain question


def test_an_index_that_was_lost_is_rebuilt_from_the_batches(tmp_path: Path) -> None:
    entries, root = sorted(some_entries(2500)), digest("root")
    with open_store(tmp_path) as store:
        store.add_entries(entries, submitted_at=1)
        claim = store.claim(limit=2500, now=2)
        assert claim is not None
        store.seal(claim.number, root=root, count=2500, sealed_at=3)
        store.add_entries(some_entries(1, "astray"), submitted_at=4)
        other = store.claim(limit=1, now=5)
        assert other is not None
        store.seal(other.number, root=digest("other"), count=1, sealed_at=6)
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as raw, raw:
        raw.execute("DELETE FROM entries WHERE entry < x'80'")
        raw.execute("UPDATE entries SET batch = 2 WHERE entry > x'F0'")
    content = {root: entries, digest("other"): some_entries(1, "astray")}
    with open_store(tmp_path) as store:
        assert store.rebuild_index(lambda wanted: content[wanted]) > 1000
        assert store.indexed_counts() == {root: 2500, digest("other"): 1}
        assert store.batches_of(entries) == dict.fromkeys(entries, root)
        assert store.rebuild_index(lambda wanted: content[wanted]) == 0
