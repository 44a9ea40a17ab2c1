"""Transactions that wait: for an earlier nonce, or for a lower base fee.

In memory only. A transaction that waits has been promised nothing: its sender keeps the bytes and
sends them again after a restart, as with any Ethereum client.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from eth.abc import SignedTransactionAPI

from testamur.chain.devchain.refusals import refused

MAX_WAITING: Final = 4096
"""Bound of the pool; a single sender may have as many."""

PRICE_BUMP_PERCENT: Final = 10
"""A replacement must raise both fees by this much (geth's default)."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One signed transaction with what the pool must know of it."""

    hash: bytes
    """32 bytes, keccak of ``raw``."""

    transaction: SignedTransactionAPI = field(repr=False, compare=False)
    """py-evm's form, which keeps the sender that was recovered from the signature."""

    sender: bytes
    """20 bytes, recovered from the signature."""

    nonce: int
    gas: int
    value: int

    max_fee: int
    """Wei a gas the sender pays at most; the gas price of an untyped transaction."""

    max_tip: int
    """Wei a gas for the fee recipient at most."""


@dataclass(slots=True)
class Pool:
    """Waiting transactions by sender and nonce. Not thread-safe: the chain's lock guards it."""

    _by_sender: dict[bytes, dict[int, Waiting]] = field(default_factory=dict)
    _by_hash: dict[bytes, Waiting] = field(default_factory=dict)

    def get(self, transaction_hash: bytes) -> Waiting | None:
        """Return the waiting transaction with that hash, if any."""
        return self._by_hash.get(transaction_hash)

    def add(self, new: Waiting) -> None:
        """Put ``new`` in the pool, replacing one of the same sender and nonce if it pays more.

        Raises:
            DevchainRefusalError: already known, underpriced replacement, or the pool is full.
        """
        if new.hash in self._by_hash:
            raise refused("already known")
        old = self._by_sender.get(new.sender, {}).get(new.nonce)
        if old is not None:
            if not _outbids(new, old):
                raise refused("replacement transaction underpriced")
            self.remove(old)
        elif len(self._by_hash) >= MAX_WAITING:
            raise refused("txpool is full")
        self._by_sender.setdefault(new.sender, {})[new.nonce] = new
        self._by_hash[new.hash] = new

    def remove(self, gone: Waiting) -> None:
        """Take a transaction out; one that is not there is no error."""
        if self._by_hash.pop(gone.hash, None) is None:
            return
        nonces = self._by_sender[gone.sender]
        del nonces[gone.nonce]
        if not nonces:
            del self._by_sender[gone.sender]

    def senders(self) -> tuple[bytes, ...]:
        """Senders with something waiting, in the order of their first arrival."""
        return tuple(self._by_sender)

    def run(self, sender: bytes, nonce: int) -> list[Waiting]:
        """Return the waiting transactions of ``sender`` from ``nonce`` on, up to the first gap."""
        nonces = self._by_sender.get(sender, {})
        found: list[Waiting] = []
        while nonce + len(found) in nonces:
            found.append(nonces[nonce + len(found)])
        return found


def _outbids(new: Waiting, old: Waiting) -> bool:
    factor = 100 + PRICE_BUMP_PERCENT
    return new.max_fee * 100 >= old.max_fee * factor and new.max_tip * 100 >= old.max_tip * factor
