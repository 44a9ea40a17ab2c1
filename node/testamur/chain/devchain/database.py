"""Key-value store under the embedded chain: one SQLite file, one transaction a block.

py-evm writes a block in many small steps. They are gathered in memory (:class:`BlockWrites`) and
reach the disk together or not at all, so a process killed in the middle of a block leaves the
chain at the block before. Readers (:class:`ReadView`) see what is durable, never the block that
is being built.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from eth.db.backends.base import BaseDB

from testamur.errors import StoreLockedError, StoreUnavailableError

Connect = Callable[[str], sqlite3.Connection]
"""Opens the file; tests pass one whose commits fail."""

FILE_NAME = "chain.sqlite"
_LOCK_SECONDS = 0.5


def connect(path: str) -> sqlite3.Connection:
    """Open a connection that any thread may use; :class:`KeyValueFile` serialises the use."""
    return sqlite3.connect(
        path, timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False
    )


class KeyValueFile:
    """Bytes to bytes, durable and atomic.

    * :meth:`commit` is atomic and durable when it returns: write-ahead log, ``synchronous=FULL``.
    * Whether a commit that raises was kept is unknown, so it stops the store for good: every
      later call raises. Opening the file again is the only way on, and finds either the state
      before or the state after.
    * One process at a time has the file; any number of threads of that process may use it.
    """

    def __init__(self, path: Path | None, *, open_connection: Connect = connect) -> None:
        """Open or make the store; ``None`` keeps it in memory.

        Raises:
            StoreLockedError: another process has the file.
            StoreUnavailableError: the file cannot be opened or made.
        """
        self._mutex = threading.Lock()
        self._stopped: str | None = None
        try:
            if path is not None:
                path.mkdir(parents=True, exist_ok=True)
            self._connection = open_connection(
                ":memory:" if path is None else str(path / FILE_NAME)
            )
            self._prepare()
        except (OSError, sqlite3.Error) as exc:
            if "locked" in str(exc):
                raise StoreLockedError(f"another process runs a chain in {path}") from exc
            raise StoreUnavailableError("open the chain's store", str(exc)) from exc

    def _prepare(self) -> None:
        # The exclusive lock is taken at the first transaction and held until the process ends,
        # however it ends: the operating system drops it, so nothing stale can be left behind.
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("BEGIN EXCLUSIVE")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS pairs (key BLOB PRIMARY KEY, value BLOB NOT NULL)"
            " WITHOUT ROWID"
        )
        self._connection.execute("COMMIT")

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key``, or None.

        Raises:
            StoreUnavailableError: the store failed, now or at an earlier commit.
        """
        rows = self._read("SELECT value FROM pairs WHERE key = ?", (key,))
        value: bytes | None = rows[0][0] if rows else None
        return value

    def between(self, first: bytes, last: bytes) -> list[tuple[bytes, bytes]]:
        """Return all pairs with ``first <= key <= last``, ascending.

        Raises:
            StoreUnavailableError: the store failed, now or at an earlier commit.
        """
        return self._read(
            "SELECT key, value FROM pairs WHERE key BETWEEN ? AND ? ORDER BY key", (first, last)
        )

    def _read(self, query: str, values: tuple[bytes, ...]) -> list[Any]:
        with self._mutex:
            self._refuse_if_stopped()
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.Error as exc:
                raise StoreUnavailableError("read the chain's store", str(exc)) from exc

    def commit(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Write all pairs (None deletes) in one transaction; durable when it returns.

        Raises:
            StoreUnavailableError: unknown whether the changes were kept; the store is stopped.
        """
        put = [(key, value) for key, value in changes.items() if value is not None]
        gone = [(key,) for key, value in changes.items() if value is None]
        with self._mutex:
            self._refuse_if_stopped()
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany("DELETE FROM pairs WHERE key = ?", gone)
                self._connection.executemany("REPLACE INTO pairs VALUES (?, ?)", put)
                # A crash before this line is done leaves the block before, after it this block;
                # SQLite itself rolls an unfinished transaction back at the next start.
                self._connection.execute("COMMIT")
            except sqlite3.Error as exc:
                self._stopped = str(exc)
                raise StoreUnavailableError("write a block", str(exc)) from exc

    def check(self) -> None:
        """Return if the store can be used.

        Raises:
            StoreUnavailableError: an earlier commit failed, or the store is closed.
        """
        with self._mutex:
            self._refuse_if_stopped()

    def _refuse_if_stopped(self) -> None:
        if self._stopped is not None:
            raise StoreUnavailableError(
                "use the chain's store", f"an earlier write failed: {self._stopped}"
            )

    def close(self) -> None:
        """Give the file up; later calls raise."""
        with self._mutex:
            self._stopped = self._stopped or "the store is closed"
            self._connection.close()


class ReadView(BaseDB):
    """What is durable, as py-evm's database; writing is a programming mistake."""

    def __init__(self, store: KeyValueFile) -> None:
        self._store = store

    def __getitem__(self, key: bytes) -> bytes:
        value = self._store.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def _exists(self, key: bytes) -> bool:
        return self._store.get(key) is not None

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise TypeError("this view of the chain's store is for reading")

    def __delitem__(self, key: bytes) -> None:
        raise TypeError("this view of the chain's store is for reading")

    def __iter__(self) -> Iterator[bytes]:
        raise NotImplementedError("the chain's store is not iterated")


class BlockWrites(ReadView):
    """The block being built: reads fall through to the store, writes wait for :meth:`commit`."""

    def __init__(self, store: KeyValueFile) -> None:
        super().__init__(store)
        self._changes: dict[bytes, bytes | None] = {}

    def __getitem__(self, key: bytes) -> bytes:
        if key not in self._changes:
            return super().__getitem__(key)
        value = self._changes[key]
        if value is None:
            raise KeyError(key)
        return value

    def _exists(self, key: bytes) -> bool:
        if key in self._changes:
            return self._changes[key] is not None
        return super()._exists(key)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._changes[key] = value

    def __delitem__(self, key: bytes) -> None:
        self[key]  # a missing key raises KeyError, as a dict's would
        self._changes[key] = None

    def commit(self) -> None:
        """Make the block durable, as one transaction.

        Raises:
            StoreUnavailableError: unknown whether the block was kept; the store is stopped.
        """
        try:
            self._store.commit(self._changes)
        finally:
            self.discard()

    def discard(self) -> None:
        """Forget everything since the last commit."""
        self._changes = {}
