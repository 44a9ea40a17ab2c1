"""Anchors that cannot go on: each is named, kept, and goes on when its cause is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from testamur.chain import abi
from testamur.chain.anchoring import Anchorer, AnchorProgress
from testamur.chain.devchain.accounts import ACCOUNTS
from testamur.chain.keys import UnsignedTransaction, key_from_hex
from testamur.chain.ledger_client import LedgerClient
from testamur.chain.lifecycle import Phase
from testamur.chain.observing import REBROADCAST_SECONDS
from testamur.errors import ChainUnavailableError, StoreUnavailableError, TransactionRejectedError
from testamur.merkle.hashing import EMPTY_ROOT
from tests.support.devchain import NEVER_SECONDS, RunningDevchain, running_devchain
from tests.support.faulty import Fault, FaultyStore
from tests.support.lying_endpoint import LyingEndpoint, answers, hangs_up_on, honest, pruned
from tests.support.member_node import (
    FEE_CAP_WEI,
    LedgerOnChain,
    MemberNode,
    deployed_ledger,
    key_of,
)


def anchorer_with(node: MemberNode, key_hex: str) -> Anchorer:
    return Anchorer(
        node.client,
        node.store,
        key_from_hex(key_hex, "test"),
        node.member,
        fee_cap_wei=FEE_CAP_WEI,
        clock=lambda: node.now,
    )


def test_a_key_that_the_contract_does_not_know_signs_nothing(node: MemberNode) -> None:
    root = node.seal("one")
    node.follower.poll_once()
    progress = anchorer_with(node, "11" * 32).step()
    assert progress.phase is Phase.KEY_INACTIVE
    assert progress.needs_operator
    assert progress.batch == root
    assert not node.store.anchor_transactions()
    node.turn_until(root, "final")


def test_an_account_without_money_signs_nothing(node: MemberNode, ledger: LedgerOnChain) -> None:
    poor = answers("eth_getBalance", lambda answer: {**answer, "result": "0x1"})
    root = node.seal("one")
    node.follower.poll_once()
    with LyingEndpoint(ledger.url, poor) as endpoint, ledger.client(endpoint.url) as client:
        progress = Anchorer(
            client,
            node.store,
            key_of(1),
            1,
            fee_cap_wei=FEE_CAP_WEI,
            clock=lambda: node.now,
        ).step()
    assert progress.phase is Phase.UNFUNDED
    assert "there are 1" in progress.detail
    assert not node.store.anchor_transactions()
    node.turn_until(root, "final")


def test_gas_above_the_cap_signs_nothing(ledger: LedgerOnChain, tmp_path: Path) -> None:
    with MemberNode(ledger, 1, tmp_path, fee_cap_wei=1) as node:
        node.seal("one")
        assert node.turn().phase is Phase.FEE_TOO_HIGH
        assert not node.store.anchor_transactions()


@pytest.mark.parametrize(
    ("message", "phase"),
    [
        ("insufficient funds for gas * price + value", Phase.UNFUNDED),
        ("transaction underpriced", Phase.REFUSED),
        ("something never heard of", Phase.REFUSED),
    ],
)
def test_a_refused_transaction_stays_signed_and_is_sent_again(
    message: str, phase: Phase, ledger: LedgerOnChain, tmp_path: Path
) -> None:
    def refuse(method: str, _params: list[Any], ask: Any) -> Any:
        if method == "eth_sendRawTransaction":
            return {"error": {"code": -32000, "message": message}}
        return ask()

    with (
        LyingEndpoint(ledger.url, refuse) as endpoint,
        MemberNode(ledger, 1, tmp_path, url=endpoint.url) as node,
    ):
        root = node.seal("one")
        for _ in range(2):
            progress = node.turn()
            assert progress.phase is phase
            assert progress.needs_operator
            assert message in progress.detail
        endpoint.lie = honest
        node.turn_until(root, "final")
        assert node.anchored_with() == [0]


def test_a_rate_limit_is_no_refusal(ledger: LedgerOnChain) -> None:
    limited = answers(
        "eth_sendRawTransaction", lambda _: {"error": {"code": -32005, "message": "slow down"}}
    )
    with (
        LyingEndpoint(ledger.url, limited) as endpoint,
        ledger.client(endpoint.url) as client,
        pytest.raises(ChainUnavailableError),
    ):
        client.send_raw(b"\x02")


def test_a_lost_sequence_gets_a_new_one_only_after_finality(tmp_path: Path) -> None:
    """The same key anchors from two places: the second's first anchor comes too late."""
    with running_devchain(block_interval=NEVER_SECONDS) as running:
        ledger = deployed_ledger(running.url)
        with (
            LyingEndpoint(running.url) as endpoint,
            MemberNode(ledger, 1, tmp_path / "slow", url=endpoint.url) as slow,
            MemberNode(ledger, 1, tmp_path / "fast") as fast,
        ):
            root = slow.seal("slow")
            endpoint.lie = hangs_up_on("eth_sendRawTransaction")
            with pytest.raises(ChainUnavailableError):
                slow.turn()
            endpoint.lie = honest
            other = fast.seal("fast")
            fast.turn()
            fast.turn()
            assert fast.store.batch(other).state == "anchored"

            # Not final: the slow one's bytes are sent, and refused for their nonce, and that is
            # no reason yet for a second sequence.
            assert slow.turn().phase is Phase.BROADCAST
            assert slow.turn().phase is Phase.BROADCAST
            assert slow.anchored_with() == [0]

            mine_to_finality(running)
            assert slow.turn().phase is Phase.SEQUENCE_LOST
            assert slow.anchored_with() == [0, 1]
            mine_to_finality(running)
            slow.turn_until(root, "final")
            states = [each.state for each in slow.store.anchor_transactions()]
            assert states == ["reverted", "final"]
            assert slow.store.size() == 3


