"""``testamur issue``: from a folder of files to bundles, stopped and gone on at any point."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testamur.cli.disk import TEMPORARY_PREFIX, Disk
from testamur.cli.issue_list import OWN_COLUMNS
from testamur.credentials import locator
from testamur.credentials.locator import Locator
from testamur.ledger.bundle import parse_bundle
from testamur.ledger.operator_log import COMMAND_LINE
from testamur.merkle.hashing import Hash32
from testamur.service.access import TokenRequest
from tests.cli.faulty_disk import FaultyDisk
from tests.cli.running import Result, Run, runner
from tests.support.node import Consortium, HttpNode, founded
from tests.support.unreliable_proxy import BUSY_SECONDS, UnreliableProxy

pytestmark = pytest.mark.slow  # nodes with a chain of their own; together a quarter of a minute

STATES = ("queued", "sealed", "submitted", "anchored", "final")


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with founded(tmp_path_factory.mktemp("issue")) as consortium, consortium.serving(1) as node:
        node.step("following")
        yield consortium


@pytest.fixture
def node(consortium: Consortium) -> HttpNode:
    return consortium.nodes[1]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Run:
    run = runner(capsys)

    def with_fresh_salts(*arguments: object, **named: Any) -> Result:
        return run(*arguments, **({"random_bytes": os.urandom} | named))

    return with_fresh_salts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with three files, of which no two are alike in any test."""
    path = tmp_path / "credentials"
    path.mkdir()
    for name in ("a.pdf", 'b, "c".pdf', "ü.json"):
        (path / name).write_bytes(b'{"made": "%s"}' % os.urandom(8).hex().encode())
    return path


def rows(folder: Path) -> list[dict[str, str]]:
    text = (folder / "issued.csv").read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def column(folder: Path, name: str) -> list[str]:
    return [row[name] for row in rows(folder)]


def bring(consortium: Consortium, node: HttpNode, folder: Path, state: str) -> None:
    """Bring the entries of issued.csv to that state."""
    for entry in filter(None, column(folder, "entry")):
        consortium.bring(node, bytes.fromhex(entry), state)


def assert_bundles_verify(node: HttpNode, folder: Path) -> None:
    """Check that every bundle that issued.csv names verifies, and that there is no other."""
    named = {folder / row["bundle"] for row in rows(folder) if row["bundle"]}
    assert named == set(folder.rglob("*.testamur.zip"))
    for row in rows(folder):
        if row["bundle"]:
            content = (folder / row["bundle"]).read_bytes()
            answer = node.http.post("/v1/verify", files={"file": (row["bundle"], content)})
            assert answer.json()["outcome"] == "accept", answer.text
            receipt = json.loads(parse_bundle(content).receipt_bytes)
            assert receipt["entry"] == row["entry"]
            assert receipt["record"]["root"] == row["batch"]


def made_at(folder: Path) -> dict[Path, tuple[int, int]]:
    """Tell files that were written anew from those that were not."""
    found = [path for path in folder.iterdir() if ".testamur." in path.name]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def assert_nothing_hidden(folder: Path) -> None:
    assert list(folder.rglob(f"{TEMPORARY_PREFIX}*")) == []


def test_each_step_stands_in_issued_csv_until_there_are_bundles(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path
) -> None:
    names = ["a.pdf", 'b, "c".pdf', "ü.json"]
    (folder / 'b, "c".pdf').rename(folder / "b, c.pdf")  # a bundle takes no quotation marks
    names[1] = "b, c.pdf"
    arguments = ("issue", folder, "--node", node.url, "--wait", 0)
    for state in STATES[:-1]:
        if state != "queued":
            bring(consortium, node, folder, state)
        done = command(*arguments)
        assert done.code == 3, done
        assert "3 not final yet" in done.out
        assert "Run the same command again" in done.err
        assert column(folder, "state") == [state] * 3
        assert column(folder, "path") == names
        assert column(folder, "time") == column(folder, "bundle") == [""] * 3
        assert [bool(batch) for batch in column(folder, "batch")] == [state != "queued"] * 3
        assert list(folder.glob("*.testamur.zip")) == []
    bring(consortium, node, folder, "final")
    done = command(*arguments, "--json")
    assert done.code == 0
    assert list(rows(folder)[0]) == list(OWN_COLUMNS)
    for row, told, name in zip(rows(folder), done.rows, names, strict=True):
        assert (row["path"], row["bundle"]) == (name, f"{name}.testamur.zip")
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["time"])
        assert row["error"] == ""
        assert told == {
            "file": name,
            "state": "final",
            "entry": row["entry"],
            "batch": row["batch"],
            "time": row["time"],
            "bundle": str(folder / row["bundle"]),
        }
        assert row["digest"] not in done.out + done.err
        assert stat.S_IMODE((folder / row["bundle"]).stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "issued.csv").stat().st_mode) == 0o600
    assert_bundles_verify(node, folder)
    assert_nothing_hidden(folder)


