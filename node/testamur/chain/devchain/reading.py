"""Reading the embedded chain: durable blocks only, from any thread, without a lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth.abc import BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import Chain
from eth.db.atomic import AtomicDB
from eth.db.schema import SchemaV1
from eth.exceptions import TransactionNotFound
from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas
from eth.vm.forks.prague import PragueVM
from eth_typing import BlockNumber, Hash32

from testamur.chain.devchain.database import KeyValueFile, ReadView
from testamur.chain.devchain.genesis import CHAIN_ID
from testamur.chain.devchain.refusals import refused

VMS: Final = ((BlockNumber(0), PragueVM),)
"""The rules of Prague from the genesis block on."""

_NUMBER_BYTES: Final = 8


def logs_key(number: int) -> bytes:
    """Key under which the hash of block ``number`` stands if the block holds a log."""
    return b"testamur:logs:" + number.to_bytes(_NUMBER_BYTES, "big")


def sender_key(transaction_hash: bytes) -> bytes:
    """Key under which a mined transaction's sender stands."""
    return b"testamur:sender:" + transaction_hash


class ReadingChain(Chain):
    """py-evm's chain, for reading."""

    chain_id = CHAIN_ID
    vm_configuration = VMS


@dataclass(frozen=True, slots=True)
class MinedTransaction:
    """A transaction and where it stands."""

    transaction: SignedTransactionAPI
    sender: bytes
    """20 bytes."""

    header: BlockHeaderAPI
    index: int
    """Position in its block, from 0."""


class DurableBlocks:
    """The blocks of a store up to a head, which whoever builds blocks moves on."""

    def __init__(self, store: KeyValueFile) -> None:
        self._store = store
        self._view = AtomicDB(ReadView(store))
        self._reader = ReadingChain(self._view)
        self._head = self._reader.get_canonical_head()

    @property
    def head(self) -> BlockHeaderAPI:
        """Header of the newest durable block."""
        return self._head

    def next_base_fee(self) -> int:
        """Return the base fee of the block after the head, in wei (EIP-1559)."""
        return calculate_expected_base_fee_per_gas(self._head)

    def header_at(self, number: int) -> BlockHeaderAPI:
        """Return the header of block ``number``.

        Raises:
            DevchainRefusalError: there is no such block yet.
        """
        head = self._head
        if number == head.block_number:
            return head
        if number > head.block_number:
            raise refused("header not found")
        return self._reader.get_canonical_block_header_by_number(BlockNumber(number))

    def header_of(self, block_hash: bytes) -> BlockHeaderAPI:
        """Return the header with that hash; every block here is canonical.

        Raises:
            DevchainRefusalError: there is no such block.
        """
        # py-evm keeps headers, trie nodes and code in one store under their hashes; only a block's
        # hash has a score too.
        if SchemaV1.make_block_hash_to_score_lookup_key(Hash32(block_hash)) not in self._view:
            raise refused("header not found")
        return self._reader.get_block_header_by_hash(Hash32(block_hash))

    def state_at(self, header: BlockHeaderAPI, *, base_fee: int | None = None) -> StateAPI:
        """Return the state after block ``header``, in that block's context; changes are lost."""
        if base_fee is not None:
            header = header.copy(base_fee_per_gas=base_fee)
        return self._reader.get_vm(header).state

    def database(self) -> AtomicDB:
        """Return the durable key-value pairs, trie nodes among them, for reading."""
        return self._view

    def block_transactions(self, header: BlockHeaderAPI) -> list[MinedTransaction]:
        """Return the transactions of a block, in its order."""
        builder = PragueVM.get_transaction_builder()
        found = self._reader.chaindb.get_block_transactions(header, builder)
        return [
            MinedTransaction(transaction, self._sender(transaction.hash), header, index)
            for index, transaction in enumerate(found)
        ]

    def block_receipts(self, header: BlockHeaderAPI) -> tuple[ReceiptAPI, ...]:
        """Return the receipts of a block, in its order."""
        return self._reader.chaindb.get_receipts(header, PragueVM.get_receipt_builder())

    def find_transaction(self, transaction_hash: bytes) -> MinedTransaction | None:
        """Return a mined transaction, or None."""
        try:
            number, index = self._reader.get_canonical_transaction_index(Hash32(transaction_hash))
        except TransactionNotFound:
            return None
        if number > self._head.block_number:
            return None  # durable this instant, and the head in the next
        transaction = self._reader.get_canonical_transaction_by_index(number, index)
        sender = self._sender(transaction_hash)
        return MinedTransaction(transaction, sender, self.header_at(number), index)

    def blocks_with_logs(self, first: int, last: int) -> list[BlockHeaderAPI]:
        """Return the headers of the blocks in [first, last] that hold at least one log."""
        found = self._store.between(logs_key(first), logs_key(last))
        return [self.header_of(block_hash) for _, block_hash in found]

    def _sender(self, transaction_hash: bytes) -> bytes:
        # Stored beside the block: recovering it from the signature takes milliseconds.
        return self._view[sender_key(transaction_hash)]
