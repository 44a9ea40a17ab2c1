"""A chain, seen through one JSON-RPC endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Literal, Self

from eth_utils.crypto import keccak

from testamur.chain.endpoint import Endpoint, RpcError
from testamur.chain.rpc_values import (
    canonical,
    checked_address,
    data,
    hash_of,
    hex_of,
    mapping,
    quantity,
)
from testamur.errors import ChainUnavailableError, TransactionRejectedError
from testamur.ledger.trust import FinalityRule
from testamur.merkle.hashing import Hash32
from testamur.storage.model import ADDRESS_BYTES, FollowedBlock


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

    @property
    def connection(self) -> Endpoint:
        """The endpoint, for another client that is to share its connections."""
        return self._rpc

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
            self._ask("eth_getCode", hex_of(checked_address(address)), canonical(block_hash)),
            "code",
        )

    def transaction_count(self, address: bytes, *, pending: bool, at: Hash32 | None = None) -> int:
        """Count an account's transactions, which is its next nonce.

        With those that wait if ``pending``; else as of the newest block, or of block ``at``.
        """
        if at is not None and pending:
            raise ValueError("a block holds nothing that is pending")
        tag = "pending" if pending else "latest"
        where = tag if at is None else canonical(at)
        answer = self._ask("eth_getTransactionCount", hex_of(checked_address(address)), where)
        return quantity(answer, "transaction count")

    def balance(self, address: bytes) -> int:
        """Give an account's balance in wei as of the newest block."""
        answer = self._ask("eth_getBalance", hex_of(checked_address(address)), "latest")
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
            answered = hash_of(self._rpc.ask("eth_sendRawTransaction", hex_of(raw)), "hash")
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
        answer = self._ask("eth_getTransactionReceipt", hex_of(tx_hash))
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
            answer = self._ask("eth_getBlockByHash", hex_of(ref), False)
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