def test_what_is_done_is_not_done_again(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path
) -> None:
    with UnreliableProxy(node.url) as proxy:
        arguments = ("issue", folder, "--node", proxy.url, "--wait", 0)
        (folder / 'b, "c".pdf').unlink()
        assert command(*arguments).code == 3
        assert proxy.asked.count("POST /v1/entries") == 1
        assert command(*arguments).code == 3
        assert proxy.asked.count("POST /v1/entries") == 1
        bring(consortium, node, folder, "final")
        assert command(*arguments).code == 0
        before = made_at(folder)
        table = (folder / "issued.csv").read_bytes()
        proxy.asked.clear()
        assert command(*arguments, "--seal-now").code == 0
        assert made_at(folder) == before
        assert (folder / "issued.csv").read_bytes() == table
        assert proxy.asked == ["GET /v1/trust", "GET /v1/ledger"]
        # A file that came later is issued alone.
        (folder / "late.pdf").write_bytes(os.urandom(20))
        assert command(*arguments).code == 3
        assert proxy.asked.count("POST /v1/entries") == 1
    assert column(folder, "state") == ["final", "queued", "final"]


def test_a_lost_issued_csv_is_written_anew(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path
) -> None:
    (folder / 'b, "c".pdf').unlink()
    arguments = ("issue", folder, "--node", node.url, "--wait", 0)
    command(*arguments)
    bring(consortium, node, folder, "final")
    command(*arguments)
    table = (folder / "issued.csv").read_bytes()
    (folder / "issued.csv").unlink()
    assert command(*arguments).code == 0
    assert (folder / "issued.csv").read_bytes() == table


def test_waiting_ends_when_all_are_final(tmp_path: Path, command: Run, folder: Path) -> None:
    (folder / 'b, "c".pdf').unlink()
    with founded(tmp_path, block_interval=0.05) as consortium, consortium.serving(1) as node:
        node.step("following")
        with UnreliableProxy(node.url, change=stepping(node)) as proxy:
            done = command("issue", folder, "--node", proxy.url, "--seal-now")
            assert (done.code, column(folder, "state")) == (0, ["final"] * 2)
            # By batch, not by entry: one receipt request when queued, sealed, and final.
            assert len([path for path in proxy.asked if "receipts" in path]) <= len(STATES) + 1
        assert_bundles_verify(node, folder)


def stepping(node: HttpNode) -> Any:
    """Let the node take a step before each answer about a state."""

    def change(path: str, body: bytes) -> bytes:
        if path.startswith(("/v1/entries/", "/v1/batches")):
            node.step()
        return body

    return change


