"""The embedded chain for tests: in this process, or as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from eth_account import Account
from web3 import HTTPProvider, Web3

from testamur.chain.devchain.accounts import ACCOUNTS
from testamur.chain.devchain.chain import DevChain
from testamur.chain.devchain.genesis import CHAIN_ID
from testamur.chain.devchain.server import DevchainServer

FAST_BLOCKS_SECONDS = 0.02
NEVER_SECONDS = 3600.0
"""An interval in which no empty block comes, for tests that mine them by hand."""

GWEI = 10**9
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class RunningDevchain:
    """An embedded chain that serves in threads of this process."""

    url: str
    """http://127.0.0.1:PORT"""
    chain: DevChain
    """The chain behind it, to mine empty blocks by hand."""


@contextmanager
def running_devchain(
    *,
    data_dir: Path | None = None,
    finality: int = 2,
    block_interval: float = FAST_BLOCKS_SECONDS,
    clock: Callable[[], float] = time.time,
) -> Iterator[RunningDevchain]:
    """Serve a chain on a free port until the end of the block."""
    chain = DevChain(data_dir=data_dir, clock=clock, finality=finality)
    try:
        server = DevchainServer(chain, port=0, block_interval=block_interval)
        server.start()
        try:
            yield RunningDevchain(server.url, chain)
        finally:
            server.stop()
    finally:
        chain.close()


@dataclass(frozen=True, slots=True)
class DevchainProcess:
    """``testamur devchain`` as a process."""

    url: str
    """http://127.0.0.1:PORT"""
    process: subprocess.Popen[str]
    """To signal or kill it."""
    described: dict[str, Any]
    """What it printed at its start."""


@contextmanager
def devchain_process(
    data_dir: Path, *, finality: int = 2, block_interval: float = FAST_BLOCKS_SECONDS
) -> Iterator[DevchainProcess]:
    """Run ``testamur devchain`` on a free port; whatever is left of it is killed at the end."""
    command = [sys.executable, "-m", "testamur.cli.devchain", "--port", "0", "--json"]
    command += ["--data-dir", str(data_dir), "--finality", str(finality)]
    command += ["--block-interval", str(block_interval)]
    # The package is found as the tests find it, installed or not.
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            _, errors = process.communicate(timeout=STOP_SECONDS)
            raise AssertionError(f"the chain did not start: {errors}")
        described = json.loads(line)
        yield DevchainProcess(described["url"], process, described)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=STOP_SECONDS)


@contextmanager
def connected(url: str) -> Iterator[Web3]:
    """Give a web3 whose connections are closed at the end."""
    with requests.Session() as session:
        yield Web3(HTTPProvider(url, request_kwargs={"timeout": 20}, session=session))


def sign(account: int, **fields: Any) -> bytes:
    """Sign a transaction of funded account number ``account``; a small transfer by default."""
    transaction: dict[str, Any] = {
        "chainId": CHAIN_ID,
        "gas": 21_000,
        "value": 1,
        "to": ACCOUNTS[1].address,
    }
    if "gasPrice" not in fields:
        transaction |= {"type": 2, "maxFeePerGas": 3 * GWEI, "maxPriorityFeePerGas": GWEI}
    transaction |= fields
    if transaction["to"] is None:
        del transaction["to"]
    signer = Account.from_key(ACCOUNTS[account].private_key)
    return bytes(signer.sign_transaction(transaction).raw_transaction)


def emitter_init_code() -> bytes:
    """Give init code of a contract that needs no compiler.

    Called with a word W it stores W in slot 0, emits LOG2(topics 0xaa, W; data W) and returns W;
    called with nothing it reverts with the bytes 0xdeadbeef.
    """
    body = bytes.fromhex(
        "600035"  # W
        "80600055"  # slot 0 = W
        "80600052"  # memory 0 = W
        "60aa60206000a2"  # LOG2(0, 32, 0xaa, W)
        "60206000f3"
    )
    guard = bytes.fromhex("3615") + b"\x60" + bytes([5 + len(body)]) + b"\x57"
    revert = bytes.fromhex("5b63deadbeef6000526004601cfd")
    runtime = guard + body + revert
    copy = bytes.fromhex("60" + f"{len(runtime):02x}" + "600c60003960" + f"{len(runtime):02x}")
    return copy + bytes.fromhex("6000f3") + runtime
