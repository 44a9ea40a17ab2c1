"""The birth record as the store has it: who the members are, without asking the chain."""

from __future__ import annotations

from testamur.errors import NotFollowedYetError, StoreIdentityError, UnknownRecordError
from testamur.ledger.records import governance_record
from testamur.merkle.hashing import Hash32
from testamur.storage.interface import ChainView


def birth_change(store: ChainView, ledger_id: Hash32) -> bytes:
    """Give the ABI bytes of record 0, which are the birth of the ledger ``ledger_id``.

    Raises:
        NotFollowedYetError: the chain was not followed to the ledger's birth yet.
        StoreIdentityError: the store has another record there.
        StoreUnavailableError: the store cannot be read.
    """
    try:
        change = store.record(0).change
    except UnknownRecordError as exc:
        raise NotFollowedYetError("the chain was not followed to the ledger's birth yet") from exc
    # Names and endpoints are read from it, and whoever can write to the store could put in others.
    if change is None or governance_record(change).leaf_hash() != ledger_id:
        raise StoreIdentityError("record 0 in the store is not the birth of this ledger")
    return change
