"""The wish of a person that what waits be sealed now, handed from HTTP to the stage that seals."""

from __future__ import annotations

import threading


class SealRequest:
    """How many entries are to be sealed without waiting. May be used from any thread.

    Kept in memory alone: after a crash the entries are sealed by age or count, as always, or the
    wish is repeated.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0

    def ask(self, wanted: int) -> None:
        """Ask that the oldest ``wanted`` (0 or more) entries be sealed now; or ask again.

        Not "whatever waits": a stream of submissions would then be cut into many small batches.
        """
        with self._lock:
            self._wanted = max(self._wanted, wanted)

    def take(self) -> int:
        """Give what was asked for, and forget it; 0 where nobody asked."""
        with self._lock:
            wanted, self._wanted = self._wanted, 0
            return wanted
