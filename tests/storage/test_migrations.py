"""Data of an older version, brought up to date with what is in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.resources import files
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

from testamur.ledger.operator_log import ANYONE
from testamur.storage.sql.database import DATABASE_NAME, Database
from testamur.storage.sql.engine import sqlite_engine
from testamur.storage.sql.store import open_store
from testamur.storage.tokens import Terms
from tests.support.stored import IDENTITY, some_entries

if TYPE_CHECKING:
    from pathlib import Path


def make_old(directory: Path, revision: str) -> None:
    """Make an empty database as the version with this schema left it."""
    database = Database(sqlite_engine(directory / DATABASE_NAME))
    config = Config()
    config.set_main_option(
        "script_location", str(files("testamur.storage.sql").joinpath("migrations"))
    )
    config.set_main_option("path_separator", "os")
    with database.write("make") as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    database.close()


def test_what_was_sealed_before_it_was_counted_does_not_fill_the_queue(tmp_path: Path) -> None:
    make_old(tmp_path, "0001")
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as raw, raw:
        raw.execute("INSERT INTO counters VALUES ('accepted', 12)")
        raw.execute("INSERT INTO batches VALUES (1, 1, x'01', 16, 2, 6, 'final')")  # 10 and padding
        raw.execute("INSERT INTO batches VALUES (2, 3, NULL, NULL, NULL, 0, 'claimed')")
        for number in range(2):
            raw.execute("INSERT INTO queue (entry, submitted_at) VALUES (?, 1)", (bytes([number]),))
    with open_store(tmp_path) as store:
        store.bind_identity(IDENTITY)
        terms = Terms(ANYONE, queue_entries_max=5, queue_retry_seconds=1)
        assert store.queue().count == 2
        assert store.add_entries(some_entries(3), submitted_at=60, terms=terms).added == 3
