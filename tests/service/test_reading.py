"""A page of records is of one ledger, also when a reorganisation comes between two reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from testamur.errors import NotFollowedYetError
from testamur.merkle.hashing import Hash32
from testamur.service.batch_trees import BatchTrees
from testamur.service.ledger_tree import LedgerTree
from testamur.service.reading import Reading
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.interface import Store
from testamur.storage.model import FollowedRecord
from testamur.storage.sql.store import SqlStore, open_store
from tests.support.counted import CountedStore
from tests.support.stored import MEMBER, anchor_in, birth_in, block, digest


class Interrupted:
    """A real store, with something that happens just before each read of records."""

    def __init__(self, store: Store, before: Callable[[], None]) -> None:
        self._store = store
        self._before = before

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def records(self, start: int, end: int) -> Sequence[FollowedRecord]:
        self._before()
        return self._store.records(start, end)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """Give a store whose birth is final, and which has followed one anchor beyond it."""
    with open_store(tmp_path) as opened:
        first = block(1)
        opened.append_block(first, [birth_in(first)])
        opened.set_finalized(first)
        append(opened, 2, "main")
        yield opened


def append(store: Store, number: int, fork: str) -> Hash32:
    """Append an anchor at index 1 in a block of ``fork``; give the batch's root."""
    place, root = block(number, fork), digest(f"root {fork}")
    store.append_block(place, [anchor_in(place, 1, root=root, count=1)])
    return root


def reading(store: SqlStore, before: Callable[[], None], tmp_path: Path) -> Reading:
    interrupted: Store = Interrupted(store, before)  # type: ignore[assignment]
    trees = BatchTrees(LocalBatchFiles(tmp_path / "batches"))
    return Reading(interrupted, trees, LedgerTree(store), member=MEMBER)


def test_records_that_were_taken_back_are_read_again(store: SqlStore, tmp_path: Path) -> None:
    forks = ["one", "other"]

    def reorganise() -> None:
        if forks:
            store.rewind(1)
            append(store, 3, forks.pop(0))

    page = reading(store, reorganise, tmp_path).records(start=0, limit=10)
    assert (page.size, page.start) == (2, None)
    assert [one.final for one in page.records] == [True, False]
    assert page.records[1].record.root == digest("root other")


def test_a_shrunk_ledger_is_read_at_its_new_size(store: SqlStore, tmp_path: Path) -> None:
    page = reading(store, lambda: store.rewind(1), tmp_path).records(start=0, limit=10)
    assert (page.size, len(page.records)) == (1, 1)


def test_a_ledger_that_does_not_hold_still_gives_no_page(store: SqlStore, tmp_path: Path) -> None:
    forks = iter("abcdefgh")

    def reorganise() -> None:
        store.rewind(1)
        append(store, 3, next(forks))

    with pytest.raises(NotFollowedYetError, match="reorganised"):
        reading(store, reorganise, tmp_path).records(start=0, limit=10)
    assert next(forks) == "d"


def test_a_page_of_batches_is_read_at_once_however_long_it_is(
    store: SqlStore, tmp_path: Path
) -> None:
    roots = [digest("root main"), digest("root other"), digest("root third")]
    for number, root in enumerate(roots):
        store.add_entries([digest(f"entry {number}")], submitted_at=1)
        claim = store.claim(limit=1, now=1)
        assert claim is not None
        store.seal(claim.number, root=root, count=1, sealed_at=1)
    counted = CountedStore(store)
    read: Store = counted  # type: ignore[assignment]
    trees = BatchTrees(LocalBatchFiles(tmp_path / "batches"))
    page = Reading(read, trees, LedgerTree(store), member=MEMBER).batches(after=0, limit=10)
    assert [(one.root, one.record) for one in page.batches] == [
        (roots[0], 1),
        (roots[1], None),
        (roots[2], None),
    ]
    assert counted.calls == {"batches": 1, "records_of_batches": 1}
