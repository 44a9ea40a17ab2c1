"""A node whose history grows: receipts from it, its memory, and checking all that it keeps."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from scripts.benchmarks.bare_server import bare_server
from scripts.benchmarks.figures import (
    REPETITIONS,
    Figure,
    Measured,
    Progress,
    exactly,
    measured,
    rates,
)
from scripts.benchmarks.load import Load, LoadResult
from scripts.benchmarks.load import run as run_load
from scripts.benchmarks.machine import resident_mib
from scripts.benchmarks.nodes import RunningNode, running_node
from scripts.benchmarks.sizes import Sizes
from testamur.storage import integrity
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.integrity import IntegrityReport
from testamur.storage.sql.store import open_store
from tests.support.waiting import wait_until

LIVE: Final = "/health/live"
SEALED_SECONDS: Final = 300
HASHED_AT_ONCE: Final = 2**18


def measure(sizes: Sizes, progress: Progress, directory: Path) -> Iterator[Figure]:
    """Let a node grow, with receipts asked for at each size; then check its data."""
    with bare_server() as bare:
        bare_mib = exactly(resident_mib(bare.process))
    receipts: list[list[LoadResult]] = []
    live: list[list[LoadResult]] = []
    resident: list[float] = []
    with running_node(
        directory / "history", seal_at_count=sizes.batch_entries, seal_after_seconds=1
    ) as node:
        resident.append(resident_mib(node.process))
        grown = 0
        for entries in sizes.histories:
            _grow(node, grown, entries, sizes.batch_entries, progress)
            grown = entries
            progress(f"receipts at {entries:,} entries")
            receipts.append(_ask_receipts(node.url, entries, sizes))
            live.append(_ask_live(node.url, sizes))
            resident.append(resident_mib(node.process))
        data_dir = node.data_dir
    for name, at in (("receipt_p99_small", 0), ("receipt_p99_grown", -1)):
        yield _receipts(name, sizes.histories[at], receipts[at], live[at])
    yield _flatness(sizes.histories, receipts, live)
    yield Figure(
        "memory_start", "after the start", exactly(resident[0]), {"bare framework": bare_mib}
    )
    yield _memory(grown, resident)
    yield _checking(data_dir, grown, progress)


def _entry(number: int) -> bytes:
    return sha256(b"entry %d" % number).digest()


def _grow(node: RunningNode, begin: int, end: int, batch_entries: int, progress: Progress) -> None:
    """Submit [begin, end) in requests of one batch each, and wait until the last one is final."""
    for start in range(begin, end, batch_entries):
        stop = min(start + batch_entries, end)
        progress(f"history of {stop:,} entries")
        node.submit(b"".join(map(_entry, range(start, stop))))
        wait_until(lambda: node.get("/v1/ledger")["queued"] == 0, SEALED_SECONDS)
    last = f"/v1/entries/{_entry(end - 1).hex()}"
    wait_until(lambda: node.get(last)["state"] == "final", SEALED_SECONDS)


def _ask_receipts(url: str, entries: int, sizes: Sizes) -> list[LoadResult]:
    """Ask for receipts of entries drawn from the whole history, one after the other."""
    drawn = random.Random(entries)  # noqa: S311 - the same sample in every run
    asked = [
        [f"/v1/receipts/{_entry(drawn.randrange(entries)).hex()}" for _ in range(sizes.receipts)]
        for _ in range(REPETITIONS)
    ]
    return [_in_turn(url, paths, sizes) for paths in asked]


def _ask_live(url: str, sizes: Sizes) -> list[LoadResult]:
    return [_in_turn(url, [LIVE] * sizes.receipts, sizes) for _ in range(REPETITIONS)]


def _in_turn(url: str, paths: Sequence[str], sizes: Sizes) -> LoadResult:
    return run_load(Load(url, 1, sizes.receipt_seconds, paths=paths))


def _receipts(
    name: str, entries: int, receipts: Sequence[LoadResult], live: Sequence[LoadResult]
) -> Figure:
    fewest = min(one.requests for one in receipts)
    return Figure(
        name,
        f"{entries:,} entries, at least {fewest:,} receipts each time",
        measured([one.p99_ms for one in receipts]),
        {"GET /health/live": measured([one.p99_ms for one in live])},
        {"p50, ms": measured([one.p50_ms for one in receipts]).value},
        entries,
    )


def _flatness(
    histories: Sequence[int],
    receipts: Sequence[Sequence[LoadResult]],
    live: Sequence[Sequence[LoadResult]],
) -> Figure:
    return Figure(
        "receipt_flatness",
        f"{histories[-1]:,} entries over {histories[0]:,}",
        _grown_by(receipts),
        {"GET /health/live": _grown_by(live)},
        entries=histories[-1],
    )


def _grown_by(results: Sequence[Sequence[LoadResult]]) -> Measured:
    small, large = results[0], results[-1]
    pairs = zip(small, large, strict=True)
    return measured([after.p99_ms / before.p99_ms for before, after in pairs])


def _memory(entries: int, resident: Sequence[float]) -> Figure:
    grown = resident[-1] - resident[0]
    return Figure(
        "memory_grown",
        f"{entries:,} entries, after the receipts",
        exactly(resident[-1]),
        {"after the start": exactly(resident[0])},
        {"growth for 10^6 entries, MiB": grown / entries * 10**6},
        entries,
    )


def _checking(data_dir: Path, entries: int, progress: Progress) -> Figure:
    """Derive everything anew that the node left behind, beside hashing its leaves alone."""
    progress(f"checking {entries:,} entries")
    reports: list[IntegrityReport] = []
    with open_store(data_dir) as store:
        files = LocalBatchFiles(data_dir / "batches")
        ours = rates(entries, lambda: reports.append(integrity.check(store, files)))
    leaves = [_entry(number) for number in range(min(entries, HASHED_AT_ONCE))]
    return Figure(
        "rederivation",
        f"{entries:,} entries in {reports[0].batches_checked} batches",
        ours,
        {"hashing the leaves": rates(len(leaves), partial(_hash_leaves, leaves))},
        {"problems found": sum(len(report.problems) for report in reports)},
    )


def _hash_leaves(leaves: Sequence[bytes]) -> None:
    for leaf in leaves:
        sha256(b"\x00" + leaf).digest()
