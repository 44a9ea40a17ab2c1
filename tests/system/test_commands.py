"""The commands that speak with a node, against nodes that are good, absent or talk rubbish."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.faulty_disk import FaultyDisk
from tests.cli.running import Run, runner
from tests.support.canned_server import CannedServer, reply
from tests.support.node import EXAMPLES, Consortium, HttpNode, three_nodes

pytestmark = pytest.mark.slow  # a process for each command


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with three_nodes(tmp_path_factory.mktemp("commands")) as consortium:
        yield consortium


@pytest.fixture
def node(consortium: Consortium) -> HttpNode:
    return consortium.nodes[1]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture
def credential(tmp_path: Path) -> Path:
    return Path(shutil.copy(EXAMPLES / "aldermere-open-badge.json", tmp_path))


@pytest.fixture
def registered(consortium: Consortium, node: HttpNode, credential: Path) -> Path:
    """Register a sample, and put its receipt beside it."""
    committed = consortium.commit(1, credential.read_bytes())
    (receipt,) = consortium.register(node, committed)
    receipt_of(credential).write_text(json.dumps(receipt))
    return credential


def receipt_of(credential: Path) -> Path:
    return credential.with_name(credential.name + ".receipt.json")


def test_each_state_has_its_exit_code_until_the_receipt_is_final(
    consortium: Consortium, node: HttpNode, command: Run, credential: Path
) -> None:
    at = ("--node", node.url)
    assert command("commit", credential, *at).code == 0
    assert command("submit", credential, *at).code == 0
    (sidecar,) = credential.parent.glob("*.testamur.json")
    entry = bytes.fromhex(json.loads(sidecar.read_bytes())["entry"])
    early = command("receipt", credential, *at, "--json")
    assert (early.code, early.rows[0]["state"], early.rows[0]["receipt"]) == (3, "queued", None)
    consortium.bring(node, entry, "anchored")
    pending = command("receipt", credential, *at, "--json")
    assert (pending.code, pending.rows[0]["state"]) == (3, "anchored")
    verdict = command("verify", credential, *at, "--json")
    assert (verdict.code, verdict.rows[0]["verdict"]) == (3, "pending")
    consortium.bring(node, entry, "final")
    assert command("receipt", credential, *at).code == 0
    assert command("verify", credential, *at).code == 0


def test_offline_the_receipt_alone_is_no_root_of_trust(
    node: HttpNode, command: Run, registered: Path, tmp_path: Path
) -> None:
    trust = tmp_path / "trust.json"
    trust.write_bytes(node.http.get("/v1/trust").content)
    done = command("verify", registered, "--trust", trust, "--json")
    (report,) = done.rows
    assert (done.code, report["outcome"], report["verdict"]) == (3, "retry", "could_not_check")
    assert {c["name"]: c["code"] for c in report["checks"]}["record"] == "no_root_of_trust"
    people = command("verify", registered, "--trust", trust)
    assert people.code == 3
    assert people.out.startswith("COULD NOT CHECK\n")
    tampered = tmp_path / "tampered.json"
    tampered.write_bytes(registered.read_bytes().replace(b"Aldermere", b"Oldermere"))
    assert tampered.read_bytes() != registered.read_bytes()
    done = command("verify", tampered, "--receipt", receipt_of(registered), "--trust", trust)
    assert done.code == 1
    assert "FAILED   credential" in done.out


def test_a_good_credential_and_broken_copies_asked_of_a_node(
    consortium: Consortium, node: HttpNode, command: Run, registered: Path, tmp_path: Path
) -> None:
    receipt = ("--receipt", receipt_of(registered))
    for asked in consortium.nodes.values():
        asked.step("following")
        assert command("verify", registered, "--node", asked.url).code == 0
    copy = tmp_path / "copy.json"
    for content in (b"{", b"", b"[" * 5000, b'{"a":1,"a":2}', b"%PDF-1.7"):
        copy.write_bytes(content)
        done = command("verify", copy, *receipt, "--node", node.url, "--json")
        assert (done.code, done.rows[0]["outcome"]) == (1, "reject"), content
    receipt_of(registered).write_bytes(b'{"type": "testamur/receipt/v1"')
    done = command("verify", registered, "--node", node.url)
    assert done.code == 2
    assert "[receipt_format]" in done.err
    assert "Ask the holder" in done.err


def test_an_issuer_that_did_not_register_it_is_for_a_person_to_look_at(
    consortium: Consortium, node: HttpNode, command: Run, tmp_path: Path
) -> None:
    """The node is sent a digest alone, so the command compares the issuer itself."""
    for number, sample in enumerate(("aldermere-open-badge.json", "cassel-nord-vc.jwt")):
        committed = consortium.commit(1, (EXAMPLES / sample).read_bytes())
        (receipt,) = consortium.register(node, committed)
        path = tmp_path / sample
        path.write_bytes(committed.data)
        receipt_of(path).write_text(json.dumps(receipt))
        done = command("verify", path, "--node", node.url, "--json")
        (report,) = done.rows
        assert (done.code, report["outcome"]) == ((0, "accept"), (4, "review"))[number]
        (check,) = [c for c in report["checks"] if c["name"] == "issuer"]
        assert check["code"] == ("issuer_is_member", "issuer_differs")[number]
        by_file = node.http.post(
            "/v1/verify",
            files={"file": path.read_bytes(), "receipt": receipt_of(path).read_bytes()},
        ).json()
        assert by_file["verdict"] == report["verdict"]
        assert by_file["summary"] == report["summary"]
        assert check in by_file["checks"]


@pytest.mark.parametrize("step", ["write", "sync"])
def test_a_receipt_that_cannot_be_written_is_fetched_again(
    consortium: Consortium, node: HttpNode, command: Run, credential: Path, step: str
) -> None:
    at = ("--node", node.url)
    assert command("commit", credential, *at).code == 0
    assert command("submit", credential, *at).code == 0
    (sidecar,) = credential.parent.glob("*.testamur.json")
    consortium.bring(node, bytes.fromhex(json.loads(sidecar.read_bytes())["entry"]), "final")
    disk = FaultyDisk(step, kept=False)
    done = command("receipt", credential, *at, "--wait", 60, disk=disk)
    assert (done.code, done.out) == (3, "")
    assert "[sidecar_storage]" in done.err
    disk.broken = False
    assert command("receipt", credential, *at, disk=disk).code == 0
    assert list(credential.parent.glob(".*")) == []


def test_without_a_receipt_the_holder_is_to_be_asked(
    node: HttpNode, command: Run, credential: Path
) -> None:
    done = command("verify", credential, "--node", node.url)
    assert done.code == 4
    assert "Ask the holder" in done.out
    done = command("verify", credential, "--node", node.url, "--json")
    assert (done.rows[0]["verdict"], done.rows[0]["outcome"]) == ("receipt_needed", "review")


def test_without_a_sidecar_the_file_is_to_be_committed_first(
    node: HttpNode, command: Run, credential: Path
) -> None:
    for name in ("submit", "receipt"):
        done = command(name, credential, "--node", node.url)
        assert done.code == 2
        assert "[sidecar_missing]" in done.err
        assert "testamur commit FILE --node URL" in done.err
        done = command(name, credential, "--node", node.url, "--json")
        assert done.rows[0]["error"]["code"] == "sidecar_missing"


def test_what_no_repeating_mends_outweighs_what_it_does(
    node: HttpNode, command: Run, credential: Path
) -> None:
    at = ("--node", node.url)
    credential.write_bytes(b'{"registered": "by nobody else here"}')
    command("commit", credential, *at)
    command("submit", credential, *at)
    other = credential.with_name("other.json")
    other.write_bytes(b"{}")
    done = command("receipt", credential, other, *at, "--json")
    assert (done.code, [row.get("state") for row in done.rows]) == (2, [None, "queued"])


def test_a_changed_file_is_not_submitted_under_its_old_sidecar(
    node: HttpNode, command: Run, credential: Path
) -> None:
    assert command("commit", credential, "--node", node.url).code == 0
    credential.write_bytes(credential.read_bytes().replace(b"Aldermere", b"Oldermere"))
    done = command("submit", credential, "--node", node.url)
    assert done.code == 2
    assert "[credential_changed]" in done.err


def test_a_node_or_a_trust_file_has_to_be_named(command: Run, credential: Path) -> None:
    assert command("verify", credential).code == 2
    assert command("verify", credential, "--node", "http://x", "--trust", "t").code == 2
    for url in ("", "node.example", "ftp://node.example", "http://", "http://a:b@node.example"):
        done = command("submit", credential, "--node", url)
        assert done.code == 2
        assert "Traceback" not in done.err


def test_where_no_node_listens_the_command_may_be_repeated(command: Run, registered: Path) -> None:
    for name in ("submit", "receipt", "verify"):
        done = command(name, registered, "--node", "http://127.0.0.1:9")
        assert done.code == 3
        assert "[node_unavailable]" in done.err


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<html>hello</html>"),
        reply(b"{}"),
        reply(b"[]"),
        reply(b'{"outcome": "accept", "outcome": "reject"}'),
        reply(b'{"outcome": "fine", "checks": []}'),
        reply(b'{"outcome": ["accept"]}'),
        reply(b'{"ledger_id": 1, "member": "x"}'),
        reply(b"", "302 Found", "Location: http://127.0.0.1:9/"),
        reply(b"teapot", "418 I'm a teapot"),
        reply(b"{}", "500 Oops"),
        b"no HTTP at all\r\n\r\n",
        b"",
    ],
    ids=range(12),
)
def test_a_node_that_talks_rubbish_is_an_error_and_no_verdict(
    command: Run, registered: Path, answer: bytes
) -> None:
    paths = ("/v1/verify", "/v1/ledger", "/v1/trust", "/v1/entries", "/v1/receipts")
    with CannedServer(dict.fromkeys(paths, answer)) as server:
        for name in ("submit", "receipt", "verify"):
            done = command(name, registered, "--node", server.url)
            assert done.code == 3, (name, done)
            assert "[node_" in done.err
            assert "Traceback" not in done.err


def test_what_a_node_says_reaches_the_terminal_without_control_characters(
    command: Run, registered: Path
) -> None:
    told = {
        "outcome": "review",
        "verdict": "\x1b[2Jfine",
        "summary": "\x1b]0;title\x07",
        "network": {"kind": "\x1b[31m"},
        "file": "another",
        "checks": ["x", None, {"name": "\x1b[1m", "status": "\x1b", "detail": "\u202ex"}],
        "does_not_prove": "\x9b",
    }
    with CannedServer({"/v1/verify": reply(json.dumps(told).encode())}) as server:
        done = command("verify", registered, "--node", server.url)
        (report,) = command("verify", registered, "--node", server.url, "--json").rows
    assert done.code == 4
    assert report["file"] == str(registered)
    assert not [c for c in done.out if not (c.isprintable() or c == "\n")]
