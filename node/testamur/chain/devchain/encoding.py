"""Blocks, transactions, receipts and logs as JSON-RPC has them (execution-apis).

Complete: keccak(rlp(header fields)) is the block's hash, and the receipts give the receipts
root, so a client can check what it is told.
"""

from __future__ import annotations

from typing import Any, cast

import rlp
from eth._utils.address import generate_contract_address
from eth.abc import BlockHeaderAPI, LogAPI, ReceiptAPI
from eth_typing import Address
from eth_utils.address import to_checksum_address

from testamur.chain.devchain.pool import Waiting
from testamur.chain.devchain.reading import MinedTransaction

Json = dict[str, Any]

_BLOOM_BYTES = 256


def hexadecimal(value: bytes) -> str:
    """Write bytes with 0x, lower-case."""
    return "0x" + bytes(value).hex()


def word(value: int) -> str:
    """Write a number as 32 bytes with 0x."""
    return f"0x{value:064x}"


def header(block: BlockHeaderAPI) -> Json:
    """Give all 21 header fields of Prague (EIP-7685), with the hash."""
    fields: Any = block
    return {
        "hash": hexadecimal(fields.hash),
        "parentHash": hexadecimal(fields.parent_hash),
        "sha3Uncles": hexadecimal(fields.uncles_hash),
        "miner": to_checksum_address(fields.coinbase),
        "stateRoot": hexadecimal(fields.state_root),
        "transactionsRoot": hexadecimal(fields.transaction_root),
        "receiptsRoot": hexadecimal(fields.receipt_root),
        "logsBloom": _bloom(fields.bloom),
        "difficulty": hex(fields.difficulty),
        "number": hex(fields.block_number),
        "gasLimit": hex(fields.gas_limit),
        "gasUsed": hex(fields.gas_used),
        "timestamp": hex(fields.timestamp),
        "extraData": hexadecimal(fields.extra_data),
        "mixHash": hexadecimal(fields.mix_hash),
        "nonce": hexadecimal(fields.nonce),
        "baseFeePerGas": hex(fields.base_fee_per_gas),
        "withdrawalsRoot": hexadecimal(fields.withdrawals_root),
        "blobGasUsed": hex(fields.blob_gas_used),
        "excessBlobGas": hex(fields.excess_blob_gas),
        "parentBeaconBlockRoot": hexadecimal(fields.parent_beacon_block_root),
        "requestsHash": hexadecimal(fields.requests_hash),
    }


def block(head: BlockHeaderAPI, contents: list[MinedTransaction], *, full: bool) -> Json:
    """Describe a block, with whole transactions or their hashes."""
    # Typed transactions stand in the body as byte strings, untyped ones as lists (EIP-2718).
    body = [
        mined.transaction.encode()
        if mined.transaction.type_id is not None
        else rlp.decode(mined.transaction.encode())
        for mined in contents
    ]
    size = len(rlp.encode([rlp.decode(rlp.encode(head)), body, [], []]))
    return header(head) | {
        "size": hex(size),
        "uncles": [],
        "withdrawals": [],
        "transactions": [
            mined_transaction(mined) if full else hexadecimal(mined.transaction.hash)
            for mined in contents
        ],
    }


def mined_transaction(mined: MinedTransaction) -> Json:
    """Describe a transaction in a block."""
    return _transaction(mined.transaction, mined.sender) | {
        "blockHash": hexadecimal(mined.header.hash),
        "blockNumber": hex(mined.header.block_number),
        "transactionIndex": hex(mined.index),
        "gasPrice": hex(_effective_price(mined)),
    }


def waiting_transaction(waiting: Waiting) -> Json:
    """Describe a transaction in no block yet."""
    return _transaction(waiting.transaction, waiting.sender) | {
        "blockHash": None,
        "blockNumber": None,
        "transactionIndex": None,
        "gasPrice": hex(waiting.max_fee),
    }


def _transaction(transaction: Any, sender: bytes) -> Json:
    kind = transaction.type_id or 0
    encoded: Json = {
        "hash": hexadecimal(transaction.hash),
        "type": hex(kind),
        "nonce": hex(transaction.nonce),
        "from": to_checksum_address(sender),
        "to": to_checksum_address(transaction.to) if transaction.to else None,
        "gas": hex(transaction.gas),
        "value": hex(transaction.value),
        "input": hexadecimal(transaction.data),
        "chainId": hex(transaction.chain_id),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
        "v": hex(transaction.y_parity if kind else transaction.v),
    }
    if kind:
        encoded["yParity"] = hex(transaction.y_parity)
        encoded["accessList"] = [
            {"address": to_checksum_address(account), "storageKeys": [word(key) for key in keys]}
            for account, keys in transaction.access_list
        ]
    if kind == 2:  # noqa: PLR2004  # EIP-1559
        encoded["maxFeePerGas"] = hex(transaction.max_fee_per_gas)
        encoded["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    return encoded


def _effective_price(mined: MinedTransaction) -> int:
    base_fee: int = cast("Any", mined.header).base_fee_per_gas
    transaction = mined.transaction
    return min(transaction.max_fee_per_gas, base_fee + transaction.max_priority_fee_per_gas)


def receipts(
    contents: list[MinedTransaction], block_receipts: tuple[ReceiptAPI, ...]
) -> list[Json]:
    """Describe the receipts of a block; logs and gas are counted over the whole block."""
    encoded: list[Json] = []
    gas_before = logs_before = 0
    for mined, receipt in zip(contents, block_receipts, strict=True):
        transaction = mined.transaction
        created = None if transaction.to else _created(mined)
        encoded.append(
            {
                "transactionHash": hexadecimal(transaction.hash),
                "transactionIndex": hex(mined.index),
                "blockHash": hexadecimal(mined.header.hash),
                "blockNumber": hex(mined.header.block_number),
                "type": hex(transaction.type_id or 0),
                "from": to_checksum_address(mined.sender),
                "to": to_checksum_address(transaction.to) if transaction.to else None,
                "contractAddress": created,
                "status": hex(int.from_bytes(receipt.state_root, "big")),
                "cumulativeGasUsed": hex(receipt.gas_used),
                "gasUsed": hex(receipt.gas_used - gas_before),
                "effectiveGasPrice": hex(_effective_price(mined)),
                "logsBloom": _bloom(receipt.bloom),
                "logs": [
                    log(entry, mined, logs_before + position)
                    for position, entry in enumerate(receipt.logs)
                ],
            }
        )
        gas_before = receipt.gas_used
        logs_before += len(receipt.logs)
    return encoded


def log(entry: LogAPI, mined: MinedTransaction, log_index: int) -> Json:
    """Describe one log; ``log_index`` counts the logs of the whole block."""
    return {
        "address": to_checksum_address(entry.address),
        "topics": [word(topic) for topic in entry.topics],
        "data": hexadecimal(entry.data),
        "blockNumber": hex(mined.header.block_number),
        "blockHash": hexadecimal(mined.header.hash),
        "blockTimestamp": hex(mined.header.timestamp),
        "transactionHash": hexadecimal(mined.transaction.hash),
        "transactionIndex": hex(mined.index),
        "logIndex": hex(log_index),
        "removed": False,
    }


def _created(mined: MinedTransaction) -> str:
    created = generate_contract_address(Address(mined.sender), mined.transaction.nonce)
    return to_checksum_address(created)


def _bloom(value: int) -> str:
    return hexadecimal(value.to_bytes(_BLOOM_BYTES, "big"))
