"""The envelope: JSON-RPC 2.0 to the letter, over HTTP that keeps its limits."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from testamur.chain.devchain.genesis import GENESIS_HASH
from testamur.chain.devchain.json_rpc import MAX_BATCH, MAX_BODY, Dispatcher
from testamur.chain.devchain.methods import Methods
from testamur.chain.devchain.server import DevchainServer
from testamur.errors import ConfigurationError
from tests.support.devchain import RunningDevchain

ADDRESS = "0x" + "11" * 20


@pytest.fixture
def dispatcher(devchain: RunningDevchain) -> Dispatcher:
    return Dispatcher(Methods(devchain.chain).table)


def answer(dispatcher: Dispatcher, body: bytes) -> Any:
    return json.loads(dispatcher.answer(body))


def request(method: str, *params: Any) -> bytes:
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    return json.dumps(call).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"jsonrpc":"2.0"',
        b"[" * 100_000,
        b'{"id":' + b"9" * 5000 + b"}",
        b'{"jsonrpc":"2.0","id":1,"id":2,"method":"eth_chainId"}',
    ],
    ids=["empty", "cut", "not-utf-8", "unclosed", "100000-deep", "huge-number", "twice"],
)
def test_what_is_no_json_is_a_parse_error(dispatcher: Dispatcher, body: bytes) -> None:
    error = {"code": -32700, "message": "parse error"}
    assert answer(dispatcher, body) == {"jsonrpc": "2.0", "id": None, "error": error}


@pytest.mark.parametrize(
    "body",
    [
        b"1",
        b"null",
        b"[]",
        b'{"id":1,"method":"eth_chainId"}',
        b'{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}',
        b'{"jsonrpc":"2.0","id":1,"method":7}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}',
        b'{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}',
        b'{"jsonrpc":"2.0","id":true,"method":"eth_chainId"}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","extra":1}',
    ],
)
def test_what_is_no_request_is_an_invalid_request(dispatcher: Dispatcher, body: bytes) -> None:
    assert answer(dispatcher, body)["error"]["code"] == -32600


@pytest.mark.parametrize(
    "method",
    ["eth_sendTransaction", "eth_sign", "eth_newFilter", "debug_traceTransaction", "", "table"],
)
def test_unsupported_method_is_not_found(dispatcher: Dispatcher, method: str) -> None:
    assert answer(dispatcher, request(method))["error"]["code"] == -32601


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBalance", []),
        ("eth_getBalance", [ADDRESS, "latest", "more"]),
        ("eth_getBalance", ["0x11"]),
        ("eth_getBalance", [ADDRESS[2:]]),
        ("eth_getBalance", [ADDRESS, "newest"]),
        ("eth_getBalance", [ADDRESS, "0x00"]),
        ("eth_getBalance", [ADDRESS, 1]),
        ("eth_getBalance", [ADDRESS, {"blockHash": "0x" + "00" * 32, "blockNumber": "0x0"}]),
        ("eth_getBalance", [ADDRESS, {"blockHash": "0x" + "00" * 32, "requireCanonical": 1}]),
        ("eth_getBlockByNumber", ["latest", "yes"]),
        ("eth_getBlockByNumber", [{"blockHash": "0x" + "00" * 32}]),
        ("eth_getBlockByHash", ["latest"]),
        ("eth_getStorageAt", [ADDRESS, "slot"]),
        ("eth_getProof", [ADDRESS, "0x0"]),
        ("eth_getProof", [ADDRESS, ["0x0"] * 2000]),
        ("eth_call", ["0x"]),
        ("eth_call", [{"to": ADDRESS, "payload": "0x"}]),
        ("eth_call", [{"to": ADDRESS, "data": "0x1"}]),
        ("eth_call", [{"to": ADDRESS, "data": "0x11", "input": "0x22"}]),
        ("eth_call", [{"to": ADDRESS, "value": 1}]),
        ("eth_call", [{"to": ADDRESS, "value": "0x1" + "0" * 64}]),
        ("eth_call", [{"to": ADDRESS, "accessList": [{"address": ADDRESS}]}]),
        ("eth_sendRawTransaction", [7]),
        ("eth_getTransactionReceipt", ["0x"]),
        ("eth_feeHistory", ["0x0", "latest"]),
        ("eth_feeHistory", ["0x401", "latest"]),
        ("eth_feeHistory", ["0x1", "latest", [50, 10]]),
        ("eth_feeHistory", ["0x1", "latest", [101]]),
        ("eth_feeHistory", ["0x1", "latest", "10"]),
    ],
)
def test_bad_parameters_are_named(dispatcher: Dispatcher, method: str, params: list[Any]) -> None:
    error = answer(dispatcher, request(method, *params))["error"]
    assert error["code"] == -32602
    assert "Traceback" not in error["message"]


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("eth_accounts", []),
        ("eth_syncing", False),
        ("net_listening", True),
        ("net_version", "1337"),
        ("eth_chainId", "0x539"),
        ("eth_maxPriorityFeePerGas", "0x3b9aca00"),
        ("eth_gasPrice", hex(875_000_000 + 10**9)),
        ("web3_clientVersion", "testamur-devchain/0.1.0/py-evm"),
    ],
)
def test_plain_questions_are_answered(dispatcher: Dispatcher, method: str, result: object) -> None:
    assert answer(dispatcher, request(method)) == {"jsonrpc": "2.0", "id": 1, "result": result}


def test_batch_is_answered_in_order_without_its_notifications(dispatcher: Dispatcher) -> None:
    batch = [
        {"jsonrpc": "2.0", "id": "a", "method": "eth_blockNumber"},
        {"jsonrpc": "2.0", "method": "eth_blockNumber"},
        7,
        {"jsonrpc": "2.0", "id": 2, "method": "nothing"},
    ]
    answers = answer(dispatcher, json.dumps(batch).encode())
    assert [item["id"] for item in answers] == ["a", None, 2]
    assert [item.get("error", {}).get("code") for item in answers] == [None, -32600, -32601]


def test_notifications_alone_are_not_answered(dispatcher: Dispatcher) -> None:
    notification = b'{"jsonrpc":"2.0","method":"eth_blockNumber"}'
    assert dispatcher.answer(notification) == b""
    assert dispatcher.answer(b"[" + notification + b"]") == b""


def test_batch_has_a_limit(dispatcher: Dispatcher) -> None:
    one = request("eth_chainId").decode()
    full = "[" + ",".join([one] * MAX_BATCH) + "]"
    assert len(answer(dispatcher, full.encode())) == MAX_BATCH
    over = "[" + ",".join([one] * (MAX_BATCH + 1)) + "]"
    assert answer(dispatcher, over.encode())["error"]["code"] == -32600


def test_failure_of_our_own_is_an_internal_error_without_a_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("secret detail")

    body = answer(Dispatcher({"broken": broken}), request("broken"))
    assert body["error"] == {"code": -32603, "message": "internal error"}
    assert "secret detail" in caplog.text


def test_stopped_store_is_an_internal_error(devchain: RunningDevchain) -> None:
    dispatcher = Dispatcher(Methods(devchain.chain).table)
    devchain.chain.close()
    error = answer(dispatcher, request("eth_getBalance", ADDRESS))["error"]
    assert error["code"] == -32603


# --- HTTP -----------------------------------------------------------------------------------


def test_other_content_types_are_refused(devchain: RunningDevchain) -> None:
    body = request("eth_chainId")
    headers = {"Content-Type": "text/plain"}
    response = requests.post(devchain.url, data=body, headers=headers, timeout=10)
    assert response.status_code == 415


def test_body_beyond_the_limit_is_refused_unread(devchain: RunningDevchain) -> None:
    head = (
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {MAX_BODY + 1}\r\n\r\n"
    )
    assert _talk(devchain.url, head.encode()).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("length", ["", "Content-Length: -1\r\n", "Content-Length: x\r\n"])
def test_body_without_a_length_is_refused(devchain: RunningDevchain, length: str) -> None:
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n"
    assert _talk(devchain.url, head.encode()).startswith(b"HTTP/1.1 411 ")


def test_cut_body_gets_no_answer_and_the_chain_goes_on(devchain: RunningDevchain) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    assert _talk(devchain.url, head + b"Content-Length: 50\r\n\r\n{") == b""
    response = requests.post(devchain.url, json=json.loads(request("eth_chainId")), timeout=10)
    assert response.json()["result"] == "0x539"


def test_other_http_methods(devchain: RunningDevchain) -> None:
    assert requests.get(devchain.url, timeout=10).status_code == 200
    assert requests.put(devchain.url, data=b"{}", timeout=10).status_code == 501


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::", ""])  # noqa: S104  # refused
def test_address_beyond_this_machine_is_refused(devchain: RunningDevchain, host: str) -> None:
    with pytest.raises(ConfigurationError):
        DevchainServer(devchain.chain, host=host, port=0)


def test_taken_port_and_bad_interval_are_refused(devchain: RunningDevchain) -> None:
    with pytest.raises(ConfigurationError):
        DevchainServer(devchain.chain, port=urlsplit(devchain.url).port or 0)
    with pytest.raises(ConfigurationError):
        DevchainServer(devchain.chain, port=0, block_interval=0)


def _talk(url: str, sent: bytes) -> bytes:
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0), 10) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := client.recv(4096):
            received += chunk
    return received


def test_guide_names_every_method_and_the_genesis(dispatcher: Dispatcher) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "devchain.md").read_text("utf-8")
    line = next(line for line in guide.splitlines() if line.startswith("`eth_accounts`"))
    assert re.findall(r"`(\w+)`", line) == sorted(dispatcher.methods)
    assert "0x" + GENESIS_HASH.hex() in guide
