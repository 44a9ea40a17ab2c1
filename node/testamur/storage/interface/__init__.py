"""What a store guarantees; every implementation passes the same tests (tests/storage).

Common to all methods, so that the docstrings below need not repeat it:

Durability. A method that changes something returns only when the change survives loss of power.
    When it raises :class:`StoreUnavailableError` the change is either there as a whole or not at
    all, and the caller cannot know which; repeating the same call is always safe and settles it.
Atomicity. Each method is one transaction. A refused call (any other error) changed nothing.
Concurrency. Every method may be called from any thread. Changes are serialised; reads run beside
    them and see what was committed before they began, never half a change.
Failure. Whatever the backend raises arrives as :class:`StoreUnavailableError`, chained with
    ``from``; as its subclass :class:`StoreDamagedError` where the backend says that what it keeps
    is damaged, so that repeating the call is useless. A broken argument (31 bytes, a negative
    time) is a ``ValueError``.
Trust. Whoever can write to the store can stop the node, make it forget, and put entries into the
    queue, which are then anchored in the member's name. What is anchored already he cannot
    change unseen: batch roots and records are checked against the chain.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from testamur.storage.interface.access import OperatorLog, Tokens
from testamur.storage.interface.chain import AnchorJournal, ChainView
from testamur.storage.interface.entries import Batches, Replicas, Submissions
from testamur.storage.model import LedgerIdentity


class Store(
    Submissions,
    Batches,
    Replicas,
    AnchorJournal,
    ChainView,
    Tokens,
    OperatorLog,
    Protocol,
):
    """Everything that a node keeps besides its batch files."""

    def bind_identity(self, identity: LedgerIdentity, /) -> None:
        """Tie the store to a ledger and a member at the first call, compare at every later one.

        Raises:
            StoreIdentityError: the store belongs to another; the message names what differs.
        """
        ...

    def identity(self) -> LedgerIdentity | None:
        """Give what the store is tied to; None before :meth:`bind_identity`."""
        ...

    def ping(self) -> None:
        """Do one small read, for readiness."""
        ...

    def close(self) -> None:
        """Release the backend and its lock; any later call raises StoreUnavailableError."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


__all__ = [
    "AnchorJournal",
    "Batches",
    "ChainView",
    "OperatorLog",
    "Replicas",
    "Store",
    "Submissions",
    "Tokens",
]