def test_a_list_names_the_files_and_its_other_columns_are_kept(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path, tmp_path: Path
) -> None:
    (folder / "=cmd.pdf").write_bytes(os.urandom(20))
    data = (
        "path;student;note\r\n"
        "credentials/a.pdf;Núñez, Zoë;=1+1\r\n"
        "credentials/=cmd.pdf;@x;'y\r\n"
        "credentials/missing.pdf;-;\r\n"
        "credentials/a.pdf;again;\r\n"
        ";nobody;\r\n"
        "credentials/a:b.pdf;colon;\r\n"
        "zero\0byte/a.pdf;zero;\r\n"
        "x;one;\r\n"
        "x;other;\r\n"
    )
    (folder / "a:b.pdf").write_bytes(os.urandom(20))
    file = tmp_path / "students.csv"
    file.write_text("\ufeff" + data, "utf-8", newline="")
    out = tmp_path / "out"
    arguments = ("issue", "--csv", file, "--out", out, "--node", node.url, "--wait", 0)
    first = command(*arguments)
    assert first.code == 2
    bring(consortium, node, out, "final")
    done = command(*arguments)
    assert done.code == 2
    table = rows(out)
    assert list(table[0]) == [*OWN_COLUMNS, "student", "note"]
    assert [row["path"] for row in table] == [
        "credentials/a.pdf",
        "credentials/=cmd.pdf",
        "credentials/missing.pdf",
        "credentials/a.pdf",
        "",
        "credentials/a:b.pdf",
        r"zero\x00byte/a.pdf",
        "x",
        "x",
    ]
    assert [row["student"] for row in table] == [
        "Núñez, Zoë", "'@x", "'-", "again", "nobody", "colon", "zero", "one", "other",
    ]  # fmt: skip
    assert [row["note"] for row in table][:2] == ["'=1+1", "''y"]
    assert [row["state"] for row in table] == ["final", "final", *["failed"] * 7]
    assert [row["error"] for row in table] == [
        *("", "", "unreadable_file", "configuration", "configuration", "bundle_name"),
        *("configuration", "unreadable_file", "configuration"),
    ]
    for name in ("missing.pdf", "a:b.pdf"):
        assert f"credentials/{name}: " in done.err
    assert "2 issued, 0 not final yet, 7 failed" in done.out
    assert [row["bundle"] for row in table][:2] == [
        "credentials/a.pdf.testamur.zip",
        "credentials/=cmd.pdf.testamur.zip",
    ]
    assert_bundles_verify(node, out)
    # Read as issued.csv itself, with the same name, the list would be written over.
    assert command("issue", "--csv", out / "issued.csv", "--node", node.url).code == 2


def test_what_is_no_credential_is_left_out(
    node: HttpNode, command: Run, folder: Path, tmp_path: Path
) -> None:
    (folder / 'b, "c".pdf').unlink()
    (folder / "below").mkdir()
    (folder / "below" / "d.pdf").write_bytes(os.urandom(20))
    (folder / "below" / ".hidden").mkdir()
    (folder / "below" / ".hidden" / "e.pdf").write_bytes(b"hidden")
    for name in (".hidden.pdf", "a.pdf.receipt.json", "x.pdf.testamur.zip"):
        (folder / name).write_bytes(b"none")
    arguments = ("issue", folder, "--node", node.url, "--wait", 0, "--out", folder / "out")
    assert command(*arguments).code == 3
    assert column(folder / "out", "path") == ["a.pdf", "ü.json"]
    for _ in range(2):
        assert command(*arguments, "--recursive").code == 3
        assert column(folder / "out", "path") == ["a.pdf", "below/d.pdf", "ü.json"]
    (tmp_path / "empty").mkdir()
    done = command("issue", tmp_path / "empty", "--node", node.url)
    assert (done.code, "no file to issue" in done.err) == (2, True)


def test_files_that_fail_stop_no_other(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path
) -> None:
    texts = [
        locator.serialise(Locator(consortium.ledger_id, 1, Hash32(os.urandom(32))))
        for _ in range(2)
    ]
    (folder / "two.pdf").write_bytes("".join(texts).encode())
    (folder / "broken.json").write_bytes(b'{"a": 1, "a": 2}')
    (folder / os.fsdecode(b"\xff.pdf")).write_bytes(b"bytes")
    (folder / "directory.pdf").mkdir()
    arguments = ("issue", folder, "--node", node.url, "--wait", 0)
    assert command(*arguments).code == 2
    bring(consortium, node, folder, "queued")
    (folder / "a.pdf").write_bytes(b"changed since")
    bring(consortium, node, folder, "final")
    done = command(*arguments, "--json")
    assert done.code == 2
    assert {row["path"]: row["error"] for row in rows(folder)} == {
        "a.pdf": "credential_changed",
        'b, "c".pdf': "bundle_name",
        "broken.json": "duplicate_key",
        "two.pdf": "several_locators",
        "ü.json": "",
        r"\xff.pdf": "bundle_name",
    }
    failed = {row["file"]: row["error"]["advice"] for row in done.rows if "error" in row}
    assert len(failed) == 5
    assert all(failed.values())
    assert [row["path"] for row in rows(folder) if row["bundle"]] == ["ü.json"]
    assert_bundles_verify(node, folder)


