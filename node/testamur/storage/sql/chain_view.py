"""The followed chain, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select

from testamur.errors import ContinuityError, StateConflictError, UnknownRecordError
from testamur.ledger.records import RecordKind, parse_record
from testamur.merkle.hashing import Hash32
from testamur.storage.model import FollowedBlock, FollowedRecord, LedgerReading
from testamur.storage.sql.database import Database, chunks
from testamur.storage.sql.tables import blocks, finalized, records

ONLY: Final = 1


class SqlChainView:
    """Implements :class:`testamur.storage.interface.ChainView`."""

    _database: Database

    def append_block(self, block: FollowedBlock, new: Sequence[FollowedRecord], /) -> None:
        """See the interface."""
        with self._database.write("append a block") as connection:
            last = _followed(connection)
            if last == block:
                if read_records(connection, records.c.block_number == block.number) != list(new):
                    raise ContinuityError(f"block {block.number} was appended with other records")
                return
            _check_follows(block, last)
            _check_contiguous(block, new, size=_size(connection))
            connection.execute(insert(blocks).values(**asdict(block)))
            if new:
                connection.execute(insert(records), [_record_row(record) for record in new])
            # A crash after this commit leaves the block appended: following goes on above it,
            # or repeats the append, which changes nothing.

    def rewind(self, to_block_number: int) -> None:
        """See the interface."""
        with self._database.write("rewind") as connection:
            final = _finalized(connection)
            if final is not None and to_block_number < final.number:
                raise StateConflictError(
                    f"block {final.number} is final: no way back to {to_block_number}"
                )
            connection.execute(delete(records).where(records.c.block_number > to_block_number))
            connection.execute(delete(blocks).where(blocks.c.number > to_block_number))
            # A crash after this commit leaves the chain cut: following goes on from the cut.

    def followed(self) -> FollowedBlock | None:
        """See the interface."""
        with self._database.read("read the last block") as connection:
            return _followed(connection)

    def block_at(self, number: int) -> FollowedBlock | None:
        """See the interface."""
        with self._database.read("read a block") as connection:
            return _block_at(connection, number)

    def recent_blocks(
        self, *, below: int | None = None, limit: int = 100
    ) -> Sequence[FollowedBlock]:
        """See the interface."""
        listing = select(blocks).order_by(blocks.c.number.desc()).limit(limit)
        if below is not None:
            listing = listing.where(blocks.c.number < below)
        with self._database.read("list blocks") as connection:
            return [_block(row) for row in connection.execute(listing)]

    def size(self) -> int:
        """See the interface."""
        with self._database.read("count records") as connection:
            return _size(connection)

    def record(self, index: int) -> FollowedRecord:
        """See the interface."""
        return self.records(index, index + 1)[0]

    def records(self, start: int, end: int) -> Sequence[FollowedRecord]:
        """See the interface."""
        with self._database.read("read records") as connection:
            size = _size(connection)
            if not 0 <= start <= end <= size:
                raise UnknownRecordError(f"[{start}, {end}) is not within {size} records")
            return read_records(connection, records.c.index >= start, records.c.index < end)

    def read_ledger(self, start: int) -> LedgerReading:
        """See the interface."""
        with self._database.read("read the ledger") as connection:
            found = read_records(connection, records.c.index >= start)
            return LedgerReading(_finalized(connection), _followed(connection), tuple(found))

    def record_of_batch(self, member: int, root: Hash32) -> FollowedRecord | None:
        """See the interface."""
        return self.records_of_batches(member, [root]).get(root)

    def records_of_batches(
        self, member: int, roots: Sequence[Hash32], /
    ) -> Mapping[Hash32, FollowedRecord]:
        """See the interface."""
        anchors = (records.c.member == member, records.c.kind == RecordKind.ANCHOR)
        found: dict[Hash32, FollowedRecord] = {}
        with self._database.read("find records") as connection:
            for chunk in chunks(roots):
                rows = connection.execute(
                    select(records)
                    .where(records.c.root.in_(chunk), *anchors)
                    .order_by(records.c.index)
                )
                for row in rows:
                    found.setdefault(Hash32(row.root), _record(row))
        return found

    def count_anchors(self, member: int, *, above: int, up_to: int) -> int:
        """See the interface."""
        counted = (
            select(func.count())
            .select_from(records)
            .where(
                records.c.block_number > above,
                records.c.block_number <= up_to,
                records.c.member == member,
                records.c.kind == RecordKind.ANCHOR,
            )
        )
        with self._database.read("count anchors") as connection:
            return connection.execute(counted).scalar_one()

    def set_finalized(self, block: FollowedBlock) -> None:
        """See the interface."""
        with self._database.write("note finality") as connection:
            before = _finalized(connection)
            if before == block:
                return
            if before is not None and block.number <= before.number:
                raise StateConflictError(
                    f"block {before.number} {before.hash.hex()} is final already, "
                    f"not {block.number} {block.hash.hex()}"
                )
            last = _followed(connection)
            if last is None or last.number < block.number:
                raise ContinuityError(f"block {block.number} was not followed to")
            if _block_at(connection, block.number) not in (None, block):
                raise ContinuityError(f"another block {block.number} was followed to")
            connection.execute(delete(finalized))
            connection.execute(insert(finalized).values(only=ONLY, **asdict(block)))

    def finalized(self) -> FollowedBlock | None:
        """See the interface."""
        with self._database.read("read finality") as connection:
            return _finalized(connection)


def _check_follows(block: FollowedBlock, last: FollowedBlock | None) -> None:
    if last is None:
        return
    if block.number <= last.number:
        raise ContinuityError(f"block {block.number} does not come after block {last.number}")
    if block.number == last.number + 1 and block.parent_hash != last.hash:
        raise ContinuityError(
            f"block {block.number} follows {block.parent_hash.hex()}, not {last.hash.hex()}"
        )


def _check_contiguous(block: FollowedBlock, new: Sequence[FollowedRecord], *, size: int) -> None:
    for index, record in enumerate(new, start=size):
        if record.index != index:
            raise ContinuityError(f"record {record.index} where {index} comes next")
        if (record.block_number, record.block_hash) != (block.number, block.hash):
            raise ContinuityError(f"record {index} names another block than {block.number}")


def _size(connection: Connection) -> int:
    # Indexes are contiguous from 0, so that the last one tells the count without a scan.
    last = connection.execute(select(func.max(records.c.index))).scalar_one_or_none()
    return 0 if last is None else last + 1


def _followed(connection: Connection) -> FollowedBlock | None:
    highest = select(blocks).order_by(blocks.c.number.desc()).limit(1)
    row = connection.execute(highest).one_or_none()
    return None if row is None else _block(row)


def _block_at(connection: Connection, number: int) -> FollowedBlock | None:
    row = connection.execute(select(blocks).where(blocks.c.number == number)).one_or_none()
    return None if row is None else _block(row)


def _finalized(connection: Connection) -> FollowedBlock | None:
    row = connection.execute(select(finalized)).one_or_none()
    return None if row is None else _block(row)


def read_records(
    connection: Connection, *conditions: Any, limit: int | None = None
) -> list[FollowedRecord]:
    """Give the records that meet all of ``conditions``, in order."""
    listing = select(records).where(*conditions).order_by(records.c.index).limit(limit)
    return [_record(row) for row in connection.execute(listing)]


def _record_row(record: FollowedRecord) -> dict[str, Any]:
    fields = parse_record(record.record)
    searchable = {"kind": int(fields.kind), "member": fields.member, "root": fields.root}
    return {**asdict(record), **searchable}


def _block(row: Row[Any]) -> FollowedBlock:
    return FollowedBlock(row.number, Hash32(row.hash), Hash32(row.parent_hash), row.timestamp)


def _record(row: Row[Any]) -> FollowedRecord:
    return FollowedRecord(
        index=row._mapping["index"],  # noqa: SLF001 - ``index`` is a method of a row
        record=row.record,
        block_number=row.block_number,
        block_hash=Hash32(row.block_hash),
        tx_hash=Hash32(row.tx_hash),
        transaction_index=row.transaction_index,
        log_index=row.log_index,
        change=row.change,
    )
