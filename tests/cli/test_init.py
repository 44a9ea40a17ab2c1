"""``testamur init`` where nobody can be asked: options, the chain's word, and what is written."""

from __future__ import annotations

import errno
import json
import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testamur.chain.devchain.accounts import ACCOUNTS
from testamur.chain.keys import key_from_keystore, new_keystore
from testamur.cli.disk import Disk
from testamur.cli.init import FILE_NAME
from testamur.cli.init_questions import KEYSTORE_NAME, PASSWORD_VARIABLE, RPC_VARIABLE
from testamur.config import (
    ENVIRONMENT_PREFIX,
    NodeSettings,
    load_settings,
    names_a_chain,
    read_settings,
)
from testamur.ledger.trust import NetworkKind
from tests.cli.faulty_disk import FaultyDisk
from tests.cli.running import Result, Run
from tests.support.node import Consortium, founded

PASSWORD = "s3cret password"
NOWHERE = "http://127.0.0.1:9/v3/s3cret"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NodeSettings.model_fields:
        monkeypatch.delenv(ENVIRONMENT_PREFIX + name.upper(), raising=False)


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with founded(tmp_path_factory.mktemp("consortium")) as consortium:
        yield consortium


@pytest.fixture
def rpc(consortium: Consortium, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name the chain in the environment, with a key in its path that nobody may see."""
    url = f"{consortium.chain.url}/v3/s3cret"
    monkeypatch.setenv(RPC_VARIABLE, url)
    return url


def given(consortium: Consortium, /, **other: object) -> list[object]:
    """Give the options of member 2's node; ``...`` leaves one out."""
    named: dict[str, object] = {
        "contract": "0x" + consortium.deployment.contract.hex(),
        "contract-block": consortium.deployment.block_number,
        "member": 2,
    } | {name.replace("_", "-"): value for name, value in other.items()}
    return ["--real", *(f"--{n}={v}" for n, v in named.items() if v is not ...)]


def assert_nothing_written(directory: Path) -> None:
    assert not directory.exists() or list(directory.iterdir()) == []


def assert_secret_unseen(result: Result) -> None:
    assert "s3cret" not in result.out + result.err


def test_a_trial_needs_no_answers(testamur: Run, tmp_path: Path) -> None:
    result = testamur("init", tmp_path / "node", "--trial", "--yes")
    file = tmp_path / "node" / FILE_NAME
    assert result.code == 0, result.err
    assert f"testamur serve --config {file}" in result.out
    assert not names_a_chain(read_settings(file))
    assert tomllib.loads(file.read_text()) == {
        "data_dir": "data",
        "host": "127.0.0.1",
        "port": 8180,
        "seal_after_seconds": 1,
        "poll_seconds": 0.2,
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_node_of_a_ledger_that_exists(
    testamur: Run, consortium: Consortium, rpc: str, tmp_path: Path
) -> None:
    result = testamur("init", tmp_path, *given(consortium), "--yes", "--json")
    assert result.code == 0, result.err
    settings = load_settings(tmp_path / FILE_NAME)
    assert settings.rpc_url.get_secret_value() == rpc
    assert settings.contract_address == consortium.deployment.contract
    assert settings.contract_block == consortium.deployment.block_number
    assert settings.expected_ledger == consortium.ledger_id
    assert (settings.member, settings.anchor_keystore) == (2, None)
    assert (settings.network_name, settings.network_kind) == ("embedded chain", NetworkKind.LOCAL)
    assert settings.data_dir == tmp_path / "data"
    assert result.rows == [
        {
            "file": str(tmp_path / FILE_NAME),
            "address": None,
            "environment": [],
            "next": f"testamur serve --config {tmp_path / FILE_NAME}",
        }
    ]
    for shown in ("chain 1337", consortium.ledger_id.hex(), "member 2 is Universidad de Brisamar"):
        assert shown in result.err
    assert_secret_unseen(result)


def test_options_are_taken_as_they_are_given(
    testamur: Run, consortium: Consortium, rpc: str, tmp_path: Path
) -> None:
    options = given(
        consortium,
        ledger_id=consortium.ledger_id.hex(),
        keystore="",
        network_name="Our chain",
        network_kind="test",
        host="127.0.0.2",
        port=9000,
        data_dir=tmp_path / "elsewhere",
    )
    assert testamur("init", tmp_path, *options).code == 0  # nothing is left to ask
    settings = load_settings(tmp_path / FILE_NAME)
    assert (settings.network_name, settings.network_kind.value) == ("Our chain", "test")
    assert (settings.host, settings.port) == ("127.0.0.2", 9000)
    assert settings.data_dir == tmp_path / "elsewhere"
    assert rpc in (tmp_path / FILE_NAME).read_text()


@pytest.mark.usefixtures("rpc")
@pytest.mark.parametrize("name", [FILE_NAME, KEYSTORE_NAME])
def test_nothing_is_overwritten(
    testamur: Run, consortium: Consortium, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("precious")
    result = testamur("init", tmp_path, *given(consortium), "--new-key", "--yes")
    assert (result.code, "never overwritten" in result.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"


@pytest.mark.usefixtures("rpc")
@pytest.mark.parametrize(
    ("left_out", "named"),
    [("contract", "--contract"), ("contract_block", "--contract-block"), ("member", "--member")],
)
def test_an_answer_that_is_missing_is_named(
    testamur: Run, consortium: Consortium, tmp_path: Path, left_out: str, named: str
) -> None:
    options = given(consortium, **{left_out: ...})
    result = testamur("init", tmp_path / "node", *options, "--yes")
    assert (result.code, f"give it as {named}" in result.err) == (2, True)
    assert_nothing_written(tmp_path / "node")


def test_without_an_rpc_url_the_variable_is_named(
    testamur: Run, consortium: Consortium, tmp_path: Path
) -> None:
    result = testamur("init", tmp_path, *given(consortium), "--yes")
    assert (result.code, RPC_VARIABLE in result.err) == (2, True)
    asked = testamur("init", tmp_path)
    assert (asked.code, "--trial or --real" in asked.err) == (2, True)
    assert_nothing_written(tmp_path)


@pytest.mark.usefixtures("rpc")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"contract": "0x12"}, "contract: "),
        ({"contract": "0x" + "11" * 20}, "holds no birth"),
        ({"contract_block": "one"}, "contract_block: not a whole number"),
        ({"contract_block": 0}, "contract_block: "),
        ({"contract_block": 2}, "holds no birth"),
        ({"ledger_id": "ab" * 32}, "ledger_id: the ledger of this contract is"),
        ({"ledger_id": "rubbish"}, "ledger_id: "),
        ({"member": 4}, "has no member 4"),
        ({"member": 0}, "member: "),
        ({"member": "-1"}, "member: not a whole number"),
        ({"keystore": "/none/such"}, "cannot be read"),
        ({"network_kind": "play"}, "network_kind: "),
        ({"port": 70_000}, "port: "),
        ({"port": "٣"}, "port: not a whole number"),
    ],
)
def test_rubbish_is_refused_and_nothing_is_written(
    testamur: Run,
    consortium: Consortium,
    tmp_path: Path,
    wrong: dict[str, Any],
    said: str,
) -> None:
    result = testamur("init", tmp_path / "node", *given(consortium, **wrong), "--yes")
    assert (result.code, said in result.err) == (2, True), result.err
    assert_secret_unseen(result)
    assert_nothing_written(tmp_path / "node")


