"""A deployment that is journaled gives one ledger, whatever fails and however often it is begun."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testamur.chain.client import ChainClient
from testamur.chain.deployment import sign_deployment
from testamur.chain.deployment_journal import (
    DeploymentJournal,
    JournaledDeployment,
    StandingLedger,
    deploy_once,
)
from testamur.chain.ledger_client import LedgerClient, read_birth
from testamur.errors import ChainUnavailableError, ConfigurationError, StoreUnavailableError
from testamur.ledger.birth import FoundingMember
from testamur.storage.filesystem import PARTIAL, LocalFileSystem
from tests.support.devchain import RunningDevchain, running_devchain
from tests.support.faulty import Fault, FaultyFileSystem
from tests.support.lying_endpoint import LyingEndpoint, hangs_up_on, honest
from tests.support.member_node import TIMEOUT_SECONDS, founding_members, key_of

pytestmark = pytest.mark.slow  # each kills and repeats a deployment

STEPS = ("create", "sync", "rename", "sync_directory")


@pytest.fixture
def devchain() -> Iterator[RunningDevchain]:
    """Give each test a chain of its own, on which deployments can be counted."""
    with running_devchain() as running:
        yield running


@pytest.fixture
def client(devchain: RunningDevchain) -> Iterator[ChainClient]:
    with ChainClient(devchain.url, timeout_seconds=TIMEOUT_SECONDS) as client:
        yield client


def deployed(client: ChainClient, journal: DeploymentJournal) -> StandingLedger:
    return deploy_once(client, key_of(0), journal, founding_members)


def nobody() -> list[FoundingMember]:
    raise AssertionError("the founders were asked for twice")


def assert_one_ledger(client: ChainClient, standing: StandingLedger) -> None:
    assert client.transaction_count(key_of(0).address, pending=True) == 1
    birth = read_birth(LedgerClient.beside(client, standing.contract), standing.block_number)
    assert birth.ledger_id() == standing.ledger_id
    assert list(birth.members) == founding_members()


def test_the_second_time_nothing_is_sent_and_nobody_is_asked(
    client: ChainClient, tmp_path: Path
) -> None:
    journal = DeploymentJournal(tmp_path / "deployment.json")
    first = deployed(client, journal)
    with ChainClient("http://127.0.0.1:9", timeout_seconds=1) as nowhere:
        assert deploy_once(nowhere, key_of(0), journal, nobody) == first
    assert_one_ledger(client, first)
    assert (tmp_path / "deployment.json").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / f"deployment.json{PARTIAL}").exists()


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_before_the_transaction_is_journaled_nothing_is_sent(
    client: ChainClient, tmp_path: Path, step: str, *, kept: bool
) -> None:
    path = tmp_path / "deployment.json"
    fault = Fault(step, kept=kept)
    with pytest.raises(StoreUnavailableError):
        deployed(client, DeploymentJournal(path, FaultyFileSystem(LocalFileSystem(), fault)))
    assert fault.met == 1
    assert client.transaction_count(key_of(0).address, pending=True) == 0
    assert_one_ledger(client, deployed(client, DeploymentJournal(path)))


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_a_deployment_that_could_not_be_noted_is_found_on_the_chain(
    client: ChainClient, tmp_path: Path, step: str, *, kept: bool
) -> None:
    path = tmp_path / "deployment.json"
    members = tuple(founding_members())
    signed = sign_deployment(client, key_of(0), members)
    DeploymentJournal(path).write(JournaledDeployment(signed, members, None))
    fault = Fault(step, kept=kept)
    faulty = DeploymentJournal(path, FaultyFileSystem(LocalFileSystem(), fault))
    with pytest.raises(StoreUnavailableError):
        deploy_once(client, key_of(0), faulty, nobody)
    assert fault.met == 1
    assert client.transaction_count(key_of(0).address, pending=True) == 1
    assert_one_ledger(client, deploy_once(client, key_of(0), DeploymentJournal(path), nobody))


@pytest.mark.parametrize("passed_on", [False, True])
@pytest.mark.parametrize("method", ["eth_sendRawTransaction", "eth_getTransactionReceipt"])
def test_an_endpoint_that_hangs_up_in_the_middle_costs_a_second_try_alone(
    devchain: RunningDevchain, client: ChainClient, tmp_path: Path, method: str, *, passed_on: bool
) -> None:
    journal = DeploymentJournal(tmp_path / "deployment.json")
    with (
        LyingEndpoint(devchain.url, hangs_up_on(method, after_passing_on=passed_on)) as endpoint,
        ChainClient(endpoint.url, timeout_seconds=TIMEOUT_SECONDS) as through,
    ):
        with pytest.raises(ChainUnavailableError):
            deployed(through, journal)
        endpoint.lie = honest
        assert_one_ledger(client, deploy_once(through, key_of(0), journal, nobody))


def test_a_journal_that_cannot_be_read_is_no_journal_that_is_not_there(
    client: ChainClient, tmp_path: Path
) -> None:
    fault = Fault("read", kept=False)
    journal = DeploymentJournal(
        tmp_path / "deployment.json", FaultyFileSystem(LocalFileSystem(), fault)
    )
    with pytest.raises(StoreUnavailableError):
        deploy_once(client, key_of(0), journal, nobody)


DAMAGES: list[tuple[str, Any]] = [
    ("type", "testamur/deployment/v2"),
    ("transaction", "0x0"),
    ("transaction", 1),
    ("founders", "0x00"),
    ("founders", None),
    ("ledger", {}),
    ("ledger", {"contract": "0x" + "c0" * 19, "contract_block": 1, "ledger_id": "ab" * 32}),
    ("ledger", {"contract": "0x" + "c0" * 20, "contract_block": 0, "ledger_id": "ab" * 32}),
    ("ledger", {"contract": "0x" + "c0" * 20, "contract_block": 1, "ledger_id": "AB" * 32}),
    ("surprise", 1),
]


@pytest.mark.parametrize(("name", "value"), DAMAGES)
def test_a_damaged_journal_is_refused_and_named(
    client: ChainClient, tmp_path: Path, name: str, value: Any
) -> None:
    path = tmp_path / "deployment.json"
    deployed(client, DeploymentJournal(path))
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {name: value}))
    with pytest.raises(ConfigurationError, match=r"deployment\.json"):
        DeploymentJournal(path).read()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"type":"testamur/deployment/v1"}'])
def test_what_is_no_journal_is_refused_and_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "deployment.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"deployment\.json"):
        DeploymentJournal(path).read()
