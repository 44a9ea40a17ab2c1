"""``testamur verify`` against nodes: a bundle, a file with a locator, a link from a QR code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pytest

from testamur.credentials.locator import Locator, serialise
from testamur.ledger.bundle import make_bundle
from testamur.merkle.hashing import Hash32
from tests.cli.running import Run, runner
from tests.support.located import JSON_TEMPLATE, PDF_TEMPLATE, located
from tests.support.node import Committed, Consortium, HttpNode, three_nodes
from tests.support.threaded_server import ThreadedServer

pytestmark = pytest.mark.slow  # as in test_commands.py

_SEEDS = count()


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with three_nodes(tmp_path_factory.mktemp("verify")) as consortium:
        yield consortium


@pytest.fixture
def node(consortium: Consortium) -> HttpNode:
    return consortium.nodes[1]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("TESTAMUR_NODE", raising=False)
    return runner(capsys)


def made(
    consortium: Consortium, folder: Path, template: bytes = PDF_TEMPLATE
) -> tuple[Path, Committed, Locator]:
    """Write a credential with a locator in it; nobody has submitted it."""
    committed, locator = located(consortium.ledger_id, 1, template, seed=f"cli {next(_SEEDS)}")
    path = folder / "credential"
    path.write_bytes(committed.data)
    return path, committed, locator


@pytest.mark.parametrize("template", [PDF_TEMPLATE, JSON_TEMPLATE], ids=["PDF", "JSON"])
def test_a_file_with_a_locator_gets_a_verdict_without_a_receipt(
    consortium: Consortium, node: HttpNode, command: Run, tmp_path: Path, template: bytes
) -> None:
    path, committed, _ = made(consortium, tmp_path, template)
    done = command("verify", path, "--node", node.url)
    assert done.code == 4
    assert done.out.startswith(
        "NOT FOUND\nNo record of exactly this file: changed, even by re-saving, or never registered"
    )
    consortium.register(node, committed)
    done = command("verify", path, "--node", node.url)
    assert done.code == 0
    assert done.out.startswith("VERIFIED\nRegistered by University of Aldermere")
    path.write_bytes(committed.data + b"\n" if template == PDF_TEMPLATE else b"{" + committed.data)
    assert command("verify", path, "--node", node.url).code == 4


def test_the_node_may_be_named_in_the_environment(
    consortium: Consortium,
    node: HttpNode,
    command: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, committed, _ = made(consortium, tmp_path)
    consortium.register(node, committed)
    assert command("verify", path).code == 2
    monkeypatch.setenv("TESTAMUR_NODE", node.url)
    assert command("verify", path).code == 0


@pytest.mark.parametrize("link", ["{}", "https://elsewhere.example/verify#{}"])
def test_a_locator_may_come_by_a_link_or_a_qr_code(
    consortium: Consortium, node: HttpNode, command: Run, tmp_path: Path, link: str
) -> None:
    committed, locator = located(
        consortium.ledger_id, 1, b"%PDF-1.4 plain", seed=f"link {next(_SEEDS)}"
    )
    path = tmp_path / "diploma.pdf"
    path.write_bytes(committed.data)
    consortium.register(node, committed)
    at = ("--node", node.url)
    assert command("verify", path, *at).code == 4
    done = command("verify", path, "--locator", link.format(serialise(locator)), *at)
    assert done.code == 0
    assert committed.salt.hex() not in done.out + done.err


def test_a_locator_of_another_ledger_is_told_without_asking_about_it(
    consortium: Consortium, node: HttpNode, command: Run, tmp_path: Path
) -> None:
    committed, _ = located(Hash32(b"\x07" * 32), 1, PDF_TEMPLATE, seed="another ledger")
    path = tmp_path / "diploma.pdf"
    path.write_bytes(committed.data)
    done = command("verify", path, "--node", node.url)
    assert done.code == 1
    assert "another ledger" in done.out
    assert consortium.ledger_id.hex() not in done.out


def test_a_bundle_is_asked_about_as_its_parts_are(
    consortium: Consortium, node: HttpNode, command: Run, tmp_path: Path
) -> None:
    path, committed, _ = made(consortium, tmp_path)
    (receipt,) = consortium.register(node, committed)
    bundle = tmp_path / "credential.testamur.zip"
    content = make_bundle("credential", committed.data, json.dumps(receipt).encode())
    bundle.write_bytes(content)
    at = ("--node", node.url, "--json")
    done = command("verify", bundle, path, *at)
    assert done.code == 0
    whole, alone = done.rows
    assert {check["name"] for check in whole["checks"]} == {c["name"] for c in alone["checks"]}
    bundle.write_bytes(content[:-1])
    done = command("verify", bundle, path, *at)
    assert done.code == 1
    assert [row["outcome"] for row in done.rows] == ["reject", "accept"]
    assert done.rows[0]["checks"][0]["code"] == "bundle_format"


def test_a_contradiction_between_receipt_and_locator_is_reported(
    consortium: Consortium, node: HttpNode, command: Run, tmp_path: Path
) -> None:
    path, committed, _ = made(consortium, tmp_path)
    again = consortium.commit(1, committed.data)
    _, receipt = consortium.register(node, committed, again)
    path.with_name("credential.receipt.json").write_text(json.dumps(receipt))
    done = command("verify", path, "--node", node.url, "--json")
    assert (done.code, done.rows[0]["verdict"]) == (4, "verified_with_warnings")
    codes = {check["name"]: check["code"] for check in done.rows[0]["checks"]}
    assert codes["locator"] == "locator_differs"
    other = serialise(Locator(consortium.ledger_id, 2, again.salt)).encode()
    two = consortium.commit(1, committed.data + other)
    (receipt,) = consortium.register(node, two)
    path.write_bytes(two.data)
    path.with_name("credential.receipt.json").write_text(json.dumps(receipt))
    done = command("verify", path, "--node", node.url, "--json")
    assert done.code == 0
    assert "warning: the receipt was used, and the credential holds two" in done.err


class Listening(ThreadedServer):
    """Answers as a node whose trust file is given, and keeps what it was sent."""

    def __init__(self, trust: bytes) -> None:
        self.sent: list[bytes] = []
        sent = self.sent

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(trust)

            def do_POST(self) -> None:
                sent.append(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(b'{"outcome": "review"}')

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), Handler))


def test_digest_member_and_salt_are_sent_and_never_the_file(
    consortium: Consortium, node: HttpNode, command: Run, tmp_path: Path
) -> None:
    path, committed, locator = made(consortium, tmp_path)
    trust = node.http.get("/v1/trust").content
    with Listening(trust) as server:
        assert command("verify", path, "--node", server.url).code == 4
        (sent,) = server.sent
    assert json.loads(sent) == {
        "profile": committed.profile,
        "digest": committed.digest.hex(),
        "member": 1,
        "salt": locator.salt.hex(),
    }
    with Listening(trust) as server:
        plain = tmp_path / "plain.pdf"
        plain.write_bytes(b"%PDF-1.4 plain")
        assert command("verify", plain, "--node", server.url).code == 4
        assert server.sent == []
    with Listening(b"{}") as server:
        done = command("verify", path, "--node", server.url)
    assert (done.code, "[node_protocol]" in done.err) == (3, True)