def test_a_file_that_changes_before_its_bundle_is_made_gets_none(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path
) -> None:
    (folder / 'b, "c".pdf').unlink()
    arguments = ("issue", folder, "--wait", 0)
    command(*arguments, "--node", node.url)
    bring(consortium, node, folder, "final")

    def change(path: str, body: bytes) -> bytes:
        if path == "/v1/receipts":  # asked for after the file was looked at
            (folder / "a.pdf").write_bytes(b"changed meanwhile")
        return body

    with UnreliableProxy(node.url, change=change) as proxy:
        done = command(*arguments, "--node", proxy.url)
    assert done.code == 2
    assert column(folder, "error") == ["credential_changed", ""]
    assert_bundles_verify(node, folder)


def test_nothing_of_somebody_else_is_written_over(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path
) -> None:
    (folder / 'b, "c".pdf').unlink()
    arguments = ("issue", folder, "--node", node.url, "--wait", 0)
    (folder / "issued.csv").write_bytes(b"path,grade\r\na.pdf,1\r\n")
    done = command(*arguments)
    assert (done.code, "move it away" in done.err) == (2, True)
    assert (folder / "issued.csv").read_bytes() == b"path,grade\r\na.pdf,1\r\n"
    assert list(folder.glob("*.testamur.json")) == []
    (folder / "issued.csv").unlink()
    other = folder / "a.pdf.testamur.zip"
    other.write_bytes(b"something else")
    assert command(*arguments).code == 2
    consortium.bring(node, bytes.fromhex(column(folder, "entry")[1]), "final")
    done = command(*arguments)
    assert (done.code, "no bundle of this credential" in done.err) == (2, True)
    assert column(folder, "error") == ["configuration", ""]
    assert other.read_bytes() == b"something else"
    # Nor is the bundle of another credential taken for that of this one.
    other.write_bytes((folder / "ü.json.testamur.zip").read_bytes())
    assert command(*arguments).code == 2
    assert column(folder, "error") == ["configuration", ""]
    assert column(folder, "bundle")[0] == ""


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("step", ["write", "publish", "replace", "sync"])
def test_a_full_disk_at_any_write_loses_nothing(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path, step: str, *, kept: bool
) -> None:
    (folder / 'b, "c".pdf').unlink()
    arguments = ("issue", folder, "--node", node.url, "--wait", 0)
    met = 0
    for spared in range(30):
        disk = FaultyDisk(step, kept=kept, spared=spared)
        done = command(*arguments, disk=disk)
        assert_bundles_are_whole(folder)
        if not disk.met:  # the run has fewer such steps
            break
        met += 1
        # Whatever it was, there is an error with advice, and nothing was called done.
        assert done.code in {2, 3}, done
        assert re.search(r"\[(sidecar_storage|unwritable_file|configuration)\]", done.err), done
        if node_knows(node, folder):
            bring(consortium, node, folder, "final")
    assert met
    bring(consortium, node, folder, "final")
    assert command(*arguments).code == 0
    assert_bundles_verify(node, folder)


def node_knows(node: HttpNode, folder: Path) -> bool:
    if not (folder / "issued.csv").exists():
        return False
    entries = list(filter(None, column(folder, "entry")))
    return bool(entries) and all(
        node.http.get(f"/v1/entries/{entry}").status_code == 200 for entry in entries
    )


def assert_bundles_are_whole(folder: Path) -> None:
    for path in folder.glob("*.testamur.zip"):
        parse_bundle(path.read_bytes())
    if (folder / "issued.csv").exists():
        for row in rows(folder):
            assert not row["bundle"] or (folder / row["bundle"]).exists()


@pytest.mark.parametrize("taken", [False, True])
def test_a_node_that_breaks_off_anywhere_is_asked_again_later(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path, *, taken: bool
) -> None:
    (folder / 'b, "c".pdf').unlink()
    with UnreliableProxy(node.url, taken=taken) as proxy:
        arguments = ("issue", folder, "--node", proxy.url, "--wait", 0, "--seal-now")
        for requests in range(20):
            proxy.requests_left, proxy.cut = requests, 0
            done = command(*arguments)
            if not proxy.cut:
                break
            assert done.code == 3
            assert "[node_unavailable]" in done.err
            if requests >= 2:
                assert len(list(folder.glob("*.testamur.json"))) == 2
        assert done.code == 3  # the node has not sealed yet
        assert column(folder, "state") == ["queued"] * 2
        bring(consortium, node, folder, "final")
        proxy.requests_left = 2
        assert command(*arguments).code == 3
        proxy.requests_left = None
        assert command(*arguments).code == 0
    assert_bundles_verify(node, folder)


