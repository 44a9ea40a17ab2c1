"""Submitting and fetching receipts, against a node whose answers stand still."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testamur.cli.disk import Disk
from tests.cli.running import Run
from tests.cli.test_commit import LEDGER, diploma, sidecars, temporaries, trust_file
from tests.support.canned_server import CannedServer, reply


@pytest.fixture
def committed(testamur: Run, tmp_path: Path) -> tuple[Path, str]:
    """Give a committed file and its entry."""
    file = diploma(tmp_path)
    trust = ("--trust", trust_file(tmp_path), "--member", 1)
    (row,) = testamur("commit", file, *trust, "--json").rows
    return file, row["entry"]


def node(entry: str, state: str) -> dict[str, bytes]:
    own = {"ledger_id": LEDGER.hex(), "member": 1}
    return {
        "/v1/ledger": reply(json.dumps(own).encode()),
        "/v1/entries": reply(b'{"added": 1, "known": 0}', "202 Accepted"),
        f"/v1/entries/{entry}": reply(json.dumps({"state": state}).encode()),
        f"/v1/receipts/{entry}": reply(b"{}", "202 Accepted"),
    }


def test_sidecars_that_are_left_out_have_not_failed(
    testamur: Run, committed: tuple[Path, str]
) -> None:
    file, entry = committed
    (made,) = sidecars(file.parent)
    with CannedServer(node(entry, "queued")) as server:
        done = testamur("submit", file, made, "--node", server.url)
        assert (done.code, done.err) == (0, "1 submitted, 0 were already, 0 failed.\n")
        done = testamur("submit", file, made, file.parent / "none", "--node", server.url)
        assert (done.code, done.err.splitlines()[-1]) == (
            2,
            "1 submitted, 0 were already, 1 failed.",
        )
        for name in ("submit", "receipt"):
            done = testamur(name, made, "--node", server.url)
            assert (done.code, done.out) == (2, "")
            assert "there is no file to" in done.err


@pytest.mark.parametrize("wait", ["nan", "inf", "-inf", "-1", "1e999"])
def test_a_wait_that_is_no_time_is_refused(
    testamur: Run, committed: tuple[Path, str], wait: str
) -> None:
    file, entry = committed
    with CannedServer(node(entry, "queued")) as server:
        done = testamur("receipt", file, "--node", server.url, f"--wait={wait}")
    assert done.code == 2
    assert "a number of seconds" in done.err
    assert server.asked == []


@pytest.mark.parametrize("state", ["queued", "sealed", "submitted"])
def test_without_a_receipt_no_path_of_one_is_shown(
    testamur: Run, committed: tuple[Path, str], state: str
) -> None:
    file, entry = committed
    with CannedServer(node(entry, state)) as server:
        done = testamur("receipt", file, "--node", server.url)
        (row,) = testamur("receipt", file, "--node", server.url, "--json").rows
    assert done.code == 3
    assert done.out == f"{state:<9}  {file}: no receipt yet\n"
    assert (row["state"], row["receipt"]) == (state, None)
    assert f"/v1/receipts/{entry}" not in server.asked


def test_while_it_waits_only_the_state_is_asked_for(
    testamur: Run, committed: tuple[Path, str]
) -> None:
    file, entry = committed
    with CannedServer(node(entry, "anchored")) as server:
        done = testamur("receipt", file, "--node", server.url, "--wait", 0.9)
    assert done.code == 3
    assert server.asked.count(f"/v1/entries/{entry}") >= 2  # once at least before the last look
    assert server.asked[-1] == f"/v1/receipts/{entry}"
    assert server.asked.count(f"/v1/receipts/{entry}") == 1


def test_a_file_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    disk, target = Disk(), tmp_path / "target"
    for content in (b"first", b"second"):
        disk.replace(disk.write_temporary(tmp_path, content), target)
        assert target.read_bytes() == content
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        disk.replace(disk.write_temporary(tmp_path, b"third"), tmp_path / "folder")
    assert temporaries(tmp_path) == []
