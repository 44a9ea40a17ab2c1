"""Anchoring sealed batches: the loop around the table in ``lifecycle.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from testamur.chain.client import LedgerClient
from testamur.chain.keys import SigningKey
from testamur.chain.lifecycle import Phase
from testamur.merkle.hashing import Hash32
from testamur.storage.interface import Store

GAS_LIMIT_DEFAULT = 250_000


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
        """Whether it will not go on by itself."""
        raise NotImplementedError


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
        raise NotImplementedError

    def step(self) -> AnchorProgress:
        """Do what can be done now, and return; safe to repeat, and to be killed anywhere.

        Raises:
            ChainUnavailableError: no answer; nothing is lost, the next step goes on.
            StorageError: the store failed; nothing was sent that is not in the journal.
        """
        raise NotImplementedError
