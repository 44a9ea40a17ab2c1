"""A wish to seal goes from the one who has it to the stage, once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from testamur.batching.policy import SealingLimits
from testamur.batching.seal_request import SealRequest
from testamur.batching.sealing import Sealer
from testamur.service import stages
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.sql.store import SqlStore, open_store
from tests.support.stored import PaddingMaker, some_entries


def test_a_wish_is_taken_once_and_the_largest_counts() -> None:
    request = SealRequest()
    assert request.take() == 0
    for wanted in (3, 5, 0, 4):
        request.ask(wanted)
    assert (request.take(), request.take()) == (5, 0)


def test_no_wish_of_many_threads_is_lost() -> None:
    request, taken = SealRequest(), []
    threads = [threading.Thread(target=request.ask, args=(number,)) for number in range(1, 33)]
    for thread in threads:
        thread.start()
        taken.append(request.take())
    for thread in threads:
        thread.join()
    taken.append(request.take())
    assert max(taken) == 32


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return open_store(tmp_path)


def test_a_wish_beyond_one_batch_is_fulfilled_by_several_and_no_more(
    store: SqlStore, tmp_path: Path
) -> None:
    limits = SealingLimits(
        batch_entries_max=4, seal_at_count=100, seal_after_seconds=10**6, floor=2
    )
    files = LocalBatchFiles(tmp_path / "batches")
    sealer = Sealer(store, files, limits=limits, make_padding=PaddingMaker())
    request = SealRequest()
    stage = stages.sealing(sealer, request, clock=lambda: 10.0, pause_seconds=1)
    with store:
        store.add_entries(some_entries(9, "asked for"), submitted_at=10)
        assert stage.step() is False
        request.ask(9)
        counts = []
        while stage.step():
            counts.append(store.queue().count)
            # Submitted meanwhile: not what was asked for.
            store.add_entries(some_entries(1, f"late {len(counts)}"), submitted_at=10)
        assert counts == [5, 2, 0]
        assert store.queue().count == 1
        assert [batch.count for batch in store.batches()] == [4, 4, 3]
