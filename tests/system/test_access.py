"""Tokens and the operator log by the commands alone, on a node that runs as a process."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import EXAMPLES, Consortium
from tests.support.processes import node_process, run
from tests.support.waiting import wait_until


def rows(*arguments: object, token: str | None = None) -> list[dict[str, Any]]:
    done = run(*arguments, "--json", given={} if token is None else {"TESTAMUR_TOKEN": token})
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def acts(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["act"], one["actor"].get("name", one["actor"]["kind"])) for one in lines]


@pytest.mark.slow  # a dozen processes
def test_from_the_first_token_to_the_log_of_a_node_that_was_killed(
    consortium: Consortium, tmp_path: Path
) -> None:
    config = consortium.write_config(1, open_submission=False)
    data = config.parent / "data"
    file = tmp_path / "mine.pdf"
    shutil.copy(next(EXAMPLES.glob("*.pdf")), file)
    with node_process(config) as node:
        wait_until(node.ready, 20)
        assert all(line.get("setting") != "open_submission" for line in node.log)
        assert run("commit", file, "--node", node.url).returncode == 0
        refused = run("submit", file, "--node", node.url)
        assert refused.returncode == 2
        assert "TESTAMUR_TOKEN" in refused.stderr
        locked = run("token", "list", "--data-dir", data)
        assert (locked.returncode, "store_locked" in locked.stderr) == (3, True)
        assert node.stop() == 0

    made = ("token", "create", "--data-dir", data)
    (admin,) = rows(*made, "--name", "Head", "--scope", "admin", "--scope", "audit")
    with node_process(config) as node:
        wait_until(node.ready, 20)
        at = ("--node", node.url)
        create = ("token", "create", *at, "--name", "LMS", "--scope", "submit", "--expires", "9d")
        (lms,) = rows(*create, token=admin["token"])
        assert lms["expires_at"] - lms["created_at"] == 9 * 86_400
        secret = tmp_path / "token"
        secret.touch(mode=0o600)
        secret.write_text(lms["token"] + "\n")
        assert run("submit", file, *at, "--token-file", secret).returncode == 0
        assert rows("submit", file, *at, token=lms["token"])[0]["submitted"]
        named = [one["name"] for one in rows("token", "list", *at, token=admin["token"])]
        assert named == ["Head", "LMS"]
        (revoked,) = rows("token", "revoke", "LMS", *at, token=admin["token"])
        assert revoked["revoked_at"] >= revoked["created_at"]
        late = run("submit", file, *at, given={"TESTAMUR_TOKEN": lms["token"]})
        assert (late.returncode, "node_refused" in late.stderr) == (2, True)
        told = rows("log", *at, token=admin["token"])
        assert rows("log", *at, token=admin["token"])[: len(told)] == told
        node.process.send_signal(signal.SIGKILL)
        node.process.wait(20)
        shown = "".join(node.lines) + late.stderr
        for text in (admin["token"], lms["token"]):
            assert text.split("_")[2] not in shown

    with node_process(config) as node:
        assert node.stop() == 0
    whole = rows("log", "--data-dir", data)
    assert whole[: len(told)] == told
    assert [one for one in acts(whole) if one[0] not in {"batch_sealed", "entries_submitted"}] == [
        ("node_started", "node"),
        ("node_stopped", "node"),
        ("token_created", "command line"),
        ("node_started", "node"),
        ("token_created", "Head"),
        ("token_revoked", "Head"),
        ("node_started", "node"),
        ("node_stopped", "node"),
    ]
    counted = [one["details"] for one in whole if one["act"] == "entries_submitted"]
    assert sum(one["added"] for one in counted) == 1
    assert sum(one["known"] for one in counted) == 1
    assert run("check", "--data-dir", data).returncode == 0


@pytest.mark.slow  # a process
def test_an_open_node_says_so_at_each_start_and_in_its_log(consortium: Consortium) -> None:
    config = consortium.write_config(1)
    warned: list[list[str]] = []
    for _ in range(2):
        with node_process(config) as node:
            assert node.stop() == 0
        said = [line for line in node.log if line["event"] == "unsafe setting"]
        assert {line["level"] for line in said} == {"warning"}
        warned.append([line["setting"] for line in said])
    assert all("open_submission" in names for names in warned)
    lines = rows("log", "--data-dir", config.parent / "data")
    assert [one["details"]["unsafe"] for one in lines if one["act"] == "node_started"] == warned
