"""Many receipts cost one look into the store, not one each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from testamur import __version__
from testamur.errors import StoreUnavailableError
from testamur.service.batch_trees import BatchTrees
from testamur.service.bulk_proving import BulkProving
from testamur.service.ledger_tree import LedgerTree
from testamur.service.membership import Membership, NodeDescription
from testamur.service.proving import Proving
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.interface import Store
from testamur.storage.sql.store import open_store
from tests.support.counted import CountedStore
from tests.support.node import Committed, founded
from tests.support.stored import some_entries

pytestmark = pytest.mark.slow  # a batch is brought to finality for each test

MANY = 300


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[tuple[CountedStore, BulkProving, list[Committed]]]:
    """Register many entries in two batches, and open the data of that node by hand."""
    with founded(tmp_path) as consortium:
        some = consortium.some(1, MANY)
        with consortium.serving(1) as node:
            consortium.register(node, *some[: MANY // 2])
            consortium.register(node, *some[MANY // 2 :])
        settings = consortium.settings(1)
        with open_store(settings.data_dir) as real:
            store = CountedStore(real)
            typed = cast("Store", store)
            identity = real.identity()
            assert identity is not None
            about = NodeDescription(identity, settings.network, settings.finality, __version__)
            trees = BatchTrees(LocalBatchFiles(settings.data_dir / "batches"))
            ledger = LedgerTree(typed)
            proving = Proving(typed, trees, ledger, Membership(typed, about), identity)
            bulk = BulkProving(typed, trees, ledger, proving, member=1)
            store.calls.clear()
            yield store, bulk, some


def test_entries_of_one_batch_share_the_look_into_the_store(
    counted: tuple[CountedStore, BulkProving, list[Committed]],
) -> None:
    store, bulk, some = counted
    given = list(bulk.receipts([one.entry for one in some]))
    assert [one.receipt.entry for one in given if one.receipt] == [one.entry for one in some]
    assert store.calls["find_entries"] == 1
    assert store.calls["find_entry"] == 0
    assert sum(store.calls.values()) < 20


def test_an_unknown_entry_is_not_looked_up_a_second_time(
    counted: tuple[CountedStore, BulkProving, list[Committed]],
) -> None:
    store, bulk, _ = counted
    (given,) = bulk.receipts(some_entries(1))
    assert given.located is None
    assert (store.calls["find_entries"], store.calls["find_entry"]) == (1, 0)
    assert store.calls["find_replica"] == 1


def test_nothing_is_proven_before_it_is_taken(
    counted: tuple[CountedStore, BulkProving, list[Committed]],
) -> None:
    store, bulk, some = counted
    given = bulk.receipts([one.entry for one in some])
    before = store.calls["record_of_batch"]
    assert next(given).receipt is not None
    assert store.calls["record_of_batch"] == before + 1
    next(given)
    assert store.calls["record_of_batch"] == before + 1


def test_a_store_that_fails_is_an_error_before_the_first_line(
    counted: tuple[CountedStore, BulkProving, list[Committed]],
) -> None:
    store, bulk, _ = counted
    store.close()
    with pytest.raises(StoreUnavailableError):
        bulk.receipts(some_entries(1))
