"""Submissions over HTTP to a node process: in bulk, and one entry at a time."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from scripts.benchmarks.bare_server import bare_server
from scripts.benchmarks.figures import (
    REPETITIONS,
    Figure,
    Measured,
    Progress,
    measured,
    rates,
    seconds_of,
)
from scripts.benchmarks.load import Load, LoadResult
from scripts.benchmarks.load import run as run_load
from scripts.benchmarks.nodes import JSON, NEVER, RAW, running_node
from scripts.benchmarks.sizes import Sizes
from testamur.storage.sql.database import DATABASE_NAME
from testamur.storage.sql.engine import PRAGMAS
from testamur.storage.sql.store import open_store

ENTRY_BYTES: Final = 32
PAGE: Final = bytes(4096)


def bulk(sizes: Sizes, progress: Progress, directory: Path) -> Iterator[Figure]:
    """Submit the most that one request takes, again and again, in each of the two forms.

    The node only queues. After each request the bare database gets the same rows, so that both
    tables are of the same size all the time.
    """
    seconds: dict[str, list[float]] = {RAW: [], JSON: []}
    bare: dict[str, list[float]] = {RAW: [], JSON: []}
    with (
        running_node(directory / "bulk", seal_at_count=NEVER, seal_after_seconds=NEVER) as node,
        closing(_bare_database(directory / "bare")) as database,
    ):
        for number in range(sizes.bulk_rounds):
            progress(f"{sizes.bulk_entries:,} entries a request, round {number + 1}")
            for kind in (RAW, JSON):
                entries = [os.urandom(ENTRY_BYTES) for _ in range(sizes.bulk_entries)]
                body = _body(entries, kind)
                seconds[kind].append(seconds_of(partial(node.submit, body, kind)))
                bare[kind].append(seconds_of(partial(_insert, database, entries)))
    for name, kind in (("bulk_raw", RAW), ("bulk_json", JSON)):
        yield Figure(
            name,
            f"{sizes.bulk_rounds} requests of {sizes.bulk_entries:,} entries",
            _per_second(sizes.bulk_entries, seconds[kind]),
            {"bare database": _per_second(sizes.bulk_entries, bare[kind])},
        )


def single(sizes: Sizes, progress: Progress, directory: Path) -> Iterator[Figure]:
    """Submit one entry a request from many connections at once, each request durable."""
    load = partial(Load, connections=sizes.clients, seconds_max=sizes.single_seconds)
    with running_node(directory / "single", seal_at_count=NEVER, seal_after_seconds=NEVER) as node:
        progress(f"single submissions from {sizes.clients} clients")
        ours = [run_load(load(url=node.url, submissions=NEVER)) for _ in range(REPETITIONS)]
    with bare_server() as bare:
        progress("the same to the bare framework")
        theirs = [run_load(load(url=bare.url, submissions=NEVER)) for _ in range(REPETITIONS)]
    notes = {
        "node's generator, share of a core": _greatest(ours),
        "peer's generator, share of a core": _greatest(theirs),
    }
    size = f"{sizes.clients} clients, {sizes.single_seconds:g} s each time"
    yield Figure(
        "single_submissions",
        size,
        measured([one.rate for one in ours]),
        {
            "bare framework": measured([one.rate for one in theirs]),
            "the disk's syncs": _syncs(directory, sizes.syncs),
        },
        notes,
    )
    yield Figure(
        "single_p99",
        size,
        measured([one.p99_ms for one in ours]),
        {"bare framework": measured([one.p99_ms for one in theirs])},
        {"p50, ms": measured([one.p50_ms for one in ours]).value},
    )


def _bare_database(directory: Path) -> sqlite3.Connection:
    """Open what a node opens, with its tables and its settings, and nothing above it."""
    open_store(directory).close()
    database = sqlite3.connect(directory / DATABASE_NAME, isolation_level=None)
    for pragma in PRAGMAS:
        database.execute(f"PRAGMA {pragma}")
    return database


def _insert(database: sqlite3.Connection, entries: Sequence[bytes]) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.executemany(
        "INSERT INTO queue (entry, submitted_at) VALUES (?, 1800000000)",
        [(entry,) for entry in entries],
    )
    database.execute("COMMIT")


def _body(entries: Sequence[bytes], kind: str) -> bytes:
    if kind == RAW:
        return b"".join(entries)
    return json.dumps([entry.hex() for entry in entries]).encode()


def _per_second(count: int, seconds: Sequence[float]) -> Measured:
    return measured([count / one for one in seconds])


def _greatest(results: Sequence[LoadResult]) -> float:
    return max(one.generator_cpu for one in results)


def _syncs(directory: Path, count: int) -> Measured:
    """Give how often a second the disk takes a page and says that it is durable."""
    descriptor = os.open(directory / "syncs", os.O_WRONLY | os.O_CREAT)
    try:
        return rates(count, partial(_sync, descriptor, count))
    finally:
        os.close(descriptor)


def _sync(descriptor: int, count: int) -> None:
    for _ in range(count):
        os.write(descriptor, PAGE)
        os.fsync(descriptor)
