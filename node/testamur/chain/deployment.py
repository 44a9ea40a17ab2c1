"""Deployment of a new ledger, and the proof that it is what was meant."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from testamur.chain import abi
from testamur.chain.artifacts import load_ledger_artifact
from testamur.chain.client import ChainClient, TxReceipt
from testamur.chain.fees import capped_fees
from testamur.chain.keys import SignedTransaction, SigningKey, UnsignedTransaction
from testamur.chain.ledger_client import LedgerClient
from testamur.errors import ChainUnavailableError, DeploymentError
from testamur.ledger.birth import ENDPOINT_LENGTH_MAX, Birth, FoundingMember, encode_birth
from testamur.ledger.trust import DOMAIN_LENGTH_MAX, MEMBERS_MAX, NAME_LENGTH_MAX
from testamur.merkle.hashing import Hash32

FEE_CAP_DEFAULT_WEI: Final = 10**12
_POLL_SECONDS: Final = 0.2


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
    fee_cap_wei: int = FEE_CAP_DEFAULT_WEI,
    timeout_seconds: float = 120,
    monotonic: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Deployment:
    """Deploy a ledger with ``members`` as founders 1 to n, and check what stands there.

    Waits until the transaction is in a block, not until that block is final. ``key`` pays and
    has no rights afterwards. ``fee_cap_wei`` is the most paid for a unit of gas; ``monotonic``
    and ``pause`` are the clock that the wait is measured by, the process's own if none is given:
    nothing that is deployed depends on it.

    Raises:
        DeploymentError, TransactionRejectedError, ChainUnavailableError: as the two steps below.
    """
    signed = sign_deployment(client, key, members, fee_cap_wei=fee_cap_wei)
    return finish_deployment(
        client,
        signed,
        members,
        timeout_seconds=timeout_seconds,
        monotonic=monotonic,
        pause=pause,
    )


def sign_deployment(
    client: ChainClient,
    key: SigningKey,
    members: Sequence[FoundingMember],
    *,
    fee_cap_wei: int = FEE_CAP_DEFAULT_WEI,
) -> SignedTransaction:
    """Make the transaction that deploys a ledger with ``members``; nothing is sent yet.

    Raises:
        DeploymentError: no trust file could name these members (too many of them, a text that is
            empty or too long, two equal witness keys), or an endpoint is too long; or gas costs
            more than ``fee_cap_wei``.
        ChainUnavailableError: no answer.
    """
    _check_founders(members)
    creation = load_ledger_artifact().bytecode + abi.founders(members)
    fees = capped_fees(client.fees(), cap_wei=fee_cap_wei)
    if fees is None:
        raise DeploymentError(f"a unit of gas costs more than the {fee_cap_wei} wei allowed")
    return key.sign(
        UnsignedTransaction(
            chain_id=client.chain_id(),
            nonce=client.transaction_count(key.address, pending=True),
            to=None,
            data=creation,
            gas_limit=_gas_limit(len(creation), len(members)),
            fee_max_wei=fees.fee_max_wei,
            tip_max_wei=fees.tip_max_wei,
        )
    )


def finish_deployment(
    client: ChainClient,
    signed: SignedTransaction,
    members: Sequence[FoundingMember],
    *,
    timeout_seconds: float = 120,
    monotonic: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Deployment:
    """Send the transaction if no block holds it, wait for that, and check what stands there.

    May be repeated, also after a crash: the same bytes deploy once, however often they are sent.

    Raises:
        DeploymentError: it reverted; or code, ``head()`` or birth are not what they have to be.
        TransactionRejectedError: the endpoint refused the transaction.
        ChainUnavailableError: no answer, or not mined in time; the message names the
            transaction, which may still be mined.
    """
    receipt = client.receipt(signed.tx_hash)
    if receipt is None:
        client.send_raw(signed.raw)
    deadline = monotonic() + timeout_seconds
    while receipt is None and (receipt := client.receipt(signed.tx_hash)) is None:
        if monotonic() > deadline:
            raise ChainUnavailableError(
                f"the deployment 0x{signed.tx_hash.hex()} is in no block yet, and may still be"
            )
        pause(_POLL_SECONDS)
    if not receipt.succeeded or receipt.contract is None:
        raise DeploymentError(f"the deployment 0x{signed.tx_hash.hex()} reverted")
    ledger = LedgerClient.beside(client, receipt.contract)
    return _check(ledger, receipt, client.chain_id(), members)


def _gas_limit(creation_bytes: int, members: int) -> int:
    """Bound what a deployment can cost; what it does not use is not paid for.

    Not an estimate of the endpoint's: that runs in the newest block, and in block 0 of a fresh
    chain the constructor, which asks for the parent's hash, fails.
    """
    code = 200 * len(load_ledger_artifact().deployed_bytecode)  # EIP-170's price for a byte
    # Per byte of input: calldata (at most 40, EIP-7623), its copy in memory, hash and event. Per
    # member two new storage slots; per pair of members the comparison of their keys.
    return 150_000 + code + 60 * creation_bytes + 70_000 * members + 300 * members**2


def _check(
    ledger: LedgerClient, receipt: TxReceipt, chain_id: int, members: Sequence[FoundingMember]
) -> Deployment:
    """Compare code, birth and head with what Python makes of the same members."""
    block = ledger.block(receipt.block_number)
    shown = f"the contract 0x{ledger.contract.hex()}"
    if block.hash != receipt.block_hash:
        raise ChainUnavailableError("the chain was reorganised during the deployment; check it")
    if ledger.code(ledger.contract, block.hash) != load_ledger_artifact().deployed_bytecode:
        raise DeploymentError(f"{shown} has other code than the ledger's")
    birth = Birth(
        chain_id=chain_id,
        contract=ledger.contract,
        parent_block_hash=block.parent_hash,
        members=tuple(members),
    )
    events = ledger.events(block.number, block.number)
    if [(event.index, event.change) for event in events] != [(0, encode_birth(birth))]:
        raise DeploymentError(f"{shown} was born with other values than those given")
    if ledger.head_at(block.hash) != (1, birth.ledger_id()):
        raise DeploymentError(f"{shown} has another head than its birth")
    return Deployment(
        contract=ledger.contract,
        block_number=block.number,
        tx_hash=receipt.tx_hash,
        birth=birth,
        ledger_id=birth.ledger_id(),
    )


def _check_founders(members: Sequence[FoundingMember]) -> None:
    """Refuse what the contract takes and no trust file does: it could never be put right."""
    if len(members) > MEMBERS_MAX:
        raise DeploymentError(f"a ledger has at most {MEMBERS_MAX} founders")
    for number, member in enumerate(members, start=1):
        for what, text, least, most in (
            ("name", member.name, 1, NAME_LENGTH_MAX),
            ("domain", member.domain, 1, DOMAIN_LENGTH_MAX),
            ("endpoint", member.endpoint, 0, ENDPOINT_LENGTH_MAX),
        ):
            if not least <= len(text) <= most:
                raise DeploymentError(
                    f"the {what} of founder {number} has not {least} to {most} characters"
                )
    if len({member.witness_key for member in members}) != len(members):
        raise DeploymentError("two founders have the same witness key")
