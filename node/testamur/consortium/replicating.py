"""Pulling every anchored batch that this node lacks, from whoever has it.

Nothing that another node says is believed: a batch counts when its file, read back from the disk,
gives the root and the count of the record that the chain was followed to. So any node may be the
source, and a reorganisation does no harm: the content stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, Protocol

import structlog

from testamur.consortium.backoff import Backoff
from testamur.errors import (
    CorruptBatchError,
    EndpointRefusedError,
    NodeProtocolError,
    NodeUnavailableError,
    UnknownBatchError,
    UnknownRecordError,
)
from testamur.ledger.birth import FoundingMember, parse_birth
from testamur.ledger.records import Record, parse_record
from testamur.merkle.hashing import HASH_BYTES, Hash32
from testamur.storage.batch_files import BatchFiles
from testamur.storage.batch_format import verified_batch
from testamur.storage.birth import birth_change
from testamur.storage.interface import Store
from testamur.storage.model import FollowedRecord, LedgerIdentity

ENTRIES_MAX: Final = 2**20
"""Largest batch that is pulled: four times what a node seals, and about 300 MB of memory here.
Without a bound a member could anchor a count that no memory holds."""

_NO_BLOCK: Final = Hash32(bytes(HASH_BYTES))
_LOG = structlog.get_logger("testamur")

Wanted = tuple[int, Hash32]
"""A member and the root of a batch that it anchored."""


class Fetch(Protocol):
    """Asks one node for a batch; :meth:`testamur.consortium.fetching.BatchFetcher.fetch`."""

    def __call__(self, endpoint: str, root: Hash32, count: int, /) -> bytes | None:
        """Give ``32 * count`` bytes, unverified, or None where the node has no such batch."""
        ...


class Replicator:
    """Pulls what is missing, one batch a step. One for each store; used from one thread.

    In rounds over the ledger: every batch that is missing and due is tried once a round, so that
    one that nobody gives holds up no other. A node that does not answer is left alone for a while
    as a whole, a batch that nobody had by itself.
    """

    def __init__(
        self,
        store: Store,
        files: BatchFiles,
        fetch: Fetch,
        identity: LedgerIdentity,
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._files = files
        self._fetch = fetch
        self._identity = identity
        self._monotonic = monotonic
        self._members: tuple[FoundingMember, ...] = ()
        self._nodes: Backoff[int] = Backoff()
        self._batches: Backoff[Wanted] = Backoff()
        self._told: set[tuple[int, Wanted]] = set()
        """Wrong answers that were logged: who gave them, for which batch."""
        self._round: Iterator[FollowedRecord] | None = None
        self._whole: tuple[int, Hash32] = (0, _NO_BLOCK)
        """Up to which index nothing is missing, and the block of the record before it."""

    def step(self) -> bool:
        """Try the next batch that is missing and due; False at the end of a round.

        Raises:
            NotFollowedYetError: the chain was not followed to the ledger's birth yet.
            CorruptBatchError: the disk gives back another file than was written.
            StorageError: the store or the disk failed; a restart settles what was kept.
        """
        if not self._members:
            change = birth_change(self._store, self._identity.ledger_id)
            self._members = parse_birth(change).members
        if self._round is None:
            self._round = self._missing()
        for followed in self._round:
            record = parse_record(followed.record)
            if self._batches.is_due((record.member, record.root), self._monotonic()):
                self._try(record)
                return True
        self._round = None
        return False

    def _missing(self) -> Iterator[FollowedRecord]:
        """List what is missing, once, and note how far nothing is missing any more.

        While an early batch is withheld, each round looks again at all records after it.
        """
        start = whole = self._whole_up_to()
        size = self._store.size()
        while page := self._store.missing_replicas(start=start):
            yield from page
            start = page[-1].index + 1
        left = self._store.missing_replicas(start=whole, limit=1)
        whole = left[0].index if left else size
        with suppress(UnknownRecordError):  # a reorganisation, just now: the next round sees it
            if whole > 0:
                self._whole = (whole, self._store.record(whole - 1).block_hash)

    def _whole_up_to(self) -> int:
        """Give the index below which nothing is missing; 0 after a reorganisation below it."""
        index, block_hash = self._whole
        try:
            same = index > 0 and self._store.record(index - 1).block_hash == block_hash
        except UnknownRecordError:
            same = False
        return index if same else 0

    def _try(self, record: Record) -> None:
        """Hold the batch of an anchor from now on, if anyone has it."""
        # A file may be here before its replica: a crash left it, or a member anchored a copy of
        # a batch that is held already.
        entries, source = self._read_back(record), None
        if entries is None:
            source = self._pull(record)
            if source is None:
                return
            entries = self._read_back(record)
            if entries is None:
                raise CorruptBatchError(
                    f"the file of batch {record.root.hex()} was read back as another"
                )
        self._store.add_replica(record.member, record.root, entries)
        # Durable. A crash before leaves a whole file that no replica names, or none: the batch
        # is missing as before, and the next round starts with the file.
        self._batches.worked((record.member, record.root))
        _LOG.info(
            "batch replicated",
            member=record.member,
            batch=record.root.hex(),
            entries=record.count,
            source=source,
        )

    def _read_back(self, record: Record) -> tuple[Hash32, ...] | None:
        """Give the entries on the disk; None where the file is missing or is not the record's."""
        try:
            entries = verified_batch(self._files.read(record.root), record.root)
        except (UnknownBatchError, CorruptBatchError):
            return None
        return entries if len(entries) == record.count else None

    def _pull(self, record: Record) -> int | None:
        """Write the batch's file with what a node gives; the member of that node, or None."""
        wanted = (record.member, record.root)
        asked = False
        for member in self._sources(record.member):
            if record.count > ENTRIES_MAX or not self._nodes.is_due(member, self._monotonic()):
                continue
            asked = True
            data = self._ask(member, record)
            if data is not None:
                self._files.put(record.root, data)
                return member
        # Where no node could be asked at all, the batch is as due as before.
        if (asked or record.count > ENTRIES_MAX) and self._batches.failed(
            wanted, self._monotonic()
        ):
            _LOG.warning(
                "batch not obtained",
                member=record.member,
                batch=record.root.hex(),
                entries=record.count,
                too_large=record.count > ENTRIES_MAX,
            )
        return None

    def _sources(self, member: int) -> Iterator[int]:
        """Name whom to ask: the member itself, then whoever may hold a replica."""
        others = range(1, len(self._members) + 1)
        for source in (member, *(other for other in others if other != member)):
            if source != self._identity.member and source in others:
                yield source

    def _ask(self, source: int, record: Record) -> bytes | None:
        """Ask one member's node, as its endpoint stands on chain; what it gives is verified."""
        try:
            endpoint = self._members[source - 1].endpoint
            data = self._fetch(endpoint, record.root, record.count)
            if data is not None:
                verified_batch(data, record.root)
        except (NodeUnavailableError, EndpointRefusedError) as exc:
            if self._nodes.failed(source, self._monotonic()):
                _LOG.warning("member not reached", member=source, code=exc.code, reason=str(exc))
            return None
        except (NodeProtocolError, CorruptBatchError) as exc:
            told = (source, (record.member, record.root))
            if told not in self._told:
                self._told.add(told)
                _LOG.warning(
                    "wrong batch refused", member=source, batch=record.root.hex(), reason=str(exc)
                )
            return None
        if self._nodes.worked(source):
            _LOG.info("member reached again", member=source)
        return data
