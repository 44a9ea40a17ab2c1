"""The life of an anchor: every state, every event and every transition, pure.

``docs/anchoring.md`` shows this table, and a test compares the two. Whoever adds a state adds it
here; :func:`step` refuses what the table does not have.

States that are kept follow from the batch's and the newest transaction's state in the store (see
:func:`phase_of`). The others (``KEPT`` has the list) say why a pass ended; the next pass derives
the kept state again and asks the chain anew, so they never need to be left.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from testamur.storage.model import AnchorState, BatchState


class Phase(StrEnum):
    """Where the anchoring of a batch stands."""

    IDLE = "idle"
    """There is nothing to anchor."""
    SEALED = "sealed"
    """No transaction of it is alive."""
    SIGNED = "signed"
    """A transaction is in the journal; no endpoint is known to have it."""
    BROADCAST = "broadcast"
    """An endpoint took the transaction."""
    MINED = "mined"
    """The ledger has its record."""
    FINAL = "final"
    """The record is past reorganisation."""
    REVERTED = "reverted"
    """The transaction was mined and changed nothing."""
    SEQUENCE_LOST = "sequence_lost"
    """Finally, another root consumed its sequence: it goes back to ``sealed`` for a new one."""
    NONCE_LOST = "nonce_lost"
    """Finally, another transaction consumed its nonce: back to ``sealed``, same sequence."""
    KEY_INACTIVE = "key_inactive"
    """The contract lets this key anchor no more: the member was removed, or rotated its key."""
    UNFUNDED = "unfunded"
    """The account cannot pay."""
    FEE_TOO_HIGH = "fee_too_high"
    """Gas costs more than the operator allows."""
    REFUSED = "refused"
    """The endpoint refuses the transaction, for a reason that has no name here."""


class Event(StrEnum):
    """What a pass found out."""

    READY = "ready"
    """The chain says that this member may anchor, with which sequence, and it can be paid for."""
    DUE = "due"
    """The bytes are to be handed to the endpoint (again)."""
    ACCEPTED = "accepted"
    """The endpoint has the transaction, or had it and mined it."""
    RECORD_SEEN = "record seen"
    """The followed ledger holds a record of this member with this root."""
    RECORD_FINAL = "record final"
    """Its block is final."""
    RECORD_GONE = "record gone"
    """A reorganisation took it away."""
    RECORD_LOST = "record lost"
    """As above, and the journal has no transaction that could bring it back."""
    REVERT_SEEN = "revert seen"
    """The receipt says that the transaction reverted."""
    REVERT_GONE = "revert gone"
    """A reorganisation took that receipt away, or it says success now."""
    REVERT_FINAL = "revert final"
    """It is past reorganisation, the sequence still free, and the contract accepts the key."""
    SEQUENCE_TAKEN = "sequence taken"
    """The final state has the sequence consumed, and the root in none of the records."""
    NONCE_TAKEN = "nonce taken"
    """The final state has the nonce consumed, and the transaction in no block."""
    KEY_REFUSED = "key refused"
    """The contract has the member inactive, or with another key."""
    MONEY_MISSING = "money missing"
    """The balance does not cover the most that the transaction may cost."""
    FEE_ABOVE_CAP = "fee above cap"
    """Base fee and tip exceed the cap."""
    SENDING_REFUSED = "sending refused"
    """The endpoint refused the bytes."""


class Action(StrEnum):
    """What to do for a transition, in the order of the table; each is safe to repeat."""

    SIGN = "sign and journal"
    """Sign with the contract's sequence; durable in the journal before anything else."""
    BROADCAST = "broadcast"
    """Hand the journal's bytes to the endpoint."""
    NOTE_BROADCAST = "note as broadcast"
    """Transaction to ``broadcast``, then batch to ``submitted``."""
    NOTE_MINED = "note as mined"
    """The record's transaction to ``mined``, then batch to ``anchored``."""
    NOTE_FINAL = "note as final"
    """The record's transaction to ``final``, then batch to ``final``."""
    NOTE_REVERTED = "note as reverted"
    """Transaction to ``reverted``."""
    TAKE_BACK = "take back"
    """Batch to ``submitted``, then transaction to ``broadcast``."""
    RETIRE = "retire the transaction"
    """Transaction to ``reverted``, then batch to ``sealed``."""
    SEAL_AGAIN = "back to sealed"
    """Batch to ``sealed``."""


class UnknownTransitionError(Exception):
    """The table has no such transition: a mistake in the caller."""


KEPT: Final = frozenset(
    {
        Phase.SEALED,
        Phase.SIGNED,
        Phase.BROADCAST,
        Phase.MINED,
        Phase.FINAL,
        Phase.REVERTED,
    }
)
"""States that follow from what is in the store."""

