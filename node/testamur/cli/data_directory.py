"""A node's data directory, opened by a command while the node is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.errors import ConfigurationError

if TYPE_CHECKING:
    from testamur.storage.interface import Store


@contextmanager
def opened_store(data_dir: Path) -> Iterator[Store]:
    """Open the store of a node, and close it at the end.

    Raises:
        ConfigurationError: no node ever used this directory.
        StoreLockedError: the node is running.
        StoreDamagedError: its database is damaged.
        StoreUnavailableError: it cannot be opened.
    """
    from testamur.storage.sql.database import DATABASE_NAME  # noqa: PLC0415 (slow to import)
    from testamur.storage.sql.store import open_store  # noqa: PLC0415

    if not (data_dir / DATABASE_NAME).is_file():
        raise ConfigurationError(f"{data_dir} is not a node's data directory")
    with open_store(data_dir) as store:
        yield store
