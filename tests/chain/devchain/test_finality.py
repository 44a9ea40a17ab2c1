"""When a block becomes final, and what makes empty blocks come."""

from __future__ import annotations

from web3 import Web3

from tests.support.devchain import (
    NEVER_SECONDS,
    RunningDevchain,
    connected,
    running_devchain,
    sign,
)
from tests.support.waiting import wait_until


def tags(web3: Web3) -> tuple[int, int, int]:
    return (
        web3.eth.get_block("latest")["number"],
        web3.eth.get_block("safe")["number"],
        web3.eth.get_block("finalized")["number"],
    )


def test_finalized_lags_behind_the_head(devchain: RunningDevchain, web3: Web3) -> None:
    seen = [tags(web3)]
    for _ in range(4):
        devchain.chain.mine_empty_block()
        seen.append(tags(web3))
    assert seen == [(0, 0, 0), (1, 0, 0), (2, 1, 0), (3, 2, 1), (4, 3, 2)]


def test_without_lag_every_block_is_final_at_once() -> None:
    with (
        running_devchain(finality=0, block_interval=NEVER_SECONDS) as running,
        connected(running.url) as web3,
    ):
        web3.eth.send_raw_transaction(sign(0, nonce=0))
        assert tags(web3) == (1, 1, 1)
        assert not running.chain.awaits_finality()


def test_empty_blocks_come_until_the_transaction_is_final_and_then_stop() -> None:
    with running_devchain(finality=3) as running, connected(running.url) as web3:
        assert not running.chain.awaits_finality()
        sent = web3.eth.send_raw_transaction(sign(0, nonce=0))
        wait_until(lambda: not running.chain.awaits_finality(), 10)
        assert tags(web3) == (4, 2, 1)
        assert web3.eth.get_transaction_receipt(sent)["blockNumber"] == 1
        # Nothing is due any more, so however often the ticker looks, nothing is added.
        wait_until(lambda: web3.eth.block_number == 4, 1)
        assert [len(web3.eth.get_block(n)["transactions"]) for n in range(5)] == [0, 1, 0, 0, 0]


def test_waiting_transaction_alone_brings_no_blocks(devchain: RunningDevchain, web3: Web3) -> None:
    web3.eth.send_raw_transaction(sign(0, nonce=5))
    assert not devchain.chain.awaits_finality()
