"""Where an entry stands, and its receipt: read from the store and the batch files, never the chain.

What a node can prove is what it holds: its own member's entries, and those in replicas.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from testamur.errors import UnknownEntryError
from testamur.ledger.receipt import BatchProof, LedgerHead, MemberProof, Receipt, RecordProof
from testamur.ledger.records import Record, parse_record
from testamur.merkle.hashing import Hash32
from testamur.service.batch_trees import BatchTrees
from testamur.service.ledger_tree import LedgerSnapshot, LedgerTree
from testamur.service.membership import Membership
from testamur.storage.interface import Store
from testamur.storage.model import EntryState, LedgerIdentity


@dataclass(frozen=True, slots=True)
class Located:
    """Where an entry stands, as far as this node knows."""

    member: int
    """Whose it is: the member that it was submitted to, or that anchored it."""
    state: EntryState
    """State and batch."""
    record: int | None
    """Index of the record that anchored its batch; None before that."""


@dataclass(frozen=True, slots=True)
class AnchorProof:
    """What the receipts of all entries of one batch share."""

    record: RecordProof
    """The record of its anchor, in the ledger."""
    member: MemberProof
    """Who the member is."""
    ledger: LedgerHead
    """The head that both are proven in."""

    def receipt(self, entry: Hash32, batch: BatchProof) -> Receipt:
        """Make the receipt of one entry of the batch; its commitment only the holder has."""
        return Receipt(
            commitment=None,
            entry=entry,
            batch=batch,
            record=self.record,
            member=self.member,
            ledger=self.ledger,
        )


class Proving:
    """Locates entries and makes their receipts. May be used from any thread."""

    def __init__(
        self,
        store: Store,
        batches: BatchTrees,
        ledger: LedgerTree,
        membership: Membership,
        identity: LedgerIdentity,
    ) -> None:
        self._store = store
        self._batches = batches
        self._ledger = ledger
        self._membership = membership
        self._identity = identity

    def locate(self, entry: Hash32) -> Located:
        """Say where an entry stands: what was submitted here first, then the lowest anchor.

        Raises:
            UnknownEntryError: this node was never given it, and holds no batch with it.
        """
        own = self._identity.member
        try:
            state = self._store.find_entry(entry)
        except UnknownEntryError:
            return self.locate_replica(entry)
        anchored = None if state.batch is None else self._anchor(own, state.batch)
        return Located(own, state, None if anchored is None else anchored.index)

    def locate_replica(self, entry: Hash32) -> Located:
        """Say where an entry stands that was not submitted here: in the lowest anchor.

        Raises:
            UnknownEntryError: no replica holds it.
        """
        replica = self._store.find_replica(entry)
        state = self._ledger.snapshot().state_of(replica.record)
        found = EntryState(entry, state, submitted_at=None, batch=replica.root)
        return Located(replica.member, found, replica.record)

    def receipt(self, entry: Hash32) -> Receipt | Located:
        """Prove an entry; without its commitment, which only the holder has.

        The state instead of a receipt means that its batch is not anchored yet. The receipt
        leads to the final head, or to the newest one while its record is not final.

        Raises:
            UnknownEntryError: as :meth:`locate`.
            CorruptBatchError, StoreUnavailableError: its batch file is missing, damaged or
                cannot be read.
        """
        located = self.locate(entry)
        batch = located.state.batch
        if batch is None:
            return located
        made = self.prove(located.member, entry, batch, self._ledger.snapshot())
        return replace(located, record=None) if made is None else made

    def prove(
        self, member: int, entry: Hash32, batch: Hash32, ledger: LedgerSnapshot
    ) -> Receipt | None:
        """Prove ``entry`` in a batch of ``member``; None while ``ledger`` has no anchor of it.

        Raises:
            CorruptBatchError, StoreUnavailableError: the batch file is missing, damaged, lacks
                the entry or cannot be read.
        """
        anchor = self.anchor_proof(member, batch, ledger)
        return None if anchor is None else anchor.receipt(entry, self._batches.proof(batch, entry))

    def anchor_proof(
        self, member: int, batch: Hash32, ledger: LedgerSnapshot
    ) -> AnchorProof | None:
        """Prove the anchor of a batch of ``member``; None while ``ledger`` has none.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        record = self._anchor(member, batch)
        if record is None:
            return None
        holding = ledger.holding(record.index)
        if holding is None or not holding.is_at(record.index, record.record):
            return None  # a reorganisation moved it just now
        identity = self._identity
        return AnchorProof(
            record=RecordProof(record.index, holding.inclusion(record.index), record.record),
            member=MemberProof(0, holding.inclusion(0), self._membership.birth_change()),
            ledger=LedgerHead(
                chain_id=identity.chain_id,
                genesis=identity.genesis,
                contract=identity.contract,
                ledger_id=identity.ledger_id,
                size=holding.head.size,
                root=holding.head.root,
            ),
        )

    def _anchor(self, member: int, batch: Hash32) -> _Anchored | None:
        found = self._store.record_of_batch(member, batch)
        if found is None:
            return None
        return _Anchored(found.index, parse_record(found.record))


@dataclass(frozen=True, slots=True)
class _Anchored:
    index: int
    record: Record
