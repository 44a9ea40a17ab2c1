"""Taking submissions: on whose behalf, within which limits, durable before it is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from testamur.errors import DiskLowError
from testamur.ledger.operator_log import Actor
from testamur.merkle.hashing import Hash32
from testamur.storage.interface import Store
from testamur.storage.model import AddResult
from testamur.storage.tokens import Terms

QUEUE_RETRY_SECONDS: Final = 30
"""When to come back to a full queue: by then a batch is sealed, if anything is."""
DISK_RETRY_SECONDS: Final = 300
"""When to come back to a full disk: somebody has to make room first."""


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """How much a node takes."""

    submission_entries_max: int
    """Entries in one submission."""
    queue_entries_max: int
    """Entries that may wait to be sealed."""
    disk_free_bytes_min: int
    """With less free space in the data directory nothing new is taken."""
    open: bool
    """Whether whoever reaches the node may submit without a token."""


class Intake:
    """The node's way in. May be used from any thread."""

    def __init__(
        self,
        store: Store,
        *,
        limits: IntakeLimits,
        clock: Callable[[], float],
        free_bytes: Callable[[], int],
    ) -> None:
        """Put entries into ``store``; ``free_bytes`` tells what its disk has left."""
        self._store = store
        self._clock = clock
        self._free_bytes = free_bytes
        self.limits = limits

    def submit(self, entries: Sequence[Hash32], by: Actor) -> AddResult:
        """Take entries into the queue, all or none; durable when it returns, idempotent.

        Raises:
            DiskLowError: the disk is nearly full. What was acknowledged has to be sealed on it.
            QuotaExceededError, QueueFullError: as of the store.
            TokenInvalidError: the token was revoked while the entries were on their way.
            StoreUnavailableError: whether they were taken is unknown; submit them again.
        """
        if self._free_bytes() < self.limits.disk_free_bytes_min:
            raise DiskLowError("the node's disk is nearly full", DISK_RETRY_SECONDS)
        terms = Terms(by, self.limits.queue_entries_max, QUEUE_RETRY_SECONDS)
        return self._store.add_entries(entries, submitted_at=int(self._clock()), terms=terms)
