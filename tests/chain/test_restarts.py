"""A node that is stopped anywhere goes on where it was, with the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from testamur.chain.lifecycle import Phase
from testamur.errors import ChainUnavailableError
from testamur.storage.model import AnchorState, BatchState
from tests.support.devchain import NEVER_SECONDS, running_devchain
from tests.support.lying_endpoint import LyingEndpoint, hangs_up_on, honest
from tests.support.member_node import LedgerOnChain, MemberNode, deployed_ledger

pytestmark = pytest.mark.slow  # each test runs a chain of its own, some a second one


@pytest.fixture
def endpoint(ledger: LedgerOnChain) -> Iterator[LyingEndpoint]:
    with LyingEndpoint(ledger.url) as endpoint:
        yield endpoint


def states(node: MemberNode) -> tuple[BatchState, AnchorState]:
    (batch,) = node.store.batches()
    (journaled,) = node.store.anchor_transactions()
    return batch.state, journaled.state


def test_stopped_before_the_endpoint_got_the_transaction(
    ledger: LedgerOnChain, endpoint: LyingEndpoint, tmp_path: Path
) -> None:
    endpoint.lie = hangs_up_on("eth_sendRawTransaction")
    with MemberNode(ledger, 1, tmp_path, url=endpoint.url) as node:
        root = node.seal("one")
        with pytest.raises(ChainUnavailableError):
            node.turn()
        assert states(node) == ("sealed", "signed")
        (before,) = node.store.anchor_transactions()
    with MemberNode(ledger, 1, tmp_path) as node:
        node.turn_until(root, "final")
        (after,) = node.store.anchor_transactions()
        assert after.transaction == before.transaction
        assert node.store.size() == 2


def test_stopped_after_the_endpoint_got_it_and_before_it_answered(
    ledger: LedgerOnChain, endpoint: LyingEndpoint, tmp_path: Path
) -> None:
    endpoint.lie = hangs_up_on("eth_sendRawTransaction", after_passing_on=True)
    with MemberNode(ledger, 1, tmp_path, url=endpoint.url) as node:
        root = node.seal("one")
        with pytest.raises(ChainUnavailableError):
            node.turn()
        assert states(node) == ("sealed", "signed")
    with MemberNode(ledger, 1, tmp_path) as node:
        node.turn_until(root, "final")
        assert states(node) == ("final", "final")
        assert node.store.size() == 2


def test_stopped_after_broadcast(ledger: LedgerOnChain, tmp_path: Path) -> None:
    with MemberNode(ledger, 1, tmp_path) as node:
        root = node.seal("one")
        assert node.turn().phase is Phase.BROADCAST
        assert states(node) == ("submitted", "broadcast")
    with MemberNode(ledger, 1, tmp_path) as node:
        node.turn_until(root, "final")
        assert node.store.size() == 2


def test_stopped_after_mined(tmp_path: Path) -> None:
    with running_devchain(block_interval=NEVER_SECONDS) as running:
        ledger = deployed_ledger(running.url)
        with MemberNode(ledger, 1, tmp_path) as node:
            root = node.seal("one")
            node.turn_until(root, "anchored")
            assert node.turn().phase is Phase.MINED
            assert states(node) == ("anchored", "mined")
        for _ in range(running.chain.finality):
            running.chain.mine_empty_block()
        with MemberNode(ledger, 1, tmp_path) as node:
            node.turn_until(root, "final")
            assert states(node) == ("final", "final")
            assert node.store.size() == 2


def test_a_restart_after_finality_sends_nothing(
    ledger: LedgerOnChain, endpoint: LyingEndpoint, tmp_path: Path
) -> None:
    with MemberNode(ledger, 1, tmp_path) as node:
        node.turn_until(node.seal("one"), "final")
    with MemberNode(ledger, 1, tmp_path, url=endpoint.url) as node:
        assert node.turn().phase is Phase.IDLE
    assert "eth_sendRawTransaction" not in endpoint.asked


def test_a_restart_sends_the_bytes_of_the_journal_again(
    ledger: LedgerOnChain, endpoint: LyingEndpoint, tmp_path: Path
) -> None:
    def swallows(method: str, params: list[object], ask: object) -> object:
        # An endpoint that takes a transaction and forgets it.
        if method == "eth_sendRawTransaction":
            taken.append(params[0])
            return {"jsonrpc": "2.0", "id": 0, "result": "0x" + tx_hash()}
        return honest(method, params, ask)  # type: ignore[arg-type]

    def tx_hash() -> str:
        (journaled,) = node.store.anchor_transactions()
        return journaled.transaction.tx_hash.hex()

    taken: list[object] = []
    endpoint.lie = swallows
    with MemberNode(ledger, 1, tmp_path, url=endpoint.url) as node:
        root = node.seal("one")
        node.turn()
        node.turn()
        assert len(taken) == 1
        node.now += 61
        node.turn()
        assert len(taken) == 2
    with MemberNode(ledger, 1, tmp_path, url=endpoint.url) as node:
        node.turn()
        assert len(taken) == 3
        assert len(set(map(str, taken))) == 1
        assert states(node) == ("submitted", "broadcast")
    with MemberNode(ledger, 1, tmp_path) as node:
        node.turn_until(root, "final")


METHODS = (
    "eth_blockNumber",
    "eth_call",
    "eth_getBalance",
    "eth_getBlockByNumber",
    "eth_getLogs",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
    "eth_maxPriorityFeePerGas",
    "eth_sendRawTransaction",
)


@pytest.mark.parametrize("method", METHODS)
def test_an_endpoint_that_is_down_loses_nothing(
    method: str, ledger: LedgerOnChain, endpoint: LyingEndpoint, tmp_path: Path
) -> None:
    with MemberNode(ledger, 1, tmp_path, url=endpoint.url) as node:
        root = node.seal("one")
        # One method fails at every second turn, at whatever step the node then is.
        for _ in range(6):
            endpoint.lie = hangs_up_on(method)
            endpoint.asked.clear()
            with suppress(ChainUnavailableError):
                node.turn()
            assert method not in endpoint.asked or endpoint.asked[-1] == method
            endpoint.lie = honest
            node.turn()
        node.turn_until(root, "final")
        assert node.store.size() == 2
        assert node.anchored_with() == [0]


def test_a_chain_that_is_down_is_unavailable_and_nothing_else(
    ledger: LedgerOnChain, tmp_path: Path
) -> None:
    with MemberNode(ledger, 1, tmp_path, url="http://127.0.0.1:9/") as node:
        node.seal("one")
        with pytest.raises(ChainUnavailableError):
            node.follower.poll_once()
        assert node.anchorer.step().phase is Phase.SEALED
        assert node.store.size() == 0
