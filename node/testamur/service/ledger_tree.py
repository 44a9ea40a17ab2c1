"""The ledger's tree in memory, kept up with the records that the store has followed.

Rebuilt from the store at any time; nothing here needs to survive. Records below the final block
are read once; those above are read each time, because a reorganisation may replace them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from testamur.errors import UnknownRecordError
from testamur.ledger.receipt import RecordProof
from testamur.ledger.records import RecordKind, parse_record
from testamur.ledger.verification import Head
from testamur.merkle import proofs, tree
from testamur.merkle.hashing import EMPTY_ROOT, Hash32, leaf_hash
from testamur.storage.interface import ChainView
from testamur.storage.model import FollowedBlock, FollowedRecord

_LEVELS_KEPT = 8
_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class LedgerHeads:
    """The two heads that a node speaks of, from one reading of the store."""

    final: Head | None
    """Head at the newest final block; None before the birth is final."""
    final_block: FollowedBlock | None
    """That block."""
    seen: Head | None
    """Head at the newest followed block; None before the birth was followed."""


class LedgerTree:
    """Heads and proofs over the followed records. May be used from any thread."""

    def __init__(self, store: ChainView) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._leaves: list[Hash32] = []  # of all records, as of the last refresh
        self._final_size = 0
        self._newest: dict[int, int] = {}  # member -> its newest anchor below the final head
        self._levels: dict[int, tree.Levels] = {}  # by size

    def heads(self) -> LedgerHeads:
        """Read the store and give both heads."""
        with self._lock:
            finalized, followed = self._refresh()
            final = seen = None
            if finalized is not None and self._final_size:
                final = self._head(self._final_size, finalized)
            if followed is not None and self._leaves:
                seen = self._head(len(self._leaves), followed)
            return LedgerHeads(final, finalized if final else None, seen)

    def inclusion(self, index: int, size: int) -> tuple[Hash32, ...]:
        """Give the path of record ``index`` among the first ``size`` records."""
        with self._lock:
            return tuple(proofs.inclusion_path_in(self._levels_at(size), index))

    def consistency(self, old_size: int, size: int) -> tuple[Hash32, ...]:
        """Prove that the first ``old_size`` records are a prefix of the first ``size``."""
        with self._lock:
            return tuple(proofs.consistency_path_in(self._levels_at(size), old_size))

    def newest_anchor(self, member: int, size: int) -> RecordProof | None:
        """Prove the newest anchor of ``member`` in the final head of ``size`` records."""
        with self._lock:
            index = self._newest.get(member)
            if index is None or index >= size:
                return None
            path = proofs.inclusion_path_in(self._levels_at(size), index)
        return RecordProof(index, tuple(path), parse_record(self._store.record(index).record))

    def _refresh(self) -> tuple[FollowedBlock | None, FollowedBlock | None]:
        # The size is read before the block that it is said to be of: a block that is appended
        # in between then shows a smaller size than it has, never a larger one.
        finalized, size, followed = (
            self._store.finalized(),
            self._store.size(),
            self._store.followed(),
        )
        fresh = self._read(self._final_size, size)
        leaves = [leaf_hash(record.record) for record in fresh]
        if leaves[: len(self._leaves) - self._final_size] != self._leaves[self._final_size :]:
            # A reorganisation: whatever was built over what it replaced is void.
            self._levels = {
                key: built for key, built in self._levels.items() if key <= self._final_size
            }
        self._leaves[self._final_size :] = leaves
        if finalized is not None:
            for record in fresh:
                if record.block_number > finalized.number:
                    break
                self._final_size = record.index + 1
                self._note_newest(record)
        return finalized, followed

    def _read(self, start: int, end: int) -> list[FollowedRecord]:
        found: list[FollowedRecord] = []
        for first in range(start, end, _PAGE):
            try:
                found += self._store.records(first, min(first + _PAGE, end))
            except UnknownRecordError:  # a reorganisation took them away just now
                break
        return found

    def _note_newest(self, followed: FollowedRecord) -> None:
        record = parse_record(followed.record)
        if record.kind is RecordKind.ANCHOR:
            self._newest[record.member] = followed.index

    def _head(self, size: int, block: FollowedBlock) -> Head:
        built = self._levels_at(size)
        root = built[-1][0] if built else EMPTY_ROOT
        return Head(size, root, block.number, block.timestamp)

    def _levels_at(self, size: int) -> tree.Levels:
        if size not in self._levels:
            while len(self._levels) >= _LEVELS_KEPT:
                del self._levels[next(iter(self._levels))]
            self._levels[size] = tree.levels(self._leaves[:size])
        return self._levels[size]
