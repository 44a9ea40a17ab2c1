"""Receipts of many entries at once: one look into the store, and one anchor proof for a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testamur.errors import TestamurError, UnknownEntryError
from testamur.ledger.receipt import Receipt
from testamur.merkle.hashing import Hash32
from testamur.service.batch_trees import BatchTrees
from testamur.service.ledger_tree import LedgerSnapshot, LedgerTree
from testamur.service.proving import AnchorProof, Located, Proving
from testamur.storage.interface import Store


@dataclass(frozen=True, slots=True)
class Proven:
    """What there is to say of one of many entries."""

    entry: Hash32
    """The entry that was asked for."""
    located: Located | None
    """Where it stands; None: this node does not know it."""
    receipt: Receipt | None
    """Its receipt, without commitment; None before it is anchored."""
    error: TestamurError | None = None
    """Why there is no receipt, where there should be one."""


class BulkProving:
    """Makes the receipts of many entries. May be used from any thread."""

    def __init__(
        self,
        store: Store,
        batches: BatchTrees,
        ledger: LedgerTree,
        proving: Proving,
        *,
        member: int,
    ) -> None:
        """Prove what the node of ``member`` has."""
        self._store = store
        self._batches = batches
        self._ledger = ledger
        self._proving = proving
        self._member = member

    def receipts(self, entries: Sequence[Hash32]) -> Iterator[Proven]:
        """Locate all ``entries`` now, then prove one after the other, in their order.

        Nothing of a receipt is kept once it was taken, so that memory does not grow with the
        answer. All of them speak of the ledger at one moment.

        Raises:
            StoreUnavailableError, NotFollowedYetError: before the first is given. What goes wrong
                with one entry later stands beside it.
        """
        located = self._locate(entries)
        return self._prove(entries, located, self._ledger.snapshot())

    def _locate(self, entries: Sequence[Hash32]) -> dict[Hash32, Located]:
        found: dict[Hash32, Located] = {}
        records: dict[Hash32, int | None] = {}
        states = self._store.find_entries(entries)
        for entry in entries:
            state = states.get(entry)
            if state is None:
                try:
                    found[entry] = self._proving.locate_replica(entry)
                except UnknownEntryError:
                    continue
            elif state.batch is None:
                found[entry] = Located(self._member, state, None)
            else:
                if state.batch not in records:
                    anchor = self._store.record_of_batch(self._member, state.batch)
                    records[state.batch] = None if anchor is None else anchor.index
                found[entry] = Located(self._member, state, records[state.batch])
        return found

    def _prove(
        self, entries: Sequence[Hash32], located: dict[Hash32, Located], ledger: LedgerSnapshot
    ) -> Iterator[Proven]:
        # Two members may have anchored one batch, the second of them a copy.
        anchors: dict[tuple[int, Hash32], AnchorProof | None] = {}
        for entry in entries:
            place = located.get(entry)
            batch = None if place is None else place.state.batch
            if place is None or batch is None or place.record is None:
                yield Proven(entry, place, None)
                continue
            try:
                whose = (place.member, batch)
                if whose not in anchors:
                    anchors[whose] = self._proving.anchor_proof(place.member, batch, ledger)
                anchor = anchors[whose]
                proof = None if anchor is None else self._batches.proof(batch, entry)
            except TestamurError as exc:
                yield Proven(entry, place, None, exc)
            else:
                made = None if anchor is None or proof is None else anchor.receipt(entry, proof)
                yield Proven(entry, place, made)
