"""Verification by a node: its own view of the ledger, confirmed by the chain, and what it holds.

The verdict is that of :mod:`testamur.ledger`; here is collected what it is made from. A verdict
speaks of the chain as it is, so each :class:`Moment` asks the chain anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from testamur.errors import (
    BundleFormatError,
    ChainDisagreementError,
    ChainError,
    CredentialError,
    NotFollowedYetError,
    ReceiptFormatError,
    TestamurError,
)
from testamur.ledger import locating
from testamur.ledger.receipt_json import receipt_from_json, receipt_to_json
from testamur.ledger.report import AsOf, Report
from testamur.ledger.trust import TrustFile
from testamur.ledger.verification import verify
from testamur.ledger.view import LedgerView, Presented
from testamur.merkle.hashing import Hash32
from testamur.service.holdings import Absence, Holdings, NotHeld
from testamur.service.ledger_tree import HeadTree, LedgerSnapshot, LedgerTree
from testamur.service.membership import Membership
from testamur.service.proving import Proving


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
class Confirmed:
    """Heads of one snapshot that the chain confirmed."""

    final: HeadTree
    """At the newest final block."""
    seen: HeadTree
    """At the newest followed block."""


class Moment:
    """The ledger as it was followed at one moment, with what the chain says of it.

    The chain is asked at most once, when first needed; so all reports of one request speak of one
    head. What is lacking of a member is counted once, too. Not for several threads at once.
    """

    def __init__(
        self,
        ledger: LedgerSnapshot,
        *,
        confirm: Callable[[HeadTree, HeadTree], None],
        count_lacking: Callable[[int], int],
    ) -> None:
        self.ledger = ledger
        self._confirm = confirm
        self._count_lacking = count_lacking
        self._lacking: dict[int, int] = {}

    def lacking(self, member: int) -> int:
        """Give how many batches of ``member`` are not held here, counted after :attr:`ledger`.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        if member not in self._lacking:
            self._lacking[member] = self._count_lacking(member)
        return self._lacking[member]

    @cached_property
    def confirmed(self) -> Confirmed | TestamurError:
        """The heads, or why they cannot be relied on."""
        final, seen = self.ledger.final, self.ledger.seen
        if final is None or seen is None:
            return NotFollowedYetError("the ledger's birth is not final yet")
        try:
            self._confirm(final, seen)
        except ChainError as exc:
            return exc
        return Confirmed(final, seen)


class Verifying:
    """Makes the reports of a node. May be used from any thread."""

    def __init__(
        self,
        chain: ChainReader,
        ledger: LedgerTree,
        membership: Membership,
        proving: Proving,
        holdings: Holdings,
        *,
        clock: Callable[[], float],
        state_blocks: int,
    ) -> None:
        """Verify by what ``chain`` confirms.

        ``state_blocks``: how many blocks back an ordinary endpoint still answers for the state.
        """
        self._chain = chain
        self._ledger = ledger
        self._membership = membership
        self._proving = proving
        self._holdings = holdings
        self._clock = clock
        self._state_blocks = state_blocks

    def moment(self) -> Moment:
        """Look at the ledger now; reports made from one moment agree with each other.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        return Moment(
            self._ledger.snapshot(),
            confirm=self.compare_with_chain,
            count_lacking=self._holdings.lacking,
        )

    def verify(
        self, receipt: object, presented: Presented | CredentialError, moment: Moment
    ) -> Report:
        """Check a receipt, decoded JSON from anyone, for a presented credential.

        Never raises for the content, nor for a chain that does not answer: the report says so.

        Raises:
            StoreUnavailableError: this node's own store failed.
        """
        trust, missing = self._trust()
        return verify(
            receipt=receipt,
            presented=presented,
            trust=trust,
            view=missing or _view(receipt, moment),
            now=int(self._clock()),
        )

    def verify_without_receipt(
        self, presented: Presented | CredentialError | BundleFormatError, moment: Moment
    ) -> Report:
        """Follow the locator of a presented credential, make its receipt here, and check that.

        Never raises for the content, nor for a chain that does not answer: the report says so.

        Raises:
            CorruptBatchError: a batch file of this node is missing or damaged.
            StoreUnavailableError: this node's own store failed.
        """
        trust, missing = self._trust()
        wanted = locating.sought(presented, trust)
        if isinstance(wanted, Report):
            return wanted
        where = self._holdings.find(wanted.member, wanted.entry, lacking=moment.lacking)
        if where is Absence.WAITING:
            return locating.not_anchored(trust.network)
        if isinstance(where, Absence | NotHeld):
            return self._absent(where, wanted.member, trust, missing or moment.confirmed)
        made = self._proving.prove(wanted.member, wanted.entry, where, moment.ledger)
        if made is None:
            return locating.not_anchored(trust.network)
        receipt = replace(made, commitment=wanted.commitment)
        return self.verify(receipt_to_json(receipt), wanted.presented, moment)

    def compare_with_chain(self, final: HeadTree, seen: HeadTree) -> None:
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

    def _absent(
        self,
        why: Absence | NotHeld,
        member_id: int,
        trust: TrustFile,
        confirmed: Confirmed | TestamurError,
    ) -> Report:
        """Report that an entry was not found; "no record" only where that is known."""
        if isinstance(confirmed, TestamurError):
            return locating.chain_silent(trust.network, confirmed)
        member = trust.member(member_id)
        if member is None:
            return locating.unknown_member(trust.network, member_id)
        if isinstance(why, NotHeld):
            return locating.not_held(trust.network, member, why.lacking)
        head = confirmed.final.head
        as_of = AsOf(head.block, head.time)
        return locating.not_found(trust.network, member, as_of, now=int(self._clock()))

    def _trust(self) -> tuple[TrustFile, NotFollowedYetError | None]:
        """Give what is pinned, and what is missing: the rest is checked all the same."""
        try:
            return self._membership.trust(), None
        except NotFollowedYetError as exc:
            return self._membership.trust_without_members(), exc


def _view(receipt: object, moment: Moment) -> LedgerView | TestamurError | None:
    """Give the view of that moment, with this node's proofs for the receipt."""
    try:
        parsed = receipt_from_json(receipt)
    except ReceiptFormatError:
        return None  # step (1) reports it
    confirmed = moment.confirmed
    if isinstance(confirmed, TestamurError):
        return confirmed
    index, size, final = parsed.record.index, parsed.ledger.size, confirmed.final
    holding = moment.ledger.holding(index)
    return LedgerView(
        final=final.head,
        seen=confirmed.seen.head,
        at_index=None if holding is None else holding.leaf_proof(index),
        at_size=final.root_proof(size) if size <= final.head.size else None,
        newest=moment.ledger.newest_anchor(parsed.record.record.member),
    )
