"""Replicas of other members' batches, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, distinct, exists, func, insert, or_, select

from testamur.errors import ImmutableConflictError, UnknownBatchError, UnknownEntryError
from testamur.ledger.records import RecordKind
from testamur.merkle.hashing import EMPTY_ROOT, HASH_BYTES, Hash32
from testamur.storage.model import FollowedRecord, Replica, Replication
from testamur.storage.sql.chain_view import read_records
from testamur.storage.sql.database import Database, chunks
from testamur.storage.sql.engine import execute_many
from testamur.storage.sql.tables import batches, identity, records, replica_entries, replicas

_ANCHORS: Final = and_(records.c.kind == RecordKind.ANCHOR, records.c.root != EMPTY_ROOT)
_ITS_RECORDS: Final = and_(
    records.c.root == replicas.c.root, records.c.member == replicas.c.member, _ANCHORS
)
_RECORD: Final = func.min(records.c.index).label("record")


class SqlReplicas:
    """Implements :class:`testamur.storage.interface.Replicas`."""

    _database: Database

    def add_replica(self, member: int, root: Hash32, new: Sequence[Hash32], /) -> None:
        """See the interface."""
        if not new or len(root) != HASH_BYTES or set(map(len, new)) != {HASH_BYTES}:
            raise ValueError("a replica has a root and entries of 32 bytes each")
        present = select(replicas.c["count"]).where(
            replicas.c.member == member, replicas.c.root == root
        )
        with self._database.write("add a replica") as connection:
            count = connection.execute(present).scalar_one_or_none()
            if count == len(new):
                return
            if count is not None:
                raise ImmutableConflictError(f"batch {root.hex()} is held with {count} entries")
            number = connection.execute(
                insert(replicas)
                .values(member=member, root=root, count=len(new))
                .returning(replicas.c.number)
            ).scalar_one()
            rows: list[dict[str, bytes | int]] = [
                {"entry": entry, "replica": number} for entry in new
            ]
            execute_many(connection, insert(replica_entries), rows)
            # A crash after this commit leaves the replica as a whole: it is not missing any more.
            # A crash before leaves a file that nothing points to: the batch is still missing, and
            # the next pass finds the file in its place.

    def missing_replicas(self, *, start: int, limit: int = 100) -> Sequence[FollowedRecord]:
        """See the interface."""
        earlier = records.alias("earlier")
        repeated = exists().where(
            earlier.c.root == records.c.root,
            earlier.c.member == records.c.member,
            earlier.c.kind == RecordKind.ANCHOR,
            earlier.c.index < records.c.index,
        )
        with self._database.read("list missing replicas") as connection:
            return read_records(
                connection,
                _ANCHORS,
                records.c.index >= start,
                ~_held(),
                ~repeated,
                limit=limit,
            )

    def find_replica(self, entry: Hash32, member: int | None = None) -> Replica:
        """See the interface."""
        holding = (
            _anchored()
            .join(replica_entries, replica_entries.c.replica == replicas.c.number)
            .where(replica_entries.c.entry == entry)
        )
        if member is not None:
            holding = holding.where(replicas.c.member == member)
        found = self._first("find an entry", holding)
        if found is None:
            raise UnknownEntryError(f"no entry {entry.hex()}")
        return found

    def replica(self, root: Hash32) -> Replica:
        """See the interface."""
        found = self._first("read a replica", _anchored().where(replicas.c.root == root))
        if found is None:
            raise UnknownBatchError(f"no batch {root.hex()}")
        return found

    def replicas(self, *, after: int = 0, limit: int = 100) -> Sequence[Replica]:
        """See the interface."""
        listing = (
            select(replicas, _RECORD)
            .outerjoin(records, _ITS_RECORDS)
            .where(replicas.c.number > after)
            .group_by(replicas.c.number)
            .order_by(replicas.c.number)
            .limit(limit)
        )
        with self._database.read("list replicas") as connection:
            return [_replica(row) for row in connection.execute(listing)]

    def replication(self, member: int) -> Replication:
        """See the interface."""
        anchored = select(func.count(distinct(records.c.root))).where(
            records.c.member == member, _ANCHORS
        )
        with self._database.read("count replicas") as connection:
            return Replication(
                anchored=connection.execute(anchored).scalar_one(),
                held=connection.execute(anchored.where(_held())).scalar_one(),
            )

    def replica_entry_counts(self) -> Mapping[int, int]:
        """See the interface."""
        counted = select(replica_entries.c.replica, func.count().label("held")).group_by(
            replica_entries.c.replica
        )
        with self._database.read("count the index of replicas") as connection:
            return {row.replica: row.held for row in connection.execute(counted)}

    def in_replica(self, number: int, wanted: Sequence[Hash32], /) -> int:
        """See the interface."""
        found = 0
        with self._database.read("look up entries of a replica") as connection:
            for chunk in chunks(wanted):
                found += connection.execute(
                    select(func.count())
                    .select_from(replica_entries)
                    .where(replica_entries.c.replica == number, replica_entries.c.entry.in_(chunk))
                ).scalar_one()
        return found

    def _first(self, operation: str, anchored: Select[Any]) -> Replica | None:
        lowest = anchored.group_by(replicas.c.number).order_by(_RECORD).limit(1)
        with self._database.read(operation) as connection:
            row = connection.execute(lowest).one_or_none()
            return None if row is None else _replica(row)


def _held() -> ColumnElement[bool]:
    """Say of a record whether its batch is here: replicated, or sealed here and ours."""
    replicated = exists().where(
        replicas.c.root == records.c.root, replicas.c.member == records.c.member
    )
    own = select(identity.c.member).scalar_subquery()
    sealed = and_(records.c.member == own, exists().where(batches.c.root == records.c.root))
    return or_(replicated, sealed)


def _anchored() -> Select[Any]:
    """Give each replica whose record is followed, with the lowest index of such a record."""
    return select(replicas, _RECORD).join(records, _ITS_RECORDS)


def _replica(row: Row[Any]) -> Replica:
    # ``count`` is a method of a row, so that the column is read by its name.
    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name for it
    return Replica(
        number=fields["number"],
        member=fields["member"],
        root=Hash32(fields["root"]),
        count=fields["count"],
        record=fields["record"],
    )
