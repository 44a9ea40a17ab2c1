"""Blocks that are replaced: the store goes back to the fork, the same bytes are sent again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from testamur.chain.lifecycle import Phase
from testamur.errors import ChainDisagreementError
from testamur.ledger.trust import FinalityRule
from tests.support.anvil import RunningAnvil, running_anvil
from tests.support.member_node import LedgerOnChain, MemberNode, deployed_ledger
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow  # each test runs a chain of its own, some a second one


DEPTH = 8


@pytest.fixture
def anvil() -> Iterator[RunningAnvil]:
    with running_anvil() as anvil:
        yield anvil


@pytest.fixture
def ledger(anvil: RunningAnvil) -> LedgerOnChain:
    found: list[LedgerOnChain] = []
    thread = Thread(target=lambda: found.append(deployed_ledger(anvil.url)))
    thread.start()

    def deployed() -> bool:
        anvil.mine()
        return not thread.is_alive()

    wait_until(deployed, 20)
    return found[0]


@pytest.fixture
def node(ledger: LedgerOnChain, tmp_path: Path) -> Iterator[MemberNode]:
    with MemberNode(ledger, 1, tmp_path, finality=FinalityRule(depth=DEPTH)) as node:
        yield node


def test_a_record_that_disappears_is_sent_again_with_the_same_bytes(
    anvil: RunningAnvil, node: MemberNode
) -> None:
    root = node.seal("one")
    node.turn()
    anvil.mine(3)
    assert node.turn().phase is Phase.MINED
    (before,) = node.store.anchor_transactions()
    fork = anvil.ask("eth_blockNumber")

    anvil.ask("anvil_reorg", 3, [])
    result = node.follower.poll_once()
    assert result.rewound_to is not None
    assert result.rewound_to <= int(fork, 16) - 3
    assert result.size == 1
    assert node.anchorer.step().phase is Phase.BROADCAST
    assert node.store.batch(root).state == "submitted"

    anvil.mine(2)
    assert node.turn().phase is Phase.MINED
    anvil.mine(DEPTH)
    node.turn_until(root, "final")
    (after,) = node.store.anchor_transactions()
    assert after.transaction == before.transaction
    assert node.store.size() == 2


def test_blocks_without_records_are_replaced_quietly(anvil: RunningAnvil, node: MemberNode) -> None:
    root = node.seal("one")
    node.turn()
    anvil.mine(1)
    assert node.turn().phase is Phase.MINED
    anvil.mine(3)
    node.turn()
    anvil.ask("anvil_reorg", 2, [])
    result = node.follower.poll_once()
    assert result.rewound_to is not None
    assert result.size == 2
    assert node.store.batch(root).state == "anchored"
    assert node.anchorer.step().phase is Phase.MINED


def test_a_restart_after_the_reorganisation_sees_it_too(
    anvil: RunningAnvil, ledger: LedgerOnChain, tmp_path: Path
) -> None:
    rule = FinalityRule(depth=DEPTH)
    with MemberNode(ledger, 1, tmp_path / "kept", finality=rule) as node:
        root = node.seal("one")
        node.turn()
        anvil.mine(3)
        node.turn_until(root, "anchored")
    anvil.ask("anvil_reorg", 3, [])
    with MemberNode(ledger, 1, tmp_path / "kept", finality=rule) as node:
        node.turn()
        assert node.store.batch(root).state == "submitted"
        anvil.mine(DEPTH + 2)
        node.turn_until(root, "final")
        assert node.store.size() == 2


def test_a_record_that_disappears_from_a_restored_node_is_signed_anew(
    anvil: RunningAnvil, ledger: LedgerOnChain, tmp_path: Path
) -> None:
    """The backup is from before the signature, so there are no bytes to send again."""
    rule = FinalityRule(depth=DEPTH)
    with MemberNode(ledger, 1, tmp_path / "lost", finality=rule) as node:
        root = node.seal("one")
        node.turn()
        anvil.mine(3)
        node.turn_until(root, "anchored")
    with MemberNode(ledger, 1, tmp_path / "restored", finality=rule) as node:
        assert node.seal("one") == root
        node.turn_until(root, "anchored")
        assert node.anchored_with() == []
    anvil.ask("anvil_reorg", 3, [])
    with MemberNode(ledger, 1, tmp_path / "restored", finality=rule) as node:
        node.turn()
        assert node.store.batch(root).state in {"sealed", "submitted"}
    with MemberNode(ledger, 1, tmp_path / "restored", finality=rule) as node:
        node.turn()
        assert node.store.batch(root).state == "submitted"
        anvil.mine(DEPTH + 2)
        node.turn_until(root, "final")
        assert node.anchored_with() == [0]
        assert node.store.size() == 2


def test_a_final_block_that_is_replaced_is_a_disagreement(
    anvil: RunningAnvil, node: MemberNode
) -> None:
    root = node.seal("one")
    node.turn()
    anvil.mine(DEPTH + 2)
    node.turn_until(root, "final")
    final = node.store.finalized()
    anvil.ask("anvil_reorg", DEPTH + 2, [])
    with pytest.raises(ChainDisagreementError, match="which was final"):
        node.follower.poll_once()
    assert node.store.finalized() == final
    assert node.store.size() == 2
    assert node.store.batch(root).state == "final"
