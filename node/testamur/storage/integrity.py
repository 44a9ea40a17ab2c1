"""Check everything that a node keeps against everything else; the first thing to run in doubt.

Each root of a batch or a replica is derived anew from its file; the indexes, the queue's counts,
the padding and the followed records have to fit. Memory holds one batch and one page of records
at a time, and one count for each batch. It reads only; it expects that nothing is written
meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from testamur.errors import (
    CorruptBatchError,
    OperatorLogError,
    RecordFormatError,
    UnknownBatchError,
)
from testamur.ledger.operator_log import LogLine, follow, origin
from testamur.ledger.records import RecordKind, governance_record, parse_record
from testamur.merkle.hashing import Hash32, leaf_hash
from testamur.storage.batch_files import BatchFiles
from testamur.storage.batch_format import batch_root, parse_batch
from testamur.storage.interface import Store
from testamur.storage.model import (
    Batch,
    FollowedBlock,
    FollowedRecord,
    LedgerIdentity,
    Replica,
    StoreTotals,
)

PAGE_RECORDS: Final = 1000
LOOKUP_ENTRIES: Final = 20_000

Progress = Callable[[int, int], None]
"""Called with the entries checked so far and the number to check."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not fit."""

    code: str
    """Stable, for programs; :data:`PROBLEM_CODES` lists them."""
    subject: str
    """What it is about: a root, an entry or an index, as a person would name it."""
    detail: str
    """A sentence."""


@dataclass(frozen=True, slots=True)
class IntegrityReport:
    """What was checked, and what was found."""

    batches_checked: int
    """Sealed batches."""
    entries_checked: int
    """Entries in their files, padding included."""
    replicas_checked: int
    """Batches of other members that are held."""
    replicated_checked: int
    """Entries in the files of those."""
    records: int
    """Records of the ledger, of all members."""
    problems: tuple[Problem, ...]
    """Empty if all is well."""

    @property
    def clean(self) -> bool:
        """True if nothing was found."""
        return not self.problems


PROBLEM_CODES: Final = {
    "batch_missing": "a sealed batch, or a replica, has no file",
    "batch_corrupt": "a batch file is not a strictly ascending set of entries",
    "batch_root": "a batch file gives another root",
    "batch_count": "a batch file has another number of entries than its batch or replica",
    "index_missing": "an entry of a batch file is not in the index",
    "index_astray": "the index has an entry in another batch than the file that holds it",
    "index_surplus": "the index has more entries in a batch than its file",
    "replica_index_missing": "entries of a replica's file are not in the index of replicas",
    "replica_index_surplus": "the index has more entries in a replica than its file",
    "padding_missing": "padding that is kept for a batch is not in its file",
    "padding_count": "a batch has another number of padding entries than it says",
    "entries_lost": "entries that were accepted are neither queued nor sealed",
    "entries_surplus": "there are more entries than were accepted",
    "entries_miscounted": "the queue's limit goes by another count than that of the batches",
    "entries_twice": "entries are queued and sealed at once",
    "record_gap": "the records are not contiguous",
    "record_format": "a record is not one",
    "record_block": "a record names a block that was not followed to",
    "record_change": "a governance record is not the hash of its change",
    "ledger_id": "record 0 does not give the ledger's id",
    "anchor_missing": "a batch counts as anchored, and no record says so",
    "anchor_count": "a record has another count than the batch or the replica with its root",
    "anchor_unknown": "a record of ours has a root that we hold no batch of",
    "operator_log": "a line of the operator log is none, or does not follow the one before",
    "finalized_block": "the finalized block is not the one that was followed to",
}


def check(store: Store, files: BatchFiles, progress: Progress | None = None) -> IntegrityReport:
    """Re-derive and compare everything.

    Raises:
        StoreUnavailableError: something could not be read, so that nothing can be said.
    """
    problems: list[Problem] = []
    totals = store.totals()
    identity = store.identity()
    replicated = store.replica_entry_counts()
    expected = totals.indexed + sum(replicated.values())
    batches, entries = _check_batches(
        store, files, problems, identity=identity, expected=expected, progress=progress
    )
    problems.extend(_check_totals(totals))
    replicas, in_replicas = _check_replicas(
        store, files, problems, indexed=replicated, before=entries, progress=progress
    )
    records = _check_records(store, problems, identity)
    problems.extend(_check_operator_log(store, identity))
    return IntegrityReport(batches, entries, replicas, in_replicas, records, tuple(problems))


