"""A store of each implementation, opened, and opened again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testamur.storage.interface import Store
from tests.support.stores import IMPLEMENTATIONS

OpenStore = Callable[[], Store]


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