FAR = 130
"""Blocks by which finality lags where ordinary nodes have no state of the final block."""

pytestmark = pytest.mark.slow  # each test runs a chain of its own, some a second one


def test_a_lost_sequence_is_found_where_finality_lags_beyond_the_state_that_nodes_keep(
    tmp_path: Path,
) -> None:
    with running_devchain(block_interval=NEVER_SECONDS, finality=FAR) as running:
        ledger = deployed_ledger(running.url)
        with (
            LyingEndpoint(running.url, pruned(running)) as endpoint,
            MemberNode(ledger, 1, tmp_path / "slow", url=endpoint.url) as slow,
            MemberNode(ledger, 1, tmp_path / "fast") as fast,
        ):
            mine_to_finality(running)
            root = slow.seal("slow")
            endpoint.lie = hangs_up_on("eth_sendRawTransaction")
            with pytest.raises(ChainUnavailableError):
                slow.turn()
            endpoint.lie = pruned(running)
            fast.turn_until(fast.seal("fast"), "anchored")
            for _ in range(2):
                assert slow.turn().phase is Phase.BROADCAST
            for _ in range(FAR - 10):
                running.chain.mine_empty_block()
            assert slow.turn().phase is Phase.BROADCAST
            assert slow.anchored_with() == [0]
            mine_to_finality(running)
            assert slow.turn().phase is Phase.SEQUENCE_LOST
            assert slow.anchored_with() == [0, 1]
            mine_to_finality(running)
            slow.turn_until(root, "final")
            assert slow.store.size() == 3


def test_a_lost_nonce_is_signed_anew_with_the_same_sequence_and_sent_again_until_then(
    tmp_path: Path,
) -> None:
    def forgets(method: str, params: list[Any], ask: Any) -> Any:
        if method == "eth_sendRawTransaction":
            sent.append(params[0])
            return {"jsonrpc": "2.0", "id": 0, "result": "0x" + keccak(hexstr=params[0]).hex()}
        return ask()

    sent: list[str] = []
    with running_devchain(block_interval=NEVER_SECONDS, finality=FAR) as running:
        ledger = deployed_ledger(running.url)
        with LyingEndpoint(running.url, pruned(running, forgets)) as endpoint:
            mine_to_finality(running)
            with MemberNode(ledger, 1, tmp_path, url=endpoint.url) as node:
                root = node.seal("one")
                assert node.turn().phase is Phase.BROADCAST
                with ledger.client() as client:
                    client.send_raw(a_transfer(nonce=0))
                for again in (2, 3):
                    node.now += REBROADCAST_SECONDS
                    assert node.turn().phase is Phase.BROADCAST
                    assert len(sent) == again
            # A restart forgets since when the nonce is gone, and waits for finality from there.
            with MemberNode(ledger, 1, tmp_path, url=endpoint.url) as node:
                for _ in range(2):
                    mine_to_finality(running)
                    assert node.store.batch(root).state == "submitted"
                    last = node.turn()
                assert last.phase is Phase.NONCE_LOST
                assert len(set(sent)) == 2
                endpoint.lie = pruned(running)
                node.now += REBROADCAST_SECONDS
                node.turn_until(root, "anchored")
                mine_to_finality(running)
                node.turn_until(root, "final")
                assert node.anchored_with() == [0, 0]
                assert node.store.size() == 2


