"""``testamur serve`` with nothing configured, as a process in an empty environment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from testamur.bootstrap.trial import CHAIN_DIRECTORY
from testamur.chain.client import ChainClient
from testamur.chain.devchain.accounts import ACCOUNTS
from testamur.storage.sql.database import DATABASE_NAME
from tests.support.devchain import devchain_process
from tests.support.node import EXAMPLES
from tests.support.processes import (
    NodeProcess,
    bare_environment,
    command,
    run,
    serving,
    trial_process,
)
from tests.support.samples import PROJECT
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow  # processes start

DEPLOYER = bytes.fromhex(ACCOUNTS[0].address[2:])
FINAL_SECONDS = 30
KILLED_SECONDS = 60


def data_of(home: Path) -> Path:
    return home / ".local" / "share" / "testamur"


def warning_of(node: NodeProcess) -> dict[str, Any]:
    """Give what the node says of itself as a trial."""
    (line,) = [line for line in node.log if "this is a trial" in line["event"]]
    return line


def ended(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run ``testamur serve`` where it is expected to end by itself."""
    return subprocess.run(
        command("serve", *arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=bare_environment(home),
    )


def token_of(home: Path) -> str:
    return (data_of(home) / "operator.token").read_text().strip()


def submit(node: NodeProcess, home: Path, name: str) -> str:
    entry = sha256(name.encode()).hexdigest()
    sent_by = {"Authorization": f"Bearer {token_of(home)}"}
    answer = httpx.post(f"{node.url}/v1/entries", json=[entry], headers=sent_by, timeout=20)
    assert answer.status_code == 202, answer.text
    return entry


def wait_until_final(node: NodeProcess, *entries: str) -> None:
    for entry in entries:
        url = f"{node.url}/v1/entries/{entry}"
        wait_until(lambda url=url: state(url) == "final", FINAL_SECONDS)  # type: ignore[misc]


def state(url: str) -> str:
    return str(httpx.get(url, timeout=20).json()["state"])


def deployments(node: NodeProcess) -> int:
    """Count what the account that deploys has sent; it sends nothing else."""
    with ChainClient(warning_of(node)["chain"], timeout_seconds=20) as client:
        return client.transaction_count(DEPLOYER, pending=True)


def assert_clean(data_dir: Path) -> None:
    checked = run("check", "--data-dir", data_dir, "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert json.loads(checked.stdout)["clean"] is True


def test_with_nothing_configured_from_a_file_to_a_verdict(tmp_path: Path) -> None:
    file = tmp_path / "mine.pdf"
    shutil.copy(EXAMPLES / "aldermere-certificate.pdf", file)
    with trial_process(tmp_path) as node:
        wait_until(node.ready, 20)
        at = ("--node", node.url)
        assert run("commit", file, *at).returncode == 0
        refused = run("submit", file, *at)
        assert (refused.returncode, "TESTAMUR_TOKEN" in refused.stderr) == (2, True)
        with_token = {"TESTAMUR_TOKEN": token_of(tmp_path)}
        assert run("submit", file, *at, given=with_token).returncode == 0
        got = run("receipt", file, *at, "--wait", FINAL_SECONDS, "--json")
        assert json.loads(got.stdout)["state"] == "final", got.stdout
        verified = run("verify", file, *at)
        assert (verified.returncode, verified.stdout.splitlines()[0]) == (0, "VERIFIED")
        assert "a trial and proves nothing" in verified.stdout
        tampered = tmp_path / "other.pdf"
        tampered.write_bytes(file.read_bytes() + b" ")
        receipt = f"{file}.receipt.json"
        assert run("verify", tampered, "--receipt", receipt, *at).returncode == 1
        said = warning_of(node)
        assert node.stop() == 0
    assert (said["level"], said["data_dir"]) == ("warning", str(data_of(tmp_path)))
    assert "keys of its chain are public" in said["event"]
    assert node.url.startswith("http://127.0.0.1:")
    assert said["chain"].startswith("http://127.0.0.1:")
    assert {line["level"] for line in node.log} <= {"info", "warning"}
    keys = [account.private_key[2:] for account in ACCOUNTS]
    assert not [key for key in [*keys, token_of(tmp_path)] if key in "".join(node.lines)]
    (told,) = [line for line in node.log if "needs a token" in line["event"]]
    shown = subprocess.run(
        ["sh", "-c", f'{told["use"]}; printf %s "$TESTAMUR_TOKEN"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == token_of(tmp_path)
    assert Path(told["file"]).stat().st_mode & 0o777 == 0o600
    # The other commands work on what it leaves.
    assert_clean(data_of(tmp_path))
    with (
        devchain_process(data_of(tmp_path) / CHAIN_DIRECTORY) as chain,
        ChainClient(chain.url, timeout_seconds=20) as client,
    ):
        assert client.transaction_count(DEPLOYER, pending=True) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_it_ends_the_next_start_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    with trial_process(tmp_path) as node:
        first = submit(node, tmp_path, "first")
        wait_until_final(node, first)
        unfinished = submit(node, tmp_path, "unfinished")
        ledger, chain = warning_of(node), httpx.get(f"{node.url}/v1/ledger", timeout=20).json()
        assert node.stop(number) == (-number if number == signal.SIGKILL else 0)
    with trial_process(tmp_path) as node:
        wait_until_final(node, first, unfinished, submit(node, tmp_path, "afterwards"))
        again = httpx.get(f"{node.url}/v1/ledger", timeout=20).json()
        assert again["ledger_id"] == chain["ledger_id"]
        assert warning_of(node)["contract"] == ledger["contract"]
        assert deployments(node) == 1
        assert node.stop() == 0
    assert_clean(data_of(tmp_path))


def start_and_be_killed(home: Path, target: str, moment: str, number: int) -> None:
    """Start a node that is killed at that point, and see that it was."""
    words = [sys.executable, "-m", "tests.support.killed_serve", target, moment, str(number)]
    found = bare_environment(home)
    found["PYTHONPATH"] += os.pathsep + str(PROJECT)
    process = subprocess.Popen(
        [*words, "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=found,
    )
    try:
        _, told = process.communicate(timeout=KILLED_SECONDS)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGKILL, told


JOURNAL = "testamur.chain.deployment_journal:DeploymentJournal.write"
RENAME = "testamur.storage.filesystem:LocalFileSystem.rename"


@pytest.mark.parametrize(
    ("target", "moment", "number"),
    [
        ("testamur.chain.devchain.chain:DevChain.__init__", "after", 1),
        (RENAME, "before", 1),  # the transaction written, not yet under its name
        (JOURNAL, "after", 1),  # journaled, not sent
        ("testamur.chain.client:ChainClient.send_raw", "after", 1),  # sent, and in a block
        (JOURNAL, "after", 2),  # the ledger noted, and nothing bound to it
        ("testamur.storage.sql.store:SqlStore.bind_identity", "after", 1),
        (RENAME, "before", 3),  # the token written, not yet under its name
        ("testamur.storage.sql.store:SqlStore.put_token", "before", 1),
        ("testamur.storage.sql.store:SqlStore.put_token", "after", 1),
    ],
)
def test_killed_in_its_first_start_the_next_one_works_and_has_one_ledger(
    tmp_path: Path, target: str, moment: str, number: int
) -> None:
    start_and_be_killed(tmp_path, target, moment, number)
    with trial_process(tmp_path) as node:
        wait_until_final(node, submit(node, tmp_path, "after the kill"))
        assert deployments(node) == 1
        assert node.stop() == 0
    assert_clean(data_of(tmp_path))


def test_a_second_one_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    with trial_process(tmp_path, "--data-dir", tmp_path / "data") as node:
        port = node.url.rpartition(":")[2]
        second = ended(tmp_path, "--data-dir", tmp_path / "data", "--port", port)
        assert (second.returncode, "[store_locked]" in second.stderr) == (3, True)
        assert "Stop the other node first" in second.stderr
        assert node.stop() == 0
    assert not data_of(tmp_path).exists()


def test_a_port_that_is_taken_is_said_with_the_way_to_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = ended(tmp_path, "--port", port)
    assert refused.returncode == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in refused.stderr
    assert "choose another one with --port" in refused.stderr
    with trial_process(tmp_path) as node:
        assert node.stop() == 0


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file, where a directory would have to be")
    refused = ended(tmp_path)
    assert refused.returncode == 3
    assert "[store_unavailable]" in refused.stderr
    assert str(data_of(tmp_path).parent) in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_damaged_database_is_said_with_what_helps(tmp_path: Path) -> None:
    with trial_process(tmp_path) as node:
        assert node.stop() == 0
    (data_of(tmp_path) / DATABASE_NAME).write_bytes(b"rubbish" * 1000)
    refused = ended(tmp_path)
    assert refused.returncode == 3
    assert "[store_damaged]" in refused.stderr
    assert "from a backup" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_half_a_chain_is_no_trial(tmp_path: Path) -> None:
    found = bare_environment(tmp_path) | {"TESTAMUR_RPC_URL": "http://127.0.0.1:9/s3cret"}
    refused = subprocess.run(
        command("serve"), capture_output=True, text=True, timeout=60, check=False, env=found
    )
    assert refused.returncode == 2
    assert "rpc_url given without contract" in refused.stderr
    assert "s3cret" not in refused.stderr
    assert not data_of(tmp_path).exists()


def test_unsafe_settings_are_said_one_by_one(tmp_path: Path) -> None:
    found = bare_environment(tmp_path) | {"TESTAMUR_BATCH_FLOOR": "0"}
    for environment, expected in ((bare_environment(tmp_path), []), (found, ["batch_floor"])):
        with serving(command("serve", "--port", 0), environment) as node:
            wait_until(lambda node=node: "this is a trial" in "".join(node.lines), 20)  # type: ignore[misc]
            assert node.stop() == 0
        lines = [line for line in node.log if line["event"] == "unsafe setting"]
        assert [line["setting"] for line in lines] == expected
        assert all(line["consequence"] and line["level"] == "warning" for line in lines)


def test_the_address_that_is_announced_can_be_asked_with_ipv6_too(tmp_path: Path) -> None:
    environment = bare_environment(tmp_path) | {"TESTAMUR_HOST": "::1"}
    with serving(command("serve", "--port", 0), environment) as node:
        assert node.url.startswith("http://[::1]:")
        assert httpx.get(f"{node.url}/health/live", timeout=20).status_code == 200
