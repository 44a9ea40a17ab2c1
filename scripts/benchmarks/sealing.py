"""Sealing the largest batch: how much of a core it takes, and which part takes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any, Final

from scripts.benchmarks.figures import REPETITIONS, Figure, Progress, measured, seconds_of
from scripts.benchmarks.load import RefusedError
from scripts.benchmarks.sizes import Sizes
from testamur.batching.policy import SealingLimits
from testamur.batching.sealing import Sealer
from testamur.batching.second_opinion import root_of_file
from testamur.merkle.hashing import Hash32
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.batch_format import batch_root
from testamur.storage.sql.store import open_store

NOW: Final = 1_800_000_000
ENTRY_BYTES: Final = 32


class _Timed:
    """Hands every call on, and sums up the processor time that they take."""

    def __init__(self, wrapped: object) -> None:
        self._wrapped = wrapped
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._wrapped, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            begun = process_time()
            try:
                return method(*arguments, **named)
            finally:
                self.seconds += process_time() - begun

        return timed


def measure(sizes: Sizes, progress: Progress, directory: Path) -> Iterator[Figure]:
    """Seal that many entries, each time in a store of its own."""
    whole, database, disk, opinion, hashing = [], [], [], [], []
    for number in range(REPETITIONS):
        progress(f"sealing {sizes.sealed_entries:,} entries, {number + 1} of {REPETITIONS}")
        entries = [Hash32(os.urandom(ENTRY_BYTES)) for _ in range(sizes.sealed_entries)]
        home = directory / f"sealing-{number}"
        with open_store(home) as opened:
            opened.add_entries(entries, submitted_at=NOW)
            store, files = _Timed(opened), _Timed(LocalBatchFiles(home / "batches"))
            sealer = Sealer(
                store,
                files,
                limits=SealingLimits(floor=0, batch_entries_max=sizes.sealed_entries),
                make_padding=_no_padding,
            )
            whole.append(seconds_of(partial(sealer.seal_once, NOW, force=True), process_time))
        database.append(store.seconds)
        disk.append(files.seconds)
        ordered = sorted(entries)
        opinion.append(seconds_of(partial(root_of_file, b"".join(ordered)), process_time))
        hashing.append(seconds_of(partial(batch_root, ordered), process_time))
    yield Figure(
        "sealing",
        f"{sizes.sealed_entries:,} entries",
        measured(whole),
        {"hashing its tree once": measured(hashing)},
        {
            "in the database, s": measured(database).value,
            "in the batch file, s": measured(disk).value,
            "second opinion, s": measured(opinion).value,
        },
    )


def _no_padding() -> tuple[Hash32, Hash32]:
    raise RefusedError("a batch of this size is not padded")
