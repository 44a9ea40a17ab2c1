"""Transactions on the database, one process's lock on its directory, and the mapping of errors."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeVar

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from testamur.errors import StoreDamagedError, StoreLockedError, StoreUnavailableError
from testamur.storage.sql.engine import WRITE_OPTION, says_damaged, sqlite_engine

DATABASE_NAME: Final = "testamur.sqlite3"
LOCK_NAME: Final = "lock"
T = TypeVar("T")

LOOKUP_CHUNK: Final = 1000
"""How many values one IN (...) holds; databases limit the number of parameters."""


class Database:
    """Gives transactions. Writers queue up at a lock; readers need none."""

    def __init__(self, engine: Engine, lock_descriptor: int | None = None) -> None:
        self.engine = engine
        self._lock_descriptor = lock_descriptor
        self._writing = threading.Lock()
        self._closed = False

    @contextmanager
    def write(self, operation: str) -> Iterator[Connection]:
        """Run the block in one transaction, committed durably at its end.

        Raises:
            StoreDamagedError: its file is damaged.
            StoreUnavailableError: the database failed; ``operation`` names what was tried.
        """
        with self._mapped(operation), self._writing, self.engine.connect() as connection:
            writer = connection.execution_options(**{WRITE_OPTION: True})
            with writer.begin():
                yield writer
            # Committed: a crash from here on leaves the change as a whole. A crash before leaves
            # none of it: the database drops the unfinished transaction at the next start.

    @contextmanager
    def read(self, operation: str) -> Iterator[Connection]:
        """Run the block in one consistent view.

        Raises:
            StoreDamagedError, StoreUnavailableError: as in :meth:`write`.
        """
        with self._mapped(operation), self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close all connections, then let another process have the directory."""
        if self._closed:
            return
        self._closed = True
        with self._writing:
            self.engine.dispose()
            if self._lock_descriptor is not None:
                os.close(self._lock_descriptor)

    @contextmanager
    def _mapped(self, operation: str) -> Iterator[None]:
        if self._closed:
            raise StoreUnavailableError(operation, "the store is closed")
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError, UnicodeDecodeError) as error:
            reason = str(getattr(error, "orig", None) or error)
            kind = StoreDamagedError if says_damaged(error) else StoreUnavailableError
            raise kind(operation, reason) from error
        except OverflowError as error:
            raise ValueError(f"{operation}: a number is beyond 64 bits") from error


def open_database(directory: Path) -> Database:
    """Lock ``directory``, which must exist, open the database in it and bring it up to date.

    Raises:
        StoreLockedError: another process has it.
        StoreDamagedError: the database in it is damaged, or is none.
        StoreUnavailableError: it cannot be opened, or a newer version of Testamur wrote it.
    """
    descriptor = _lock(directory)
    database = Database(sqlite_engine(directory / DATABASE_NAME), descriptor)
    try:
        _migrate(database)
        _sync_directory(directory)
        # The database file's name is on disk now: a crash from here on finds it again.
    except BaseException:
        database.close()
        raise
    return database


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut ``values`` into pieces that fit one IN (...)."""
    for start in range(0, len(values), LOOKUP_CHUNK):
        yield values[start : start + LOOKUP_CHUNK]


def _lock(directory: Path) -> int:
    path = directory / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailableError("open", str(error)) from error
    try:
        # Held by the open file, so that it goes with the process, however that ends.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StoreLockedError(f"{directory} is in use by another process") from error
    except OSError as error:
        os.close(descriptor)
        raise StoreUnavailableError("lock", str(error)) from error
    return descriptor


def _migrate(database: Database) -> None:
    config = Config()
    config.set_main_option(
        "script_location", str(files("testamur.storage.sql").joinpath("migrations"))
    )
    config.set_main_option("path_separator", "os")
    try:
        with database.write("migrate") as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailableError("migrate", str(error)) from error


def _sync_directory(directory: Path) -> None:
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreUnavailableError("open", str(error)) from error