NEEDS_OPERATOR: Final = frozenset(
    {Phase.REVERTED, Phase.KEY_INACTIVE, Phase.UNFUNDED, Phase.FEE_TOO_HIGH, Phase.REFUSED}
)
"""States that somebody should look at. The batch is kept, and goes on when the cause is gone."""

TRANSITIONS: Final = MappingProxyType(
    {
        (Phase.SEALED, Event.READY): (Phase.SIGNED, (Action.SIGN,)),
        (Phase.SEALED, Event.RECORD_SEEN): (Phase.MINED, (Action.NOTE_MINED,)),
        (Phase.SEALED, Event.KEY_REFUSED): (Phase.KEY_INACTIVE, ()),
        (Phase.SEALED, Event.MONEY_MISSING): (Phase.UNFUNDED, ()),
        (Phase.SEALED, Event.FEE_ABOVE_CAP): (Phase.FEE_TOO_HIGH, ()),
        (Phase.SIGNED, Event.DUE): (Phase.SIGNED, (Action.BROADCAST,)),
        (Phase.SIGNED, Event.ACCEPTED): (Phase.BROADCAST, (Action.NOTE_BROADCAST,)),
        (Phase.SIGNED, Event.RECORD_SEEN): (Phase.MINED, (Action.NOTE_MINED,)),
        (Phase.SIGNED, Event.SEQUENCE_TAKEN): (Phase.SEQUENCE_LOST, (Action.RETIRE,)),
        (Phase.SIGNED, Event.MONEY_MISSING): (Phase.UNFUNDED, ()),
        (Phase.SIGNED, Event.SENDING_REFUSED): (Phase.REFUSED, ()),
        (Phase.BROADCAST, Event.DUE): (Phase.BROADCAST, (Action.BROADCAST,)),
        (Phase.BROADCAST, Event.ACCEPTED): (Phase.BROADCAST, (Action.NOTE_BROADCAST,)),
        (Phase.BROADCAST, Event.RECORD_SEEN): (Phase.MINED, (Action.NOTE_MINED,)),
        (Phase.BROADCAST, Event.REVERT_SEEN): (Phase.REVERTED, (Action.NOTE_REVERTED,)),
        (Phase.BROADCAST, Event.SEQUENCE_TAKEN): (Phase.SEQUENCE_LOST, (Action.RETIRE,)),
        (Phase.BROADCAST, Event.NONCE_TAKEN): (Phase.NONCE_LOST, (Action.RETIRE,)),
        (Phase.BROADCAST, Event.MONEY_MISSING): (Phase.UNFUNDED, ()),
        (Phase.BROADCAST, Event.SENDING_REFUSED): (Phase.REFUSED, ()),
        (Phase.REVERTED, Event.RECORD_SEEN): (Phase.MINED, (Action.NOTE_MINED,)),
        (Phase.REVERTED, Event.REVERT_GONE): (
            Phase.BROADCAST,
            (Action.TAKE_BACK, Action.BROADCAST),
        ),
        (Phase.REVERTED, Event.REVERT_FINAL): (Phase.SEALED, (Action.RETIRE,)),
        (Phase.REVERTED, Event.SEQUENCE_TAKEN): (Phase.SEQUENCE_LOST, (Action.RETIRE,)),
        (Phase.REVERTED, Event.KEY_REFUSED): (Phase.KEY_INACTIVE, ()),
        (Phase.MINED, Event.RECORD_FINAL): (Phase.FINAL, (Action.NOTE_FINAL,)),
        (Phase.MINED, Event.RECORD_GONE): (
            Phase.BROADCAST,
            (Action.TAKE_BACK, Action.BROADCAST),
        ),
        (Phase.MINED, Event.RECORD_LOST): (Phase.SEALED, (Action.SEAL_AGAIN,)),
    }
)
"""Everything that may happen. What is not here is a mistake."""


def step(phase: Phase, event: Event) -> tuple[Phase, tuple[Action, ...]]:
    """Give the next state, and the actions that lead there, in order.

    Raises:
        UnknownTransitionError: the table does not have it.
    """
    try:
        return TRANSITIONS[phase, event]
    except KeyError as exc:
        raise UnknownTransitionError(f"{event} in state {phase}") from exc


def phase_of(batch: BatchState, newest: AnchorState | None) -> Phase:
    """Derive the state from the batch's, and from that of its newest transaction.

    Total, so that whatever pair a crash between two writes leaves has a meaning: the batch's own
    state leads, and the actions write in an order in which every prefix reads as the state
    before or the state after.
    """
    if batch == "final":
        return Phase.FINAL
    if batch == "anchored":
        return Phase.MINED
    if batch == "submitted":
        return Phase.REVERTED if newest == "reverted" else Phase.BROADCAST
    return Phase.SEALED if newest in {None, "reverted"} else Phase.SIGNED
