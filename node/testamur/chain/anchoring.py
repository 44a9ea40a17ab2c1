"""Anchoring sealed batches: the thin loop around the table in ``lifecycle.py``.

A pass derives a batch's state from the store, has ``observing.py`` look for an event, and does
what the table says, until there is nothing more to do now. What is remembered between passes can
be found again, so a restart is a pass like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from testamur.chain import abi
from testamur.chain.keys import SigningKey, UnsignedTransaction
from testamur.chain.ledger_client import LedgerClient
from testamur.chain.lifecycle import KEPT, NEEDS_OPERATOR, Action, Event, Phase, step
from testamur.chain.observing import Observer, Situation
from testamur.errors import TransactionRejectedError
from testamur.merkle.hashing import EMPTY_ROOT, Hash32
from testamur.storage.interface import Store
from testamur.storage.model import (
    AnchorState,
    AnchorTransaction,
    Batch,
    BatchState,
    JournaledTransaction,
)

GAS_LIMIT_DEFAULT: Final = 250_000
"""Constant, never an estimate: another member landing first can complete a larger subtree."""
_EVENTS_MAX: Final = 16
_DETAILS: Final = {
    Phase.SEALED: "It waits for its turn, or for the followed chain to be up to date.",
    Phase.SIGNED: "Its transaction is signed and will be sent.",
    Phase.BROADCAST: "Its transaction was sent and waits for a block.",
    Phase.MINED: "Its record is in the ledger and waits for finality.",
    Phase.FINAL: "Its record is final.",
    Phase.REVERTED: "Its transaction reverted; when that is final, it is signed anew.",
    Phase.SEQUENCE_LOST: "Another anchor took its sequence; it gets a new one.",
    Phase.NONCE_LOST: "Another transaction took its nonce; it is signed anew.",
    Phase.KEY_INACTIVE: "The contract does not accept this anchor key for this member.",
    Phase.UNFUNDED: "The anchor account cannot pay for the transaction: fund it.",
    Phase.FEE_TOO_HIGH: "Gas costs more than the fee cap: wait, or raise the cap.",
    Phase.REFUSED: "The endpoint refuses the transaction.",
}


@dataclass(frozen=True, slots=True)
class AnchorProgress:
    """What one pass left behind."""

    phase: Phase
    """Where the oldest unfinished batch stands; ``idle`` when there is none to send."""
    batch: Hash32 | None
    """Its root."""
    tx_hash: Hash32 | None
    """Its newest transaction, if one was signed."""
    sequence: int | None
    """The sequence of that transaction."""
    detail: str
    """One sentence for the operator."""

    @property
    def needs_operator(self) -> bool:
        """Whether somebody should look at it; the batch is kept in any case."""
        return self.phase in NEEDS_OPERATOR


class Anchorer:
    """Takes sealed batches, oldest first and one at a time, to finality.

    It acts on the records that a :class:`~testamur.chain.following.Follower` put into the same
    store, so both are called in turn. ``key`` is the anchor key of ``member``; ``fee_cap_wei``
    the most paid for a unit of gas; ``clock`` gives Unix seconds. One anchorer per store, used
    from one thread at a time.
    """

    def __init__(
        self,
        client: LedgerClient,
        store: Store,
        key: SigningKey,
        member: int,
        *,
        fee_cap_wei: int,
        clock: Callable[[], float],
        gas_limit: int = GAS_LIMIT_DEFAULT,
    ) -> None:
        self._client = client
        self._store = store
        self._key = key
        self._member = member
        self._clock = clock
        self._gas_limit = gas_limit
        self._observer = Observer(
            client,
            store,
            key.address,
            member,
            fee_cap_wei=fee_cap_wei,
            gas_limit=gas_limit,
            clock=clock,
        )
        self._refusal = ""

    def step(self) -> AnchorProgress:
        """Do what can be done now, and return; safe to repeat, and to be killed anywhere.

        Raises:
            ChainUnavailableError: no answer; nothing is lost, the next step goes on.
            ChainIdentityError: the contract does not answer as a ledger does.
            StorageError: the store failed; nothing was sent that is not in the journal.
        """
        self._observer.forget_settled()
        mined = [self._drive(batch.root) for batch in self._all("anchored")]
        sent = [self._drive(batch.root) for batch in self._all("submitted")]
        waiting = [self._drive(batch.root) for batch in self._next_sealed()]
        # The most urgent first: what is under way, what comes next, what only waits for finality.
        urgent = [one for one in (*sent, *waiting, *mined) if one.phase is not Phase.FINAL]
        if urgent:
            return urgent[0]
        return AnchorProgress(Phase.IDLE, None, None, None, "There is nothing to anchor.")

    def _all(self, state: BatchState) -> list[Batch]:
        found: list[Batch] = []
        while page := self._store.batches(state=state, after=found[-1].number if found else 0):
            found.extend(page)
        return found

    def _next_sealed(self) -> Iterator[Batch]:
        """Give the sealed batch whose transaction is alive, else the oldest, if none is sent."""
        if self._store.batches(state="submitted", limit=1):
            return
        signed = self._store.anchor_transactions("signed", "broadcast")
        alive = [self._store.batch(each.transaction.root) for each in signed]
        sealed = [batch for batch in alive if batch.state == "sealed"]
        yield from (sealed or self._store.batches(state="sealed", limit=1))[:1]

    # --- the loop ---------------------------------------------------------------------------

    def _drive(self, root: Hash32) -> AnchorProgress:
        event: Event | None = None
        for _ in range(_EVENTS_MAX):
            now = self._situation(root)
            event = event or self._look(now)
            if event is None:
                return self._progress(now.phase, now)
            phase, actions = step(now.phase, event)
            event = None
            for action in actions:
                event = self._perform(action, now)
            if phase not in KEPT or phase is Phase.SEALED:
                # What went back to sealed waits for its turn, like every other sealed batch.
                return self._progress(phase, now)
        # Events that go round in a circle, on a chain that changes at every look: go on later.
        now = self._situation(root)
        return self._progress(now.phase, now)

    def _look(self, now: Situation) -> Event | None:
        event = self._observer.observe(now)
        if event is Event.MONEY_MISSING:
            self._refusal = self._observer.shortage
        return event

    def _situation(self, root: Hash32) -> Situation:
        return Situation(
            batch=self._store.batch(root),
            transactions=self._store.anchor_transactions(root=root),
        )

    def _progress(self, phase: Phase, now: Situation) -> AnchorProgress:
        newest = now.newest
        detail = _DETAILS[phase]
        if phase in {Phase.REFUSED, Phase.UNFUNDED} and self._refusal:
            detail = f"{detail} {self._refusal}"
        return AnchorProgress(
            phase=phase,
            batch=now.batch.root,
            tx_hash=None if newest is None else newest.transaction.tx_hash,
            sequence=None if newest is None else newest.transaction.sequence,
            detail=detail,
        )

    # --- doing ------------------------------------------------------------------------------

    def _perform(self, action: Action, now: Situation) -> Event | None:
        """Do one action; sending is the only one that has an outcome."""
        if action is Action.SIGN:
            self._sign(now.batch)
            return None
        if action in {Action.NOTE_MINED, Action.NOTE_FINAL, Action.SEAL_AGAIN}:
            self._note_batch(action, now.batch)
            return None
        newest = now.newest
        if newest is None:
            raise RuntimeError(f"{action} needs a transaction")
        if action is Action.BROADCAST:
            return self._broadcast(newest.transaction)
        self._note_transaction(action, now.batch, newest)
        return None

    def _note_batch(self, action: Action, batch: Batch) -> None:
        """Write what the followed ledger says of a batch, whoever sent its transaction."""
        if action is Action.NOTE_MINED:
            self._note_record(batch.root, "mined")
            # A crash here leaves the transaction ahead of its batch; the next pass sees the
            # record again and comes back here.
            self._advance(batch, "anchored")
        if action is Action.NOTE_FINAL:
            self._note_record(batch.root, "final")
            # As above.
            self._advance(batch, "final")
        if action is Action.SEAL_AGAIN:
            self._advance(batch, "sealed")

    def _note_transaction(self, action: Action, batch: Batch, newest: JournaledTransaction) -> None:
        """Write what became of a transaction of ours, and of its batch with it."""
        if action is Action.NOTE_BROADCAST:
            self._bring(newest, "broadcast")
            # A crash here leaves the batch ``sealed`` with a transaction that is sent: the next
            # pass sends it once more.
            self._advance(batch, "submitted")
        if action is Action.NOTE_REVERTED:
            self._bring(newest, "reverted")
        if action is Action.TAKE_BACK:
            self._advance(batch, "submitted")
            # A crash here leaves ``submitted`` with a transaction that is not marked as sent; it
            # is sent again all the same, because no pass of a new process has sent it yet.
            self._bring(newest, "broadcast")
        if action is Action.RETIRE:
            self._bring(newest, "reverted")
            # A crash here reads as ``reverted``, from where the same cause leads here again.
            self._advance(batch, "sealed")

    def _advance(self, batch: Batch, state: BatchState) -> None:
        if batch.state != state:
            self._store.advance(batch.root, batch.state, state)

    def _sign(self, batch: Batch) -> None:
        plan, self._observer.plan = self._observer.plan, None
        identity = self._store.identity()
        if plan is None or identity is None:
            raise RuntimeError("nothing is signed without a plan and an identity")
        call = abi.anchor_call(
            member=self._member,
            count=batch.count,
            root=batch.root,
            status_count=0,
            status_root=EMPTY_ROOT,
            sequence=plan.sequence,
        )
        signed = self._key.sign(
            UnsignedTransaction(
                chain_id=identity.chain_id,
                nonce=plan.nonce,
                to=self._client.contract,
                data=call,
                gas_limit=self._gas_limit,
                fee_max_wei=plan.fees.fee_max_wei,
                tip_max_wei=plan.fees.tip_max_wei,
            )
        )
        self._store.put_signed(
            AnchorTransaction(
                sequence=plan.sequence,
                root=batch.root,
                status_count=0,
                status_root=EMPTY_ROOT,
                nonce=plan.nonce,
                raw=signed.raw,
                tx_hash=signed.tx_hash,
                signed_at=int(self._clock()),
            )
        )
        # A crash here leaves a signed transaction that nobody has seen: the next pass sends it.

    def _broadcast(self, transaction: AnchorTransaction) -> Event:
        try:
            self._client.send_raw(transaction.raw)
        except TransactionRejectedError as exc:
            self._refusal = str(exc)
            if exc.kind == "insufficient_funds":
                return Event.MONEY_MISSING
            if exc.kind != "nonce_too_low":
                return Event.SENDING_REFUSED
            # Most likely it is mined already; if another took its nonce, finality will show it.
        self._observer.note_sent(transaction)
        return Event.ACCEPTED

    def _note_record(self, root: Hash32, state: AnchorState) -> None:
        """Move the transaction that made the record; none, if it was made from elsewhere."""
        record = self._store.record_of_batch(self._member, root)
        for each in self._store.anchor_transactions(root=root):
            if record is not None and each.transaction.tx_hash == record.tx_hash:
                self._bring(each, state)

    def _bring(self, journaled: JournaledTransaction, state: AnchorState) -> None:
        """Move a transaction to ``state``, over the states that the journal wants in between."""
        tx_hash, now = journaled.transaction.tx_hash, journaled.state
        if now == "final":
            return
        if (now, state) in {("reverted", "mined"), ("reverted", "final"), ("mined", "reverted")}:
            self._store.set_anchor_state(tx_hash, "broadcast")
            now = "broadcast"
        if state == "final" and now != "mined":
            self._store.set_anchor_state(tx_hash, "mined")
        self._store.set_anchor_state(tx_hash, state)