def forged(path: str, body: bytes) -> bytes:
    """Give every receipt a wrong step in its path."""
    if path != "/v1/receipts":
        return body
    lines = [json.loads(line) for line in body.splitlines()]
    for line in lines:
        if line["receipt"]:
            line["receipt"]["batch"]["path"][0] = "ab" * 32
    return b"\n".join(json.dumps(line).encode() for line in lines)


def swapped(path: str, body: bytes) -> bytes:
    """Give each the receipt of the other."""
    if path != "/v1/receipts":
        return body
    lines = [json.loads(line) for line in body.splitlines()]
    receipts = [line["receipt"] for line in lines]
    for line, receipt in zip(lines, reversed(receipts), strict=True):
        line["receipt"] = receipt
    return b"\n".join(json.dumps(line).encode() for line in lines)


def rubbish(path: str, body: bytes) -> bytes:
    """Give something that is no receipt."""
    return re.sub(rb'"receipt":\{', b'"receipt":{"more":1,', body) if "receipts" in path else body


@pytest.mark.parametrize("change", [forged, swapped, rubbish])
def test_no_student_is_given_a_receipt_that_does_not_hold(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path, change: Any
) -> None:
    (folder / 'b, "c".pdf').unlink()
    arguments = ("issue", folder, "--wait", 0)
    command(*arguments, "--node", node.url)
    bring(consortium, node, folder, "final")
    with UnreliableProxy(node.url, change=change) as proxy:
        done = command(*arguments, "--node", proxy.url)
    assert done.code == 3
    assert column(folder, "error") == ["node_protocol"] * 2
    assert ("another entry" in done.err) == (change is swapped)
    assert list(folder.glob("*.testamur.zip")) == []
    assert command(*arguments, "--node", node.url).code == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda path, body: body[: len(body) // 2] if path == "/v1/receipts" else body,
        lambda path, body: body.splitlines()[0] if path == "/v1/receipts" else body,
        lambda path, body: body.replace(b"queued", b"lost") if "receipts" in path else body,
        lambda path, body: b'{"waiting": "x"}' if path == "/v1/batches" else body,
        lambda path, body: b"{}" if path == "/v1/trust" else body,
        lambda path, body: re.sub(rb'"id": ?1,', b'"id": 9,', body) if "trust" in path else body,
    ],
    ids=["cut", "lines", "state", "sealing", "trust", "member"],
)
def test_a_node_that_talks_rubbish_ends_the_run_and_the_next_goes_on(
    node: HttpNode, command: Run, folder: Path, change: Any
) -> None:
    (folder / 'b, "c".pdf').unlink()
    arguments = ("issue", folder, "--wait", 0, "--seal-now")
    with UnreliableProxy(node.url, change=change) as proxy:
        done = command(*arguments, "--node", proxy.url)
    assert (done.code, "[node_protocol]" in done.err) == (3, True)
    assert "Traceback" not in done.err
    assert command(*arguments, "--node", node.url).code == 3
    assert column(folder, "state") == ["queued"] * 2


def test_a_node_that_does_not_seal_says_so(tmp_path: Path, command: Run, folder: Path) -> None:
    (folder / 'b, "c".pdf').unlink()
    with (
        founded(tmp_path) as consortium,
        consortium.serving(1, anchor_key_file=None) as node,
    ):
        node.step("following")
        done = command("issue", folder, "--node", node.url, "--seal-now", "--wait", 0)
        assert (done.code, "[not_sealing]" in done.err) == (2, True)
        assert "Run the same command again" not in done.err
        assert column(folder, "state") == ["queued"] * 2


def test_a_node_that_takes_few_at_once_is_given_few(
    tmp_path: Path, command: Run, folder: Path
) -> None:
    (folder / 'b, "c".pdf').rename(folder / "b.pdf")
    with founded(tmp_path) as consortium, consortium.serving(1, submission_entries_max=1) as node:
        node.step("following")
        assert command("issue", folder, "--node", node.url, "--wait", 0).code == 3
        assert column(folder, "state") == ["queued"] * 3
        done = command("submit", *folder.glob("*.pdf"), "--node", node.url)
        assert (done.code, "0 submitted, 2 were already" in done.err) == (0, True)


