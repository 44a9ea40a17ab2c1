"""How long to leave alone what has failed: longer each time, and forgotten when it works again."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

FIRST_SECONDS: Final = 2.0
"""Pause after the first failure; it doubles with each one."""

LONGEST_SECONDS: Final = 900.0
"""No pause is longer: what was down for days is noticed within a quarter of an hour."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class _Pause:
    failures: int
    until: float


class Backoff(Generic[Key]):
    """Remembers failures in memory; after a restart everything is tried at once."""

    def __init__(self) -> None:
        self._pauses: dict[Key, _Pause] = {}

    def is_due(self, key: Key, now: float) -> bool:
        """Whether it may be tried; ``now`` in seconds of a clock that never goes back."""
        pause = self._pauses.get(key)
        return pause is None or now >= pause.until

    def failed(self, key: Key, now: float) -> bool:
        """Note a failure; True when it is the first in a row, which is the one to tell of."""
        pause = self._pauses.setdefault(key, _Pause(0, now))
        pause.until = now + min(FIRST_SECONDS * 2**pause.failures, LONGEST_SECONDS)
        pause.failures = min(pause.failures + 1, 32)
        return pause.failures == 1

    def worked(self, key: Key) -> bool:
        """Forget the failures; True when there were some."""
        return self._pauses.pop(key, None) is not None
