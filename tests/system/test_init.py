"""``testamur init`` on a terminal: asked, corrected and interrupted, as people do it."""

from __future__ import annotations

from pathlib import Path

import pytest

from testamur.chain.keys import key_from_keystore
from testamur.config import load_settings, names_a_chain, read_settings
from tests.support.node import Consortium
from tests.support.processes import command, environment
from tests.support.terminal import Terminal, on_terminal

pytestmark = pytest.mark.slow  # processes start, and keys are slow to encrypt

PASSWORD = "s3cret and long"


def test_a_trial_is_three_times_return(tmp_path: Path) -> None:
    with on_terminal(command("init", tmp_path / "node"), environment()) as terminal:
        for question in ("A trial", "Address to listen on", "Port"):
            terminal.answer(question, "")
        assert terminal.end() == 0
    assert not names_a_chain(read_settings(tmp_path / "node" / "node.toml"))
    assert f"testamur serve --config {tmp_path}/node/node.toml" in terminal.text


def answer_until_member(terminal: Terminal, consortium: Consortium) -> None:
    contract = "0x" + consortium.deployment.contract.hex()
    terminal.answer_unseen("RPC URL", "s3cret")  # refused, and asked again
    terminal.answer_unseen("rpc_url: .*\n(.*\n)*.*RPC URL", f"{consortium.chain.url}/v3/s3cret")
    terminal.answer("chain 1337, block .*\n.*Address of the ledger", "0x" + "11" * 20)
    terminal.answer("Block of its deployment", str(consortium.deployment.block_number))
    terminal.answer("no birth(.*\n)*.*Address of the ledger", contract)
    terminal.answer("Block of its deployment", str(consortium.deployment.block_number))
    terminal.answer("founders are(.*\n)*.*3  Cassel-Nord(.*\n)*.*Id of the ledger", "")
    terminal.answer("Your member id", "4")
    terminal.answer("no member 4(.*\n)*.*Your member id", "2")


def test_wrong_answers_are_asked_again_and_a_new_key_is_made(
    consortium: Consortium, tmp_path: Path
) -> None:
    node = tmp_path / "node"
    with on_terminal(command("init", node, "--new-key"), environment()) as terminal:
        answer_until_member(terminal, consortium)
        terminal.answer_unseen("member 2 is Universidad de Brisamar(.*\n)*.*Password", PASSWORD)
        terminal.answer_unseen("Repeat", "another")
        terminal.answer_unseen("do not match(.*\n)*.*Password", PASSWORD)
        terminal.answer_unseen("Repeat", PASSWORD)
        terminal.answer("called in reports", "")
        terminal.answer("local, test or main", "play")
        terminal.answer("network_kind: (.*\n)*.*local, test or main", "test")
        terminal.answer("Address to listen on", "")
        terminal.answer("Port", "eighty")
        terminal.answer("not a whole number(.*\n)*.*Port", "8181")
        assert terminal.end() == 0, terminal.text
    assert "s3cret" not in terminal.text
    settings = load_settings(node / "node.toml")
    assert (settings.member, settings.port) == (2, 8181)
    assert settings.expected_ledger == consortium.ledger_id
    assert settings.anchor_keystore is not None
    key = key_from_keystore(settings.anchor_keystore, PASSWORD)
    assert f"Anchors are paid by 0x{key.address.hex()}" in terminal.text


def test_a_chain_that_does_not_answer_can_be_gone_on_without(tmp_path: Path) -> None:
    with on_terminal(command("init", tmp_path), environment()) as terminal:
        terminal.answer("A trial", "n")
        terminal.answer_unseen("RPC URL", "http://127.0.0.1:9/s3cret")
        terminal.answer("chain_unavailable(.*\n)*.*Go on without", "n")
        terminal.answer_unseen("RPC URL", "http://127.0.0.1:9/s3cret")
        terminal.answer("chain_unavailable(.*\n)*.*Go on without", "y")
        terminal.answer("Address of the ledger", "0x" + "11" * 20)
        for question, keys in (
            ("Block of its deployment", "7"),
            ("Id of the ledger", ""),
            ("Your member id", "1"),
            ("Keystore", ""),
            ("called in reports", ""),
            ("local, test or main", ""),
            ("Address to listen on", ""),
            ("Port", ""),
        ):
            terminal.answer(question, keys)
        assert terminal.end() == 0, terminal.text
    assert "s3cret" not in terminal.text
    settings = load_settings(tmp_path / "node.toml")
    assert (settings.contract_block, settings.expected_ledger) == (7, None)


@pytest.mark.parametrize("late", [False, True])
def test_ctrl_c_leaves_nothing_behind(
    consortium: Consortium, tmp_path: Path, *, late: bool
) -> None:
    node = tmp_path / "node"
    with on_terminal(command("init", node, "--new-key"), environment()) as terminal:
        if late:
            answer_until_member(terminal, consortium)
            terminal.answer_unseen("Password", PASSWORD)
            terminal.answer_unseen("Repeat", PASSWORD)
            terminal.interrupt("called in reports")
        else:
            terminal.interrupt("RPC URL")
        assert terminal.end() == 130
    assert "Traceback" not in terminal.text
    assert not node.exists()
