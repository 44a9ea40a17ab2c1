"""The ledger in memory keeps up with a real store: growth, finality, reorganisations."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from testamur.ledger.records import Record, RecordKind
from testamur.merkle import proofs, tree
from testamur.merkle.hashing import EMPTY_ROOT, Hash32
from testamur.service.ledger_tree import HeadTree, LedgerTree
from testamur.storage.model import FollowedBlock, FollowedRecord
from testamur.storage.sql.store import SqlStore, open_store
from tests.support.paper_ledger import PaperLedger


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with open_store(tmp_path) as opened:
        yield opened


def block(number: int, fork: str = "") -> FollowedBlock:
    def name(height: int) -> Hash32:
        return Hash32(sha256(f"{height} {fork}".encode()).digest())

    return FollowedBlock(number, name(number), name(number - 1), 1_700_000_000 + number)


def append(store: SqlStore, at: FollowedBlock, first_index: int, *records: Record) -> None:
    store.append_block(
        at,
        [
            FollowedRecord(
                index=index,
                record=record.encode(),
                block_number=at.number,
                block_hash=at.hash,
                tx_hash=Hash32(sha256(record.encode()).digest()),
                transaction_index=0,
                log_index=index - first_index,
                change=PaperLedger().change if record.kind is RecordKind.GOVERNANCE else None,
            )
            for index, record in enumerate(records, start=first_index)
        ],
    )


def anchor(member: int, name: str) -> Record:
    root = Hash32(sha256(name.encode()).digest())
    return Record(RecordKind.ANCHOR, member, 1_700_000_000, 1, root, 0, EMPTY_ROOT)


def assert_proves(view: HeadTree | None, *records: Record) -> None:
    assert view is not None
    leaves = [record.leaf_hash() for record in records]
    assert (view.head.size, view.head.root) == (len(leaves), tree.root(leaves))
    for index, leaf in enumerate(leaves):
        proofs.verify_inclusion(
            leaf_hash=leaf,
            index=index,
            size=len(leaves),
            proof=view.inclusion(index),
            root=view.head.root,
        )
        assert view.root_proof(index + 1).root == tree.root(leaves[: index + 1])
        proofs.verify_consistency(
            old_size=index + 1,
            new_size=len(leaves),
            old_root=view.root_proof(index + 1).root,
            new_root=view.head.root,
            proof=view.root_proof(index + 1).path,
        )


BIRTH = PaperLedger().records[0]
A, B, C, D = anchor(1, "a"), anchor(2, "b"), anchor(1, "c"), anchor(3, "d")


def test_an_empty_store_has_no_heads(store: SqlStore) -> None:
    snapshot = LedgerTree(store).snapshot()
    assert (snapshot.final, snapshot.seen, snapshot.newest) == (None, None, {})


def test_heads_follow_the_store(store: SqlStore) -> None:
    ledger = LedgerTree(store)
    append(store, block(5), 0, BIRTH)
    assert ledger.snapshot().final is None
    assert_proves(ledger.snapshot().seen, BIRTH)
    store.set_finalized(block(5))
    append(store, block(6), 1, A, B)
    snapshot = ledger.snapshot()
    assert_proves(snapshot.final, BIRTH)
    assert_proves(snapshot.seen, BIRTH, A, B)
    assert snapshot.newest_anchor(1) is None
    store.set_finalized(block(6))
    snapshot = ledger.snapshot()
    assert_proves(snapshot.final, BIRTH, A, B)
    newest = snapshot.newest_anchor(1)
    assert newest is not None
    assert (newest.index, newest.record) == (1, A)
    assert snapshot.newest_anchor(3) is None


def test_an_old_snapshot_still_proves_what_it_showed(store: SqlStore) -> None:
    ledger = LedgerTree(store)
    append(store, block(5), 0, BIRTH)
    append(store, block(6), 1, A, B)
    old = ledger.snapshot()
    store.rewind(5)
    append(store, block(7, "fork"), 1, C)
    assert_proves(ledger.snapshot().seen, BIRTH, C)
    assert_proves(old.seen, BIRTH, A, B)


def test_a_reorganisation_that_keeps_the_last_record_is_noticed(store: SqlStore) -> None:
    ledger = LedgerTree(store)
    append(store, block(5), 0, BIRTH)
    store.set_finalized(block(5))
    append(store, block(6), 1, A, D)
    assert_proves(ledger.snapshot().seen, BIRTH, A, D)
    store.rewind(5)
    append(store, block(7, "fork"), 1, B, D)
    assert_proves(ledger.snapshot().seen, BIRTH, B, D)
    store.set_finalized(block(7, "fork"))
    append(store, block(9, "fork"), 3, D)
    snapshot = ledger.snapshot()
    assert_proves(snapshot.final, BIRTH, B, D)
    assert_proves(snapshot.seen, BIRTH, B, D, D)


def test_the_final_head_is_preferred_to_prove_a_record(store: SqlStore) -> None:
    ledger = LedgerTree(store)
    append(store, block(5), 0, BIRTH, A)
    store.set_finalized(block(5))
    append(store, block(6), 2, B)
    snapshot = ledger.snapshot()
    assert snapshot.holding(1) is snapshot.final
    assert snapshot.holding(2) is snapshot.seen
    assert snapshot.holding(3) is None
