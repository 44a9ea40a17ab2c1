"""The ledger contract and its chain, seen through one JSON-RPC endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Literal, Self

from eth_utils.crypto import keccak

from testamur.chain import abi
from testamur.chain.endpoint import Endpoint, RpcError
from testamur.chain.events import ANCHORED, GOVERNED, LedgerEvent, decode_logs
from testamur.chain.rpc_values import data, hash_of, mapping, quantity
from testamur.errors import (
    BirthFormatError,
    ChainIdentityError,
    ChainUnavailableError,
    TransactionRejectedError,
)
from testamur.ledger.birth import Birth, parse_birth
from testamur.ledger.trust import FinalityRule
from testamur.merkle.hashing import Hash32
from testamur.storage.model import ADDRESS_BYTES, FollowedBlock, LedgerIdentity


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


_WORD_MAX: Final = 2**256 - 1
_REFUSALS: Final = (
    ("known", ("already known", "alreadyknown", "known transaction", "already imported")),
    ("nonce_too_low", ("nonce too low", "oldnonce", "nonce is too low")),
    ("insufficient_funds", ("insufficient funds", "insufficientfunds", "upfront cost exceeds")),
    ("underpriced", ("underpriced", "less than block base fee", "feetoolow", "fee too low")),
)
"""How clients word a refusal, in lower case: geth and those that follow it, Nethermind, Besu,
anvil. What none of these matches is ``other``."""
_NOT_JUDGED: Final = frozenset({-32700, -32600, -32601, -32603, -32005})
"""Error codes by which an endpoint says that it did not look at the transaction (EIP-1474)."""

BlockRef = int | Literal["latest", "finalized"] | Hash32
"""A height, a tag, or a block hash."""


class ChainClient:
    """A chain seen through one endpoint, which is trusted with nothing but being asked.

    Every method asks the endpoint each time. What it cannot answer, or answers in a form that
    JSON-RPC does not have, is a :class:`ChainUnavailableError`: an error is never a zero. No
    message of any error holds more of the URL than scheme and host. May be used from any
    thread. ``timeout_seconds`` bounds each connection and each wait for bytes.
    """

    def __init__(self, rpc_url: str | Endpoint, *, timeout_seconds: float) -> None:
        if isinstance(rpc_url, str):
            rpc_url = Endpoint(rpc_url, timeout_seconds=timeout_seconds)
        self._rpc = rpc_url

    @property
    def endpoint(self) -> str:
        """The masked URL, for messages: scheme and host alone."""
        return self._rpc.name

    def ledger(self, contract: bytes) -> LedgerClient:
        """Give a client for ``contract`` over the same endpoint and its connections."""
        return LedgerClient(self._rpc, contract, timeout_seconds=self._rpc.timeout_seconds)

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self._rpc.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def chain_id(self) -> int:
        """Give the EIP-155 chain id."""
        return quantity(self._ask("eth_chainId"), "chain id")

    def genesis(self) -> Hash32:
        """Give the hash of block 0."""
        return self.block(0).hash

    def block(self, ref: BlockRef) -> ChainBlock:
        """Give one block; by number, the one that is canonical now.

        Raises:
            ChainUnavailableError: the endpoint has no such block.
        """
        found = self._find_block(ref)
        if found is None:
            shown = "0x" + ref.hex() if isinstance(ref, bytes) else ref
            raise ChainUnavailableError(f"{self.endpoint} has no block {shown}")
        return found

    def find_block(self, number: int) -> ChainBlock | None:
        """As :meth:`block`, but None where the chain does not reach ``number``."""
        return self._find_block(number)

    def finalized(self, rule: FinalityRule) -> ChainBlock:
        """Give the newest block that counts as final under ``rule``; never below block 0."""
        if rule.depth is None:
            return self.block("finalized")
        return self.block(max(0, self.block("latest").number - rule.depth))

    def code(self, address: bytes, block_hash: Hash32) -> bytes:
        """Give the code at ``address`` as of a block; empty where there is no contract."""
        return data(
            self._ask("eth_getCode", _hex(_address(address)), _canonical(block_hash)), "code"
        )

    def transaction_count(self, address: bytes, *, pending: bool, at: Hash32 | None = None) -> int:
        """Count an account's transactions, which is its next nonce.

        With those that wait if ``pending``; else as of the newest block, or of block ``at``.
        """
        if at is not None and pending:
            raise ValueError("a block holds nothing that is pending")
        tag = "pending" if pending else "latest"
        where = tag if at is None else _canonical(at)
        answer = self._ask("eth_getTransactionCount", _hex(_address(address)), where)
        return quantity(answer, "transaction count")

    def balance(self, address: bytes) -> int:
        """Give an account's balance in wei as of the newest block."""
        answer = self._ask("eth_getBalance", _hex(_address(address)), "latest")
        return quantity(answer, "balance", most=_WORD_MAX)

    def fees(self) -> Fees:
        """Say what gas costs now."""
        latest = mapping(self._ask("eth_getBlockByNumber", "latest", False), "block")
        base = quantity(latest.get("baseFeePerGas"), "base fee", most=_WORD_MAX)
        tip = quantity(self._ask("eth_maxPriorityFeePerGas"), "priority fee", most=_WORD_MAX)
        return Fees(base_fee_wei=base, tip_wei=tip)

    def send_raw(self, raw: bytes) -> Hash32:
        """Hand over a signed transaction and give its hash, computed here.

        An endpoint that knows it already is fine: sending again is always safe.

        Raises:
            TransactionRejectedError: the endpoint answered and refused; ``kind`` says why.
            ChainUnavailableError: no answer; the transaction may or may not have got through.
        """
        expected = Hash32(keccak(raw))
        try:
            answered = hash_of(self._rpc.ask("eth_sendRawTransaction", _hex(raw)), "hash")
        except RpcError as exc:
            kind = _refusal(exc)
            if kind == "known":
                return expected
            if kind is None:
                raise ChainUnavailableError(str(exc)) from exc
            raise TransactionRejectedError(kind, str(exc)) from exc
        if answered != expected:
            raise ChainUnavailableError(f"{self.endpoint} took another transaction than ours")
        return expected

    def receipt(self, tx_hash: Hash32) -> TxReceipt | None:
        """Give the receipt of a transaction; None while it is in no block."""
        answer = self._ask("eth_getTransactionReceipt", _hex(tx_hash))
        if answer is None:
            return None
        fields = mapping(answer, "receipt")
        if hash_of(fields.get("transactionHash"), "receipt's transaction") != tx_hash:
            raise ChainUnavailableError(f"{self.endpoint} gave another transaction's receipt")
        contract = fields.get("contractAddress")
        return TxReceipt(
            tx_hash=tx_hash,
            block_number=quantity(fields.get("blockNumber"), "receipt's block number"),
            block_hash=hash_of(fields.get("blockHash"), "receipt's block hash"),
            transaction_index=quantity(fields.get("transactionIndex"), "receipt's index"),
            succeeded=quantity(fields.get("status"), "receipt's status", most=1) == 1,
            gas_used=quantity(fields.get("gasUsed"), "gas used"),
            contract=None
            if contract is None
            else data(contract, "created contract", length=ADDRESS_BYTES),
        )

    def _ask(self, method: str, *params: object) -> object:
        try:
            return self._rpc.ask(method, *params)
        except RpcError as exc:
            raise ChainUnavailableError(str(exc)) from exc

    def _find_block(self, ref: BlockRef) -> ChainBlock | None:
        if isinstance(ref, bytes):
            answer = self._ask("eth_getBlockByHash", _hex(ref), False)
        else:
            shown = hex(ref) if isinstance(ref, int) else ref
            answer = self._ask("eth_getBlockByNumber", shown, False)
        if answer is None:
            return None
        block = _block(mapping(answer, "block"))
        asked = block.hash if isinstance(ref, bytes) else block.number
        if isinstance(ref, bytes | int) and asked != ref:
            raise ChainUnavailableError(f"{self.endpoint} gave another block than asked for")
        return block


