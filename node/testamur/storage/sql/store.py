"""The store as a whole: identity, opening and closing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Row, insert, select

from testamur.errors import StoreIdentityError, StoreUnavailableError
from testamur.merkle.hashing import Hash32
from testamur.storage.model import LedgerIdentity
from testamur.storage.sql.anchor_journal import SqlAnchorJournal
from testamur.storage.sql.batches import SqlBatches
from testamur.storage.sql.chain_view import ONLY, SqlChainView
from testamur.storage.sql.database import Database, open_database
from testamur.storage.sql.operator_log import SqlOperatorLog
from testamur.storage.sql.replicas import SqlReplicas
from testamur.storage.sql.submissions import SqlSubmissions
from testamur.storage.sql.tables import identity
from testamur.storage.sql.tokens import SqlTokens


class SqlStore(
    SqlSubmissions,
    SqlBatches,
    SqlReplicas,
    SqlAnchorJournal,
    SqlChainView,
    SqlTokens,
    SqlOperatorLog,
):
    """Implements :class:`testamur.storage.interface.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bind_identity(self, wanted: LedgerIdentity, /) -> None:
        """See the interface."""
        with self._database.write("bind the identity") as connection:
            present = _identity(connection)
            if present is None:
                connection.execute(insert(identity).values(only=ONLY, **asdict(wanted)))
                # A crash after this commit leaves an empty store that is bound: the next start
                # compares and goes on.
            elif present != wanted:
                raise StoreIdentityError(_difference(present, wanted))

    def identity(self) -> LedgerIdentity | None:
        """See the interface."""
        with self._database.read("read the identity") as connection:
            return _identity(connection)

    def ping(self) -> None:
        """See the interface."""
        with self._database.read("ping") as connection:
            connection.execute(select(1)).scalar_one()

    def close(self) -> None:
        """See the interface."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_store(directory: Path) -> SqlStore:
    """Open the store in ``directory``, which is made where it is missing (mode 700).

    Raises:
        StoreLockedError: another process has it open.
        StoreDamagedError: the database in it is damaged, or is none.
        StoreUnavailableError: it cannot be opened, or a newer version of Testamur wrote it.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError("open", str(error)) from error
    return SqlStore(open_database(directory))


def _identity(connection: Connection) -> LedgerIdentity | None:
    row: Row[Any] | None = connection.execute(select(identity)).one_or_none()
    if row is None:
        return None
    return LedgerIdentity(
        row.chain_id, Hash32(row.genesis), row.contract, Hash32(row.ledger_id), row.member
    )


def _difference(present: LedgerIdentity, wanted: LedgerIdentity) -> str:
    old, new = asdict(present), asdict(wanted)
    parts = [
        f"{name} {_shown(old[name])} is stored, {_shown(new[name])} was asked for"
        for name in old
        if old[name] != new[name]
    ]
    return "the data belongs to another ledger or member: " + "; ".join(parts)


def _shown(value: bytes | int) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
