"""The operator log in SQL: lines that are appended, and submissions that are counted first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import rfc8785
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from testamur.credentials import strict_json
from testamur.errors import CredentialError, OperatorLogError, StateConflictError
from testamur.ledger.operator_log import Act, Actor, LogLine, origin, parse_actor, parse_line
from testamur.merkle.hashing import Hash32
from testamur.storage.sql.database import Database
from testamur.storage.sql.tables import identity, operator_log, submission_counts

MINUTE_SECONDS: Final = 60
LINE_BYTES_MAX: Final = 64 * 1024

_COUNTS: Final = submission_counts.c
_COUNT: Final = (
    update(submission_counts)
    .where(bindparam("now") == _COUNTS.minute, bindparam("by") == _COUNTS.actor)
    .values(
        requests=_COUNTS.requests + 1,
        added=_COUNTS.added + bindparam("new"),
        known=_COUNTS.known + bindparam("old"),
    )
)


class SqlOperatorLog:
    """Implements :class:`testamur.storage.interface.OperatorLog`."""

    _database: Database

    def record_act(self, act: Act, /) -> None:
        """See the interface."""
        with self._database.write("record an act") as connection:
            newest = _newest(connection)
            if newest is None or newest.act != act:
                append(connection, act)
        # A crash before the caller goes on leaves an act on record that was not carried through,
        # or was carried through and not answered; the log says what was undertaken.

    def settle_submissions(self, *, before: int) -> None:
        """See the interface."""
        with self._database.read("look for counts") as connection:
            if not _is_due(connection, before):
                return
        with self._database.write("settle counts") as connection:
            settle(connection, before)
        # The lines and the removal of the counts are one transaction: nothing is counted twice.

    def log_lines(self, *, start: int = 0, limit: int = 100) -> Sequence[LogLine]:
        """See the interface."""
        wanted = (
            select(operator_log.c.line)
            .where(operator_log.c.index >= start)
            .order_by(operator_log.c.index)
            .limit(limit)
        )
        with self._database.read("read the operator log") as connection:
            return [_read(line) for line in connection.execute(wanted).scalars()]

    def log_end(self) -> tuple[int, Hash32 | None]:
        """See the interface."""
        with self._database.read("read the operator log") as connection:
            count = connection.execute(select(func.count()).select_from(operator_log)).scalar_one()
            newest = _newest(connection)
        return count, None if newest is None else newest.hash()


def append(connection: Connection, act: Act) -> None:
    """Append an act, in the transaction of what it records, after the counts that are due.

    Raises:
        StateConflictError: the store is not bound to a ledger.
    """
    settle(connection, act.time)
    _append(connection, act)


def count_submission(connection: Connection, by: Actor, *, at: int, added: int, known: int) -> None:
    """Count a submission in its transaction; the line comes when its minute is over."""
    minute, actor = at // MINUTE_SECONDS, rfc8785.dumps(by.to_json()).decode()
    counts = {"now": minute, "by": actor, "new": added, "old": known}
    counted = connection.execute(_COUNT, counts)
    if counted.rowcount:
        return
    row = {"minute": minute, "actor": actor, "requests": 1, "added": added, "known": known}
    connection.execute(insert(submission_counts).values(row))
    # The first of its minute: those before it wait no longer for being bound into the chain.
    if is_bound(connection):
        settle(connection, at)


def is_bound(connection: Connection) -> bool:
    """Whether the store is bound to a ledger, so that there is a log."""
    return connection.execute(select(identity.c.only)).first() is not None


def settle(connection: Connection, before: int) -> None:
    """Turn the counts of minutes that ended by ``before`` into lines."""
    due = submission_counts.c.minute < before // MINUTE_SECONDS
    rows = connection.execute(
        select(submission_counts)
        .where(due)
        .order_by(submission_counts.c.minute, submission_counts.c.actor)
    ).all()
    for row in rows:
        details = {
            "minute": row.minute * MINUTE_SECONDS,
            "requests": row.requests,
            "added": row.added,
            "known": row.known,
        }
        _append(
            connection,
            Act(parse_actor(json.loads(row.actor)), "entries_submitted", before, details),
        )
    if rows:
        connection.execute(delete(submission_counts).where(due))


def _append(connection: Connection, act: Act) -> None:
    newest = _newest(connection)
    if newest is None:
        line = LogLine(0, _origin(connection), act)
    else:
        line = LogLine(newest.index + 1, newest.hash(), act)
    connection.execute(insert(operator_log).values(index=line.index, line=line.encode()))


def _newest(connection: Connection) -> LogLine | None:
    newest = select(operator_log.c.line).order_by(operator_log.c.index.desc()).limit(1)
    line = connection.execute(newest).scalar_one_or_none()
    return None if line is None else _read(line)


def _read(line: object) -> LogLine:
    # SQLite gives back what was put in: a line that was edited by hand comes as text.
    if not isinstance(line, bytes):
        raise OperatorLogError("a line in the store is not bytes, as a node writes it")
    try:
        return parse_line(strict_json.parse(line, bytes_max=LINE_BYTES_MAX))
    except CredentialError as exc:
        raise OperatorLogError("a line in the store is not strict JSON") from exc


def _is_due(connection: Connection, before: int) -> bool:
    due = submission_counts.c.minute < before // MINUTE_SECONDS
    return (
        connection.execute(select(submission_counts.c.minute).where(due).limit(1)).first()
        is not None
    )


def _origin(connection: Connection) -> Hash32:
    bound = connection.execute(select(identity.c.ledger_id, identity.c.member)).one_or_none()
    if bound is None:
        raise StateConflictError("the operator log begins when the node has started once")
    return origin(Hash32(bound.ledger_id), bound.member)
