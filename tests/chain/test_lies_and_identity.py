"""Endpoints that lie, and chains or contracts that are other ones than expected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testamur.chain.following import MOVES_MAX, STATE_BLOCKS
from testamur.chain.ledger_client import check_identity, read_birth
from testamur.errors import (
    ChainDisagreementError,
    ChainError,
    ChainIdentityError,
    ChainUnavailableError,
)
from testamur.ledger.trust import FinalityRule
from testamur.merkle.hashing import Hash32
from tests.support.devchain import NEVER_SECONDS, RunningDevchain, running_devchain
from tests.support.lying_endpoint import HangUp, Lie, LyingEndpoint, answers, honest, without_log
from tests.support.member_node import LedgerOnChain, MemberNode, deployed_ledger

pytestmark = pytest.mark.slow  # each test runs a chain of its own, some a second one


OTHER = Hash32(bytes(31) + b"\x01")


def test_the_right_chain_and_contract_pass(ledger: LedgerOnChain) -> None:
    with ledger.client() as client:
        at = ledger.deployment.block_number
        check_identity(client, ledger.identity(1), deployed_at_block=at)
        assert read_birth(client, at) == ledger.deployment.birth
        with pytest.raises(ChainIdentityError):
            read_birth(client, at - 1)


def test_another_identity_is_refused(ledger: LedgerOnChain) -> None:
    identity = ledger.identity(1)
    wrong = [
        replace(identity, chain_id=1),
        replace(identity, genesis=OTHER),
        replace(identity, contract=bytes(20)),
        replace(identity, ledger_id=OTHER),
    ]
    with ledger.client() as client:
        for expected in wrong:
            with pytest.raises(ChainIdentityError):
                check_identity(client, expected, deployed_at_block=ledger.deployment.block_number)


def test_an_address_without_a_ledger_is_refused(
    ledger: LedgerOnChain, devchain: RunningDevchain
) -> None:
    nothing = replace(ledger, deployment=replace(ledger.deployment, contract=b"\x01" * 20))
    with nothing.client() as client:
        with pytest.raises(ChainIdentityError, match="no contract"):
            check_identity(client, nothing.identity(1))
        with pytest.raises(ChainIdentityError, match="does not answer as a ledger"):
            client.head_at(client.block("latest").hash)
    assert devchain.url == ledger.url


def test_following_the_wrong_ledger_stores_nothing(ledger: LedgerOnChain, tmp_path: Path) -> None:
    other = deployed_ledger(ledger.url)
    mixed = replace(ledger, deployment=replace(other.deployment, ledger_id=OTHER))
    with MemberNode(mixed, 1, tmp_path) as node:
        with pytest.raises(ChainIdentityError):
            node.follower.poll_once()
        assert node.store.size() == 0


@pytest.mark.parametrize("position", [0, 1, 2])
def test_an_omitted_log_is_a_disagreement_and_nothing_of_it_stays(
    position: int, node: MemberNode, ledger: LedgerOnChain, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        node.turn_until(node.seal(name), "final")
    with (
        LyingEndpoint(ledger.url, without_log(position)) as endpoint,
        MemberNode(ledger, 2, tmp_path / "reader", url=endpoint.url) as reader,
    ):
        with pytest.raises(ChainDisagreementError):
            reader.follower.poll_once()
        assert reader.store.size() == 0
        endpoint.lie = honest
        assert reader.follower.poll_once().size == 3


def test_a_lie_that_starts_later_leaves_what_was_confirmed(
    node: MemberNode, ledger: LedgerOnChain, tmp_path: Path
) -> None:
    node.turn_until(node.seal("one"), "final")
    with (
        LyingEndpoint(ledger.url) as endpoint,
        MemberNode(ledger, 2, tmp_path / "reader", url=endpoint.url) as reader,
    ):
        confirmed = reader.follower.poll_once()
        node.turn_until(node.seal("two"), "final")
        endpoint.lie = without_log(0)
        with pytest.raises(ChainDisagreementError, match="the logs give 2 records"):
            reader.follower.poll_once()
        assert reader.store.followed() == confirmed.block
        assert reader.store.size() == 2
        endpoint.lie = honest
        assert reader.follower.poll_once().size == 3


def test_a_lie_in_old_blocks_is_found_at_the_first_comparison(
    node: MemberNode, ledger: LedgerOnChain, devchain: RunningDevchain, tmp_path: Path
) -> None:
    """Ordinary nodes have no state of old blocks, so these are stored before they are compared."""
    for name in ("one", "two"):
        node.turn_until(node.seal(name), "final")
    for _ in range(STATE_BLOCKS + 20):
        devchain.chain.mine_empty_block()

    def omits_the_last_of_all(method: str, _params: list[Any], ask: Any) -> Any:
        answer = ask()
        if method == "eth_getLogs":
            answer["result"] = [log for log in answer["result"] if log["topics"][2:] != [last]]
        return answer

    last = "0x" + (2).to_bytes(32, "big").hex()
    with (
        LyingEndpoint(ledger.url, omits_the_last_of_all) as endpoint,
        MemberNode(ledger, 2, tmp_path / "reader", url=endpoint.url, range_max=10) as reader,
    ):
        with pytest.raises(ChainDisagreementError, match="the logs give 2 records"):
            reader.follower.poll_once()
        assert reader.store.size() == 0
        assert reader.store.followed() is None
        endpoint.lie = honest
        assert reader.follower.poll_once().size == 3


def test_what_a_stopped_process_did_not_compare_does_not_become_final(
    node: MemberNode, ledger: LedgerOnChain, devchain: RunningDevchain, tmp_path: Path
) -> None:
    """The endpoint met after the restart is behind, so that there is nothing to compare at."""
    node.turn_until(node.seal("one"), "final")
    depth, behind = STATE_BLOCKS + 10, 30
    while devchain.chain.head.block_number < ledger.deployment.block_number + 2 * depth + behind:
        devchain.chain.mine_empty_block()
    number = devchain.chain.head.block_number - STATE_BLOCKS - behind
    earlier = ledger_block(ledger, number)

    def hides_a_record(method: str, _params: list[Any], ask: Any) -> Any:
        if method == "eth_call":
            raise HangUp
        answer = ask()
        if method == "eth_getLogs":
            answer["result"] = [log for log in answer["result"] if len(log["topics"]) == 2]
        return answer

    def is_behind(method: str, params: list[Any], ask: Any) -> Any:
        answer = ask()
        if method == "eth_getBlockByNumber" and params[0] == "latest":
            answer["result"] = earlier
        return answer

    def reader() -> MemberNode:
        rule = FinalityRule(depth=depth)
        return MemberNode(
            ledger, 2, tmp_path / "reader", url=endpoint.url, range_max=10, finality=rule
        )

    with LyingEndpoint(ledger.url, hides_a_record) as endpoint:
        with reader() as stopped, pytest.raises(ChainUnavailableError):
            stopped.follower.poll_once()
        with reader() as restarted:
            followed = restarted.store.followed()
            assert followed is not None
            assert followed.number > number
            assert restarted.store.size() == 1
            endpoint.lie = is_behind
            assert restarted.follower.poll_once().finalized is None
            endpoint.lie = honest
            with pytest.raises(ChainDisagreementError):
                restarted.follower.poll_once()
            assert restarted.follower.poll_once().finalized is not None
            assert restarted.store.size() == 2


def ledger_block(ledger: LedgerOnChain, number: int) -> Any:
    """Give a block of the chain as JSON-RPC has it."""
    with ledger.client() as client:
        return client.connection.ask("eth_getBlockByNumber", hex(number), False)


def _altered(field: str, value: object) -> Any:
    def change(answer: Any) -> Any:
        for log in answer["result"]:
            log[field] = value
        return answer

    return change


LIES = {
    "another contract": (_altered("address", "0x" + "01" * 20), ChainDisagreementError),
    "another block": (_altered("blockHash", "0x" + "01" * 32), ChainDisagreementError),
    "outside the range": (_altered("blockNumber", "0xffffff"), ChainDisagreementError),
    "no topics": (_altered("topics", []), ChainDisagreementError),
    "a foreign event": (_altered("topics", ["0x" + "01" * 32]), ChainDisagreementError),
    "a topic of 31 bytes": (_altered("topics", ["0x" + "01" * 31]), ChainUnavailableError),
    "trailing data": (_altered("data", "0x" + "00" * 192), ChainDisagreementError),
    "odd hex": (_altered("data", "0x0"), ChainUnavailableError),
    "data that is null": (_altered("data", None), ChainUnavailableError),
    "a removed log": (_altered("removed", True), ChainUnavailableError),
    "a number in decimal": (_altered("logIndex", 7), ChainUnavailableError),
    "a leading zero": (_altered("logIndex", "0x07"), ChainUnavailableError),
    "logs twice": (lambda a: {**a, "result": a["result"] * 2}, ChainDisagreementError),
    "logs that are null": (lambda a: {**a, "result": None}, ChainUnavailableError),
    "a log that is a string": (lambda a: {**a, "result": ["x"]}, ChainUnavailableError),
    "no result": (lambda _: {"jsonrpc": "2.0", "id": 1}, ChainUnavailableError),
    "not an object": (lambda _: [1], ChainUnavailableError),
    "not JSON": (lambda _: b"<html>", ChainUnavailableError),
    "not UTF-8": (lambda _: b"\xff\xfe", ChainUnavailableError),
    "JSON without end": (lambda _: b"[" * 100_000, ChainUnavailableError),
    "an error": (lambda _: {"error": {"code": -32005, "message": "limit"}}, ChainUnavailableError),
    "an error that is text": (lambda _: {"error": "limit"}, ChainUnavailableError),
}


@pytest.mark.parametrize("name", LIES)
def test_an_impossible_log_is_named_and_not_stored(
    name: str, node: MemberNode, ledger: LedgerOnChain, tmp_path: Path
) -> None:
    change, error = LIES[name]
    node.turn_until(node.seal("one"), "anchored")
    expected: type[ChainError] = error
    with (
        LyingEndpoint(ledger.url, answers("eth_getLogs", change)) as endpoint,
        MemberNode(ledger, 2, tmp_path / "reader", url=endpoint.url) as reader,
    ):
        with pytest.raises(expected):
            reader.follower.poll_once()
        assert reader.store.size() == 0


def _with(method: str, field: str | None, value: object) -> Lie:
    """Alter one field of the answers to a method, or give another answer."""

    def change(answer: Any) -> Any:
        if field is None:
            return {**answer, "result": value}
        return {**answer, "result": answer["result"] and {**answer["result"], field: value}}

    return answers(method, change)


HUGE = ["0x20000000000000", "0x7fffffffffffffff", "0xffffffffffffffff", "0x1" + "0" * 63]


@pytest.mark.parametrize("value", HUGE)
@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("eth_getBlockByNumber", "number"),
        ("eth_getBlockByNumber", "timestamp"),
        ("eth_getTransactionCount", None),
        ("eth_getLogs", "blockNumber"),
        ("eth_getLogs", "logIndex"),
        ("eth_getLogs", "transactionIndex"),
    ],
)
def test_a_number_that_no_chain_reaches_is_no_answer_and_stops_nothing(
    value: str, method: str, field: str | None, ledger: LedgerOnChain, tmp_path: Path
) -> None:
    lie = _with(method, field, value)
    if method == "eth_getLogs":
        lie = answers(method, _altered(str(field), value))
    with (
        LyingEndpoint(ledger.url, lie) as endpoint,
        MemberNode(ledger, 1, tmp_path, url=endpoint.url) as node,
    ):
        root = node.seal("one")
        with pytest.raises(ChainUnavailableError, match="cannot be used"):
            node.turn()
        assert not node.store.anchor_transactions()
        endpoint.lie = honest
        node.turn_until(root, "anchored")


def test_a_final_block_that_is_told_in_two_ways_is_a_disagreement(tmp_path: Path) -> None:
    """Its hash binds its time, so one of the two is a lie, and no fault of the store's."""
    with running_devchain(block_interval=NEVER_SECONDS) as running:
        ledger = deployed_ledger(running.url)
        with (
            LyingEndpoint(ledger.url) as endpoint,
            MemberNode(ledger, 2, tmp_path, url=endpoint.url) as reader,
        ):
            reader.follower.poll_once()
            for _ in range(running.chain.finality):
                running.chain.mine_empty_block()
            endpoint.lie = _with("eth_getBlockByNumber", "timestamp", "0x1")
            with pytest.raises(ChainDisagreementError, match="two ways"):
                reader.follower.poll_once()
            assert reader.store.finalized() is None
            endpoint.lie = honest
            assert reader.follower.poll_once().finalized is not None


