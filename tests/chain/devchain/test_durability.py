"""The chain after a restart, a kill in the middle of a block, and failed writes."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests
from web3 import Web3

from testamur.chain.devchain import database
from testamur.chain.devchain.accounts import ACCOUNTS
from testamur.chain.devchain.chain import DevChain
from testamur.chain.devchain.database import BlockWrites, KeyValueFile
from testamur.errors import StoreIdentityError, StoreLockedError, StoreUnavailableError
from tests.support.devchain import STOP_SECONDS, connected, devchain_process, sign
from tests.support.waiting import wait_until

KILLS = 4
SEED = 20_261_123


def open_chain(path: Path, **options: object) -> DevChain:
    return DevChain(data_dir=path, clock=lambda: 1_800_000_000, **options)  # type: ignore[arg-type]


def hashes(chain: DevChain) -> list[bytes]:
    return [bytes(chain.header_at(number).hash) for number in range(chain.head.block_number + 1)]


def test_restart_resumes_with_the_same_blocks(tmp_path: Path) -> None:
    chain = open_chain(tmp_path)
    sent = chain.send_raw_transaction(sign(0, nonce=0))
    chain.mine_empty_block()
    before = hashes(chain)
    chain.close()
    again = open_chain(tmp_path)
    try:
        assert hashes(again) == before
        assert again.find_transaction(sent) is not None
        again.send_raw_transaction(sign(0, nonce=1))
        assert hashes(again)[:3] == before
    finally:
        again.close()


def test_restart_remembers_that_a_block_awaits_finality(tmp_path: Path) -> None:
    for finality, awaits in ((2, True), (1, False)):
        chain = open_chain(tmp_path / str(finality), finality=finality)
        chain.send_raw_transaction(sign(0, nonce=0))
        chain.mine_empty_block()
        chain.close()
        again = open_chain(tmp_path / str(finality), finality=finality)
        assert again.awaits_finality() is awaits
        again.close()


def test_second_process_is_refused(tmp_path: Path) -> None:
    chain = open_chain(tmp_path)
    try:
        with pytest.raises(StoreLockedError):
            open_chain(tmp_path)
    finally:
        chain.close()
    open_chain(tmp_path).close()


def test_store_of_another_genesis_is_refused(tmp_path: Path) -> None:
    store = KeyValueFile(tmp_path)
    store.commit({b"block-number-to-hash:0": b"\xa0" + bytes(32)})
    store.close()
    with pytest.raises(StoreIdentityError):
        open_chain(tmp_path)


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / database.FILE_NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnavailableError):
        open_chain(tmp_path)


def test_closed_chain_refuses(tmp_path: Path) -> None:
    chain = open_chain(tmp_path)
    chain.close()
    with pytest.raises(StoreUnavailableError):
        chain.send_raw_transaction(sign(0, nonce=0))


class FaultyConnection(sqlite3.Connection):
    """A connection whose commits fail on demand, losing the transaction or keeping it."""

    fault: str | None = None

    def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:  # type: ignore[override]
        """Run ``sql``; a commit fails as :attr:`fault` says."""
        if sql == "COMMIT" and self.fault is not None:
            super().execute("COMMIT" if self.fault == "kept" else "ROLLBACK")
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", ["lost", "kept"])
def test_failed_commit_stops_the_chain_and_restart_finds_before_or_after(
    tmp_path: Path, fault: str
) -> None:
    opened: list[FaultyConnection] = []

    def open_faulty(path: str) -> sqlite3.Connection:
        opened.append(
            sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, factory=FaultyConnection
            )
        )
        return opened[0]

    chain = open_chain(tmp_path, open_connection=open_faulty)
    chain.send_raw_transaction(sign(0, nonce=0))
    before = hashes(chain)
    opened[0].fault = fault
    with pytest.raises(StoreUnavailableError):
        chain.send_raw_transaction(sign(0, nonce=1))
    opened[0].fault = None
    # Stopped for good: what is in memory may differ from what is on disk.
    with pytest.raises(StoreUnavailableError):
        chain.send_raw_transaction(sign(0, nonce=1))
    with pytest.raises(StoreUnavailableError):
        chain.mine_empty_block()
    chain.close()
    again = open_chain(tmp_path)
    try:
        assert hashes(again)[:2] == before
        assert again.head.block_number == (2 if fault == "kept" else 1)
        again.send_raw_transaction(sign(0, nonce=2 if fault == "kept" else 1))
    finally:
        again.close()


def test_full_disk_stops_the_chain_and_loses_no_block(tmp_path: Path) -> None:
    opened: list[sqlite3.Connection] = []

    def open_small(path: str) -> sqlite3.Connection:
        opened.append(database.connect(path))
        return opened[0]

    chain = open_chain(tmp_path, open_connection=open_small)
    chain.send_raw_transaction(sign(0, nonce=0))
    before = hashes(chain)
    pages = opened[0].execute("PRAGMA page_count").fetchone()[0]
    opened[0].execute(f"PRAGMA max_page_count={pages}")
    full = False
    for nonce in range(1, 50):
        try:
            chain.send_raw_transaction(sign(0, nonce=nonce))
        except StoreUnavailableError:
            full = True
            break
        before = hashes(chain)
    assert full
    chain.close()
    again = open_chain(tmp_path)
    try:
        assert hashes(again) == before
    finally:
        again.close()


def test_block_being_built_is_invisible_and_can_be_forgotten(tmp_path: Path) -> None:
    store = KeyValueFile(tmp_path)
    store.commit({b"a": b"1", b"b": b"2"})
    block = BlockWrites(store)
    block[b"a"] = b"3"
    del block[b"b"]
    assert b"b" not in block
    with pytest.raises(KeyError):
        block[b"b"]
    assert (store.get(b"a"), store.get(b"b")) == (b"1", b"2")
    block.discard()
    assert block[b"b"] == b"2"
    block[b"a"] = b"4"
    del block[b"b"]
    block.commit()
    assert (store.get(b"a"), store.get(b"b")) == (b"4", None)
    store.close()


HALF_A_BLOCK = """
import os, signal, sys
from testamur.chain.devchain.database import FILE_NAME, connect
connection = connect(os.path.join(sys.argv[1], FILE_NAME))
connection.execute("PRAGMA locking_mode=EXCLUSIVE")
connection.execute("PRAGMA cache_size=1")
connection.execute("BEGIN IMMEDIATE")
# Enough to spill from the cache into the log, as a large block would.
connection.executemany(
    "REPLACE INTO pairs VALUES (?, ?)", ((os.urandom(32), bytes(2000)) for _ in range(500))
)
connection.execute("REPLACE INTO pairs VALUES (?, ?)", (b"v1:canonical_head_hash", bytes(32)))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_process_killed_in_the_middle_of_a_write_leaves_the_block_before(tmp_path: Path) -> None:
    chain = open_chain(tmp_path)
    chain.send_raw_transaction(sign(0, nonce=0))
    before = hashes(chain)
    chain.close()
    command = [sys.executable, "-c", HALF_A_BLOCK, str(tmp_path)]
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    killed = subprocess.run(command, env=environment, timeout=STOP_SECONDS, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / (database.FILE_NAME + "-wal")).stat().st_size > 500_000
    again = open_chain(tmp_path)
    try:
        assert hashes(again) == before
        again.send_raw_transaction(sign(0, nonce=1))
    finally:
        again.close()


