"""Calls at past blocks, gas estimates, and logs by range, hash, address and topic."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils import keccak
from web3 import Web3
from web3.exceptions import ContractCustomError

from testamur.chain.devchain.accounts import ACCOUNTS
from tests.chain.devchain.test_blocks_and_receipts import (
    deploy,
    emit,
    send_three_in_one_block,
)
from tests.support.devchain import RunningDevchain, emitter_init_code, sign

TOPIC = "0x" + "00" * 31 + "aa"


def topic(value: int) -> str:
    return f"0x{value:064x}"


def logs(web3: Web3, **wanted: Any) -> list[int]:
    return [int(log["data"].hex(), 16) for log in web3.eth.get_logs(wanted)]  # type: ignore[arg-type]


def ask(web3: Web3, method: str, *params: Any) -> Any:
    return web3.provider.make_request(method, list(params))  # type: ignore[arg-type]


def test_storage_is_read_as_of_number_tag_and_hash(devchain: RunningDevchain, web3: Web3) -> None:
    contract = deploy(web3)
    first = emit(web3, contract, 1, 11)
    emit(web3, contract, 2, 22)
    by_hash = {"blockHash": "0x" + bytes(first["blockHash"]).hex(), "requireCanonical": True}
    for block, value in (("0x2", 11), ("latest", 22), (by_hash, 11), ("earliest", 0)):
        answer = ask(web3, "eth_getStorageAt", contract, "0x0", block)
        assert int(answer["result"], 16) == value
    devchain.chain.mine_empty_block()
    assert int(ask(web3, "eth_getStorageAt", contract, "0x0", "finalized")["result"], 16) == 11
    assert int(ask(web3, "eth_getStorageAt", contract, "0x0", "safe")["result"], 16) == 22


def test_call_returns_and_changes_nothing(web3: Web3) -> None:
    contract = deploy(web3)
    request: Any = {"to": contract, "data": topic(5)}
    assert int(web3.eth.call(request).hex(), 16) == 5
    assert web3.eth.get_storage_at(Web3.to_checksum_address(contract), 0) == bytes(32)


def test_call_before_the_contract_existed_returns_nothing(web3: Web3) -> None:
    request: Any = {"to": deploy(web3), "data": topic(5)}
    genesis = "0x" + bytes(web3.eth.get_block(0)["hash"]).hex()
    assert ask(web3, "eth_call", request, {"blockHash": genesis})["result"] == "0x"


def test_reverted_call_gives_its_data(web3: Web3) -> None:
    contract = deploy(web3)
    error = ask(web3, "eth_call", {"to": contract}, "latest")["error"]
    assert error == {"code": 3, "message": "execution reverted", "data": "0xdeadbeef"}
    with pytest.raises(ContractCustomError):
        web3.eth.call({"to": contract})  # type: ignore[typeddict-item]
    assert ask(web3, "eth_estimateGas", {"to": contract})["error"]["code"] == 3


def test_estimate_is_enough_and_one_less_is_not(web3: Web3) -> None:
    contract = deploy(web3)
    request: Any = {"to": contract, "data": topic(9), "from": ACCOUNTS[0].address}
    estimate = web3.eth.estimate_gas(request)
    for nonce, gas, status in ((1, estimate - 1, 0), (2, estimate, 1)):
        raw = sign(0, nonce=nonce, to=contract, value=0, gas=gas, data=topic(9))
        sent = web3.eth.send_raw_transaction(raw)
        assert web3.eth.get_transaction_receipt(sent)["status"] == status


def test_estimate_of_a_transfer_and_of_a_creation(web3: Web3) -> None:
    sender = ACCOUNTS[0].address
    assert web3.eth.estimate_gas({"from": sender, "to": ACCOUNTS[1].address, "value": 1}) == 21000  # type: ignore[typeddict-item]
    creation: Any = {"from": sender, "data": emitter_init_code()}
    gas = web3.eth.estimate_gas(creation)
    raw = sign(0, nonce=0, to=None, value=0, gas=gas, data=emitter_init_code())
    assert web3.eth.get_transaction_receipt(web3.eth.send_raw_transaction(raw))["status"] == 1


def test_data_floor_counts_in_estimates_and_at_the_door(web3: Web3) -> None:
    data = b"\x01" * 1000
    request: Any = {"from": ACCOUNTS[0].address, "to": ACCOUNTS[1].address, "data": data}
    estimate = web3.eth.estimate_gas(request)
    assert estimate == 21_000 + 40 * 1000
    raw = sign(0, nonce=0, gas=estimate - 1, data=data)
    answer = ask(web3, "eth_sendRawTransaction", "0x" + raw.hex())
    assert answer["error"]["message"].startswith("intrinsic gas too low")


def test_call_that_spends_more_than_the_sender_has_is_refused(web3: Web3) -> None:
    poor = "0x" + "11" * 20
    request = {"from": poor, "to": ACCOUNTS[0].address, "value": "0x1"}
    error = ask(web3, "eth_call", request, "latest")["error"]
    assert error["message"] == "insufficient funds for transfer"


def test_logs_by_range_and_by_block_hash(devchain: RunningDevchain, web3: Web3) -> None:
    contract = deploy(web3)
    receipts = [emit(web3, contract, nonce, nonce) for nonce in (1, 2, 3)]
    devchain.chain.mine_empty_block()
    assert logs(web3, fromBlock=0, toBlock="latest") == [1, 2, 3]
    assert logs(web3, fromBlock=3, toBlock=3) == [2]
    assert logs(web3, blockHash=receipts[2]["blockHash"]) == [3]
    assert logs(web3, fromBlock="earliest", toBlock="finalized") == [1, 2]
    assert logs(web3) == []
    found = web3.eth.get_logs({"fromBlock": 2, "toBlock": 2})
    assert found == receipts[0]["logs"]


def test_logs_by_address_and_topics(web3: Web3) -> None:
    contract = deploy(web3)
    for nonce in (1, 2, 3):
        emit(web3, contract, nonce, nonce)
    other = "0x" + "12" * 20
    whole: Any = {"fromBlock": 0, "toBlock": "latest"}
    assert logs(web3, **whole, address=contract) == [1, 2, 3]
    assert logs(web3, **whole, address=[other, contract]) == [1, 2, 3]
    assert logs(web3, **whole, address=other) == []
    assert logs(web3, **whole, topics=[TOPIC]) == [1, 2, 3]
    assert logs(web3, **whole, topics=[topic(1)]) == []
    assert logs(web3, **whole, topics=[None, topic(2)]) == [2]
    assert logs(web3, **whole, topics=[TOPIC, [topic(1), topic(3)]]) == [1, 3]
    assert logs(web3, **whole, topics=[[], [topic(3)]]) == [3]
    assert logs(web3, **whole, topics=[None, None, topic(2)]) == []


def test_logs_of_one_block_keep_their_order(devchain: RunningDevchain, web3: Web3) -> None:
    send_three_in_one_block(devchain, deploy(web3))
    found = web3.eth.get_logs({"fromBlock": 2, "toBlock": 2, "topics": [None, topic(3)]})  # type: ignore[list-item]
    assert [(log["transactionIndex"], log["logIndex"]) for log in found] == [(2, 2)]


@pytest.mark.parametrize(
    ("wanted", "code", "message"),
    [
        ({"fromBlock": "0x1", "toBlock": "0x0"}, -32602, "invalid block range params"),
        ({"fromBlock": "0x0", "toBlock": "0x9"}, -32602, "beyond current head"),
        ({"fromBlock": "latest", "blockHash": "0x" + "00" * 32}, -32602, "exclude each other"),
        ({"blockHash": "0x" + "00" * 32}, -32000, "unknown block"),
        ({"blockHash": "0x00"}, -32602, "32 bytes"),
        ({"fromBlock": "0x01"}, -32602, "quantity"),
        ({"topics": [TOPIC] * 5}, -32602, "at most 4"),
        ({"topics": ["0xaa"]}, -32602, "32 bytes"),
        ({"address": "0xaa"}, -32602, "20 bytes"),
        ({"addresses": []}, -32602, "unknown field"),
        ("everything", -32602, "expected an object"),
    ],
)
def test_bad_filters_are_refused(web3: Web3, wanted: Any, code: int, message: str) -> None:
    web3.eth.send_raw_transaction(sign(0, nonce=0))
    error = ask(web3, "eth_getLogs", wanted)["error"]
    assert error["code"] == code
    assert message in error["message"]


def test_block_of_an_unknown_hash_is_refused_for_state(web3: Web3) -> None:
    unknown = {"blockHash": "0x" + keccak(b"").hex()}
    error = ask(web3, "eth_getBalance", ACCOUNTS[0].address, unknown)["error"]
    assert error == {"code": -32000, "message": "header not found"}
    error = ask(web3, "eth_getBalance", ACCOUNTS[0].address, "0x63")["error"]
    assert error == {"code": -32000, "message": "header not found"}