def test_of_a_quota_as_much_is_used_as_is_left(tmp_path: Path, command: Run, folder: Path) -> None:
    (folder / 'b, "c".pdf').rename(folder / "b.pdf")
    with founded(tmp_path) as consortium, consortium.serving(1, open_submission=False) as node:
        node.step("following")
        wanted = TokenRequest("LMS", ("submit",), quota_per_day=2)
        made = node.node.service.access.create(wanted, by=COMMAND_LINE)
        file = tmp_path / "token"
        file.touch(mode=0o600)
        file.write_text(made.text)
        done = command("issue", folder, "--node", node.url, "--wait", 0, "--token-file", file)
        assert (done.code, "quota" in done.err) == (3, True)
        assert column(folder, "state") == ["queued", "queued", "committed"]


def test_a_busy_node_is_waited_for(node: HttpNode, command: Run, folder: Path) -> None:
    (folder / 'b, "c".pdf').unlink()
    slept: list[float] = []
    with UnreliableProxy(node.url) as proxy:
        proxy.busy = ["POST /v1/entries", "POST /v1/batches", "POST /v1/receipts"]
        proxy.busy += ["POST /v1/receipts", "POST /v1/entries"]
        arguments = ("issue", folder, "--node", proxy.url, "--seal-now", "--wait", 0)
        assert command(*arguments, sleep=slept.append).code == 3
        assert (slept, proxy.busy) == ([BUSY_SECONDS] * 5, [])
    assert column(folder, "state") == ["queued"] * 2


def test_receipts_and_verdicts_are_waited_for_at_a_busy_node(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path
) -> None:
    files = [folder / "a.pdf", folder / "ü.json"]
    for name in ("commit", "submit"):
        assert command(name, *files, "--node", node.url).code == 0
    done = command("commit", *files, "--node", node.url, "--json")
    for row in done.rows:
        consortium.bring(node, bytes.fromhex(row["entry"]), "final")
    slept: list[float] = []
    with UnreliableProxy(node.url) as proxy:
        proxy.busy = ["GET /v1/entries", "GET /v1/receipts", "GET /v1/receipts"]
        assert command("receipt", *files, "--node", proxy.url, sleep=slept.append).code == 0
        assert (slept, proxy.busy) == ([BUSY_SECONDS] * 3, [])
        assert len(list(folder.glob("*.receipt.json"))) == 2
        proxy.busy = ["POST /v1/verify"] * 2
        assert command("verify", *files, "--node", proxy.url, sleep=slept.append).code == 0
        assert (slept, proxy.busy) == ([BUSY_SECONDS] * 5, [])


def test_where_a_token_is_needed_it_is_sent_with_what_writes(
    tmp_path: Path, command: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / 'b, "c".pdf').unlink()
    with founded(tmp_path) as consortium, consortium.serving(1, open_submission=False) as node:
        node.step("following")
        made = node.node.service.access.create(TokenRequest("LMS", ("submit",)), by=COMMAND_LINE)
        arguments = ("issue", folder, "--node", node.url, "--seal-now", "--wait", 0)
        refused = command(*arguments)
        assert (refused.code, "[node_refused]" in refused.err) == (2, True)
        assert column(folder, "state") == ["committed"] * 2
        file = tmp_path / "token"
        file.touch(mode=0o600)
        file.write_text(made.text + "\n")
        assert command(*arguments, "--token-file", file).code == 3
        node.step("sealing")
        assert command(*arguments, "--token-file", file).code == 3
        assert column(folder, "state") == ["sealed"] * 2
        # And from the environment, for a file that came later.
        (folder / "late.pdf").write_bytes(os.urandom(20))
        monkeypatch.setenv("TESTAMUR_TOKEN", made.text)
        done = command(*arguments)
        assert column(folder, "state") == ["sealed", "queued", "sealed"]
        assert made.text not in done.out + done.err
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TESTAMUR_TOKEN", made.text)
        done = command("issue", folder, "--node", "http://node.example")
        assert (done.code, "readable on its way" in done.err) == (2, True)


