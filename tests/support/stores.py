"""The stores that have to pass the conformance suite; a new one adds a line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from testamur.storage.interface import Store
from testamur.storage.sql.store import open_store

IMPLEMENTATIONS: Final[dict[str, Callable[[Path], Store]]] = {"sqlite": open_store}
"""How each one opens the data in a directory."""
