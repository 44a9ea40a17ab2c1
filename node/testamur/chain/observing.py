"""Looking at the chain for what happened to a batch: every event of ``lifecycle.py`` but a refusal.

State of the contract and of the account is read at the newest blocks alone, because ordinary
nodes have no older one, however far back the final block lies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from testamur.chain.client import ChainBlock
from testamur.chain.fees import OfferedFees, capped_fees
from testamur.chain.ledger_client import LedgerClient, MemberSlot
from testamur.chain.lifecycle import Event, Phase, phase_of
from testamur.merkle.hashing import Hash32
from testamur.storage.interface import Store
from testamur.storage.model import (
    AnchorState,
    AnchorTransaction,
    Batch,
    FollowedBlock,
    FollowedRecord,
    JournaledTransaction,
)

REBROADCAST_SECONDS: Final = 60
"""Endpoints forget transactions; handing over the same bytes again is always safe."""
_ALIVE: Final[tuple[AnchorState, ...]] = ("signed", "broadcast", "mined")


@dataclass(frozen=True, slots=True)
class Situation:
    """A batch with its transactions, as the store has them now."""

    batch: Batch
    """The batch."""
    transactions: Sequence[JournaledTransaction]
    """All that were ever signed for it, oldest first."""

    @property
    def newest(self) -> JournaledTransaction | None:
        """The transaction that counts."""
        return self.transactions[-1] if self.transactions else None

    @property
    def phase(self) -> Phase:
        """The state that follows from both."""
        newest = self.newest
        return phase_of(self.batch.state, None if newest is None else newest.state)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a signature needs, checked."""

    sequence: int
    """The contract's next for this member."""
    nonce: int
    """The account's next."""
    fees: OfferedFees
    """What is offered, within the cap."""


@dataclass(slots=True)
class Watched:
    """What this process saw of a transaction that it waits for."""

    sent_at: float | None = None
    """When an endpoint last took it; None: not since the start."""
    nonce_gone: ChainBlock | None = None
    """The first block at which its nonce was seen consumed."""


