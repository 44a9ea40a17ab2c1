"""The one place that knows which database it is: connections, transactions, settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, Insert, Select, Table, create_engine, event
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

BUSY_TIMEOUT_MS: Final = 10_000
"""How long a connection waits for another's lock before it fails."""

CACHE_KIB: Final = 32_768
"""Page cache of one connection, in KiB; the pool keeps few of them (memory bar: 512 MiB)."""

CHECKPOINT_PAGES: Final = 8_000
"""Pages of 4 KiB in the write-ahead log before they are put into the database. More makes bulk
writes cheaper, because a page that is hit often is put there once; the log takes 32 MiB."""

READERS_MAX: Final = 8
"""Connections kept open; more than that are opened and closed as needed."""

PRAGMAS: Final = (
    f"busy_timeout = {BUSY_TIMEOUT_MS}",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    f"cache_size = -{CACHE_KIB}",
    f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
    "temp_store = MEMORY",
)
"""What each connection is told. WAL lets readers run beside the one writer; synchronous=FULL
makes a commit wait for fsync of the write-ahead log."""

WRITE_OPTION: Final = "testamur_write"

_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""Primary result codes (sqlite.org/rescode.html) after which no repetition helps."""


def says_damaged(error: Exception) -> bool:
    """Whether ``error`` is the database's word that its file is damaged, or is no database."""
    if isinstance(error, UnicodeDecodeError):
        return True  # its words quote a name in the schema that is no UTF-8 any more
    raised = getattr(error, "orig", None) or error
    # The low byte of an extended code is the primary one. An error that was not SQLite's own,
    # but its driver's or the operating system's, has no code.
    code: int = getattr(raised, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF in _DAMAGE


def insert_unless_there(table: Table, columns: list[str], rows: Select[*tuple[Any, ...]]) -> Insert:
    """Insert ``rows``, leaving out those that break a unique constraint.

    The clause is spelled alike by SQLite and PostgreSQL, and by SQLAlchemy for each apart.
    """
    return sqlite_insert(table).from_select(columns, rows).on_conflict_do_nothing()


def execute_many(
    connection: Connection, statement: Insert, rows: Sequence[Mapping[str, bytes | int]]
) -> int:
    """Execute ``statement`` once a row, each a parameter by name; gives the rows inserted.

    What SQLAlchemy does for each row costs as much as the insertion itself; here the database's
    driver gets all rows at once, in the order or under the names that its dialect wants. The
    values have to be of types that the driver takes as they are.
    """
    compiled = statement.compile(dialect=connection.dialect)
    if compiled.positiontup is None:
        return connection.exec_driver_sql(str(compiled), list(rows)).rowcount
    ordered = list(map(itemgetter(*compiled.positiontup), rows))
    return connection.exec_driver_sql(str(compiled), ordered).rowcount


def sqlite_engine(path: Path) -> Engine:
    """Make an engine for the SQLite database at ``path``; opens nothing yet.

    Raw sqlite3 would begin transactions where it likes, so it is told not to, and each
    transaction begins here: a writer takes its lock first, since a reader that becomes a writer
    half-way can fail without a wait.
    """
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        pool_size=READERS_MAX,
        max_overflow=READERS_MAX,
    )

    def connected(raw: Any, _record: object) -> None:
        raw.isolation_level = None
        cursor = raw.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITE_OPTION, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine
