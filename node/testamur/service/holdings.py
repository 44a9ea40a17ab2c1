"""Which batch holds an entry of a member, among all that this node holds: its own and replicas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from testamur.errors import UnknownEntryError
from testamur.merkle.hashing import Hash32
from testamur.storage.interface import Store
from testamur.storage.model import EntryState


class Absence(Enum):
    """Why no batch can be named that holds an entry."""

    WAITING = "waiting"
    """It was submitted here, and is not sealed yet."""
    NOT_FOUND = "not_found"
    """It stands in no batch of the member, and all of them are held here."""


@dataclass(frozen=True, slots=True)
class NotHeld:
    """An entry stands in no batch that is held here, but the member has others."""

    lacking: int
    """How many of the member's anchored batches this node lacks."""


class Holdings:
    """Finds entries. May be used from any thread."""

    def __init__(self, store: Store, *, member: int) -> None:
        """Look up what the node of ``member`` holds."""
        self._store = store
        self._member = member

    def lacking(self, member: int) -> int:
        """Count the batches that ``member`` anchored and that are not held here.

        Takes time linear in the anchors of ``member``.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        return self._store.replication(member).lacking

    def find(
        self, member: int, entry: Hash32, *, lacking: Callable[[int], int]
    ) -> Hash32 | Absence | NotHeld:
        """Give the root of a batch of ``member`` that is held here and has ``entry``.

        ``lacking`` gives what :meth:`lacking` does, or gave before: ``NOT_FOUND`` speaks of every
        batch that ``member`` had anchored when that was counted, because what is held is never
        given up. Padding of this node's member is never found.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        found = self._find(member, entry)
        if found is not None:
            return found
        count = lacking(member)
        if count:
            return NotHeld(count)
        # Looked up once more: the last of the batches may have come between the two questions.
        return self._find(member, entry) or Absence.NOT_FOUND

    def _find(self, member: int, entry: Hash32) -> Hash32 | Absence | None:
        own = self._submitted(entry) if member == self._member else None
        if own is not None and own.state in {"anchored", "final"}:
            return own.batch
        # After the loss of a disk it may stand in a batch that was fetched back, also where it
        # was submitted again since and waits once more.
        try:
            return self._store.find_replica(entry, member).root
        except UnknownEntryError:
            return None if own is None else own.batch or Absence.WAITING

    def _submitted(self, entry: Hash32) -> EntryState | None:
        try:
            return self._store.find_entry(entry)
        except UnknownEntryError:
            return None
