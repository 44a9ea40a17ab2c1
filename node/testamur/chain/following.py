"""Following the chain: every record of the ledger into the store, checked against the head."""

from __future__ import annotations

from dataclasses import dataclass

from testamur.chain.client import LedgerClient
from testamur.ledger.trust import FinalityRule
from testamur.storage.interface import Store
from testamur.storage.model import FollowedBlock

RANGE_MAX_DEFAULT = 2000


@dataclass(frozen=True, slots=True)
class FollowResult:
    """Where the store stands after a poll."""

    block: FollowedBlock | None
    """The block followed to; None before the contract's deployment was seen."""
    size: int
    """Records of the ledger up to there."""
    finalized: FollowedBlock | None
    """The highest block known to be final."""
    rewound_to: int | None
    """Height down to which a reorganisation took the store in this poll, if there was one."""


class Follower:
    """Copies the ledger from the chain into the store, and believes no log on its own.

    ``store`` has its identity bound. ``deployed_at_block`` is the block of the deployment, where
    following begins; ``range_max`` the most blocks asked for in one log query. One follower per
    store; it is used from one thread at a time.
    """

    def __init__(
        self,
        client: LedgerClient,
        store: Store,
        *,
        finality: FinalityRule,
        deployed_at_block: int,
        range_max: int = RANGE_MAX_DEFAULT,
    ) -> None:
        raise NotImplementedError

    def poll_once(self) -> FollowResult:
        """Follow the chain up to its newest block, rewinding first where it was reorganised.

        Safe to repeat, and to stop anywhere. Where the endpoint's own view moves during the
        poll, nothing of the moved part is kept; the next poll sees the new one.

        Raises:
            ChainUnavailableError: no answer; what was followed so far stays.
            ChainIdentityError: the first event is not the birth of the store's ledger.
            ChainDisagreementError: the logs do not lead to ``head()`` at the same block, or a
                final block was replaced. What was not confirmed has been taken out again.
            StorageError: the store failed.
        """
        raise NotImplementedError