def a_transfer(*, nonce: int) -> bytes:
    """Sign something of member 1's key that anchors nothing."""
    transfer = UnsignedTransaction(1337, nonce, bytes(20), b"", 21_000, 10**10, 10**9)
    return key_of(1).sign(transfer).raw


def test_a_reverted_anchor_is_named_and_gets_a_new_sequence_after_finality(
    tmp_path: Path,
) -> None:
    with running_devchain(block_interval=NEVER_SECONDS) as running:
        ledger = deployed_ledger(running.url)
        with MemberNode(ledger, 1, tmp_path) as node:
            root = node.seal("ours")
            node.follower.poll_once()
            progress = anchor_just_too_late(running, ledger, node)
            assert progress.phase is Phase.REVERTED
            assert progress.needs_operator
            assert node.store.batch(root).state == "submitted"
            assert node.turn().phase is Phase.REVERTED
            assert node.anchored_with() == [0]
            mine_to_finality(running)
            assert node.turn().phase is Phase.SEQUENCE_LOST
            mine_to_finality(running)
            node.turn_until(root, "final")
            assert node.anchored_with() == [0, 1]


def test_an_anchor_that_reverted_for_its_key_is_signed_anew_with_the_right_one(
    tmp_path: Path,
) -> None:
    """The contract changed its mind about the key between the look at it and the block."""
    wrong = key_of(9)

    def accepts_the_wrong_key(method: str, params: list[Any], ask: Any) -> Any:
        answer = ask()
        if method == "eth_call" and params[0]["data"] == "0x" + asking.hex():
            answer["result"] = answer["result"].replace(right.hex(), wrong.address.hex())
        return answer

    asking, right = abi.call(abi.MEMBER, 1), key_of(1).address
    with running_devchain(block_interval=NEVER_SECONDS) as running:
        ledger = deployed_ledger(running.url)
        with MemberNode(ledger, 1, tmp_path) as node:
            root = node.seal("one")
            node.follower.poll_once()
            with (
                LyingEndpoint(running.url, accepts_the_wrong_key) as endpoint,
                ledger.client(endpoint.url) as client,
            ):
                progress = Anchorer(
                    client, node.store, wrong, 1, fee_cap_wei=FEE_CAP_WEI, clock=lambda: node.now
                ).step()
            assert progress.phase is Phase.REVERTED
            mine_to_finality(running)
            node.follower.poll_once()
            assert anchorer_with(node, ACCOUNTS[9].private_key).step().phase is Phase.KEY_INACTIVE
            assert node.store.batch(root).state == "submitted"
        # The operator installs the right key.
        with MemberNode(ledger, 1, tmp_path) as node:
            node.turn_until(root, "anchored")
            mine_to_finality(running)
            node.turn_until(root, "final")
            assert node.anchored_with() == [0, 0]
            states = [each.state for each in node.store.anchor_transactions()]
            assert states == ["reverted", "final"]
            assert node.store.size() == 2


def test_a_revert_that_is_not_final_is_not_signed_anew(tmp_path: Path) -> None:
    """Until then a reorganisation may let it succeed after all."""

    def says_reverted(method: str, _params: list[Any], ask: Any) -> Any:
        answer = ask()
        if method == "eth_getTransactionReceipt" and answer["result"]:
            answer["result"]["status"] = "0x0"
        return answer

    with running_devchain(block_interval=NEVER_SECONDS) as running:
        ledger = deployed_ledger(running.url)
        with MemberNode(ledger, 1, tmp_path) as node:
            root = node.seal("one")
            node.follower.poll_once()
            with (
                LyingEndpoint(running.url, says_reverted) as endpoint,
                ledger.client(endpoint.url) as client,
            ):
                anchorer = Anchorer(
                    client,
                    node.store,
                    key_of(1),
                    1,
                    fee_cap_wei=FEE_CAP_WEI,
                    clock=lambda: node.now,
                )
                for _ in range(3):
                    assert anchorer.step().phase is Phase.REVERTED
            assert node.anchored_with() == [0]
            node.turn_until(root, "anchored")
            assert node.anchored_with() == [0]


