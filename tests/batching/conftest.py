"""A store, its files, and a sealer over them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.interface import Store
from testamur.storage.sql.store import open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give an empty store."""
    with open_store(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> LocalBatchFiles:
    """Give the store's batch files."""
    return LocalBatchFiles(tmp_path / "data" / "batches")
