"""The journal of signed anchor transactions, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

from sqlalchemy import Row, func, insert, select, update

from testamur.errors import ImmutableConflictError, StateConflictError
from testamur.merkle.hashing import HASH_BYTES, Hash32
from testamur.storage.model import (
    ANCHOR_STATES,
    ANCHOR_TRANSITIONS,
    AnchorState,
    AnchorTransaction,
    JournaledTransaction,
)
from testamur.storage.sql.database import Database
from testamur.storage.sql.tables import anchor_transactions


class SqlAnchorJournal:
    """Implements :class:`testamur.storage.interface.AnchorJournal`."""

    _database: Database

    def put_signed(self, transaction: AnchorTransaction) -> None:
        """See the interface."""
        hashes = (transaction.root, transaction.status_root, transaction.tx_hash)
        if any(len(value) != HASH_BYTES for value in hashes):
            raise ValueError("a hash of the transaction is not 32 bytes")
        present = select(anchor_transactions).where(
            anchor_transactions.c.tx_hash == transaction.tx_hash
        )
        with self._database.write("journal a transaction") as connection:
            row = connection.execute(present).one_or_none()
            if row is None:
                connection.execute(
                    insert(anchor_transactions).values(**asdict(transaction), state="signed")
                )
                # A crash after this commit leaves a transaction that nobody has seen: anchoring
                # finds it in state ``signed`` and broadcasts these same bytes.
            elif _journaled(row).transaction != transaction:
                raise ImmutableConflictError(
                    f"transaction {transaction.tx_hash.hex()} is journaled with other content"
                )

    def anchor_transactions(
        self, *states: AnchorState, sequence: int | None = None, root: Hash32 | None = None
    ) -> Sequence[JournaledTransaction]:
        """See the interface."""
        listing = select(anchor_transactions).order_by(anchor_transactions.c.number)
        if states:
            listing = listing.where(anchor_transactions.c.state.in_(states))
        if sequence is not None:
            listing = listing.where(anchor_transactions.c.sequence == sequence)
        if root is not None:
            listing = listing.where(anchor_transactions.c.root == root)
        with self._database.read("list transactions") as connection:
            return [_journaled(row) for row in connection.execute(listing)]

    def last_sequence(self) -> int | None:
        """See the interface."""
        with self._database.read("read the last sequence") as connection:
            highest = select(func.max(anchor_transactions.c.sequence))
            return connection.execute(highest).scalar_one_or_none()

    def set_anchor_state(self, tx_hash: Hash32, state: AnchorState) -> None:
        """See the interface."""
        if state not in ANCHOR_STATES:
            raise ValueError(f"no transaction is ever {state}")
        this = anchor_transactions.c.tx_hash == tx_hash
        with self._database.write("note a transaction's state") as connection:
            present = connection.execute(
                select(anchor_transactions.c.state).where(this)
            ).scalar_one_or_none()
            if present is None:
                raise StateConflictError(f"transaction {tx_hash.hex()} is not in the journal")
            if present == state:
                return
            if (present, state) not in ANCHOR_TRANSITIONS:
                raise StateConflictError(
                    f"transaction {tx_hash.hex()} is {present}, which never becomes {state}"
                )
            connection.execute(update(anchor_transactions).where(this).values(state=state))


def _journaled(row: Row[Any]) -> JournaledTransaction:
    return JournaledTransaction(
        AnchorTransaction(
            sequence=row.sequence,
            root=Hash32(row.root),
            status_count=row.status_count,
            status_root=Hash32(row.status_root),
            nonce=row.nonce,
            raw=row.raw,
            tx_hash=Hash32(row.tx_hash),
            signed_at=row.signed_at,
        ),
        cast("AnchorState", row.state),
    )
