"""``testamur log``: what it prints, and that it says where the chain breaks."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from testamur.ledger.operator_log import ANYONE, COMMAND_LINE, NODE, Act
from testamur.storage.sql.database import DATABASE_NAME
from testamur.storage.sql.store import open_store
from testamur.storage.tokens import Terms
from tests.cli.running import Run
from tests.support.stored import IDENTITY, a_token, digest, some_entries


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the data directory of a node with four lines in its log."""
    with open_store(tmp_path / "data") as store:
        store.bind_identity(IDENTITY)
        store.record_act(Act(NODE, "node_started", 60, {"version": "1", "unsafe": ("host",)}))
        store.put_token(a_token(created_at=61), digest("secret"), by=COMMAND_LINE)
        store.add_entries(some_entries(3), submitted_at=62, terms=Terms(ANYONE, 99, 1))
        store.settle_submissions(before=120)
        store.record_act(Act(NODE, "node_stopped", 121, {"failed": None}))
    return tmp_path / "data"


def alter(data: Path, statement: str) -> None:
    with closing(sqlite3.connect(data / DATABASE_NAME)) as raw, raw:
        assert raw.execute(statement).rowcount


def test_the_log_is_printed_for_people_with_the_newest_hash(testamur: Run, data: Path) -> None:
    result = testamur("log", "--data-dir", data)
    assert result.code == 0
    lines = [line.split("  ") for line in result.out.splitlines()]
    assert [line[-2] for line in lines] == [
        "node_started",
        "token_created",
        "entries_submitted",
        "node_stopped",
    ]
    assert "1970-01-01 00:01:00Z  node  node_started  unsafe host, version 1" in result.out
    with open_store(data) as store:
        count, newest = store.log_end()
    assert newest is not None
    assert f"{count} lines" in result.err
    assert newest.hex() in result.err
    for entry in some_entries(3):
        assert entry.hex() not in result.out + result.err


def test_the_log_as_json_is_its_lines_with_their_hashes(testamur: Run, data: Path) -> None:
    rows = testamur("log", "--data-dir", data, "--json").rows
    with open_store(data) as store:
        lines = store.log_lines()
    assert rows == [line.to_json() | {"hash": line.hash().hex()} for line in lines]


@pytest.mark.parametrize(
    ("statement", "whole"),
    [
        ("""UPDATE operator_log SET line = CAST(replace(line, 'LMS', 'LMX') AS BLOB)
            WHERE "index" = 1""", 2),
        ("""DELETE FROM operator_log WHERE "index" = 0""", 0),
        ("""DELETE FROM operator_log WHERE "index" = 2""", 2),
        ("""UPDATE operator_log SET line = x'7b7d' WHERE "index" = 3""", 0),
        ("""UPDATE operator_log SET line = x'00' WHERE "index" = 3""", 0),
        ("UPDATE operator_log SET line = replace(line, 'LMS', 'LMX')", 0),
        ("UPDATE identity SET member = 8", 0),
    ],
)  # fmt: skip
def test_where_the_chain_breaks_is_told(
    testamur: Run, data: Path, statement: str, whole: int
) -> None:
    alter(data, statement)
    for more in ((), ("--json",)):
        result = testamur("log", "--data-dir", data, *more)
        assert result.code == 1
        assert "operator_log" in result.err
        assert f"The {whole} lines before it are whole." in result.err
    assert testamur("check", "--data-dir", data).code == 1
    found = testamur("check", "--data-dir", data, "--json").rows[0]["problems"]
    assert [one["subject"] for one in found if one["code"] == "operator_log"] == [f"line {whole}"]


def test_a_log_that_was_cut_off_shows_only_by_a_hash_that_was_noted(
    testamur: Run, data: Path
) -> None:
    before = re.findall(r"[0-9a-f]{64}", testamur("log", "--data-dir", data).err)
    alter(data, """DELETE FROM operator_log WHERE "index" = 3""")
    result = testamur("log", "--data-dir", data)
    assert result.code == 0
    assert before != re.findall(r"[0-9a-f]{64}", result.err)


def test_a_node_that_never_started_has_no_log(testamur: Run, tmp_path: Path) -> None:
    open_store(tmp_path / "new").close()
    result = testamur("log", "--data-dir", tmp_path / "new")
    assert (result.code, "never started" in result.err) == (2, True)
    with open_store(tmp_path / "new") as store:
        store.bind_identity(IDENTITY)
    result = testamur("log", "--data-dir", tmp_path / "new")
    assert (result.code, result.out, "is empty" in result.err) == (0, "", True)
    result = testamur("log")
    assert (result.code, "--data-dir" in result.err) == (2, True)