class LedgerClient(ChainClient):
    """A :class:`ChainClient` that knows one ledger contract."""

    def __init__(self, rpc_url: str | Endpoint, contract: bytes, *, timeout_seconds: float) -> None:
        super().__init__(rpc_url, timeout_seconds=timeout_seconds)
        self._contract = _address(contract)

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
            "address": _hex(self._contract),
            "fromBlock": hex(from_block),
            "toBlock": hex(to_block),
            "topics": [[_hex(ANCHORED.topic), _hex(GOVERNED.topic)]],
        }
        answer = self._ask("eth_getLogs", wanted)
        return decode_logs(answer, self._contract, from_block=from_block, to_block=to_block)

    def _call(self, call: bytes, types: tuple[str, ...], block_hash: Hash32) -> tuple[Any, ...]:
        wanted = {"to": _hex(self._contract), "data": _hex(call)}
        try:
            answer = self._rpc.ask("eth_call", wanted, _canonical(block_hash))
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


def _block(fields: Mapping[str, Any]) -> ChainBlock:
    return ChainBlock(
        number=quantity(fields.get("number"), "block number"),
        hash=hash_of(fields.get("hash"), "block hash"),
        parent_hash=hash_of(fields.get("parentHash"), "parent hash"),
        timestamp=quantity(fields.get("timestamp"), "timestamp"),
    )


def _refusal(error: RpcError) -> str | None:
    """Name the kind of a refused transaction; None where the endpoint never judged it."""
    if error.rpc_code in _NOT_JUDGED:
        return None
    text = error.text.lower()
    return next((kind for kind, words in _REFUSALS if any(w in text for w in words)), "other")


def _canonical(block_hash: Hash32) -> dict[str, object]:
    """Name a block by its hash, and refuse it when a reorganisation took it away (EIP-1898)."""
    return {"blockHash": _hex(block_hash), "requireCanonical": True}


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _address(value: bytes) -> bytes:
    if len(value) != ADDRESS_BYTES:
        raise ValueError(f"an address has {ADDRESS_BYTES} bytes, not {len(value)}")
    return value
