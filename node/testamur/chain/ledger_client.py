"""The ledger contract, seen through one JSON-RPC endpoint, and whether it is the right one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from testamur.chain import abi
from testamur.chain.client import ChainClient
from testamur.chain.endpoint import Endpoint, RpcError
from testamur.chain.events import ANCHORED, GOVERNED, LedgerEvent, decode_logs
from testamur.chain.rpc_values import canonical, checked_address, data, hex_of
from testamur.errors import BirthFormatError, ChainIdentityError, ChainUnavailableError
from testamur.ledger.birth import Birth, parse_birth
from testamur.merkle.hashing import Hash32
from testamur.storage.model import LedgerIdentity


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


class LedgerClient(ChainClient):
    """A :class:`ChainClient` that knows one ledger contract."""

    def __init__(self, rpc_url: str | Endpoint, contract: bytes, *, timeout_seconds: float) -> None:
        super().__init__(rpc_url, timeout_seconds=timeout_seconds)
        self._contract = checked_address(contract)

    @classmethod
    def beside(cls, client: ChainClient, contract: bytes) -> Self:
        """Give a client for ``contract`` over the endpoint of ``client`` and its connections."""
        connection = client.connection
        return cls(connection, contract, timeout_seconds=connection.timeout_seconds)

    @property
    def contract(self) -> bytes:
        """The contract's address, 20 bytes."""
        return self._contract

    def head_at(self, block_hash: Hash32) -> tuple[int, Hash32]:
        """Give the ledger's (size, root) as of a block (EIP-1898).

        Raises:
            ChainIdentityError: nothing at the address answers as a ledger does.
            ChainUnavailableError: no answer, also where the block is not canonical any more.
        """
        size, root = self._call(abi.call(abi.HEAD), abi.HEAD_RESULT, block_hash)
        return size, Hash32(root)

    def member_at(self, member: int, block_hash: Hash32) -> MemberSlot:
        """Give a member's standing as of a block; raises as :meth:`head_at`."""
        key, active, sequence, last_record = self._call(
            abi.call(abi.MEMBER, member), abi.MEMBER_RESULT, block_hash
        )
        return MemberSlot(bytes.fromhex(key[2:]), active, sequence, last_record)

    def events(self, from_block: int, to_block: int) -> tuple[LedgerEvent, ...]:
        """Give the contract's events of the blocks [from_block, to_block], both inclusive.

        Decoded strictly, in chain order. That none was left out is for the caller to check
        against :meth:`head_at`.

        Raises:
            ChainDisagreementError: a log that this contract cannot have emitted.
            ChainUnavailableError: no answer.
        """
        wanted = {
            "address": hex_of(self._contract),
            "fromBlock": hex(from_block),
            "toBlock": hex(to_block),
            "topics": [[hex_of(ANCHORED.topic), hex_of(GOVERNED.topic)]],
        }
        answer = self._ask("eth_getLogs", wanted)
        return decode_logs(answer, self._contract, from_block=from_block, to_block=to_block)

    def _call(self, call: bytes, types: tuple[str, ...], block_hash: Hash32) -> tuple[Any, ...]:
        wanted = {"to": hex_of(self._contract), "data": hex_of(call)}
        try:
            answer = self._rpc.ask("eth_call", wanted, canonical(block_hash))
        except RpcError as exc:
            if exc.reverted:
                raise self._not_a_ledger() from exc
            raise ChainUnavailableError(str(exc)) from exc
        try:
            return abi.read(types, data(answer, "result of a call"))
        except abi.NonCanonicalError as exc:
            raise self._not_a_ledger() from exc

    def _not_a_ledger(self) -> ChainIdentityError:
        return ChainIdentityError(f"0x{self._contract.hex()} does not answer as a ledger does")


def check_identity(
    client: LedgerClient, identity: LedgerIdentity, *, deployed_at_block: int | None = None
) -> None:
    """Check that ``client`` speaks of the chain and the contract of ``identity``.

    With ``deployed_at_block`` the birth is read there, and the ledger id compared too.

    Raises:
        ChainIdentityError: another chain, genesis or contract, or no ledger at the address.
        ChainUnavailableError: no answer; nothing is known.
    """
    chain_id, genesis = client.chain_id(), client.genesis()
    if chain_id != identity.chain_id:
        raise ChainIdentityError(
            f"{client.endpoint} serves chain {chain_id}, not {identity.chain_id}"
        )
    if genesis != identity.genesis:
        raise ChainIdentityError(
            f"{client.endpoint} serves a chain with genesis 0x{genesis.hex()}, "
            f"not 0x{identity.genesis.hex()}"
        )
    if client.contract != identity.contract:
        raise ChainIdentityError(
            f"the contract is 0x{client.contract.hex()}, not 0x{identity.contract.hex()}"
        )
    latest = client.block("latest")
    if not client.code(client.contract, latest.hash):
        raise ChainIdentityError(f"there is no contract at 0x{client.contract.hex()}")
    client.head_at(latest.hash)
    if deployed_at_block is not None:
        born = read_birth(client, deployed_at_block).ledger_id()
        if born != identity.ledger_id:
            raise ChainIdentityError(
                f"block {deployed_at_block} holds the birth of ledger {born.hex()}, "
                f"not of {identity.ledger_id.hex()}"
            )


def read_birth(client: LedgerClient, deployed_at_block: int) -> Birth:
    """Read the birth of the client's ledger in the block of its deployment.

    One endpoint's word: whoever learns a ledger's identity from it compares the ledger id with
    what the members published. Following compares everything after it with ``head()``.

    Raises:
        ChainIdentityError: that block has no birth of this contract on this chain.
        ChainUnavailableError: no answer.
    """
    events = client.events(deployed_at_block, deployed_at_block)
    if not events or events[0].index != 0 or events[0].change is None:
        raise ChainIdentityError(
            f"block {deployed_at_block} holds no birth of 0x{client.contract.hex()}"
        )
    birth = birth_of(events[0].change)
    if (birth.chain_id, birth.contract) != (client.chain_id(), client.contract):
        raise ChainIdentityError("the birth names another chain or contract")
    return birth


def birth_of(change: bytes) -> Birth:
    """Read the change bytes of record 0.

    Raises:
        ChainIdentityError: they are no birth.
    """
    try:
        return parse_birth(change)
    except BirthFormatError as exc:
        raise ChainIdentityError(f"record 0 is not a birth: {exc}") from exc
