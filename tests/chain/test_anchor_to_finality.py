"""The main path: deploy, anchor, follow, finality; on the real chain, over real HTTP."""

from __future__ import annotations

from pathlib import Path

from testamur.chain.lifecycle import Phase
from testamur.ledger.birth import parse_birth
from testamur.ledger.records import parse_record
from testamur.merkle import tree
from testamur.merkle.hashing import leaf_hash
from tests.support.member_node import LedgerOnChain, MemberNode, founding_members, key_of


def test_deployment_gives_the_ledger_that_python_expects(ledger: LedgerOnChain) -> None:
    deployment = ledger.deployment
    assert deployment.birth.members == tuple(founding_members())
    assert deployment.birth.ledger_id() == deployment.ledger_id
    with ledger.client() as client:
        block = client.block(deployment.block_number)
        assert client.head_at(block.hash) == (1, deployment.ledger_id)
        slot = client.member_at(2, block.hash)
        assert (slot.anchor_key, slot.active) == (key_of(2).address, True)
        assert (slot.sequence, slot.last_record) == (0, 0)
        assert client.member_at(4, block.hash).anchor_key == bytes(20)


def test_five_batches_come_to_finality_in_order(node: MemberNode) -> None:
    roots = [node.seal(f"batch {number}") for number in range(5)]
    for root in roots:
        node.turn_until(root, "final")
    assert node.anchored_with() == [0, 1, 2, 3, 4]
    states = {each.state for each in node.store.anchor_transactions()}
    assert states == {"final"}
    records = node.store.records(0, node.store.size())
    birth = records[0].change
    assert birth is not None
    assert parse_birth(birth).members == tuple(founding_members())
    parsed = [parse_record(record.record) for record in records]
    assert [record.root for record in parsed[1:]] == roots
    followed = node.store.followed()
    assert followed is not None
    leaves = [leaf_hash(record.record) for record in records]
    assert node.client.head_at(followed.hash) == (len(leaves), tree.root(leaves))
    assert node.turn().phase is Phase.IDLE
    assert not node.anchorer._observer._watched  # noqa: SLF001 - what is settled is not remembered


def test_another_member_follows_the_same_ledger(
    node: MemberNode, ledger: LedgerOnChain, tmp_path: Path
) -> None:
    root = node.seal("one")
    node.turn_until(root, "final")
    with MemberNode(ledger, 2, tmp_path / "second", range_max=1) as other:
        result = other.follower.poll_once()
        assert result.size == 2
        assert result.rewound_to is None
        assert result.finalized is not None
        assert other.store.records(0, 2) == node.store.records(0, 2)
        assert other.store.record_of_batch(1, root) is not None
        assert other.store.record_of_batch(2, root) is None
