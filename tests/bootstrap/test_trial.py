"""The node that runs where no chain is configured: its directory, its chain and its ledger."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testamur.bootstrap import open_node
from testamur.bootstrap.trial import (
    CHAIN_DIRECTORY,
    CHAIN_PORT,
    JOURNAL_NAME,
    Trial,
    open_trial,
    trial_settings,
)
from testamur.chain.devchain import database
from testamur.chain.devchain.chain import DevChain
from testamur.chain.ledger_client import LedgerClient, read_birth
from testamur.config import NodeSettings, unsafe_settings
from testamur.errors import (
    ChainUnavailableError,
    ConfigurationError,
    StoreLockedError,
    StoreUnavailableError,
)
from testamur.ledger.trust import FinalityRule, NetworkKind
from tests.support.devchain import sign
from tests.support.waiting import wait_until


def settings(data_dir: Path, **given: Any) -> NodeSettings:
    return trial_settings({"data_dir": data_dir, **given}, environment={}, home=Path("/nowhere"))


@contextmanager
def opened(data_dir: Path, *, drawn: bytes = b"\x01" * 32, **given: Any) -> Iterator[Trial]:
    with open_trial(
        settings(data_dir, **given), clock=time.time, random_bytes=lambda _: drawn
    ) as trial:
        yield trial


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "/home/me/.local/share/testamur"),
        ({"XDG_DATA_HOME": ""}, "/home/me/.local/share/testamur"),
        ({"XDG_DATA_HOME": "not/absolute"}, "/home/me/.local/share/testamur"),
        ({"XDG_DATA_HOME": "/elsewhere"}, "/elsewhere/testamur"),
    ],
)
def test_the_data_is_where_programs_keep_it(environment: dict[str, str], expected: str) -> None:
    found = trial_settings({}, environment=environment, home=Path("/home/me"))
    assert found.data_dir == Path(expected)


def test_a_trial_is_labelled_and_quick_and_nothing_of_it_is_unsafe(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as trial:
        found = trial.settings
    assert (found.network_kind, found.member) == (NetworkKind.LOCAL, 1)
    assert found.host == "127.0.0.1"
    assert (found.seal_after_seconds, found.poll_seconds) == (1, 0.2)
    assert list(unsafe_settings(found)) == []


def test_what_is_given_counts_and_what_is_wrong_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "data", seal_after_seconds=7, port=9000) as trial:
        assert (trial.settings.seal_after_seconds, trial.settings.port) == (7, 9000)
    with pytest.raises(ConfigurationError, match="port"):
        settings(tmp_path, port=70_000)


def test_the_next_start_has_the_same_ledger_and_the_chain_goes_on(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "data") as trial:
        first = trial.settings
    with opened(tmp_path / "new" / "data", drawn=b"\x02" * 32) as trial:
        for name in ("contract", "contract_block", "ledger_id"):
            assert getattr(trial.settings, name) == getattr(first, name)
        with open_node(trial.settings, clock=time.time, key=trial.key) as node:
            assert [stage.name for stage in node.stages][-1] == "anchoring"
            assert node.service.about.identity.ledger_id == first.expected_ledger
    private = [tmp_path / "new" / "data", tmp_path / "new" / "data" / CHAIN_DIRECTORY]
    assert [path.stat().st_mode & 0o777 for path in private] == [0o700, 0o700]


def test_two_trials_have_two_ledgers(tmp_path: Path) -> None:
    with opened(tmp_path / "one") as one, opened(tmp_path / "two", drawn=b"\x02" * 32) as two:
        assert one.settings.contract == two.settings.contract
        assert one.settings.ledger_id != two.settings.ledger_id
        with LedgerClient(
            two.settings.rpc_url.get_secret_value(),
            two.settings.contract_address,
            timeout_seconds=10,
        ) as client:
            birth = read_birth(client, two.settings.contract_block)
    (member,) = birth.members
    assert (member.name, member.domain) == ("Trial University", "trial.example")
    assert member.anchor_key == two.key.address


def test_a_directory_that_is_in_use_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "data"), pytest.raises(StoreLockedError), opened(tmp_path / "data"):
        pass


def test_where_the_usual_port_is_taken_the_chain_has_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", CHAIN_PORT))
            taken.listen()
        except OSError:
            pass  # by somebody else, which serves as well
        with opened(tmp_path / "data") as trial:
            url = trial.settings.rpc_url.get_secret_value()
    assert url.startswith("http://127.0.0.1:")
    assert not url.endswith(f":{CHAIN_PORT}")


def test_the_directory_of_a_node_of_another_chain_is_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as trial:
        with open_node(trial.settings, clock=time.time, key=trial.key):
            pass
        shutil.copytree(tmp_path / "data", tmp_path / "other")
    shutil.rmtree(tmp_path / "other" / CHAIN_DIRECTORY)
    before = sorted(tmp_path.joinpath("other").rglob("*"))
    with (
        pytest.raises(ConfigurationError, match="node of another chain"),
        opened(tmp_path / "other"),
    ):
        pass
    assert sorted(tmp_path.joinpath("other").rglob("*")) == before


def test_without_its_journal_a_used_chain_gets_no_second_ledger(tmp_path: Path) -> None:
    with opened(tmp_path / "data"):
        pass
    (tmp_path / "data" / CHAIN_DIRECTORY / JOURNAL_NAME).unlink()
    with pytest.raises(ConfigurationError, match=JOURNAL_NAME), opened(tmp_path / "data"):
        pass


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StoreUnavailableError, match="data directory"),
        opened(tmp_path / "file" / "data"),
    ):
        pass


class _FailingConnection:
    """A connection whose commits fail once it is told so."""

    def __init__(self, path: str) -> None:
        self._connection = database.connect(path)
        self.failing = False

    def execute(self, statement: str, *values: Any) -> Any:
        if self.failing and statement == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_a_chain_whose_disk_failed_ends_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections: list[_FailingConnection] = []

    def connect(path: str) -> Any:
        connections.append(_FailingConnection(path))
        return connections[-1]

    # The chain takes what opens its file as an argument; the trial has no reason to pass it on.
    monkeypatch.setitem(DevChain.__init__.__kwdefaults__, "open_connection", connect)
    with opened(tmp_path / "data") as trial:
        trial.watch.step()
        with LedgerClient(
            trial.settings.rpc_url.get_secret_value(),
            trial.settings.contract_address,
            timeout_seconds=10,
        ) as client:
            born = trial.settings.contract_block
            # Then the chain is idle, and nothing but the transaction makes a block.
            wait_until(lambda: client.finalized(FinalityRule(None)).number >= born, 10)
            connections[-1].failing = True
            with pytest.raises(ChainUnavailableError):
                client.send_raw(sign(5, nonce=0))
        with pytest.raises(StoreUnavailableError, match="earlier write failed"):
            trial.watch.step()
