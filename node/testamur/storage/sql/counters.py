"""Numbers that are kept, because counting the rows each time would take longer with each row."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from testamur.storage.sql.tables import counters

ACCEPTED: Final = "accepted"
"""Entries ever added to the queue."""
SEALED: Final = "sealed"
"""Entries that left it for a sealed batch; the difference waits."""


# Made once: to build a statement costs more than to execute it.
_VALUE: Final = select(counters.c.value).where(counters.c.name == bindparam("counter"))
_RAISE: Final = (
    update(counters)
    .where(counters.c.name == bindparam("counter"))
    .values(value=counters.c.value + bindparam("by"))
)


def read_counter(connection: Connection, name: str) -> int:
    """Give a counter, 0 before it was first raised."""
    return connection.execute(_VALUE, {"counter": name}).scalar_one_or_none() or 0


def raise_counter(connection: Connection, name: str, by: int) -> None:
    """Raise a counter, in the transaction of what it counts."""
    if not connection.execute(_RAISE, {"counter": name, "by": by}).rowcount:
        connection.execute(insert(counters).values(name=name, value=by))
