"""``testamur verify`` offline: what a bundle, a receipt or a locator says without any node."""

from __future__ import annotations

import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from testamur.credentials.locator import Locator, serialise
from testamur.ledger.bundle import make_bundle
from testamur.merkle.hashing import Hash32
from tests.cli.running import Run
from tests.support.samples import PROJECT

VECTORS = PROJECT / "tests" / "vectors" / "ledger"
CREDENTIAL = (VECTORS / "credential.json").read_bytes()
RECEIPT = (VECTORS / "receipt.json").read_bytes()
TRUST = VECTORS / "trust.json"
LEDGER = Hash32(bytes.fromhex(json.loads(TRUST.read_bytes())["ledger_id"]))
LOCATOR = Locator(LEDGER, 1, Hash32(b"\x2a" * 32))
OFFLINE = ("--trust", TRUST)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "credential.json.testamur.zip"
    path.write_bytes(make_bundle("credential.json", CREDENTIAL, RECEIPT))
    return path


def test_a_bundle_is_checked_as_its_parts_are(testamur: Run, bundle: Path, tmp_path: Path) -> None:
    apart = tmp_path / "credential.json"
    apart.write_bytes(CREDENTIAL)
    (tmp_path / "credential.json.receipt.json").write_bytes(RECEIPT)
    done = testamur("verify", bundle, apart, *OFFLINE, "--json")
    whole, parts = done.rows
    assert done.code == 3
    assert whole["checks"][1]["code"] == "same_credential"
    assert whole | {"file": None} == parts | {"file": None}


def test_a_bundle_that_was_changed_is_rejected(testamur: Run, bundle: Path) -> None:
    whole = bundle.read_bytes()
    changed = (
        whole[:-1],
        whole + b"\n",
        whole.replace(b"Aldermere", b"Oldermere"),
        make_bundle("credential.json", CREDENTIAL.replace(b"Alder", b"Older"), RECEIPT),
        make_bundle("credential.json", CREDENTIAL, b"{"),
    )
    for data in changed:
        assert data != whole
        bundle.write_bytes(data)
        done = testamur("verify", bundle, *OFFLINE, "--json")
        assert (done.code, done.rows[0]["outcome"]) == (1, "reject")


def test_a_bundle_with_a_second_receipt_is_ambiguous(
    testamur: Run, bundle: Path, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(RECEIPT)
    done = testamur("verify", bundle, "--receipt", receipt, *OFFLINE)
    assert (done.code, done.out) == (2, "")
    assert "[bundle_format]" in done.err
    assert "without another one" in done.err


def test_offline_a_locator_alone_needs_a_node(testamur: Run, tmp_path: Path) -> None:
    path = tmp_path / "diploma.pdf"
    path.write_bytes(b"%PDF-1.4 " + serialise(LOCATOR).encode())
    done = testamur("verify", path, *OFFLINE)
    assert done.code == 4
    assert done.out.startswith("RECEIPT NEEDED\nAsk a node")
    path.write_bytes(b"%PDF-1.4 plain")
    assert "Ask the holder" in testamur("verify", path, *OFFLINE).out
    link = f"https://node.example/#{serialise(LOCATOR)}"
    done = testamur("verify", path, "--locator", link, *OFFLINE)
    assert (done.code, done.out.splitlines()[1][:10]) == (4, "Ask a node")
    assert LOCATOR.salt.hex() not in done.out + done.err


@pytest.mark.parametrize("data", [b"", b"{", b'{"a":1,"a":2}', b"%PDF-1.7", b"\xff" * 99, b"PK"])
def test_what_has_neither_receipt_nor_locator_is_for_the_holder_to_complete(
    testamur: Run, tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    done = testamur("verify", path, *OFFLINE, "--json")
    assert (done.code, done.rows[0]["verdict"]) == (4, "receipt_needed")


def test_a_locator_of_another_ledger_and_two_locators_are_rejected(
    testamur: Run, tmp_path: Path
) -> None:
    path = tmp_path / "diploma.pdf"
    elsewhere = serialise(Locator(Hash32(b"\x07" * 32), 1, LOCATOR.salt)).encode()
    for data, check in (
        (elsewhere, "other_ledger"),
        (elsewhere + b" " + serialise(LOCATOR).encode(), "several_locators"),
        (elsewhere[:-1], "locator_format"),
    ):
        path.write_bytes(b"%PDF-1.4 " + data)
        done = testamur("verify", path, *OFFLINE, "--json")
        assert done.code == 1
        (found,) = done.rows[0]["checks"]
        assert (found["name"], found["status"], found["code"]) == ("locator", "invalid", check)


def test_a_locator_that_contradicts_the_receipt_is_said(testamur: Run, tmp_path: Path) -> None:
    path = tmp_path / "credential.json"
    path.write_bytes(CREDENTIAL)
    (tmp_path / "credential.json.receipt.json").write_bytes(RECEIPT)
    done = testamur("verify", path, "--locator", serialise(LOCATOR), *OFFLINE, "--json")
    codes = {check["name"]: check["code"] for check in done.rows[0]["checks"]}
    assert (codes["credential"], codes["locator"]) == ("same_credential", "locator_differs")


@pytest.mark.parametrize("text", ["", "x", "testamur:1:", "https://a.example/", "#", "a#b#c"])
def test_what_is_no_locator_is_refused(testamur: Run, bundle: Path, text: str) -> None:
    done = testamur("verify", bundle, "--locator", text, *OFFLINE)
    assert done.code == 2
    assert "[locator_format]" in done.err


def test_receipt_and_locator_go_with_one_file(testamur: Run, bundle: Path) -> None:
    for option, value in (("--receipt", bundle), ("--locator", serialise(LOCATOR))):
        done = testamur("verify", bundle, bundle, option, value, *OFFLINE)
        assert done.code == 2
        assert "[configuration]" in done.err


def test_a_trust_file_that_is_named_counts_more_than_a_node_in_the_environment(
    testamur: Run, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTAMUR_NODE", "http://127.0.0.1:9")
    assert testamur("verify", bundle, *OFFLINE).code == 3
    assert "[node_unavailable]" in testamur("verify", bundle).err
    done = testamur("verify", bundle, *OFFLINE, "--node", "http://127.0.0.1:9")
    assert (done.code, "[configuration]" in done.err) == (2, True)


def test_a_bundle_may_come_by_standard_input(
    testamur: Run, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(bundle.read_bytes())))
    done = testamur("verify", "-", *OFFLINE, "--json")
    assert done.rows[0]["checks"][1]["code"] == "same_credential"


def test_a_receipt_that_is_not_there_is_named_and_not_the_credential(
    testamur: Run, tmp_path: Path
) -> None:
    credential, receipt = tmp_path / "diploma.pdf", tmp_path / "lost.receipt.json"
    credential.write_bytes(b"%PDF-1.7")
    done = testamur("verify", credential, "--receipt", receipt, *OFFLINE)
    assert done.code == 2
    assert f"its receipt {receipt} cannot be read" in " ".join(done.err.split())