class Observer:
    """Finds the event that a batch's situation leads to next; it writes nothing.

    ``address`` is that of the anchor key of ``member``; the rest is as for the anchorer. What it
    remembers of a transaction can be found again, and is forgotten with the transaction.
    """

    def __init__(
        self,
        client: LedgerClient,
        store: Store,
        address: bytes,
        member: int,
        *,
        fee_cap_wei: int,
        gas_limit: int,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._store = store
        self._address = address
        self._member = member
        self._fee_cap_wei = fee_cap_wei
        self._gas_limit = gas_limit
        self._clock = clock
        self._watched: dict[Hash32, Watched] = {}
        self._final_anchors = (-1, 0)
        """A final block, and how many anchors of this member the chain has up to it."""
        self.plan: Plan | None = None
        """What the last ``ready`` found."""
        self.shortage = ""
        """What the last ``money missing`` found, in one sentence."""

    def forget_settled(self) -> None:
        """Forget all transactions that nothing is waited for any more."""
        waiting = self._store.anchor_transactions("signed", "broadcast")
        kept = {each.transaction.tx_hash for each in waiting}
        self._watched = {key: value for key, value in self._watched.items() if key in kept}

    def note_sent(self, transaction: AnchorTransaction) -> None:
        """Note that an endpoint took the transaction now."""
        self._watch(transaction).sent_at = self._clock()

    def _watch(self, transaction: AnchorTransaction) -> Watched:
        return self._watched.setdefault(transaction.tx_hash, Watched())

    def observe(self, now: Situation) -> Event | None:
        """Say what happened; None: nothing yet. Raises as the anchorer's step."""
        if now.phase is Phase.FINAL:
            return None
        if now.phase is Phase.MINED:
            return self._observe_mined(now)
        if now.newest is None or now.phase is Phase.SEALED:
            return self._observe_sealed(now)
        return self._observe_sent(now, now.newest.transaction)

    def _observe_sent(self, now: Situation, transaction: AnchorTransaction) -> Event | None:
        # Finality is read first and the records last: what was final before is in the records,
        # so that our own anchor is never taken for somebody else's.
        final = self._store.finalized()
        taken = self._final_sequence(final) > transaction.sequence
        if self._record(now.batch.root) is not None:
            return Event.RECORD_SEEN
        if taken:
            return Event.SEQUENCE_TAKEN
        if now.phase is Phase.SIGNED:
            return Event.DUE
        if now.phase is Phase.REVERTED:
            return self._observe_reverted(transaction, final)
        return self._observe_broadcast(transaction, final)

    def _observe_mined(self, now: Situation) -> Event | None:
        final = self._store.finalized()
        record = self._record(now.batch.root)
        if record is None:
            return Event.RECORD_LOST if now.newest is None else Event.RECORD_GONE
        if final is not None and record.block_number <= final.number:
            return Event.RECORD_FINAL
        return None

    def _observe_reverted(
        self, transaction: AnchorTransaction, final: FollowedBlock | None
    ) -> Event | None:
        receipt = self._client.receipt(transaction.tx_hash)
        if receipt is None or receipt.succeeded:
            return Event.REVERT_GONE
        followed = self._store.followed()
        if followed is None:
            return None
        slot = self._slot(followed)
        if not self._accepts_key(slot):
            return Event.KEY_REFUSED
        # What reverted finally can never succeed, so that its sequence may be given once more;
        # should the endpoint lie about it, the contract lets only one of the two through.
        over = final is not None and receipt.block_number <= final.number
        return Event.REVERT_FINAL if over and slot.sequence <= transaction.sequence else None

    def _observe_broadcast(
        self, transaction: AnchorTransaction, final: FollowedBlock | None
    ) -> Event | None:
        # The nonce first and the receipt last, for the same reason as in _observe_sent.
        gone = self._nonce_finally_gone(transaction, final)
        receipt = self._client.receipt(transaction.tx_hash)
        if receipt is not None:
            # Mined, but not followed yet, is nothing to act on.
            return None if receipt.succeeded else Event.REVERT_SEEN
        if gone:
            return Event.NONCE_TAKEN
        sent_at = self._watch(transaction).sent_at
        if sent_at is None or self._clock() - sent_at >= REBROADCAST_SECONDS:
            return Event.DUE
        return None

    def _nonce_finally_gone(
        self, transaction: AnchorTransaction, final: FollowedBlock | None
    ) -> bool:
        """Whether the nonce was seen consumed at a block that has become final since.

        Nonces only grow, so it is consumed in every later block, too.
        """
        watched = self._watch(transaction)
        seen = watched.nonce_gone
        if seen is not None and final is not None and seen.number <= final.number:
            there = self._client.find_block(seen.number)
            if there is not None and there.hash == seen.hash:
                return True
            watched.nonce_gone = None  # a reorganisation took that block away
        if watched.nonce_gone is None:
            newest = self._client.block("latest")
            count = self._client.transaction_count(self._address, pending=False, at=newest.hash)
            if transaction.nonce < count:
                watched.nonce_gone = newest
        return False

    def _final_sequence(self, final: FollowedBlock | None) -> int:
        """Give the member's next sequence as of the final block.

        The contract counts from 0 and up by one with each anchor, so it is their number; and the
        records up to the final block are complete, because they were compared with ``head()``.
        """
        number, count = self._final_anchors
        if final is not None and final.number > number:
            count += self._store.count_anchors(self._member, above=number, up_to=final.number)
            self._final_anchors = (final.number, count)
        return count

    def _observe_sealed(self, now: Situation) -> Event | None:
        """Check everything that a signature depends on, at one block of the followed chain."""
        followed = self._store.followed()
        if followed is None:
            return None
        slot = self._slot(followed)
        if self._record(now.batch.root) is not None:
            return Event.RECORD_SEEN
        if not self._accepts_key(slot):
            return Event.KEY_REFUSED
        newest_block = self._client.block("latest")
        up_to_date = newest_block.hash == followed.hash or slot == self._client.member_at(
            self._member, newest_block.hash
        )
        # Else the chain shows anchors of this member that are not in our records: one of them may
        # be this very batch (after a restore from a backup, say).
        unmoved = up_to_date and self._store.followed() == followed
        if unmoved and self._may_use(slot.sequence, now):
            return self._plan_signature(slot.sequence)
        return None

    def _may_use(self, sequence: int, now: Situation) -> bool:
        """Whether ``sequence`` is free for this batch: the rule that no root gets two."""
        alive = self._store.anchor_transactions(*_ALIVE)
        if any(each.transaction.sequence >= sequence for each in alive):
            return False
        earlier = {each.transaction.sequence for each in now.transactions} - {sequence}
        if not earlier:
            return True
        return self._final_sequence(self._store.finalized()) > max(earlier)

    def _plan_signature(self, sequence: int) -> Event | None:
        fees = capped_fees(self._client.fees(), cap_wei=self._fee_cap_wei)
        if fees is None:
            return Event.FEE_ABOVE_CAP
        cost_max_wei = self._gas_limit * fees.fee_max_wei
        balance = self._client.balance(self._address)
        if balance < cost_max_wei:
            self.shortage = f"It may cost {cost_max_wei} wei, and there are {balance}."
            return Event.MONEY_MISSING
        nonce = self._client.transaction_count(self._address, pending=True)
        alive = self._store.anchor_transactions(*_ALIVE)
        if any(each.transaction.nonce == nonce for each in alive):
            # The endpoint has not seen what it was sent, or a reorganisation took it away.
            return None
        self.plan = Plan(sequence, nonce, fees)
        return Event.READY

    def _slot(self, block: FollowedBlock) -> MemberSlot:
        return self._client.member_at(self._member, block.hash)

    def _record(self, root: Hash32) -> FollowedRecord | None:
        return self._store.record_of_batch(self._member, root)

    def _accepts_key(self, slot: MemberSlot) -> bool:
        return slot.active and slot.anchor_key == self._address
