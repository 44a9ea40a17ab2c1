"""The stores that have to pass the conformance suite; a new one adds a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testamur.storage.interface import Store
from testamur.storage.sql.store import open_store

OpenStore = Callable[[], Store]

IMPLEMENTATIONS: dict[str, Callable[[Path], Store]] = {"sqlite": open_store}


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Give a function that opens the same data anew, closing what it opened before."""
    opened: list[Store] = []

    def close_all() -> None:
        while opened:
            opened.pop().close()

    def open_again() -> Store:
        close_all()
        opened.append(IMPLEMENTATIONS[request.param](tmp_path / "data"))
        return opened[-1]

    yield open_again
    close_all()


@pytest.fixture
def store(reopen: OpenStore) -> Store:
    """Give an empty store."""
    return reopen()
