"""Deployment of a new ledger, and the proof that it is what was meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from testamur.chain.client import ChainClient
from testamur.chain.keys import SigningKey
from testamur.ledger.birth import Birth, FoundingMember
from testamur.merkle.hashing import Hash32


@dataclass(frozen=True, slots=True)
class Deployment:
    """A ledger contract that stands on the chain."""

    contract: bytes
    """Its address, 20 bytes."""
    block_number: int
    """Block of the deployment: where every follower begins."""
    tx_hash: Hash32
    """The transaction that created it."""
    birth: Birth
    """What record 0 commits to."""
    ledger_id: Hash32
    """Leaf hash of record 0."""


def deploy(
    client: ChainClient,
    key: SigningKey,
    members: Sequence[FoundingMember],
    *,
    fee_cap_wei: int = 10**12,
    timeout_seconds: float = 120,
) -> Deployment:
    """Deploy a ledger with ``members`` as founders 1 to n, and check what stands there.

    Waits until the transaction is in a block, not until that block is final. ``key`` pays and
    has no rights afterwards. ``fee_cap_wei`` is the most paid for a unit of gas.

    Raises:
        DeploymentError: it reverted, or code, ``head()`` or birth are not what they have to be.
        TransactionRejectedError: the endpoint refused the transaction.
        ChainUnavailableError: no answer, or not mined in time; the message names the
            transaction, which may still be mined.
    """
    raise NotImplementedError
