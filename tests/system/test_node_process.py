"""``testamur serve`` and the commands around it, all as processes."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from testamur.chain.devchain.accounts import ACCOUNTS
from tests.support.lying_endpoint import HangUp, LyingEndpoint, honest
from tests.support.node import EXAMPLES, Consortium, founded
from tests.support.processes import STOP_SECONDS, NodeProcess, node_process, run
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow  # processes start


def secrets_of(folder: Path) -> set[str]:
    """Collect what no log may hold: every entry, salt and digest, and the keys."""
    found = {account.private_key[2:] for account in ACCOUNTS}
    for sidecar in folder.glob("*.testamur.json"):
        content = json.loads(sidecar.read_bytes())
        found |= {content["entry"], content["salt"], content["digest"]}
    return found


def assert_nothing_leaked(node: NodeProcess, secrets: set[str]) -> None:
    text = "".join(node.lines).lower()
    assert not [secret for secret in secrets if secret.lower() in text]
    assert "traceback" not in text
    assert "/v1/" not in text  # no access log
    assert {line["level"] for line in node.log} <= {"info", "warning"}


def test_from_a_file_to_a_verdict_with_the_commands_alone(  # noqa: PLR0915 - one story
    consortium: Consortium, tmp_path: Path
) -> None:
    folder = tmp_path / "credentials"
    shutil.copytree(EXAMPLES, folder)
    files = sorted(folder.iterdir())
    with node_process(consortium.write_config(1)) as node:
        wait_until(node.ready, 20)
        at = ("--node", node.url)

        early = run("submit", files[0], *at, "--json")
        assert early.returncode == 2
        assert json.loads(early.stdout)["error"]["code"] == "sidecar_missing"
        assert "commit" in json.loads(early.stdout)["error"]["advice"]

        assert run("commit", *files, *at).returncode == 0
        secrets = secrets_of(folder)
        assert len(secrets) == len(ACCOUNTS) + 3 * len(files)

        unknown = run("receipt", *files, *at, "--json")
        assert unknown.returncode == 3
        told = [json.loads(line)["error"]["code"] for line in unknown.stdout.splitlines()]
        assert told == ["unknown_entry"] * len(files)

        submitted = run("submit", *files, *at, "--json")
        assert submitted.returncode == 0, submitted.stderr
        assert len(submitted.stdout.splitlines()) == len(files)
        again = run("submit", *files, *at)
        assert again.returncode == 0
        assert f"0 submitted, {len(files)} were already, 0 failed." in again.stderr
        assert again.stdout.count("submitted") == len(files)

        got = run("receipt", *files, *at, "--wait", "30", "--json")
        assert got.returncode == 0, got.stderr + got.stdout
        assert {json.loads(line)["state"] for line in got.stdout.splitlines()} == {"final"}

        for path in files:
            asked = run("verify", path, *at, "--json")
            report = json.loads(asked.stdout)
            # One member registers all: the issuers that two of the others name are not it.
            differs = "brisamar" in path.name or "cassel" in path.name
            wanted = (4, "verified_with_warnings") if differs else (0, "verified")
            assert (asked.returncode, report["verdict"]) == wanted, asked.stdout

        (own, other) = (files[0], files[-1])
        for_people = run("verify", own, *at)
        assert for_people.returncode == 0
        assert for_people.stdout.startswith("VERIFIED\nRegistered by University of Aldermere")
        for said in ("a trial and proves nothing", "does not prove"):
            assert said in for_people.stdout

        tampered = tmp_path / "tampered.pdf"
        tampered.write_bytes(own.read_bytes() + b" ")
        receipt = own.with_name(own.name + ".receipt.json")
        refused = run("verify", tampered, "--receipt", receipt, *at)
        assert refused.returncode == 1
        assert "FAILED   credential" in refused.stdout
        assert run("verify", other, "--receipt", receipt, *at).returncode == 1

        trust = tmp_path / "trust.json"
        trust.write_bytes(httpx.get(f"{node.url}/v1/trust").content)
        assert node.stop() == 0
        assert_nothing_leaked(node, secrets)
    checked = run("check", "--data-dir", consortium.settings(1).data_dir, "--json")
    assert checked.returncode == 0, checked.stdout
    assert json.loads(checked.stdout)["clean"] is True
    gone = run("verify", own, *at, "--json")
    assert (gone.returncode, "node_unavailable" in gone.stdout) == (3, True)
    offline = run("verify", own, "--trust", trust, "--json")
    assert (offline.returncode, json.loads(offline.stdout)["verdict"]) == (3, "could_not_check")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_a_node_ends_in_order(consortium: Consortium, number: signal.Signals) -> None:
    with node_process(consortium.write_config(1)) as node:
        # At once, also with a connection that is kept open.
        with httpx.Client(base_url=node.url) as client:
            assert client.get("/health/live").status_code == 200
            assert node.stop(number) == 0
        assert_nothing_leaked(node, set())


def test_a_chain_that_comes_back_as_another_ends_the_node_with_an_error(
    consortium: Consortium, tmp_path: Path
) -> None:
    def down(_method: str, _params: list[Any], _ask: Any) -> Any:
        raise HangUp

    with node_process(consortium.write_config(1)) as node:
        wait_until(node.ready, 20)
        assert node.stop() == 0
    (tmp_path / "other").mkdir()
    with (
        founded(tmp_path / "other", parent_blocks=1) as other,
        LyingEndpoint(other.chain.url, down) as endpoint,
        node_process(consortium.write_config(1, rpc_url=endpoint.url)) as node,
    ):
        endpoint.lie = honest
        assert node.process.wait(STOP_SECONDS) == 1
    errors = [line for line in node.log if line["level"] == "error"]
    assert [line["event"] for line in errors] == ["stage stopped the node"]
    assert "birth" in errors[0]["reason"]


def test_a_node_with_other_data_ends_with_a_sentence(
    consortium: Consortium, tmp_path: Path
) -> None:
    config = consortium.write_config(1, port=0)
    with node_process(config) as node:
        wait_until(node.ready, 20)
        second = run("serve", "--config", config)
        assert second.returncode == 3
        assert "[store_locked]" in second.stderr
        assert "Traceback" not in second.stderr
        assert node.stop() == 0
    consortium.write_config(1, contract="0x" + "11" * 20)
    ended = run("serve", "--config", config)
    assert ended.returncode == 3
    assert "[store_identity]" in ended.stderr
    consortium.write_config(1, contract_block=0)
    ended = run("serve", "--config", config)
    assert (ended.returncode, "contract_block" in ended.stderr) == (2, True)
    fresh = tmp_path / "fresh"
    secret = f"{consortium.chain.url}/v3/my-api-key?token=my-token"
    ended = run(
        "serve",
        "--config",
        consortium.write_config(1, rpc_url=secret, data_dir=fresh, contract="0x" + "11" * 20),
    )
    assert ended.returncode != 0
    assert consortium.chain.url in ended.stderr or "0x1111" in ended.stderr
    for text in ("my-api-key", "my-token", "Traceback"):
        assert text not in ended.stderr
