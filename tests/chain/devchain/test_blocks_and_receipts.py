"""What the chain says of its blocks can be checked: hashes, roots and proofs are rebuilt."""

from __future__ import annotations

from typing import Any

import pytest
import rlp
from eth_utils import keccak
from trie import HexaryTrie
from web3 import Web3
from web3.exceptions import BlockNotFound

from testamur.chain.devchain.accounts import ACCOUNTS
from testamur.chain.devchain.genesis import CHAIN_ID, GENESIS_HASH, GENESIS_TIMESTAMP
from tests.chain.devchain.conftest import FIRST_SECOND
from tests.support.devchain import RunningDevchain, emitter_init_code, sign

HEADER_FIELDS = [
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
]
NUMBERS = {
    "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed",
    "excessBlobGas",
}  # fmt: skip


def deploy(web3: Web3) -> str:
    raw = sign(0, nonce=0, to=None, value=0, gas=200_000, data=emitter_init_code())
    receipt = web3.eth.get_transaction_receipt(web3.eth.send_raw_transaction(raw))
    assert receipt["status"] == 1
    assert receipt["contractAddress"] is not None
    return receipt["contractAddress"]


def emit(web3: Web3, contract: str, nonce: int, value: int) -> Any:
    raw = sign(0, nonce=nonce, to=contract, value=0, gas=100_000, data=value.to_bytes(32, "big"))
    return web3.eth.get_transaction_receipt(web3.eth.send_raw_transaction(raw))


def send_three_in_one_block(devchain: RunningDevchain, contract: str) -> None:
    # The later nonces wait for the first, and then all go into one block.
    for nonce in (3, 2, 1):
        data = bytes(31) + bytes([nonce])
        fields: dict[str, Any] = {"gasPrice": 3 * 10**9} if nonce == 2 else {}
        devchain.chain.send_raw_transaction(
            sign(0, nonce=nonce, to=contract, value=0, gas=100_000, data=data, **fields)
        )


def header_bytes(block: Any) -> bytes:
    fields = []
    for name in HEADER_FIELDS:
        value = block[name]
        if name in NUMBERS:
            fields.append(int(value, 16) if isinstance(value, str) else value)
        else:
            fields.append(bytes.fromhex(value[2:]) if isinstance(value, str) else bytes(value))
    return rlp.encode(fields)


def receipt_bytes(receipt: Any) -> bytes:
    logs = [
        [bytes.fromhex(log["address"][2:]), [bytes(t) for t in log["topics"]], bytes(log["data"])]
        for log in receipt["logs"]
    ]
    encoded = rlp.encode(
        [receipt["status"], receipt["cumulativeGasUsed"], bytes(receipt["logsBloom"]), logs]
    )
    kind = receipt["type"]
    return bytes([kind]) + encoded if kind else encoded


def test_genesis_is_the_same_on_every_machine(web3: Web3) -> None:
    block = web3.eth.get_block(0)
    assert bytes(block["hash"]) == GENESIS_HASH
    assert GENESIS_HASH.hex() == (
        "cc5b0ca58c8c9847e4d3c231016b893b9db723cbfab14ea8c8010648f89e6080"
    )
    assert block["timestamp"] == GENESIS_TIMESTAMP
    assert web3.eth.chain_id == CHAIN_ID == 1337
    for account in ACCOUNTS:
        assert web3.eth.get_balance(account.address) == 10_000 * 10**18


def test_header_hash_follows_from_the_header(devchain: RunningDevchain, web3: Web3) -> None:
    deploy(web3)
    devchain.chain.mine_empty_block()
    for number in range(3):
        block = web3.eth.get_block(number)
        assert keccak(header_bytes(block)) == bytes(block["hash"])


def test_receipts_root_follows_from_the_receipts(devchain: RunningDevchain, web3: Web3) -> None:
    send_three_in_one_block(devchain, deploy(web3))
    block = web3.eth.get_block("latest")
    receipts = web3.eth.get_block_receipts("latest")
    assert len(receipts) == 3
    trie = HexaryTrie({})
    for index, receipt in enumerate(receipts):
        assert receipt["transactionIndex"] == index
        trie[rlp.encode(index)] = receipt_bytes(receipt)
    assert trie.root_hash == bytes(block["receiptsRoot"])


def test_receipts_of_one_block_count_gas_and_logs_over_the_block(
    devchain: RunningDevchain, web3: Web3
) -> None:
    send_three_in_one_block(devchain, deploy(web3))
    receipts = web3.eth.get_block_receipts("latest")
    total = 0
    for index, receipt in enumerate(receipts):
        total += receipt["gasUsed"]
        assert receipt["cumulativeGasUsed"] == total
        assert [log["logIndex"] for log in receipt["logs"]] == [index]
        assert web3.eth.get_transaction_receipt(receipt["transactionHash"]) == receipt
    assert [receipt["type"] for receipt in receipts] == [2, 0, 2]
    assert web3.eth.get_block("latest")["gasUsed"] == total


