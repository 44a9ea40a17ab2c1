"""``testamur devchain`` as a process: what it prints, how it stops, how it refuses."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from testamur.chain.devchain.accounts import ACCOUNTS, WARNING
from testamur.chain.devchain.chain import DevChain
from testamur.chain.devchain.genesis import GENESIS_HASH
from testamur.cli.devchain import devchain
from tests.support.devchain import STOP_SECONDS, connected, devchain_process, sign

application = typer.Typer()
application.command()(devchain)


@pytest.mark.slow  # starts the command
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_serves_describes_itself_and_stops_when_asked(
    tmp_path: Path, number: signal.Signals
) -> None:
    with devchain_process(tmp_path, finality=1) as running:
        assert running.described["chain_id"] == 1337
        assert running.described["genesis"] == "0x" + GENESIS_HASH.hex()
        assert running.described["finality"] == 1
        assert running.described["warning"] == WARNING
        assert [entry["address"] for entry in running.described["accounts"]] == [
            account.address for account in ACCOUNTS
        ]
        with connected(running.url) as web3:
            sent = web3.eth.send_raw_transaction(sign(0, nonce=0))
            # The connection stays open: stopping must not wait for the client.
            running.process.send_signal(number)
            _, errors = running.process.communicate(timeout=STOP_SECONDS)
        assert running.process.returncode == 0
        assert errors == ""
    chain = DevChain(data_dir=tmp_path, clock=lambda: 0.0)
    assert chain.find_transaction(bytes(sent)) is not None
    chain.close()


def test_foreign_address_and_locked_directory_are_refused_with_advice(tmp_path: Path) -> None:
    runner = CliRunner()
    result = runner.invoke(application, ["--host", "0.0.0.0"])  # noqa: S104  # refused
    assert result.exit_code == 2
    assert "127.0.0.0/8" in result.output
    chain = DevChain(data_dir=tmp_path, clock=lambda: 0.0)
    try:
        result = runner.invoke(application, ["--data-dir", str(tmp_path), "--port", "0"])
        assert result.exit_code == 2
        assert "another process" in result.output
    finally:
        chain.close()
