"""A store that counts what it is asked, for what should not be asked twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

from testamur.storage.interface import Store


class CountedStore:
    """A store whose methods are all passed through, and counted by name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.calls[name] += 1
        return getattr(self._store, name)