@pytest.mark.parametrize("option", ["--contract=0x12", "--new-key", "--network-kind=main"])
def test_a_trial_has_no_use_for_a_chain(testamur: Run, tmp_path: Path, option: str) -> None:
    result = testamur("init", tmp_path / "node", "--trial", "--yes", option)
    assert (result.code, "a trial has its own chain" in result.err) == (2, True)
    assert_nothing_written(tmp_path / "node")


@pytest.mark.parametrize("url", ["ftp://s3cret", "s3cret"])
def test_an_rpc_url_that_is_none_is_refused_and_not_shown(
    testamur: Run, consortium: Consortium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    monkeypatch.setenv(RPC_VARIABLE, url)
    result = testamur("init", tmp_path / "node", *given(consortium), "--yes")
    assert (result.code, "rpc_url: " in result.err) == (2, True)
    assert_secret_unseen(result)
    assert_nothing_written(tmp_path / "node")


def test_a_chain_that_does_not_answer_is_gone_on_without_only_when_told(
    testamur: Run, consortium: Consortium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(RPC_VARIABLE, NOWHERE)
    options = (tmp_path / "node", *given(consortium), "--yes")
    result = testamur("init", *options)
    assert (result.code, "[chain_unavailable]" in result.err) == (3, True)
    assert_nothing_written(tmp_path / "node")
    result = testamur("init", *options, "--unchecked")
    assert (result.code, "[chain_unavailable]" in result.err) == (0, True)
    assert_secret_unseen(result)
    settings = load_settings(tmp_path / "node" / FILE_NAME)
    assert (settings.member, settings.expected_ledger) == (2, None)
    assert settings.network_kind is NetworkKind.TEST  # of an unknown chain nothing better is said


def with_new_key(
    testamur: Run, consortium: Consortium, monkeypatch: pytest.MonkeyPatch, path: Path, **more: Any
) -> Result:
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    return testamur("init", path, *given(consortium), "--new-key", "--yes", **more)


@pytest.mark.usefixtures("rpc")
@pytest.mark.slow  # a keystore is slow to make and to open, on purpose
def test_a_new_key_is_encrypted_and_its_address_shown(
    testamur: Run,
    consortium: Consortium,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    result = with_new_key(testamur, consortium, monkeypatch, tmp_path)
    assert result.code == 0, result.err
    keystore = tmp_path / KEYSTORE_NAME
    key = key_from_keystore(keystore, PASSWORD)
    assert f"0x{key.address.hex()}" in result.out
    assert "refused until it is registered" in result.err
    assert f"export {PASSWORD_VARIABLE}" in result.out
    assert stat.S_IMODE(keystore.stat().st_mode) == 0o600
    assert_secret_unseen(result)
    assert PASSWORD not in (tmp_path / FILE_NAME).read_text() + keystore.read_text()
    monkeypatch.delenv(RPC_VARIABLE)
    settings = load_settings(tmp_path / FILE_NAME)
    assert settings.anchor_keystore == keystore
    assert settings.anchor_keystore_password is not None  # the environment's


@pytest.mark.usefixtures("rpc")
def test_a_new_key_needs_a_password(
    testamur: Run,
    consortium: Consortium,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    result = testamur("init", tmp_path / "node", *given(consortium), "--new-key", "--yes")
    assert (result.code, PASSWORD_VARIABLE in result.err) == (2, True)
    monkeypatch.setenv(PASSWORD_VARIABLE, "")
    result = testamur("init", tmp_path / "node", *given(consortium), "--new-key", "--yes")
    assert (result.code, "is empty" in result.err) == (2, True)
    both = given(consortium, keystore="some")
    result = testamur("init", tmp_path / "node", *both, "--new-key", "--yes")
    assert (result.code, "exclude each other" in result.err) == (2, True)
    assert_nothing_written(tmp_path / "node")


@pytest.mark.usefixtures("rpc")
def test_a_keystore_is_compared_with_the_member(
    testamur: Run, consortium: Consortium, tmp_path: Path
) -> None:
    for member, said in ((2, "is the anchor key of member 2"), (1, "WARNING: the anchor key")):
        keystore = tmp_path / f"{member}.json"
        # All that is read of it; to sign with it takes the rest.
        keystore.write_text(json.dumps({"address": ACCOUNTS[2].address[2:].lower()}))
        options = given(consortium, keystore=keystore, member=member)
        result = testamur("init", tmp_path / str(member), *options, "--yes")
        assert (result.code, said in result.err) == (0, True), result.err
        settings = load_settings(tmp_path / str(member) / FILE_NAME)
        assert settings.anchor_keystore == keystore


@pytest.mark.usefixtures("rpc")
@pytest.mark.parametrize("content", ["", "{}", "[]", '{"address":1}', '{"address":"00"}', "é"])
def test_what_is_no_keystore_is_refused(
    testamur: Run, consortium: Consortium, tmp_path: Path, content: str
) -> None:
    keystore = tmp_path / "key.json"
    keystore.write_text(content)
    options = given(consortium, keystore=keystore)
    result = testamur("init", tmp_path / "node", *options, "--yes")
    assert (result.code, "key.json" in result.err) == (2, True)
    assert_nothing_written(tmp_path / "node")


def hidden(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("step", ["write", "publish", "sync"])
def test_a_file_that_cannot_be_written_is_said_and_is_whole_or_absent(
    testamur: Run, tmp_path: Path, step: str, *, kept: bool
) -> None:
    node = tmp_path / "node"
    result = testamur("init", node, "--trial", "--yes", disk=FaultyDisk(step, kept=kept))
    assert (result.code, os.strerror(errno.EIO) in result.err) == (2, True)
    assert (result.out, "Traceback" in result.err) == ("", False)
    stands = step == "sync" or (step == "publish" and kept)
    assert (node / FILE_NAME).exists() == stands
    again = testamur("init", node, "--trial", "--yes")
    assert again.code == (2 if stands else 0)  # never over what may be there
    load = read_settings(node / FILE_NAME)
    assert load["port"] == 8180


@pytest.mark.usefixtures("rpc")
@pytest.mark.slow  # a keystore is slow to make, on purpose
@pytest.mark.parametrize("step", ["write", "publish", "sync"])
def test_settings_that_fail_after_their_key_leave_a_key_that_can_be_used(
    testamur: Run,
    consortium: Consortium,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    step: str,
) -> None:
    node, disk = tmp_path / "node", FaultyDisk(step, kept=False, spared=1)
    result = with_new_key(testamur, consortium, monkeypatch, node, disk=disk)
    assert (result.code, FILE_NAME in result.err) == (2, True)
    assert "address" in json.loads((node / KEYSTORE_NAME).read_text())
    if step != "sync":
        options = given(consortium, keystore=node / KEYSTORE_NAME)
        assert testamur("init", node, *options, "--yes").code == 0


def test_a_directory_that_cannot_be_made_is_said(testamur: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = testamur("init", tmp_path / "file" / "node", "--trial", "--yes")
    assert (result.code, "cannot be made" in result.err) == (2, True)


class MeddlingDisk(Disk):
    """Another process writes the same file between our look and our write."""

    def publish(self, temporary: Path, target: Path) -> None:
        target.write_text("first")
        super().publish(temporary, target)


def test_when_another_process_is_first_its_file_stays(testamur: Run, tmp_path: Path) -> None:
    result = testamur("init", tmp_path, "--trial", "--yes", disk=MeddlingDisk())
    assert (result.code, "never overwritten" in result.err) == (2, True)
    assert (tmp_path / FILE_NAME).read_text() == "first"
    assert hidden(tmp_path) == []


def test_only_a_key_is_made_a_keystore() -> None:
    with pytest.raises(ValueError, match="not a secp256k1 key"):
        new_keystore(bytes(32), PASSWORD)