def test_two_at_once_do_not_write_over_each_other(
    node: HttpNode, command: Run, folder: Path
) -> None:
    with Disk().alone_in(folder):
        done = command("issue", folder, "--node", node.url, "--wait", 0)
        assert done.code == 3
        assert "[folder_in_use]" in done.err
        assert not (folder / "issued.csv").exists()
    later = command("issue", folder, "--node", node.url, "--wait", 0)
    assert "[folder_in_use]" not in later.err
    assert column(folder, "state")[0] == "queued"


def test_usage_errors(node: HttpNode, command: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "no.csv").write_bytes(b"file\r\na\r\n")
    (tmp_path / "none.csv").write_bytes(b"path\r\n")
    (tmp_path / "own.csv").write_bytes(b"path,state\r\na,b\r\n")
    at = ("--node", node.url)
    for arguments in (
        at,
        (folder, "--csv", tmp_path / "no.csv", *at),
        ("--csv", tmp_path / "no.csv", *at),
        ("--csv", tmp_path / "none.csv", *at),
        ("--csv", tmp_path / "own.csv", *at),
        ("--csv", tmp_path / "missing.csv", *at),
        ("--csv", tmp_path / "no.csv", "--recursive", *at),
        (folder / "missing", *at),
        (folder / "a.pdf", *at),
        (folder, "--profile", "sha256", *at),
        (folder, "--wait", "nan", *at),
        (folder,),
    ):
        done = command("issue", *arguments)
        assert (done.code, done.out) == (2, ""), arguments
    assert list(folder.glob("*.testamur.json")) == []
    assert command("issue", folder, "--node", "http://127.0.0.1:9").code == 3


def test_a_receipt_comes_as_a_bundle_when_asked(
    consortium: Consortium, node: HttpNode, command: Run, folder: Path
) -> None:
    file, at = folder / "a.pdf", ("--node", node.url)
    (row,) = command("commit", file, *at, "--json").rows
    command("submit", file, *at)
    consortium.bring(node, bytes.fromhex(row["entry"]), "anchored")
    (row,) = command("receipt", file, *at, "--bundle", "--json").rows
    assert (row["state"], row["bundle"]) == ("anchored", None)
    consortium.bring(node, bytes.fromhex(row["entry"]), "final")
    made = folder / "a.pdf.testamur.zip"
    for _ in range(2):
        done = command("receipt", file, *at, "--bundle", "--json")
        assert (done.code, done.rows[0]["bundle"]) == (0, str(made))
    answer = node.http.post("/v1/verify", files={"file": ("b.zip", made.read_bytes())})
    assert answer.json()["outcome"] == "accept"
    made.write_bytes(b"another")
    done = command("receipt", file, *at, "--bundle")
    assert (done.code, "move it away" in done.err) == (2, True)
    assert made.read_bytes() == b"another"
    made.unlink()
    disk = FaultyDisk("publish", kept=False)
    assert command("receipt", file, *at, "--bundle", disk=disk).code == 3
    assert not made.exists()


@pytest.mark.parametrize("name", ["CON.pdf", 'quote".pdf', " a.pdf", "a\x01.pdf", "\u202efdp.exe"])
def test_a_name_that_no_bundle_can_hold_is_to_be_changed(
    consortium: Consortium, node: HttpNode, command: Run, tmp_path: Path, name: str
) -> None:
    file, at = tmp_path / name, ("--node", node.url)
    file.write_bytes(os.urandom(20))
    done = command("issue", tmp_path, *at, "--wait", 0)
    assert (done.code, column(tmp_path, "error")) == (2, ["bundle_name"])
    assert "Rename the file" in done.err
    assert "Ask the holder" not in done.err
    assert list(tmp_path.glob("*.testamur.json")) == []  # nothing was committed
    (row,) = command("commit", file, *at, "--json").rows
    command("submit", file, *at)
    consortium.bring(node, bytes.fromhex(row["entry"]), "final")
    done = command("receipt", file, *at, "--bundle")
    assert (done.code, "[bundle_name]" in done.err) == (2, True)
    assert "Ask the holder" not in done.err
    # What the advice says is enough: the file is registered under any name.
    (sidecar,) = tmp_path.glob("*.testamur.json")
    file.rename(tmp_path / "a.pdf")
    sidecar.rename(tmp_path / sidecar.name.replace(name, "a.pdf"))
    assert command("receipt", tmp_path / "a.pdf", *at, "--bundle").code == 0
    assert (tmp_path / "a.pdf.testamur.zip").exists()
