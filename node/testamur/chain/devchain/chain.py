"""The embedded chain: py-evm's MiningChain, mining as soon as a transaction can be mined.

Two py-evm chains share one store. One builds blocks, under a lock; its writes reach the disk
together, in one transaction a block. The other only reads, and sees nothing but durable blocks,
so readers need no lock and never wait for a block being built (those that ask for the pool do).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.exceptions import HeaderNotFound
from eth_typing import Address, BlockNumber
from eth_utils.exceptions import ValidationError

from testamur.chain.devchain import genesis, transactions
from testamur.chain.devchain.database import BlockWrites, Connect, KeyValueFile, connect
from testamur.chain.devchain.pool import Pool, Waiting
from testamur.chain.devchain.reading import (
    VMS,
    DurableBlocks,
    ReadingChain,
    logs_key,
    sender_key,
)
from testamur.chain.devchain.refusals import refused
from testamur.errors import StoreIdentityError

Clock = Callable[[], float]
"""Unix time in seconds."""

DEFAULT_FINALITY: Final = 2
"""Blocks by which ``finalized`` lags behind the head."""


class _BuildingChain(MiningChain):
    chain_id = genesis.CHAIN_ID
    vm_configuration = VMS


class DevChain(DurableBlocks):
    """A chain in one process. All methods may be called from any thread."""

    def __init__(
        self,
        *,
        data_dir: Path | None,
        clock: Clock,
        finality: int = DEFAULT_FINALITY,
        open_connection: Connect = connect,
    ) -> None:
        """Open the chain in ``data_dir``, or make it; ``None`` keeps it in memory.

        ``finality`` is how many blocks ``finalized`` lags, 0 or more; it is no part of the chain
        and may change from one start to the next.

        Raises:
            StoreLockedError: another process runs this chain.
            StoreIdentityError: the directory holds a chain with another genesis block.
            StoreUnavailableError: the file cannot be read or written.
        """
        if finality < 0:
            raise ValueError("finality is a number of blocks, 0 or more")
        self.finality = finality
        self._clock = clock
        self._lock = threading.Lock()
        self._pool = Pool()
        store = KeyValueFile(data_dir, open_connection=open_connection)
        try:
            self._writes = BlockWrites(store)
            building = AtomicDB(self._writes)
            self._begin(building)
            self._builder = _BuildingChain(building)
            super().__init__(store)
            self._last_full = self._find_last_full()
        except BaseException:
            store.close()
            raise

    def _begin(self, building: AtomicDB) -> None:
        """Write the genesis block into an empty store; check the one in any other."""
        try:
            found = ReadingChain(building).get_canonical_block_hash(BlockNumber(0))
        except HeaderNotFound:
            fields = genesis.genesis_header_fields()
            state = cast("Any", genesis.genesis_state())
            _BuildingChain.from_genesis(building, fields, state)
            # A crash before this commit leaves an empty store, and the next start comes here.
            self._writes.commit()
            found = ReadingChain(building).get_canonical_block_hash(BlockNumber(0))
        if found != genesis.GENESIS_HASH:
            raise StoreIdentityError(
                f"the chain in the data directory has genesis {found.hex()}, "
                f"this version's is {genesis.GENESIS_HASH.hex()}"
            )

    def _find_last_full(self) -> int:
        """Return the last block with a transaction, as far back as finality reaches; or 0."""
        lowest = max(0, self._head.block_number - self.finality)
        for number in range(self._head.block_number, lowest, -1):
            if self.header_at(number).gas_used:
                return number
        return 0

    def close(self) -> None:
        """Stop; waits for a block being built. Later calls raise StoreUnavailableError."""
        with self._lock:
            self._store.close()

    def check(self) -> None:
        """Return if the chain takes blocks.

        Raises:
            StoreUnavailableError: a write failed; only opening it again helps.
        """
        self._store.check()

    # --- building ---------------------------------------------------------------------------

    def send_raw_transaction(self, raw: bytes) -> bytes:
        """Take a signed transaction; return its hash.

        If it can be mined, it is mined and durable when this returns; if it must wait for an
        earlier nonce or a lower base fee, it waits in memory.

        Raises:
            DevchainRefusalError: the transaction is refused; worded as geth words it.
            StoreUnavailableError: unknown whether the block was kept; the chain is stopped.
        """
        transaction = transactions.decode(raw)
        # Recovering the sender is the slow part, so it is done before the lock is taken.
        new = transactions.waiting(transaction)
        with self._lock:
            self._check_against_state(new)
            self._pool.add(new)
            dropped = self._mine_what_can_be_mined()
        if new.hash in dropped:
            raise refused(dropped[new.hash])
        return new.hash

    def _check_against_state(self, new: Waiting) -> None:
        state = self.state_at(self._head)
        next_nonce = state.get_nonce(Address(new.sender))
        if new.nonce < next_nonce:
            raise refused(f"nonce too low: next nonce {next_nonce}, tx nonce {new.nonce}")
        balance = state.get_balance(Address(new.sender))
        cost = new.gas * new.max_fee + new.value
        if balance < cost:
            raise refused(
                f"insufficient funds for gas * price + value: balance {balance}, "
                f"tx cost {cost}, overshot {cost - balance}"
            )
        if state.get_code(Address(new.sender)):
            raise refused("sender not an eoa")  # EIP-3607

    def _mine_what_can_be_mined(self) -> dict[bytes, str]:
        """Mine until nothing in the pool can be mined; return what had to be dropped, and why."""
        dropped: dict[bytes, str] = {}
        while candidates := self._candidates():
            try:
                self._mine(candidates)
            except ValidationError as exc:
                # Rare: an earlier transaction of the same block spent the money, say. Alone, the
                # first one is either valid or to be dropped, so the loop always gets shorter.
                if len(candidates) > 1 and self._mined_alone(candidates[0]):
                    continue
                self._pool.remove(candidates[0])
                dropped[candidates[0].hash] = str(exc)
        return dropped

    def _mined_alone(self, first: Waiting) -> bool:
        try:
            self._mine([first])
        except ValidationError:
            return False
        return True

    def _candidates(self) -> list[Waiting]:
        """Transactions that fit the next block, in nonce order for each sender."""
        base_fee = self.next_base_fee()
        state = self.state_at(self._head)
        gas_left = genesis.BLOCK_GAS_LIMIT
        chosen: list[Waiting] = []
        for sender in self._pool.senders():
            for waiting in self._pool.run(sender, state.get_nonce(Address(sender))):
                if waiting.max_fee < base_fee or waiting.gas > gas_left:
                    break
                gas_left -= waiting.gas
                chosen.append(waiting)
        return chosen

    def mine_empty_block(self) -> None:
        """Append a block, which holds what waited for a lower base fee, if anything can go.

        Raises:
            StoreUnavailableError: unknown whether the block was kept; the chain is stopped.
        """
        with self._lock:
            self._mine([])
            self._mine_what_can_be_mined()

    def awaits_finality(self) -> bool:
        """Whether some block with a transaction is not final yet: then empty blocks are due."""
        return self._last_full > self.finalized_number()

    def _mine(self, chosen: list[Waiting]) -> None:
        parent = self._head
        builder = self._builder
        builder.header = builder.create_header_from_parent(
            parent,
            # py-evm demands strictly increasing times; a clock that is set back costs accuracy,
            # never a block.
            timestamp=max(parent.timestamp + 1, int(self._clock())),
            gas_limit=genesis.BLOCK_GAS_LIMIT,
            coinbase=Address(genesis.FEE_RECIPIENT),
            extra_data=genesis.EXTRA_DATA,
            parent_beacon_block_root=genesis.BEACON_ROOT,
            # Whatever the beacon chain would have drawn; here it follows from the parent.
            mix_hash=parent.hash,
        )
        try:
            result, receipts, _ = builder.mine_all([waiting.transaction for waiting in chosen])
            header = result.imported_block.header
            if any(receipt.logs for receipt in receipts):
                key = logs_key(header.block_number)
                self._writes[key] = bytes(header.hash)
            for waiting in chosen:
                self._writes[sender_key(waiting.hash)] = waiting.sender
            # Before this commit nothing of the block is on disk, after it all of it is.
            self._writes.commit()
        except BaseException:
            self._writes.discard()
            raise
        if chosen:
            self._last_full = header.block_number
        # Readers look into the pool first, so a transaction leaves it only once they can find it
        # in a block.
        self._head = header
        for waiting in chosen:
            self._pool.remove(waiting)

    # --- the pool and finality, which are no part of the durable chain -----------------------

    def finalized_number(self) -> int:
        """Return the newest final block's number: ``finality`` below the head, at least 0."""
        return max(0, self._head.block_number - self.finality)

    def safe_number(self) -> int:
        """Return a number half-way between head and finalized, so that the tags can differ."""
        return max(0, self._head.block_number - (self.finality + 1) // 2)

    def find_waiting(self, transaction_hash: bytes) -> Waiting | None:
        """Return a transaction that waits, or None."""
        with self._lock:
            return self._pool.get(transaction_hash)

    def pending_nonce(self, sender: bytes) -> int:
        """Next nonce of ``sender`` once everything that waits without a gap is mined."""
        with self._lock:
            nonce = self.state_at(self._head).get_nonce(Address(sender))
            return nonce + len(self._pool.run(sender, nonce))
