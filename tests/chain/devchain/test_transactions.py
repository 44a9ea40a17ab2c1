"""What the chain takes, what waits, and what it refuses, in the words that clients know."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import rlp
from eth_account import Account
from web3 import Web3
from web3.exceptions import TransactionNotFound

from testamur.chain.devchain.accounts import ACCOUNTS
from tests.support.devchain import GWEI, RunningDevchain, connected, sign

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def refusal(web3: Web3, raw: bytes) -> dict[str, Any]:
    answer = web3.provider.make_request("eth_sendRawTransaction", ["0x" + raw.hex()])  # type: ignore[arg-type]
    error: Any = answer["error"]
    return error


def test_accounts_are_those_of_the_well_known_mnemonic() -> None:
    Account.enable_unaudited_hdwallet_features()
    mnemonic = "test test test test test test test test test test test junk"
    for index in (0, 9):
        account = Account.from_mnemonic(mnemonic, account_path=f"m/44'/60'/0'/0/{index}")
        assert account.address == ACCOUNTS[index].address
        assert "0x" + account.key.hex() == ACCOUNTS[index].private_key
    for known in ACCOUNTS:
        assert Account.from_key(known.private_key).address == known.address


def test_transaction_is_in_a_block_when_its_sending_returns(web3: Web3) -> None:
    sent = web3.eth.send_raw_transaction(sign(0, nonce=0))
    assert web3.eth.get_transaction_receipt(sent)["blockNumber"] == 1
    assert web3.eth.get_transaction_count(ACCOUNTS[0].address) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"gasPrice": 3 * GWEI},
        {"maxFeePerGas": 3 * GWEI, "maxPriorityFeePerGas": 0},
        {
            "gasPrice": 3 * GWEI,
            "gas": 40_000,
            "accessList": [{"address": "0x" + "22" * 20, "storageKeys": ["0x" + "00" * 32]}],
        },
    ],
    ids=["untyped", "fee-market-without-tip", "access-list"],
)
def test_every_supported_type_is_mined_and_told(web3: Web3, fields: dict[str, Any]) -> None:
    raw = sign(0, nonce=0, **fields)
    sent = web3.eth.send_raw_transaction(raw)
    assert web3.eth.get_transaction_receipt(sent)["status"] == 1
    told = web3.eth.get_transaction(sent)
    assert bytes(told["hash"]) == bytes(sent) == bytes(Web3.keccak(raw))
    assert told["from"] == ACCOUNTS[0].address
    assert len(told.get("accessList", [])) == (1 if "accessList" in fields else 0)


def test_gap_in_the_nonces_waits_and_is_filled_in_one_block(web3: Web3) -> None:
    late = web3.eth.send_raw_transaction(sign(0, nonce=1))
    assert web3.eth.block_number == 0
    assert web3.eth.get_transaction(late).get("blockNumber") is None
    with pytest.raises(TransactionNotFound):
        web3.eth.get_transaction_receipt(late)
    assert web3.eth.get_transaction_count(ACCOUNTS[0].address, "pending") == 0
    web3.eth.send_raw_transaction(sign(0, nonce=0))
    assert web3.eth.get_transaction_receipt(late)["blockNumber"] == 1
    assert web3.eth.get_transaction_count(ACCOUNTS[0].address, "pending") == 2


def test_transaction_below_the_base_fee_waits_until_it_has_fallen(
    devchain: RunningDevchain, web3: Web3
) -> None:
    fees = {"maxFeePerGas": 8 * GWEI // 10, "maxPriorityFeePerGas": 0}
    sent = web3.eth.send_raw_transaction(sign(0, nonce=0, **fees))
    assert web3.eth.block_number == 0
    assert web3.eth.get_transaction_count(ACCOUNTS[0].address, "pending") == 1
    devchain.chain.mine_empty_block()
    assert web3.eth.get_transaction_receipt(sent)["blockNumber"] == 2


def test_replacement_must_raise_both_fees(web3: Web3) -> None:
    low = {"maxFeePerGas": GWEI // 2, "maxPriorityFeePerGas": GWEI // 10}
    first = web3.eth.send_raw_transaction(sign(0, nonce=0, **low))
    for fees in (
        {"maxFeePerGas": 2 * GWEI, "maxPriorityFeePerGas": GWEI // 10},
        {"maxFeePerGas": GWEI // 2, "maxPriorityFeePerGas": GWEI // 2},
    ):
        error = refusal(web3, sign(0, nonce=0, **fees))
        assert error == {"code": -32000, "message": "replacement transaction underpriced"}
    raised = {"maxFeePerGas": 2 * GWEI, "maxPriorityFeePerGas": GWEI // 5}
    second = web3.eth.send_raw_transaction(sign(0, nonce=0, **raised))
    assert web3.eth.get_transaction_receipt(second)["status"] == 1
    with pytest.raises(TransactionNotFound):
        web3.eth.get_transaction(first)


def test_second_sending_is_known_while_it_waits_and_too_low_once_mined(web3: Web3) -> None:
    waiting = sign(0, nonce=1)
    web3.eth.send_raw_transaction(waiting)
    assert refusal(web3, waiting) == {"code": -32000, "message": "already known"}
    web3.eth.send_raw_transaction(sign(0, nonce=0))
    error = refusal(web3, waiting)
    assert error["message"] == "nonce too low: next nonce 2, tx nonce 1"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"value": 10_001 * 10**18}, "insufficient funds for gas * price + value: balance"),
        ({"gas": 20_999}, "intrinsic gas too low: gas 20999, minimum needed 21000"),
        ({"gas": 30_000_001}, "exceeds block gas limit"),
        ({"chainId": 1}, "invalid sender: invalid chain id for signer: have 1 want 1337"),
        (
            {"maxFeePerGas": GWEI, "maxPriorityFeePerGas": 2 * GWEI},
            "max priority fee per gas higher than max fee per gas",
        ),
        ({"nonce": 2**64 - 1}, "nonce has max value"),
    ],
)
def test_refusals_are_worded_as_elsewhere(web3: Web3, fields: dict[str, Any], message: str) -> None:
    error = refusal(web3, sign(0, **({"nonce": 0} | fields)))
    assert error["code"] == -32000
    assert error["message"].startswith(message)
    assert web3.eth.block_number == 0


def test_transaction_without_replay_protection_is_refused(web3: Web3) -> None:
    transaction = {"nonce": 0, "gas": 21000, "gasPrice": GWEI, "to": "0x" + "22" * 20, "value": 1}
    signed = Account.from_key(ACCOUNTS[0].private_key).sign_transaction(transaction)
    assert "invalid chain id" in refusal(web3, bytes(signed.raw_transaction))["message"]


def test_malleable_signature_is_refused(web3: Web3) -> None:
    fields = rlp.decode(sign(0, nonce=0)[1:])
    fields[9] = b"" if fields[9] else b"\x01"
    fields[11] = (CURVE_ORDER - int.from_bytes(fields[11], "big")).to_bytes(32, "big")
    error = refusal(web3, b"\x02" + rlp.encode(fields))
    assert error["message"] == "invalid sender: invalid transaction v, r, s values"


@pytest.mark.parametrize(
    ("raw", "code", "message"),
    [
        (b"", -32602, "the transaction is empty"),
        (b"\x02", -32602, "not a signed transaction"),
        (b"\x02\xc0", -32602, "not a signed transaction"),
        (b"\x03\xc0", -32000, "transaction type not supported: 3"),
        (b"\x04\xc0", -32000, "transaction type not supported: 4"),
        (b"\x80", -32602, "not a signed transaction"),
        (b"\xc1\xc1", -32602, "not a signed transaction"),
        (b"\xff" * 100, -32602, "not a signed transaction"),
        (b"\x02" * (128 * 1024 + 1), -32000, "oversized data"),
    ],
)
def test_bytes_that_are_no_transaction_are_refused(
    web3: Web3, raw: bytes, code: int, message: str
) -> None:
    error = refusal(web3, raw)
    assert error["code"] == code
    assert message in error["message"]


def test_trailing_byte_after_a_transaction_is_refused(web3: Web3) -> None:
    assert refusal(web3, sign(0, nonce=0) + b"\x00")["code"] == -32602


def test_zero_signature_is_refused(web3: Web3) -> None:
    fields = rlp.decode(sign(0, nonce=0)[1:])
    fields[10] = fields[11] = b""
    assert "v, r, s" in refusal(web3, b"\x02" + rlp.encode(fields))["message"]


def test_second_of_two_that_spend_everything_is_dropped(web3: Web3) -> None:
    most = 9_000 * 10**18
    web3.eth.send_raw_transaction(sign(0, nonce=1, value=most))
    first = web3.eth.send_raw_transaction(sign(0, nonce=0, value=most))
    assert web3.eth.get_transaction_receipt(first)["status"] == 1
    assert web3.eth.get_transaction_count(ACCOUNTS[0].address, "pending") == 1


def test_many_clients_at_once_each_get_their_transactions_mined(
    devchain: RunningDevchain,
) -> None:
    def send(account: int) -> list[int]:
        with connected(devchain.url) as web3:
            return [
                web3.eth.get_transaction_receipt(
                    web3.eth.send_raw_transaction(sign(account, nonce=nonce))
                )["blockNumber"]
                for nonce in range(3)
            ]

    with ThreadPoolExecutor(max_workers=len(ACCOUNTS)) as pool:
        numbers = list(pool.map(send, range(len(ACCOUNTS))))
    assert all(found == sorted(found) for found in numbers)
    contents = [
        len(devchain.chain.block_transactions(devchain.chain.header_at(number)))
        for number in range(1, devchain.chain.head.block_number + 1)
    ]
    assert sum(contents) == 3 * len(ACCOUNTS)
    assert 0 not in contents
