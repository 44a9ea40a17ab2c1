"""The node's verbs: submit, look up, prove, verify, describe itself.

Reads come from the store and the batch files. Only a verification asks the chain, each time,
because its verdict speaks of the chain as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from testamur.errors import (
    ChainDisagreementError,
    ChainError,
    CredentialError,
    NotFollowedYetError,
    StoreIdentityError,
    TestamurError,
    UnknownEntryError,
)
from testamur.ledger.birth import FoundingMember, parse_birth
from testamur.ledger.receipt import LedgerHead, MemberProof, Receipt, RecordProof
from testamur.ledger.receipt_json import receipt_from_json
from testamur.ledger.records import Record, RecordKind, governance_record, parse_record
from testamur.ledger.report import Report
from testamur.ledger.trust import FinalityRule, Network, TrustedMember, TrustFile
from testamur.ledger.verification import verify
from testamur.ledger.view import LedgerView, Presented
from testamur.merkle.hashing import Hash32
from testamur.service.batch_trees import BatchTrees
from testamur.service.ledger_tree import HeadTree, LedgerSnapshot, LedgerTree
from testamur.service.reading import Reading
from testamur.storage.interface import Store
from testamur.storage.model import AddResult, EntryState, LedgerIdentity, QueueState


class ChainReader(Protocol):
    """What the service asks the chain: the head at one block, read now."""

    def head_at(self, block_hash: Hash32) -> tuple[int, Hash32]:
        """Give the ledger's size and root at a block.

        Raises:
            ChainUnavailableError: no usable answer.
            ChainIdentityError: nothing at the contract's address answers as a ledger does.
        """
        ...


@dataclass(frozen=True, slots=True)
class NodeDescription:
    """What a node says of itself."""

    identity: LedgerIdentity
    """Which ledger, and which member runs the node."""
    network: Network
    """Name and kind of the chain."""
    finality: FinalityRule
    """Which heads count as final."""
    version: str
    """Of the software."""


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """A member as the ledger knows it."""

    id: int
    """Member id."""
    profile: FoundingMember
    """Keys, name, domain and endpoint."""
    since_record: int
    """Index of the governance record that says so."""


@dataclass(frozen=True, slots=True)
class Located:
    """Where an entry stands, as far as this node knows."""

    state: EntryState
    """State and batch."""
    record: int | None
    """Index of the record that anchored its batch; None before that."""


class NodeService:
    """One node's verbs. May be used from any thread."""

    def __init__(
        self,
        store: Store,
        batches: BatchTrees,
        chain: ChainReader,
        *,
        about: NodeDescription,
        clock: Callable[[], float],
        follow_seconds_max: float,
        state_blocks: int,
    ) -> None:
        """Serve ``store``.

        ``follow_seconds_max``: when the chain was followed longer ago, the node is not ready.
        ``state_blocks``: how many blocks back an ordinary endpoint still answers for the state.
        """
        self._store = store
        self._batches = batches
        self._chain = chain
        self._clock = clock
        self._tree = LedgerTree(store)
        self._follow_seconds_max = follow_seconds_max
        self._state_blocks = state_blocks
        self._followed_at: float | None = None
        self.about = about
        self.reading = Reading(store, batches, self._tree, member=about.identity.member)

    def note_followed(self) -> None:
        """Note that the chain was looked at, and all of it followed, just now."""
        self._followed_at = self._clock()

    def submit(self, entries: Sequence[Hash32]) -> AddResult:
        """Take entries into the queue; durable when it returns, idempotent.

        Raises:
            StoreUnavailableError: whether they were taken is unknown; submit them again.
        """
        return self._store.add_entries(entries, submitted_at=int(self._clock()))

    def queue(self) -> QueueState:
        """Count what waits to be sealed."""
        return self._store.queue()

    def locate(self, entry: Hash32) -> Located:
        """Say where an entry stands.

        Raises:
            UnknownEntryError: this node was never given it.
        """
        state = self._store.find_entry(entry)
        record = self._record_of(state)
        return Located(state, None if record is None else record.index)

    def receipt(self, entry: Hash32) -> Receipt | Located:
        """Prove an entry; without its commitment, which only the holder has.

        The state instead of a receipt means that its batch is not anchored yet. The receipt
        leads to the final head, or to the newest one while its record is not final.

        Raises:
            UnknownEntryError: this node was never given it.
            CorruptBatchError, StoreUnavailableError: its batch file is missing, damaged or
                cannot be read.
        """
        state = self._store.find_entry(entry)
        record = self._record_of(state)
        if record is None or state.batch is None:
            return Located(state, None)
        holding = self._tree.snapshot().holding(record.index)
        if holding is None or not holding.is_at(record.index, record.record):
            return Located(state, None)  # a reorganisation moved it just now
        identity = self.about.identity
        return Receipt(
            commitment=None,
            entry=entry,
            batch=self._batches.proof(state.batch, entry),
            record=RecordProof(record.index, holding.inclusion(record.index), record.record),
            member=MemberProof(0, holding.inclusion(0), self._birth_change()),
            ledger=LedgerHead(
                chain_id=identity.chain_id,
                genesis=identity.genesis,
                contract=identity.contract,
                ledger_id=identity.ledger_id,
                size=holding.head.size,
                root=holding.head.root,
            ),
        )

    def verify(self, receipt: object, presented: Presented | CredentialError) -> Report:
        """Check a receipt, decoded JSON from anyone, for a presented credential.

        Never raises for the content, nor for a chain that does not answer: the report says so.

        Raises:
            StoreUnavailableError: this node's own store failed.
        """
        try:
            trust = self.trust()
            view = self._view(receipt)
        except NotFollowedYetError as exc:
            trust, view = self._trust_with(()), exc  # what needs no chain is checked all the same
        return verify(
            receipt=receipt,
            presented=presented,
            trust=trust,
            view=view,
            now=int(self._clock()),
        )

    def ledger(self) -> LedgerSnapshot:
        """Give the ledger as it is followed now."""
        return self._tree.snapshot()

    def members(self) -> tuple[MemberEntry, ...]:
        """List the members, as the followed ledger has them.

        Raises:
            NotFollowedYetError: the chain was not followed to the ledger's birth yet.
        """
        birth = parse_birth(self._birth_change())
        return tuple(
            MemberEntry(number, member, since_record=0)
            for number, member in enumerate(birth.members, start=1)
        )

    def trust(self) -> TrustFile:
        """Give this node's view as a trust file, labelled as such.

        Raises:
            NotFollowedYetError: the chain was not followed to the ledger's birth yet.
        """
        members = self.members()
        return self._trust_with(
            tuple(
                TrustedMember(m.id, m.profile.name, m.profile.domain, m.profile.witness_key)
                for m in members
            )
        )

    def readiness(self) -> dict[str, str]:
        """Name each dependency, with ``ok`` or what is wrong."""
        found = {"store": "ok", "chain": "ok", "following": "ok"}
        try:
            self._store.ping()
            ledger = self._tree.snapshot()
            found["following"] = self._following(ledger.final)
            if ledger.final is not None and ledger.seen is not None:
                self._compare_with_chain(ledger.final, ledger.seen)
        except ChainError as exc:
            found["chain"] = str(exc)
        except TestamurError as exc:
            found["store"] = str(exc)
        return found

    def _following(self, final: HeadTree | None) -> str:
        if final is None:
            return "the ledger's birth is not final yet"
        if self._followed_at is None:
            return "the chain was not followed since the start"
        age = self._clock() - self._followed_at
        if age > self._follow_seconds_max:
            return f"the chain was last followed {age:.0f} s ago"
        return "ok"

    def _view(self, receipt: object) -> LedgerView | TestamurError | None:
        """Ask the chain now, and add this node's proofs for the receipt."""
        try:
            parsed = receipt_from_json(receipt)
        except TestamurError:
            return None  # step (1) reports it
        ledger = self._tree.snapshot()
        final, seen = ledger.final, ledger.seen
        if final is None or seen is None:
            return NotFollowedYetError("the ledger's birth is not final yet")
        try:
            self._compare_with_chain(final, seen)
        except ChainError as exc:
            return exc
        index, size = parsed.record.index, parsed.ledger.size
        holding = ledger.holding(index)
        return LedgerView(
            final=final.head,
            seen=seen.head,
            at_index=None if holding is None else holding.leaf_proof(index),
            at_size=final.root_proof(size) if size <= final.head.size else None,
            newest=ledger.newest_anchor(parsed.record.record.member),
        )

    def _compare_with_chain(self, final: HeadTree, seen: HeadTree) -> None:
        """Compare the followed ledger with the head that the chain shows now.

        Where finality lags so far behind that endpoints have dropped the state of the final block,
        the newest head is asked for instead: the final one is a prefix of it in the same tree.

        Raises:
            ChainDisagreementError: the chain shows another head.
            ChainError: no answer, or none that a ledger gives.
        """
        lags = seen.block.number - final.block.number >= self._state_blocks
        asked = seen if lags else final
        told = self._chain.head_at(asked.block.hash)
        if told != (asked.head.size, asked.head.root):
            raise ChainDisagreementError(
                f"the chain shows another head at block {asked.head.block} than this node follows"
            )

    def _record_of(self, state: EntryState) -> _Anchored | None:
        if state.batch is None:
            return None
        found = self._store.record_of_batch(self.about.identity.member, state.batch)
        if found is None:
            return None
        record = parse_record(found.record)
        if record.kind is not RecordKind.ANCHOR:
            raise UnknownEntryError(f"record {found.index} is no anchor")
        return _Anchored(found.index, record)

    def _birth_change(self) -> bytes:
        if self._store.size() == 0:
            raise NotFollowedYetError("the chain was not followed to the ledger's birth yet")
        change = self._store.record(0).change
        # Names are read from it, and whoever can write to the store could put in others.
        if change is None or governance_record(change).leaf_hash() != self.about.identity.ledger_id:
            raise StoreIdentityError("record 0 in the store is not the birth of this ledger")
        return change

    def _trust_with(self, members: tuple[TrustedMember, ...]) -> TrustFile:
        identity = self.about.identity
        return TrustFile(
            network=self.about.network,
            chain_id=identity.chain_id,
            genesis=identity.genesis,
            contract=identity.contract,
            ledger_id=identity.ledger_id,
            finality=self.about.finality,
            threshold=len(members) // 2 + 1,
            members=members,
            source=(
                f"the view of the node of member {identity.member}; nobody vouches for it: "
                "compare it with another member's before you rely on it"
            ),
        )


@dataclass(frozen=True, slots=True)
class _Anchored:
    index: int
    record: Record