def _check_batches(
    store: Store,
    files: BatchFiles,
    problems: list[Problem],
    *,
    identity: LedgerIdentity | None,
    expected: int,
    progress: Progress | None,
) -> tuple[int, int]:
    indexed = store.indexed_counts()
    batches = entries = 0
    for batch in _batches(store):
        content = _content(files, batch, problems)
        problems.extend(_check_index(store, batch, content, indexed.get(batch.root, 0)))
        problems.extend(_check_anchor(store, batch, identity))
        batches += 1
        entries += len(content)
        if progress is not None:
            progress(entries, max(entries, expected))
    return batches, entries


def _check_replicas(
    store: Store,
    files: BatchFiles,
    problems: list[Problem],
    *,
    indexed: Mapping[int, int],
    before: int,
    progress: Progress | None,
) -> tuple[int, int]:
    """Check every replica; ``before`` entries were checked already."""
    expected = before + sum(indexed.values())
    replicas = entries = 0
    for replica in _replicas(store):
        content = _content(files, replica, problems)
        problems.extend(_check_replica(store, replica, content, indexed.get(replica.number, 0)))
        replicas += 1
        entries += len(content)
        if progress is not None:
            progress(before + entries, max(before + entries, expected))
    return replicas, entries


def _check_replica(
    store: Store, replica: Replica, content: tuple[Hash32, ...], indexed: int
) -> Iterator[Problem]:
    name = replica.root.hex()
    record = store.record_of_batch(replica.member, replica.root)
    count = None if record is None else _count(record)  # None also where a reorg took it away
    if record is not None and count != replica.count:
        detail = f"record {record.index} says {count} entries, the replica has {replica.count}"
        yield Problem("anchor_count", name, detail)
    if not content:
        return  # reported; the index cannot be compared with nothing
    present = sum(
        store.in_replica(replica.number, content[start : start + LOOKUP_ENTRIES])
        for start in range(0, len(content), LOOKUP_ENTRIES)
    )
    if present < len(content):
        detail = f"{len(content) - present} of member {replica.member} are not indexed"
        yield Problem("replica_index_missing", name, detail)
    if indexed > present:
        detail = f"{indexed - present} indexed entries are not in the file"
        yield Problem("replica_index_surplus", name, detail)


def _replicas(store: Store) -> Iterator[Replica]:
    after = 0
    while page := store.replicas(after=after):
        yield from page
        after = page[-1].number


def _batches(store: Store) -> Iterator[Batch]:
    after = 0
    while page := store.batches(after=after):
        yield from page
        after = page[-1].number


def _content(
    files: BatchFiles, batch: Batch | Replica, problems: list[Problem]
) -> tuple[Hash32, ...]:
    name = batch.root.hex()
    try:
        content = parse_batch(files.read(batch.root))
    except UnknownBatchError:
        problems.append(Problem("batch_missing", name, "the batch has no file"))
        return ()
    except CorruptBatchError as error:
        problems.append(Problem("batch_corrupt", name, str(error)))
        return ()
    derived = batch_root(content)
    if derived != batch.root:
        problems.append(Problem("batch_root", name, f"the file gives root {derived.hex()}"))
        return ()
    if len(content) != batch.count:
        detail = f"the file has {len(content)} entries, the store says {batch.count}"
        problems.append(Problem("batch_count", name, detail))
    return content


def _check_index(
    store: Store, batch: Batch, content: tuple[Hash32, ...], indexed: int
) -> Iterator[Problem]:
    if not content:
        return  # reported; the index cannot be compared with nothing
    padding = {pad.entry for pad in store.padding_of(batch.root)}
    if len(padding) != batch.padding_count:
        detail = f"{len(padding)} are kept, the batch says {batch.padding_count}"
        yield Problem("padding_count", batch.root.hex(), detail)
    submitted = [entry for entry in content if entry not in padding]
    if len(submitted) + len(padding) != len(content):
        detail = f"{len(submitted) + len(padding) - len(content)} of them are not in the file"
        yield Problem("padding_missing", batch.root.hex(), detail)
    present = 0
    for start in range(0, len(submitted), LOOKUP_ENTRIES):
        part = submitted[start : start + LOOKUP_ENTRIES]
        found = store.batches_of(part)
        for entry in part:
            if entry not in found:
                yield Problem("index_missing", entry.hex(), f"it is in batch {batch.root.hex()}")
            elif found[entry] != batch.root:
                detail = f"in batch {batch.root.hex()}, indexed in {found[entry].hex()}"
                yield Problem("index_astray", entry.hex(), detail)
            else:
                present += 1
    # Every entry of the file was looked up, so that whatever the index counts beyond those
    # points to this batch without being in its file.
    if indexed > present:
        detail = f"{indexed - present} indexed entries are not in the file"
        yield Problem("index_surplus", batch.root.hex(), detail)