def test_transactions_root_follows_from_what_was_sent(web3: Web3) -> None:
    raw = sign(0, nonce=0)
    web3.eth.send_raw_transaction(raw)
    trie = HexaryTrie({})
    trie[rlp.encode(0)] = raw
    assert trie.root_hash == bytes(web3.eth.get_block(1)["transactionsRoot"])


def test_mined_transaction_is_told_with_its_place(web3: Web3) -> None:
    sent = web3.eth.send_raw_transaction(sign(0, nonce=0, value=7))
    transaction = web3.eth.get_transaction(sent)
    assert transaction["blockNumber"] == 1
    assert transaction["transactionIndex"] == 0
    assert transaction["from"] == ACCOUNTS[0].address
    assert transaction["to"] == ACCOUNTS[1].address
    assert transaction["value"] == 7
    assert web3.eth.get_block(1, full_transactions=True)["transactions"] == [transaction]
    receipt = web3.eth.get_transaction_receipt(sent)
    assert receipt["effectiveGasPrice"] == transaction["gasPrice"]
    assert receipt["effectiveGasPrice"] == web3.eth.get_block(1)["baseFeePerGas"] + 10**9


def test_times_increase_strictly_though_the_clock_stands_still(
    devchain: RunningDevchain, web3: Web3
) -> None:
    for _ in range(3):
        devchain.chain.mine_empty_block()
    times = [web3.eth.get_block(number)["timestamp"] for number in (1, 2, 3)]
    assert times == [FIRST_SECOND, FIRST_SECOND + 1, FIRST_SECOND + 2]


def test_base_fee_falls_by_an_eighth_in_empty_blocks(devchain: RunningDevchain, web3: Web3) -> None:
    devchain.chain.mine_empty_block()
    devchain.chain.mine_empty_block()
    fees = [web3.eth.get_block(number)["baseFeePerGas"] for number in range(3)]
    assert fees == [1_000_000_000, 875_000_000, 765_625_000]


def test_account_proof_leads_to_the_state_root(web3: Web3) -> None:
    contract = deploy(web3)
    emit(web3, contract, 1, 77)
    block = web3.eth.get_block("latest")
    proof = web3.eth.get_proof(Web3.to_checksum_address(contract), [0, 5], "latest")
    key = keccak(bytes.fromhex(contract[2:]))
    nodes = [rlp.decode(bytes(node)) for node in proof["accountProof"]]
    account = HexaryTrie.get_from_proof(bytes(block["stateRoot"]), key, nodes)
    assert rlp.decode(account) == [
        proof["nonce"].to_bytes(1, "big"),
        b"",
        bytes(proof["storageHash"]),
        bytes(proof["codeHash"]),
    ]
    assert bytes(proof["codeHash"]) == keccak(bytes(web3.eth.get_code(contract)))
    for slot, value in ((0, b"\x4d"), (5, b"")):
        stored = proof["storageProof"][0 if slot == 0 else 1]
        nodes = [rlp.decode(bytes(node)) for node in stored["proof"]]
        key = keccak(slot.to_bytes(32, "big"))
        found = HexaryTrie.get_from_proof(bytes(proof["storageHash"]), key, nodes)
        assert found == (rlp.encode(value) if value else b"")
        assert int.from_bytes(bytes(stored["value"]), "big") == int.from_bytes(value, "big")


def test_absent_account_is_proven_absent(web3: Web3) -> None:
    nobody = Web3.to_checksum_address("0x" + "77" * 20)
    proof = web3.eth.get_proof(nobody, [1])
    nodes = [rlp.decode(bytes(node)) for node in proof["accountProof"]]
    root = bytes(web3.eth.get_block("latest")["stateRoot"])
    assert HexaryTrie.get_from_proof(root, keccak(bytes.fromhex(nobody[2:])), nodes) == b""
    assert proof["balance"] == 0
    assert proof["storageProof"][0]["proof"] == []


def test_unknown_blocks_and_transactions_are_null(web3: Web3) -> None:
    with pytest.raises(BlockNotFound):
        web3.eth.get_block(99)
    with pytest.raises(BlockNotFound):
        web3.eth.get_block("0x" + "12" * 32)
    answer = web3.provider.make_request("eth_getTransactionReceipt", ["0x" + "12" * 32])
    assert answer["result"] is None


def test_block_transaction_counts(web3: Web3) -> None:
    web3.eth.send_raw_transaction(sign(0, nonce=0))
    assert web3.eth.get_block_transaction_count(1) == 1
    assert web3.eth.get_block_transaction_count(web3.eth.get_block(0)["hash"]) == 0


def test_fee_history_gives_what_the_blocks_say(devchain: RunningDevchain, web3: Web3) -> None:
    deploy(web3)
    devchain.chain.mine_empty_block()
    history = web3.eth.fee_history(2, "latest", [0, 50, 100])
    blocks = [web3.eth.get_block(number) for number in (1, 2)]
    assert history["oldestBlock"] == 1
    assert history["baseFeePerGas"][:2] == [block["baseFeePerGas"] for block in blocks]
    assert len(history["baseFeePerGas"]) == 3
    assert history["gasUsedRatio"][0] == pytest.approx(blocks[0]["gasUsed"] / 30_000_000)
    assert history["reward"] == [[10**9] * 3, [0] * 3]