def load(url: str, account: int, seen: dict[int, bytes], stop: threading.Event) -> None:
    """Send transfers and note the hash of every block that the chain has told of."""
    try:
        with connected(url) as web3:
            nonce = web3.eth.get_transaction_count(ACCOUNTS[account].address)
            while not stop.is_set():
                sent = web3.eth.send_raw_transaction(sign(account, nonce=nonce))
                receipt = web3.eth.get_transaction_receipt(sent)
                seen[receipt["blockNumber"]] = bytes(receipt["blockHash"])
                nonce += 1
    except requests.RequestException:
        return  # the process was killed


def check_blocks(web3: Web3, seen: dict[int, bytes]) -> None:
    head = web3.eth.get_block("latest")
    assert head["number"] >= max(seen)
    for number, block_hash in seen.items():
        block = web3.eth.get_block(number)
        assert bytes(block["hash"]) == block_hash
        assert len(web3.eth.get_block_receipts(number)) == len(block["transactions"])
    for number in range(1, head["number"] + 1):
        parent = web3.eth.get_block(number - 1)["hash"]
        assert web3.eth.get_block(number)["parentHash"] == parent


@pytest.mark.slow  # starts the command several times, and kills it under load
def test_killed_under_load_every_acknowledged_block_is_there_after_restart(
    tmp_path: Path,
) -> None:
    moments = random.Random(SEED)  # noqa: S311  # moments to kill at, no secret
    seen: dict[int, bytes] = {}
    for _ in range(KILLS):
        with devchain_process(tmp_path) as running:
            with connected(running.url) as web3:
                if seen:
                    check_blocks(web3, seen)
            stop = threading.Event()
            enough = max(seen, default=0) + moments.randint(3, 12)
            senders = [
                threading.Thread(target=load, args=(running.url, account, seen, stop))
                for account in (0, 1)
            ]
            for sender in senders:
                sender.start()
            try:
                wait_until(lambda: max(seen, default=0) >= enough, 60)  # noqa: B023  # used at once
                stop.wait(moments.random() * 0.05)
                running.process.send_signal(signal.SIGKILL)
            finally:
                stop.set()
                for sender in senders:
                    sender.join()
    with devchain_process(tmp_path) as running, connected(running.url) as web3:
        check_blocks(web3, seen)
        nonce = web3.eth.get_transaction_count(ACCOUNTS[0].address)
        sent = web3.eth.send_raw_transaction(sign(0, nonce=nonce))
        assert web3.eth.get_transaction_receipt(sent)["status"] == 1
