"""``testamur check`` on a database that is damaged: something does not fit, and no try helps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from testamur.errors import StoreDamagedError
from testamur.storage.sql.database import DATABASE_NAME
from testamur.storage.sql.store import open_store
from tests.cli.running import Run
from tests.support.damage import lose_page, rename_in_schema
from tests.support.stored import IDENTITY


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the data directory of a node that has started."""
    with open_store(tmp_path / "data") as store:
        store.bind_identity(IDENTITY)
    return tmp_path / "data"


def test_a_sound_database_is_well(testamur: Run, data: Path) -> None:
    done = testamur("check", "--data-dir", data)
    assert (done.code, "all is well" in done.out) == (0, True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"rubbish" * 1000),
        lambda path: lose_page(path, "entries"),
        lambda path: rename_in_schema(path, b"entries", b"entr{\xf2s"),
    ],
    ids=["no database", "a page", "the schema"],
)
def test_a_damaged_database_does_not_fit(
    testamur: Run, data: Path, damage: Callable[[Path], None]
) -> None:
    damage(data / DATABASE_NAME)
    done = testamur("check", "--data-dir", data)
    assert (done.code, done.out) == (1, "")
    assert "[store_damaged]" in done.err
    assert StoreDamagedError.advice in done.err
    assert "Check disk space" not in done.err
    done = testamur("check", "--data-dir", data, "--json")
    assert done.code == 1
    (row,) = done.rows
    assert (row["file"], row["error"]["code"]) == (str(data), "store_damaged")


def test_a_directory_that_is_in_use_says_nothing_of_its_data(testamur: Run, data: Path) -> None:
    with open_store(data):
        assert testamur("check", "--data-dir", data).code == 3
