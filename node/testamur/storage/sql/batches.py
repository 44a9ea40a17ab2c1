"""Claims and sealed batches, in SQL. A claim is a row of ``batches`` that has no root yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, delete, func, insert, literal, select, update

from testamur.errors import ImmutableConflictError, StateConflictError, UnknownBatchError
from testamur.ledger.operator_log import NODE, Act
from testamur.merkle.hashing import HASH_BYTES, Hash32
from testamur.storage.model import BATCH_TRANSITIONS, Batch, BatchState, Claim, Padding
from testamur.storage.sql.counters import SEALED, raise_counter
from testamur.storage.sql.database import Database, chunks
from testamur.storage.sql.operator_log import append, is_bound
from testamur.storage.sql.tables import batches, entries, padding, queue

CLAIMED: Final = "claimed"
"""State of the row before it is sealed; never shown outside."""


class SqlBatches:
    """Implements :class:`testamur.storage.interface.Batches`."""

    _database: Database

    def claim(self, *, limit: int, now: int) -> Claim | None:
        """See the interface."""
        if limit < 1:
            raise ValueError(f"limit is {limit}")
        oldest = (
            select(queue.c.position)
            .where(queue.c.claim.is_(None))
            .order_by(queue.c.position)
            .limit(limit)
        )
        with self._database.write("claim") as connection:
            unfinished = _unfinished(connection)
            if unfinished is not None:
                return unfinished
            if connection.execute(oldest.limit(1)).first() is None:
                return None
            number = connection.execute(
                insert(batches)
                .values(claimed_at=now, padding_count=0, state=CLAIMED)
                .returning(batches.c.number)
            ).scalar_one()
            connection.execute(
                update(queue)
                .where(queue.c.position.in_(oldest.scalar_subquery()))
                .values(claim=number)
            )
            # A crash after this commit leaves an unfinished claim: the next call returns it.
            return _unfinished(connection)

    def unfinished_claim(self) -> Claim | None:
        """See the interface."""
        with self._database.read("read the claim") as connection:
            return _unfinished(connection)

    def pad(self, claim: int, new: Sequence[Padding], /) -> Claim:
        """See the interface."""
        wanted = tuple(sorted(new, key=lambda pad: pad.entry))
        if any(len(pad.entry) != HASH_BYTES or len(pad.salt) != HASH_BYTES for pad in wanted):
            raise ValueError("padding is not of 32 bytes each")
        with self._database.write("pad") as connection:
            unfinished = _unfinished(connection)
            if unfinished is None or unfinished.number != claim:
                raise StateConflictError(f"claim {claim} is not unfinished")
            if unfinished.padding == wanted:
                return unfinished
            if unfinished.padding:
                raise ImmutableConflictError(f"claim {claim} has other padding already")
            _refuse_reuse(connection, wanted)
            rows = [{"entry": pad.entry, "salt": pad.salt, "batch": claim} for pad in wanted]
            connection.execute(insert(padding), rows)
            connection.execute(
                update(batches).where(batches.c.number == claim).values(padding_count=len(rows))
            )
            # A crash after this commit leaves salts for a batch that has no file yet: sealing
            # takes this claim up again, with this padding.
            return Claim(claim, unfinished.claimed_at, unfinished.entries, wanted)

    def seal(self, claim: int, *, root: Hash32, count: int, sealed_at: int) -> Batch:
        """See the interface."""
        if len(root) != HASH_BYTES:
            raise ValueError("a root has 32 bytes")
        with self._database.write("seal") as connection:
            row = connection.execute(select(batches).where(batches.c.number == claim)).one_or_none()
            if row is None:
                raise StateConflictError(f"there is no claim {claim}")
            if row.root is not None:
                sealed = _batch(row)
                if (sealed.root, sealed.count) != (root, count):
                    raise ImmutableConflictError(f"claim {claim} was sealed as {row.root.hex()}")
                return sealed
            if connection.execute(select(batches.c.number).where(batches.c.root == root)).first():
                raise ImmutableConflictError(f"another claim was sealed as {root.hex()}")
            submitted = count - row.padding_count
            _move_to_index(connection, claim, expected=submitted)
            raise_counter(connection, SEALED, submitted)
            connection.execute(
                update(batches)
                .where(batches.c.number == claim)
                .values(root=root, count=count, sealed_at=sealed_at, state="sealed")
            )
            if is_bound(connection):
                told = {"root": root.hex(), "entries": submitted, "padding": row.padding_count}
                append(connection, Act(NODE, "batch_sealed", sealed_at, told))
            # A crash after this commit leaves a sealed batch: anchoring finds it in its state.
            return Batch(claim, root, count, row.padding_count, sealed_at, "sealed")

    def batch(self, root: Hash32) -> Batch:
        """See the interface."""
        with self._database.read("read a batch") as connection:
            return _batch(_row(connection, root))

    def batches(
        self, *, state: BatchState | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[Batch]:
        """See the interface."""
        listing = (
            select(batches)
            .where(batches.c.number > after, batches.c.root.is_not(None))
            .order_by(batches.c.number)
            .limit(limit)
        )
        if state is not None:
            listing = listing.where(batches.c.state == state)
        with self._database.read("list batches") as connection:
            return [_batch(row) for row in connection.execute(listing)]

    def advance(self, root: Hash32, from_state: BatchState, to_state: BatchState) -> None:
        """See the interface."""
        if (from_state, to_state) not in BATCH_TRANSITIONS:
            raise ValueError(f"no batch goes from {from_state} to {to_state}")
        with self._database.write("advance a batch") as connection:
            moved = connection.execute(
                update(batches)
                .where(batches.c.root == root, batches.c.state == from_state)
                .values(state=to_state)
            )
            if moved.rowcount:
                return
            state = _row(connection, root).state
            if state != to_state:
                raise StateConflictError(f"batch {root.hex()} is {state}, not {from_state}")

    def padding_of(self, root: Hash32) -> Sequence[Padding]:
        """See the interface."""
        with self._database.read("read padding") as connection:
            return _padding(connection, _row(connection, root).number)

    def indexed_counts(self) -> Mapping[Hash32, int]:
        """See the interface."""
        counted = select(entries.c.batch, func.count().label("held")).group_by(entries.c.batch)
        held = counted.subquery()
        listing = select(batches.c.root, func.coalesce(held.c.held, 0)).select_from(
            batches.outerjoin(held, held.c.batch == batches.c.number)
        )
        with self._database.read("count the index") as connection:
            rows = connection.execute(listing.where(batches.c.root.is_not(None)))
            return {Hash32(root): count for root, count in rows}

    def rebuild_index(self, read: Callable[[Hash32], Iterable[Hash32]]) -> int:
        """See the interface."""
        mended, after = 0, 0
        while page := self.batches(after=after):
            for batch in page:
                content = list(read(batch.root))
                with self._database.write("rebuild the index") as connection:
                    mended += _mend(connection, batch, content)
                # A crash after this commit leaves the later batches as they were: the rebuild
                # is started again and finds nothing to mend in the earlier ones.
            after = page[-1].number
        return mended


def _unfinished(connection: Connection) -> Claim | None:
    claims = select(batches.c.number, batches.c.claimed_at).where(batches.c.state == CLAIMED)
    row = connection.execute(claims).one_or_none()
    if row is None:
        return None
    claimed = select(queue.c.entry).where(queue.c.claim == row.number).order_by(queue.c.position)
    return Claim(
        row.number,
        row.claimed_at,
        tuple(connection.execute(claimed).scalars().all()),
        _padding(connection, row.number),
    )


def _padding(connection: Connection, number: int) -> tuple[Padding, ...]:
    rows = connection.execute(
        select(padding.c.entry, padding.c.salt)
        .where(padding.c.batch == number)
        .order_by(padding.c.entry)
    )
    return tuple(Padding(Hash32(entry), Hash32(salt)) for entry, salt in rows)


def _refuse_reuse(connection: Connection, wanted: Sequence[Padding]) -> None:
    if len({pad.entry for pad in wanted}) != len(wanted):
        raise ValueError("padding repeats itself")
    for chunk in chunks([pad.entry for pad in wanted]):
        for table in (padding, queue, entries):
            if connection.execute(select(table.c.entry).where(table.c.entry.in_(chunk))).first():
                raise ValueError("padding repeats an entry that exists")


def _move_to_index(connection: Connection, claim: int, *, expected: int) -> None:
    claimed = (
        select(queue.c.entry, queue.c.submitted_at, literal(claim))
        .where(queue.c.claim == claim)
        .order_by(queue.c.entry)  # ascending, so that each page of the index is visited once
    )
    moved = connection.execute(
        insert(entries).from_select(["entry", "submitted_at", "batch"], claimed)
    ).rowcount
    if moved != expected:
        raise StateConflictError(f"claim {claim} holds {moved} entries, not {expected}")
    connection.execute(delete(queue).where(queue.c.claim == claim))


def _mend(connection: Connection, batch: Batch, content: Sequence[Hash32]) -> int:
    padded = {pad.entry for pad in _padding(connection, batch.number)}
    mended = 0
    for chunk in chunks([entry for entry in content if entry not in padded]):
        rows = connection.execute(
            select(entries.c.entry, entries.c.batch).where(entries.c.entry.in_(chunk))
        )
        present = {row.entry: row.batch for row in rows}
        missing = [entry for entry in chunk if entry not in present]
        astray = [entry for entry, number in present.items() if number != batch.number]
        if missing:
            fresh = {"submitted_at": batch.sealed_at, "batch": batch.number}
            connection.execute(insert(entries), [{"entry": entry, **fresh} for entry in missing])
        if astray:
            connection.execute(
                update(entries).where(entries.c.entry.in_(astray)).values(batch=batch.number)
            )
        mended += len(missing) + len(astray)
    return mended


def _row(connection: Connection, root: Hash32) -> Row[Any]:
    row = connection.execute(select(batches).where(batches.c.root == root)).one_or_none()
    if row is None:
        raise UnknownBatchError(f"no batch {root.hex()}")
    return row


def _batch(row: Row[Any]) -> Batch:
    # ``count`` is a method of a row, so that the column is read by its name.
    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name for it
    return Batch(
        number=fields["number"],
        root=Hash32(fields["root"]),
        count=fields["count"],
        padding_count=fields["padding_count"],
        sealed_at=fields["sealed_at"],
        state=cast("BatchState", fields["state"]),
    )