def anchor_just_too_late(
    running: RunningDevchain, ledger: LedgerOnChain, node: MemberNode
) -> AnchorProgress:
    """Let another transaction of the same key take sequence 0 just before ours is signed."""

    def first_somebody_else(method: str, _params: list[Any], ask: Any) -> Any:
        if method == "eth_getTransactionCount" and not done:
            done.append(True)
            with LedgerClient(running.url, ledger.deployment.contract, timeout_seconds=10) as c:
                call = abi.anchor_call(
                    member=1,
                    count=1,
                    root=bytes(31) + b"\x07",
                    status_count=0,
                    status_root=EMPTY_ROOT,
                    sequence=0,
                )
                signed = key_of(1).sign(
                    UnsignedTransaction(
                        1337, 0, ledger.deployment.contract, call, 250_000, 10**10, 10**9
                    )
                )
                c.send_raw(signed.raw)
        return ask()

    done: list[bool] = []
    with (
        LyingEndpoint(running.url, first_somebody_else) as endpoint,
        ledger.client(endpoint.url) as client,
    ):
        return Anchorer(
            client,
            node.store,
            key_of(1),
            1,
            fee_cap_wei=FEE_CAP_WEI,
            clock=lambda: node.now,
        ).step()


def mine_to_finality(running: RunningDevchain) -> None:
    for _ in range(running.chain.finality + 1):
        running.chain.mine_empty_block()


def test_nothing_is_signed_while_the_followed_chain_is_behind(
    ledger: LedgerOnChain, tmp_path: Path
) -> None:
    """After a restore from a backup the ledger may hold the very batch that looks unsent."""
    with MemberNode(ledger, 1, tmp_path / "lost") as node:
        node.turn_until(node.seal("one"), "final")
    with MemberNode(ledger, 1, tmp_path / "restored") as node:
        root = node.seal("one")
        assert node.anchorer.step().phase is Phase.SEALED
        node.turn_until(root, "final")
        assert node.anchored_with() == []
        assert node.store.size() == 2


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("step", ["put_signed", "set_anchor_state", "advance"])
def test_a_store_that_fails_at_a_write_loses_nothing(
    *, step: str, kept: bool, ledger: LedgerOnChain, tmp_path: Path
) -> None:
    with MemberNode(ledger, 1, tmp_path) as node:
        root = node.seal("one")
        node.follower.poll_once()
        fault = Fault(step, kept=kept)
        anchorer = Anchorer(
            node.client,
            FaultyStore(node.store, fault),
            key_of(1),
            1,
            fee_cap_wei=FEE_CAP_WEI,
            clock=lambda: node.now,
        )
        for _ in range(6):
            fault.armed = True
            try:
                anchorer.step()
            except StoreUnavailableError:
                fault.armed = False
                anchorer.step()
            node.follower.poll_once()
        assert fault.met
        node.turn_until(root, "final")
        assert node.store.size() == 2
        assert node.anchored_with() == [0]


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("step", ["append_block", "set_finalized"])
def test_a_store_that_fails_while_following_is_followed_on(
    *, step: str, kept: bool, node: MemberNode, ledger: LedgerOnChain, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        node.turn_until(node.seal(name), "final")
    with MemberNode(ledger, 2, tmp_path / "reader") as reader:
        fault = Fault(step, kept=kept)
        reader.follower._store = FaultyStore(reader.store, fault)  # noqa: SLF001 - the seam
        with pytest.raises(StoreUnavailableError):
            reader.follower.poll_once()
        fault.armed = False
        assert reader.follower.poll_once().size == 3
        assert reader.store.records(0, 3) == node.store.records(0, 3)


def test_rejections_have_kinds(ledger: LedgerOnChain) -> None:
    with ledger.client() as client:
        chain_id = client.chain_id()
        poor = key_from_hex("22" * 32, "test")
        sent = UnsignedTransaction(chain_id, 0, bytes(20), b"", 21_000, 10**10, 10**9)
        with pytest.raises(TransactionRejectedError) as refused:
            client.send_raw(poor.sign(sent).raw)
        assert refused.value.kind == "insufficient_funds"
        with pytest.raises(TransactionRejectedError) as refused:
            client.send_raw(key_of(0).sign(sent).raw)
        assert refused.value.kind == "nonce_too_low"