def test_an_endpoint_whose_chain_never_holds_still_is_named_after_some_polls(
    tmp_path: Path,
) -> None:
    def moves(method: str, params: list[Any], ask: Any) -> Any:
        answer = ask()
        if method == "eth_getLogs":
            answer["result"] = []
        if method == "eth_getBlockByNumber":
            if params[0] == "latest":
                answer["result"]["parentHash"] = "0x" + OTHER.hex()
            elif params[0] != "finalized" and int(params[0], 16) > followed:
                answer["result"]["hash"] = "0x" + OTHER.hex()
        return answer

    followed = 0
    with running_devchain(block_interval=NEVER_SECONDS) as running:
        ledger = deployed_ledger(running.url)
        with (
            LyingEndpoint(ledger.url) as endpoint,
            MemberNode(ledger, 1, tmp_path, url=endpoint.url) as node,
        ):
            for _ in range(2):  # one poll that gets through forgives those before it
                endpoint.lie = moves
                for _ in range(MOVES_MAX - 1):
                    assert node.follower.poll_once().size == min(followed, 1)
                endpoint.lie = honest
                block = node.follower.poll_once().block
                assert block is not None
                followed = block.number
                running.chain.mine_empty_block()
            endpoint.lie = moves
            for _ in range(MOVES_MAX - 1):
                node.follower.poll_once()
            for _ in range(2):
                with pytest.raises(ChainUnavailableError, match="in a row"):
                    node.follower.poll_once()
            endpoint.lie = honest
            assert node.follower.poll_once().size == 1


NULLS = {
    "eth_chainId": lambda c: c.chain_id(),
    "eth_getBlockByNumber": lambda c: c.block("latest"),
    "eth_getTransactionCount": lambda c: c.transaction_count(bytes(20), pending=True),
    "eth_getBalance": lambda c: c.balance(bytes(20)),
    "eth_maxPriorityFeePerGas": lambda c: c.fees(),
    "eth_call": lambda c: c.head_at(c.block("latest").hash),
}


@pytest.mark.parametrize("method", NULLS)
@pytest.mark.parametrize(
    "answer", [{"result": None}, {"error": {"code": -32000, "message": "busy"}}, {"result": "0x"}]
)
def test_null_and_errors_are_never_a_zero(method: str, answer: Any, ledger: LedgerOnChain) -> None:
    wanted: tuple[type[ChainError], ...] = (ChainUnavailableError,)
    if method == "eth_call" and answer == {"result": "0x"}:
        wanted = (ChainIdentityError,)  # what an address without code answers
    with (
        LyingEndpoint(ledger.url, answers(method, lambda _: answer)) as endpoint,
        ledger.client(endpoint.url) as client,
        pytest.raises(wanted),
    ):
        NULLS[method](client)
