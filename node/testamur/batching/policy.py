"""When a batch is sealed, and how large it gets; pure."""

from __future__ import annotations

from dataclasses import dataclass

from testamur.storage.batch_format import ENTRIES_MAX
from testamur.storage.model import QueueState


@dataclass(frozen=True, slots=True)
class SealingLimits:
    """What an operator sets. Whoever controls these can delay registration, or make it dear."""

    batch_entries_max: int = 2**18
    """Most entries of one batch. Larger ones save gas and cost memory; at most 2^32."""
    seal_at_count: int = 2**16
    """Seal as soon as this many entries wait. Lower: more batches, more gas."""
    seal_after_seconds: int = 60
    """Seal when the oldest entry has waited this long. Lower: quicker registration, more gas."""
    floor: int = 16
    """Pad smaller batches to this many entries, so that a batch of one does not put one person's
    leaf on chain. 0 or 1: no padding."""

    def __post_init__(self) -> None:
        if not 1 <= self.batch_entries_max <= ENTRIES_MAX:
            raise ValueError(f"batch_entries_max is {self.batch_entries_max}")
        if not 0 <= self.floor <= self.batch_entries_max:
            raise ValueError(f"floor is {self.floor}, a batch holds {self.batch_entries_max}")
        if self.seal_at_count < 1 or self.seal_after_seconds < 0:
            raise ValueError("seal_at_count is at least 1, seal_after_seconds at least 0")


def should_seal(queue: QueueState, now: int, limits: SealingLimits) -> bool:
    """Say whether it is time: enough entries wait, or one has waited long enough.

    ``now`` is in Unix seconds. A clock that was set back makes entries look younger than they
    are, down to being of the future; those are sealed at once rather than after the time has
    passed a second time.
    """
    if queue.count == 0 or queue.oldest_submitted_at is None:
        return False
    if queue.count >= limits.seal_at_count:
        return True
    waited_seconds = now - queue.oldest_submitted_at
    return waited_seconds < 0 or waited_seconds >= limits.seal_after_seconds


def padding_count(entries: int, limits: SealingLimits) -> int:
    """Say how much padding a batch of that many submitted entries needs."""
    return max(0, limits.floor - entries)
