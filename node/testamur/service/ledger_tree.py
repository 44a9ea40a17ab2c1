"""The ledger's tree in memory, kept up with the records that the store has followed.

Rebuilt from the store at any time; nothing here needs to survive. Records below the final block
are read once; those above are read each time, because a reorganisation may replace them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from testamur.ledger.receipt import RecordProof
from testamur.ledger.records import Record, RecordKind, parse_record
from testamur.ledger.view import Head, LeafProof, RootProof
from testamur.merkle import proofs, tree
from testamur.merkle.hashing import Hash32, leaf_hash
from testamur.storage.interface import ChainView
from testamur.storage.model import FollowedBlock, FollowedRecord


@dataclass(frozen=True, slots=True)
class HeadTree:
    """A head, and the tree that proves what stands in it."""

    head: Head
    """Size, root, and the block that it is of."""
    block: FollowedBlock
    """That block."""
    levels: tree.Levels = field(repr=False)
    """Levels of the tree over its records."""

    def is_at(self, index: int, record: Record) -> bool:
        """Whether ``record`` stands at ``0 <= index < head.size``."""
        return self.levels[0][index] == record.leaf_hash()

    def inclusion(self, index: int) -> tuple[Hash32, ...]:
        """Prove record ``index`` in this head; ``0 <= index < head.size``."""
        return tuple(proofs.inclusion_path_in(self.levels, index))

    def leaf_proof(self, index: int) -> LeafProof:
        """Show and prove what stands at ``0 <= index < head.size``."""
        return LeafProof(self.levels[0][index], self.inclusion(index))

    def root_proof(self, old_size: int) -> RootProof:
        """Show and prove the root over the first ``0 < old_size <= head.size`` records."""
        root = tree.root_of_prefix(self.levels, old_size)
        return RootProof(root, tuple(proofs.consistency_path_in(self.levels, old_size)))


@dataclass(frozen=True, slots=True)
class LedgerSnapshot:
    """The ledger at one moment; what it proves stays consistent while the chain moves on."""

    final: HeadTree | None
    """At the newest final block; None before the ledger's birth is final."""
    seen: HeadTree | None
    """At the newest followed block; None before the birth was followed."""
    newest: dict[int, tuple[int, Record]]
    """For each member its newest anchor in ``final``: index and record."""

    def holding(self, index: int) -> HeadTree | None:
        """Give the head that holds record ``index``: the final one if possible; None if none."""
        for one in (self.final, self.seen):
            if one is not None and index < one.head.size:
                return one
        return None

    def state_of(self, index: int | None) -> Literal["anchored", "final"]:
        """Say how settled the anchor at ``index`` is; None: a reorganisation took it just now."""
        settled = self.final is not None and index is not None and index < self.final.head.size
        return "final" if settled else "anchored"

    def newest_anchor(self, member: int) -> RecordProof | None:
        """Prove the newest anchor of ``member`` in the final head; None without one."""
        if self.final is None or member not in self.newest:
            return None
        index, record = self.newest[member]
        return RecordProof(index, self.final.inclusion(index), record)


class LedgerTree:
    """Makes snapshots of the followed ledger. May be used from any thread."""

    def __init__(self, store: ChainView) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._leaves: list[Hash32] = []  # of the final records
        self._newest: dict[int, tuple[int, Record]] = {}
        self._built: dict[tuple[Hash32, ...], tree.Levels] = {}  # by what is not final
        self._built_at = 0  # number of final leaves under them

    def snapshot(self) -> LedgerSnapshot:
        """Read what the store has followed by now.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        with self._lock:
            reading = self._store.read_ledger(len(self._leaves))
            pending = self._advance(reading.finalized, reading.records)
            leaves = tuple(leaf_hash(record.record) for record in pending)
            self._built = {wanted: self._levels(wanted) for wanted in ((), leaves)}
            self._built_at = len(self._leaves)
            return LedgerSnapshot(
                final=_head_tree(reading.finalized, self._built[()]),
                seen=_head_tree(reading.followed, self._built[leaves]),
                newest=dict(self._newest),
            )

    def _advance(
        self, finalized: FollowedBlock | None, fresh: Sequence[FollowedRecord]
    ) -> Sequence[FollowedRecord]:
        """Keep the records that are final by now, and give the others."""
        for position, followed in enumerate(fresh):
            if finalized is None or followed.block_number > finalized.number:
                return fresh[position:]
            record = parse_record(followed.record)
            self._leaves.append(record.leaf_hash())
            if record.kind is RecordKind.ANCHOR:
                self._newest[record.member] = (followed.index, record)
        return ()

    def _levels(self, pending: tuple[Hash32, ...]) -> tree.Levels:
        """Build the tree over the final leaves and ``pending``, unless it was built last time."""
        built = self._built.get(pending)
        if built is not None and self._built_at == len(self._leaves):
            return built
        return tree.levels(self._leaves + list(pending))


def _head_tree(block: FollowedBlock | None, levels: tree.Levels) -> HeadTree | None:
    if block is None or not levels:
        return None
    head = Head(len(levels[0]), levels[-1][0], block.number, block.timestamp)
    return HeadTree(head, block, levels)