def _check_anchor(store: Store, batch: Batch, identity: LedgerIdentity | None) -> Iterator[Problem]:
    if identity is None:
        return
    record = store.record_of_batch(identity.member, batch.root)
    if record is None and batch.state in ("anchored", "final"):
        yield Problem("anchor_missing", batch.root.hex(), f"the batch is {batch.state}")
    if record is not None:
        count = _count(record)
        if count != batch.count:
            detail = f"record {record.index} says {count} entries, the batch has {batch.count}"
            yield Problem("anchor_count", batch.root.hex(), detail)


def _count(record: FollowedRecord) -> int | None:
    try:
        return parse_record(record.record).count
    except RecordFormatError:
        return None  # reported with the records


def _check_totals(totals: StoreTotals) -> Iterator[Problem]:
    present = totals.queued + totals.indexed
    detail = f"{totals.accepted} accepted, {totals.queued} queued, {totals.indexed} sealed"
    if present < totals.accepted:
        yield Problem("entries_lost", f"{totals.accepted - present} entries", detail)
    if present > totals.accepted:
        yield Problem("entries_surplus", f"{present - totals.accepted} entries", detail)
    if totals.sealed != totals.in_batches:
        detail = f"{totals.sealed} are counted as sealed, the batches have {totals.in_batches}"
        yield Problem("entries_miscounted", f"{totals.sealed} entries", detail)
    if totals.overlapping:
        yield Problem("entries_twice", f"{totals.overlapping} entries", "queued and sealed")


def _check_records(store: Store, problems: list[Problem], identity: LedgerIdentity | None) -> int:
    size = store.size()
    for start in range(0, size, PAGE_RECORDS):
        end = min(start + PAGE_RECORDS, size)
        page = store.records(start, end)
        if [record.index for record in page] != list(range(start, end)):
            problems.append(Problem("record_gap", f"records {start} to {end - 1}", "some lack"))
        for record in page:
            problems.extend(_check_record(store, record, identity))
    problems.extend(_check_ours(store, identity))
    final = store.finalized()
    if final is not None and store.block_at(final.number) not in (None, final):
        detail = f"{final.hash.hex()} is final, another was followed to"
        problems.append(Problem("finalized_block", f"block {final.number}", detail))
    return size


def _check_ours(store: Store, identity: LedgerIdentity | None) -> Iterator[Problem]:
    """Find anchors of ours whose batch is neither sealed here nor fetched from others."""
    start = 0
    while identity is not None and (page := store.missing_replicas(start=start)):
        for record in page:
            try:
                parsed = parse_record(record.record)
            except RecordFormatError:
                continue  # reported
            if parsed.member == identity.member:
                detail = f"no batch {parsed.root.hex()}"
                yield Problem("anchor_unknown", f"record {record.index}", detail)
        start = page[-1].index + 1


def _check_record(
    store: Store, followed: FollowedRecord, identity: LedgerIdentity | None
) -> Iterator[Problem]:
    name = f"record {followed.index}"
    block: FollowedBlock | None = store.block_at(followed.block_number)
    if block is None or block.hash != followed.block_hash:
        yield Problem("record_block", name, f"block {followed.block_number} is not known so")
    try:
        record = parse_record(followed.record)
    except RecordFormatError as error:
        yield Problem("record_format", name, str(error))
        return
    if record.kind is RecordKind.GOVERNANCE and (
        followed.change is None or governance_record(followed.change) != record
    ):
        yield Problem("record_change", name, "its change is missing or another one")
    if identity is None:
        return
    if followed.index == 0 and leaf_hash(followed.record) != identity.ledger_id:
        yield Problem("ledger_id", name, f"the ledger is {identity.ledger_id.hex()}")


def _check_operator_log(store: Store, identity: LedgerIdentity | None) -> Iterator[Problem]:
    if identity is None:
        return  # there is no log before the store is bound
    checked = 0
    try:
        for line in follow(_log_lines(store), origin(identity.ledger_id, identity.member)):
            checked = line.index + 1
    except OperatorLogError as error:
        yield Problem("operator_log", f"line {checked}", str(error))


def _log_lines(store: Store) -> Iterator[LogLine]:
    start = 0
    while page := store.log_lines(start=start, limit=PAGE_RECORDS):
        yield from page
        start = page[-1].index + 1
