"""The node's verbs: submit, look up, prove, verify, describe itself.

Reads come from the store and the batch files. Only a verification asks the chain, because its
verdict speaks of the chain as it is. What each verb does stands in a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from testamur.batching.seal_request import SealRequest
from testamur.errors import (
    BundleFormatError,
    ChainError,
    CredentialError,
    NotSealingError,
    TestamurError,
)
from testamur.ledger.operator_log import Actor
from testamur.ledger.receipt import Receipt
from testamur.ledger.report import Report
from testamur.ledger.trust import TrustFile
from testamur.ledger.view import Presented
from testamur.merkle.hashing import Hash32
from testamur.service.access import Access
from testamur.service.batch_trees import BatchTrees
from testamur.service.bulk_proving import BulkProving, Proven
from testamur.service.holdings import Holdings
from testamur.service.intake import Intake
from testamur.service.ledger_tree import HeadTree, LedgerSnapshot, LedgerTree
from testamur.service.membership import MemberEntry, Membership, NodeDescription
from testamur.service.proving import Located, Proving
from testamur.service.reading import Reading
from testamur.service.verifying import ChainReader, Moment, Verifying
from testamur.storage.interface import Store
from testamur.storage.model import QueueState, Replication


class NodeService:
    """One node's verbs. May be used from any thread."""

    def __init__(
        self,
        store: Store,
        batches: BatchTrees,
        chain: ChainReader,
        *,
        about: NodeDescription,
        intake: Intake,
        access: Access,
        clock: Callable[[], float],
        follow_seconds_max: float,
        state_blocks: int,
        sealing: SealRequest | None,
    ) -> None:
        """Serve ``store``.

        ``follow_seconds_max``: when the chain was followed longer ago, the node is not ready.
        ``state_blocks``: how many blocks back an ordinary endpoint still answers for the state.
        ``sealing``: what the sealing stage is asked through; None where the node does not seal.
        """
        member = about.identity.member
        self._store = store
        self._clock = clock
        self._tree = LedgerTree(store)
        self._membership = Membership(store, about)
        self._proving = Proving(store, batches, self._tree, self._membership, about.identity)
        self._bulk = BulkProving(store, batches, self._tree, self._proving, member=member)
        self._verifying = Verifying(
            chain,
            self._tree,
            self._membership,
            self._proving,
            Holdings(store, member=member),
            clock=clock,
            state_blocks=state_blocks,
        )
        self._sealing = sealing
        self._follow_seconds_max = follow_seconds_max
        self._followed_at: float | None = None
        self.about = about
        self.intake = intake
        self.access = access
        self.reading = Reading(store, batches, self._tree, member=member)

    def note_followed(self) -> None:
        """Note that the chain was looked at, and all of it followed, just now."""
        self._followed_at = self._clock()

    def queue(self) -> QueueState:
        """Count what waits to be sealed."""
        return self._store.queue()

    def seal_now(self, by: Actor) -> int:
        """Ask that what waits now be sealed without waiting, and say how many entries that are.

        The sealing stage does it at its next pass; asking again is harmless. Who asked is
        recorded first, where anything waits.

        Raises:
            NotSealingError: this node has no anchor key, so it seals nothing.
            StoreUnavailableError: the store failed; nothing was asked.
        """
        if self._sealing is None:
            raise NotSealingError("this node has no anchor key: it follows and proves only")
        waiting = self._store.queue().count
        if waiting:
            self.access.record(by, "seal_requested", {"waiting": waiting})
        self._sealing.ask(waiting)
        return waiting

    def locate(self, entry: Hash32) -> Located:
        """Say where an entry stands, as :meth:`Proving.locate` does."""
        return self._proving.locate(entry)

    def receipt(self, entry: Hash32) -> Receipt | Located:
        """Prove an entry, or say where it stands, as :meth:`Proving.receipt` does."""
        return self._proving.receipt(entry)

    def receipts(self, entries: Sequence[Hash32]) -> Iterator[Proven]:
        """Prove many entries, as :meth:`BulkProving.receipts` does."""
        return self._bulk.receipts(entries)

    def moment(self) -> Moment:
        """Look at the ledger now, for one verification or several that are to agree.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        return self._verifying.moment()

    def verify(
        self,
        receipt: object,
        presented: Presented | CredentialError,
        moment: Moment | None = None,
    ) -> Report:
        """Check a receipt for a presented credential, as :meth:`Verifying.verify` does."""
        return self._verifying.verify(receipt, presented, moment or self.moment())

    def verify_without_receipt(
        self,
        presented: Presented | CredentialError | BundleFormatError,
        moment: Moment | None = None,
    ) -> Report:
        """Follow a credential's locator, as :meth:`Verifying.verify_without_receipt` does."""
        return self._verifying.verify_without_receipt(presented, moment or self.moment())

    def ledger(self) -> LedgerSnapshot:
        """Give the ledger as it is followed now."""
        return self._tree.snapshot()

    def members(self) -> tuple[MemberEntry, ...]:
        """List the members, as :meth:`Membership.members` does."""
        return self._membership.members()

    def replication(self, member: int) -> Replication:
        """Count how many of a member's anchored batches are held here."""
        return self._store.replication(member)

    def trust(self) -> TrustFile:
        """Give this node's view as a trust file, as :meth:`Membership.trust` does."""
        return self._membership.trust()

    def readiness(self) -> dict[str, str]:
        """Name each dependency, with ``ok`` or what is wrong."""
        found = {"store": "ok", "chain": "ok", "following": "ok"}
        try:
            self._store.ping()
            ledger = self._tree.snapshot()
            found["following"] = self._following(ledger.final)
            if ledger.final is not None and ledger.seen is not None:
                self._verifying.compare_with_chain(ledger.final, ledger.seen)
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
