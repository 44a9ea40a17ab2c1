"""The ledger contract and its chain, seen through one JSON-RPC endpoint.

The only module that imports web3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from testamur.chain.events import LedgerEvent
from testamur.ledger.trust import FinalityRule
from testamur.merkle.hashing import Hash32
from testamur.storage.model import FollowedBlock, LedgerIdentity


@dataclass(frozen=True, slots=True)
class ChainBlock:
    """A block as an endpoint describes it."""

    number: int
    """Height, from 0."""
    hash: Hash32
    """Its hash."""
    parent_hash: Hash32
    """Hash of block ``number - 1``; 32 zero bytes for block 0."""
    timestamp: int
    """Unix seconds."""

    def followed(self) -> FollowedBlock:
        """Give the form that the store keeps."""
        return FollowedBlock(self.number, self.hash, self.parent_hash, self.timestamp)


@dataclass(frozen=True, slots=True)
class MemberSlot:
    """A member's standing in the contract. All zero for an id that was never given."""

    anchor_key: bytes
    """Address, 20 bytes, that anchors for this member."""
    active: bool
    """False after removal."""
    sequence: int
    """The next sequence to use, from 0."""
    last_record: int
    """Index of the newest anchor, plus one; 0: none."""


@dataclass(frozen=True, slots=True)
class TxReceipt:
    """What became of a transaction that is in a block."""

    tx_hash: Hash32
    """The transaction."""
    block_number: int
    """Its block."""
    block_hash: Hash32
    """Hash of that block."""
    transaction_index: int
    """Its position in the block."""
    succeeded: bool
    """False: it was mined and reverted, and changed nothing but the payer's balance."""
    gas_used: int
    """Gas that was paid for."""
    contract: bytes | None
    """Address, 20 bytes, of the contract that it created, if it created one."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What gas costs now (EIP-1559), in wei per unit of gas; the caller caps it."""

    base_fee_wei: int
    """Base fee of the newest block."""
    tip_wei: int
    """Priority fee that the endpoint suggests."""


BlockRef = int | Literal["latest", "finalized"] | Hash32
"""A height, a tag, or a block hash."""


class ChainClient:
    """A chain seen through one endpoint, which is trusted with nothing but being asked.

    Every method asks the endpoint each time. What it cannot answer, or answers in a form that
    JSON-RPC does not have, is a :class:`ChainUnavailableError`: an error is never a zero. No
    message of any error holds more of the URL than scheme and host. May be used from any
    thread.
    """

    def __init__(self, rpc_url: str, *, timeout_seconds: float) -> None:
        raise NotImplementedError

    @property
    def endpoint(self) -> str:
        """The masked URL, for messages: scheme and host alone."""
        raise NotImplementedError

    def chain_id(self) -> int:
        """Give the EIP-155 chain id."""
        raise NotImplementedError

    def genesis(self) -> Hash32:
        """Give the hash of block 0."""
        raise NotImplementedError

    def block(self, ref: BlockRef) -> ChainBlock:
        """Give one block; by number, the one that is canonical now.

        Raises:
            ChainUnavailableError: the endpoint has no such block.
        """
        raise NotImplementedError

    def find_block(self, number: int) -> ChainBlock | None:
        """As :meth:`block`, but None where the chain does not reach ``number``."""
        raise NotImplementedError

    def finalized(self, rule: FinalityRule) -> ChainBlock:
        """Give the newest block that counts as final under ``rule``; never below block 0."""
        raise NotImplementedError

    def code(self, address: bytes, block_hash: Hash32) -> bytes:
        """Give the code at ``address``; empty where there is no contract."""
        raise NotImplementedError

    def transaction_count(self, address: bytes, *, pending: bool, at: Hash32 | None = None) -> int:
        """Count an account's transactions: with those that wait, as of the newest block, or
        as of block ``at`` (which excludes ``pending``).
        """
        raise NotImplementedError

    def balance(self, address: bytes) -> int:
        """Give an account's balance in wei as of the newest block."""
        raise NotImplementedError

    def fees(self) -> Fees:
        """Say what gas costs now."""
        raise NotImplementedError

    def send_raw(self, raw: bytes) -> Hash32:
        """Hand over a signed transaction and give its hash, computed here.

        An endpoint that knows it already is fine: sending again is always safe.

        Raises:
            TransactionRejectedError: the endpoint answered and refused; ``kind`` says why.
            ChainUnavailableError: no answer; the transaction may or may not have got through.
        """
        raise NotImplementedError

    def receipt(self, tx_hash: Hash32) -> TxReceipt | None:
        """Give the receipt of a transaction; None while it is in no block."""
        raise NotImplementedError


class LedgerClient(ChainClient):
    """A :class:`ChainClient` that knows one ledger contract."""

    def __init__(self, rpc_url: str, contract: bytes, *, timeout_seconds: float) -> None:
        raise NotImplementedError

    @property
    def contract(self) -> bytes:
        """The contract's address, 20 bytes."""
        raise NotImplementedError

    def head_at(self, block_hash: Hash32) -> tuple[int, Hash32]:
        """Give the ledger's (size, root) as of a block (EIP-1898).

        Raises:
            ChainIdentityError: nothing at the address answers as a ledger does.
            ChainUnavailableError: no answer, also where the block is not canonical any more.
        """
        raise NotImplementedError

    def member_at(self, member: int, block_hash: Hash32) -> MemberSlot:
        """Give a member's standing as of a block; raises as :meth:`head_at`."""
        raise NotImplementedError

    def events(self, from_block: int, to_block: int) -> tuple[LedgerEvent, ...]:
        """Give the contract's events of the blocks [from_block, to_block], both inclusive.

        Decoded strictly, in chain order. That none was left out is for the caller to check
        against :meth:`head_at`.

        Raises:
            ChainDisagreementError: a log that this contract cannot have emitted.
            ChainUnavailableError: no answer.
        """
        raise NotImplementedError


def check_identity(
    client: LedgerClient, identity: LedgerIdentity, *, deployed_at_block: int | None = None
) -> None:
    """Check that ``client`` speaks of the chain and the contract of ``identity``.

    With ``deployed_at_block`` the birth is read there, and the ledger id compared too.

    Raises:
        ChainIdentityError: another chain, genesis or contract, or no ledger at the address.
        ChainUnavailableError: no answer; nothing is known.
    """
    raise NotImplementedError
