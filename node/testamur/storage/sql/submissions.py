"""The queue, and where each entry stands, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from sqlalchemy import (
    BigInteger,
    Connection,
    LargeBinary,
    bindparam,
    exists,
    func,
    select,
)

from testamur.errors import QueueFullError, UnknownEntryError
from testamur.merkle.hashing import HASH_BYTES, Hash32
from testamur.storage.model import AddResult, EntryLife, EntryState, QueueState, StoreTotals
from testamur.storage.sql.counters import ACCEPTED, SEALED, raise_counter, read_counter
from testamur.storage.sql.database import Database, chunks
from testamur.storage.sql.engine import execute_many, insert_unless_there
from testamur.storage.sql.operator_log import count_submission
from testamur.storage.sql.tables import batches, entries, queue
from testamur.storage.sql.tokens import charge
from testamur.storage.tokens import Terms

_NEW: Final = bindparam("new", type_=LargeBinary())
_NOW: Final = bindparam("now", type_=BigInteger())
# One statement for each entry decides whether it is new: the unique constraint of the queue and
# a look into the index of sealed entries, both by all 32 bytes.
_INSERT_NEW: Final = insert_unless_there(
    queue,
    ["entry", "submitted_at"],
    select(_NEW, _NOW).where(~exists().where(entries.c.entry == _NEW)),
)


class SqlSubmissions:
    """Implements :class:`testamur.storage.interface.Submissions`."""

    _database: Database

    def add_entries(
        self, new: Sequence[Hash32], /, *, submitted_at: int, terms: Terms | None = None
    ) -> AddResult:
        """See the interface."""
        if any(len(entry) != HASH_BYTES for entry in new):
            raise ValueError("an entry is not 32 bytes")
        if submitted_at < 0:
            raise ValueError(f"submitted_at is {submitted_at}")
        distinct = list(dict.fromkeys(new))
        with self._database.write("add entries") as connection:
            added = 0
            if distinct:
                rows: list[dict[str, bytes | int]] = [
                    {"new": entry, "now": submitted_at} for entry in distinct
                ]
                added = execute_many(connection, _INSERT_NEW, rows)
                raise_counter(connection, ACCEPTED, added)
            if terms is not None:
                _hold_to(connection, terms, submitted_at, added, len(distinct) - added)
        # Durable now. A crash before the caller says so leaves entries that are queued without
        # having been acknowledged; the submitter repeats the call and is told they are known.
        return AddResult(added=added, known=len(distinct) - added)

    def queue(self) -> QueueState:
        """See the interface."""
        oldest = select(queue.c.submitted_at).order_by(queue.c.position).limit(1)
        with self._database.read("read the queue") as connection:
            count = connection.execute(select(func.count()).select_from(queue)).scalar_one()
            return QueueState(count, connection.execute(oldest).scalar_one_or_none())

    def find_entry(self, entry: Hash32) -> EntryState:
        """See the interface."""
        found = self.find_entries((entry,)).get(entry)
        if found is None:
            raise UnknownEntryError(f"no entry {entry.hex()}")
        return found

    def find_entries(self, wanted: Sequence[Hash32], /) -> Mapping[Hash32, EntryState]:
        """See the interface."""
        sealed = select(
            entries.c.entry, entries.c.submitted_at, batches.c.state, batches.c.root
        ).join(batches, batches.c.number == entries.c.batch)
        queued = select(queue.c.entry, queue.c.submitted_at)
        found: dict[Hash32, EntryState] = {}
        with self._database.read("find entries") as connection:
            for chunk in chunks(wanted):
                for row in connection.execute(sealed.where(entries.c.entry.in_(chunk))):
                    entry, state = Hash32(row.entry), cast("EntryLife", row.state)
                    found[entry] = EntryState(entry, state, row.submitted_at, Hash32(row.root))
                for entry, submitted_at in connection.execute(
                    queued.where(queue.c.entry.in_(chunk))
                ):
                    found[Hash32(entry)] = EntryState(Hash32(entry), "queued", submitted_at, None)
        return found

    def batches_of(self, wanted: Sequence[Hash32], /) -> Mapping[Hash32, Hash32]:
        """See the interface."""
        found: dict[Hash32, Hash32] = {}
        with self._database.read("find batches") as connection:
            numbers: dict[Hash32, int] = {}
            for chunk in chunks(wanted):
                rows = connection.execute(
                    select(entries.c.entry, entries.c.batch).where(entries.c.entry.in_(chunk))
                )
                numbers.update((Hash32(entry), number) for entry, number in rows)
            roots: dict[int, Hash32] = {}
            for chunk_of_numbers in chunks(sorted(set(numbers.values()))):
                pairs = connection.execute(
                    select(batches.c.number, batches.c.root).where(
                        batches.c.number.in_(chunk_of_numbers)
                    )
                )
                roots.update((number, Hash32(root)) for number, root in pairs)
            found.update((entry, roots[number]) for entry, number in numbers.items())
        return found

    def totals(self) -> StoreTotals:
        """See the interface."""
        both = select(func.count()).select_from(
            queue.join(entries, queue.c.entry == entries.c.entry)
        )
        in_batches = select(
            func.coalesce(func.sum(batches.c["count"] - batches.c.padding_count), 0)
        )
        with self._database.read("count") as connection:
            return StoreTotals(
                accepted=read_counter(connection, ACCEPTED),
                sealed=read_counter(connection, SEALED),
                in_batches=connection.execute(in_batches).scalar_one(),
                queued=connection.execute(select(func.count()).select_from(queue)).scalar_one(),
                indexed=connection.execute(select(func.count()).select_from(entries)).scalar_one(),
                overlapping=connection.execute(both).scalar_one(),
            )


def _hold_to(
    connection: Connection, terms: Terms, submitted_at: int, added: int, known: int
) -> None:
    """Count what was inserted, or refuse it, which rolls all of it back."""
    if added:
        waiting = read_counter(connection, ACCEPTED) - read_counter(connection, SEALED)
        if waiting > terms.queue_entries_max:
            raise QueueFullError(
                f"the queue takes {terms.queue_entries_max} entries, and has not room for {added}",
                terms.queue_retry_seconds,
            )
    if terms.by.id is not None:
        charge(connection, terms.by.id, at=submitted_at, added=added)
    count_submission(connection, terms.by, at=submitted_at, added=added, known=known)
