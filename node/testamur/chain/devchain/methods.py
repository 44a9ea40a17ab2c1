"""The JSON-RPC methods of the embedded chain, as one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from eth.abc import BlockHeaderAPI
from eth_typing import Address

from testamur import __version__
from testamur.chain.devchain import calls, encoding, parameters
from testamur.chain.devchain.chain import DevChain
from testamur.chain.devchain.fees import SUGGESTED_TIP, fee_history
from testamur.chain.devchain.genesis import CHAIN_ID
from testamur.chain.devchain.proofs import account_proof
from testamur.chain.devchain.refusals import LIMIT_EXCEEDED, invalid_params, refused
from testamur.errors import DevchainRefusalError

Method = Callable[..., Any]

MAX_LOG_BLOCKS: Final = 10_000
MAX_LOGS: Final = 10_000
MAX_PROOF_SLOTS: Final = 1024

_LATEST: Final = "latest"


class Methods:
    """Every method that the chain answers; parameters come undecoded from untrusted clients."""

    def __init__(self, chain: DevChain) -> None:
        self._chain = chain
        self.table: Final[dict[str, Method]] = {
            "eth_accounts": self.accounts,
            "eth_blockNumber": self.block_number,
            "eth_call": self.call,
            "eth_chainId": self.chain_id,
            "eth_estimateGas": self.estimate_gas,
            "eth_feeHistory": self.fee_history,
            "eth_gasPrice": self.gas_price,
            "eth_getBalance": self.get_balance,
            "eth_getBlockByHash": self.get_block_by_hash,
            "eth_getBlockByNumber": self.get_block_by_number,
            "eth_getBlockReceipts": self.get_block_receipts,
            "eth_getBlockTransactionCountByHash": self.count_by_hash,
            "eth_getBlockTransactionCountByNumber": self.count_by_number,
            "eth_getCode": self.get_code,
            "eth_getLogs": self.get_logs,
            "eth_getProof": self.get_proof,
            "eth_getStorageAt": self.get_storage_at,
            "eth_getTransactionByHash": self.get_transaction_by_hash,
            "eth_getTransactionCount": self.get_transaction_count,
            "eth_getTransactionReceipt": self.get_transaction_receipt,
            "eth_maxPriorityFeePerGas": self.max_priority_fee,
            "eth_sendRawTransaction": self.send_raw_transaction,
            "eth_syncing": self.syncing,
            "net_listening": self.listening,
            "net_version": self.net_version,
            "web3_clientVersion": self.client_version,
        }

    # --- the chain itself -------------------------------------------------------------------

    def accounts(self) -> list[str]:
        """Give no accounts: the node holds no keys, clients sign for themselves."""
        return []

    def block_number(self) -> str:
        """Give the number of the newest block."""
        return hex(self._chain.head.block_number)

    def chain_id(self) -> str:
        """Give the chain id (EIP-695)."""
        return hex(CHAIN_ID)

    def net_version(self) -> str:
        """Give the chain id in decimal, as ever."""
        return str(CHAIN_ID)

    def client_version(self) -> str:
        """Give name and version."""
        return f"testamur-devchain/{__version__}/py-evm"

    def syncing(self) -> bool:
        """Say no: there is nobody to sync with."""
        return False

    def listening(self) -> bool:
        """Say yes: some clients ask before they go on."""
        return True

    # --- fees -------------------------------------------------------------------------------

    def gas_price(self) -> str:
        """Give the next base fee and the suggested tip."""
        return hex(self._chain.next_base_fee() + SUGGESTED_TIP)

    def max_priority_fee(self) -> str:
        """Give the suggested tip; any tip, even none, is mined."""
        return hex(SUGGESTED_TIP)

    def fee_history(self, count: Any, newest: Any, percentiles: Any = None) -> dict[str, Any]:
        """Give base fees, how full blocks were, and tips at percentiles."""
        # web3 sends the count as a number where the specification has a quantity.
        blocks = count if type(count) is int else parameters.quantity(count, "blockCount")
        header = self._header(parameters.block_id(newest, "newestBlock"))
        return fee_history(self._chain, blocks, header, percentiles)

    # --- state ------------------------------------------------------------------------------

    def get_balance(self, owner: Any, block: Any = _LATEST) -> str:
        """Give a balance in wei."""
        address = Address(parameters.address(owner))
        return hex(self._chain.state_at(self._at(block)).get_balance(address))

    def get_code(self, owner: Any, block: Any = _LATEST) -> str:
        """Give the code of a contract."""
        address = Address(parameters.address(owner))
        return encoding.hexadecimal(self._chain.state_at(self._at(block)).get_code(address))

    def get_storage_at(self, owner: Any, slot: Any, block: Any = _LATEST) -> str:
        """Give one storage slot, as 32 bytes."""
        address = Address(parameters.address(owner))
        position = parameters.slot(slot, "slot")
        return encoding.word(self._chain.state_at(self._at(block)).get_storage(address, position))

    def get_transaction_count(self, owner: Any, block: Any = _LATEST) -> str:
        """Give the next nonce; at ``pending``, after what waits in the pool."""
        address = parameters.address(owner)
        if block == "pending":
            return hex(self._chain.pending_nonce(address))
        return hex(self._chain.state_at(self._at(block)).get_nonce(Address(address)))

    def get_proof(self, owner: Any, slots: Any, block: Any = _LATEST) -> dict[str, Any]:
        """Give the proofs of EIP-1186."""
        address = parameters.address(owner)
        if not isinstance(slots, list) or len(slots) > MAX_PROOF_SLOTS:
            raise invalid_params(f"slots: expected an array of at most {MAX_PROOF_SLOTS}")
        positions = [parameters.slot(slot, "slot") for slot in slots]
        return account_proof(self._chain, address, positions, self._at(block))

    def call(self, request: Any, block: Any = _LATEST) -> str:
        """Execute without a transaction."""
        parsed = parameters.call(request)
        return encoding.hexadecimal(calls.execute(self._chain, parsed, self._at(block)))

    def estimate_gas(self, request: Any, block: Any = _LATEST) -> str:
        """Give the least gas limit that suffices."""
        parsed = parameters.call(request)
        return hex(calls.estimate_gas(self._chain, parsed, self._at(block)))

    # --- blocks -----------------------------------------------------------------------------

    def get_block_by_number(self, block: Any, full: Any = False) -> dict[str, Any] | None:  # noqa: FBT002  # JSON-RPC parameters are positional
        """Give a block by number or tag; null if there is none."""
        identifier = parameters.block_id(block)
        if identifier.hash is not None:
            raise invalid_params("block: expected a number or a tag")
        return self._block(identifier, full)

    def get_block_by_hash(self, block: Any, full: Any = False) -> dict[str, Any] | None:  # noqa: FBT002  # JSON-RPC parameters are positional
        """Give a block by hash; null if there is none."""
        return self._block(parameters.BlockId(hash=parameters.word(block, "blockHash")), full)

    def get_block_receipts(self, block: Any) -> list[dict[str, Any]] | None:
        """Give all receipts of a block, in its order; null if there is no such block."""
        identifier = parameters.block_id(self._hash_or_id(block))
        header = self._header_or_none(identifier)
        return None if header is None else self._receipts(header)

    def count_by_number(self, block: Any) -> str | None:
        """Count how many transactions a block has."""
        return self._count(parameters.block_id(block))

    def count_by_hash(self, block: Any) -> str | None:
        """Count how many transactions a block has."""
        return self._count(parameters.BlockId(hash=parameters.word(block, "blockHash")))

    def get_logs(self, wanted: Any) -> list[dict[str, Any]]:
        """Give the logs of a block, or of a range of blocks."""
        parsed = parameters.log_filter(wanted)
        found: list[dict[str, Any]] = []
        for header in self._blocks_of(parsed):
            found += self._logs(header, parsed)
            if len(found) > MAX_LOGS:
                raise DevchainRefusalError(
                    LIMIT_EXCEEDED, f"query returned more than {MAX_LOGS} results"
                )
        return found

    # --- transactions -----------------------------------------------------------------------

    def send_raw_transaction(self, raw: Any) -> str:
        """Take a signed transaction; durable when it answers, if it can be mined."""
        sent = self._chain.send_raw_transaction(parameters.data(raw, "transaction"))
        return encoding.hexadecimal(sent)

    def get_transaction_by_hash(self, wanted: Any) -> dict[str, Any] | None:
        """Give a transaction, mined or waiting; null if unknown."""
        transaction_hash = parameters.word(wanted, "transactionHash")
        # The pool first: a transaction leaves it only when its block is durable.
        waiting = self._chain.find_waiting(transaction_hash)
        if waiting is not None:
            return encoding.waiting_transaction(waiting)
        mined = self._chain.find_transaction(transaction_hash)
        return None if mined is None else encoding.mined_transaction(mined)

    def get_transaction_receipt(self, wanted: Any) -> dict[str, Any] | None:
        """Give the receipt of a mined transaction; null if there is none."""
        mined = self._chain.find_transaction(parameters.word(wanted, "transactionHash"))
        return None if mined is None else self._receipts(mined.header)[mined.index]

    # --- helpers ----------------------------------------------------------------------------

    @staticmethod
    def _hash_or_id(block: Any) -> Any:
        # eth_getBlockReceipts also takes a bare block hash.
        if isinstance(block, str) and len(block) == 66:  # noqa: PLR2004  # 0x and 64 digits
            return {"blockHash": block}
        return block

    def _at(self, block: Any) -> BlockHeaderAPI:
        return self._header(parameters.block_id(block))

    def _header(self, wanted: parameters.BlockId) -> BlockHeaderAPI:
        if wanted.hash is not None:
            return self._chain.header_of(wanted.hash)
        return self._chain.header_at(self._number(wanted))

    def _header_or_none(self, wanted: parameters.BlockId) -> BlockHeaderAPI | None:
        try:
            return self._header(wanted)
        except DevchainRefusalError:
            return None

    def _number(self, wanted: parameters.BlockId) -> int:
        if wanted.number is not None:
            return wanted.number
        if wanted.tag == "earliest":
            return 0
        if wanted.tag == "finalized":
            return self._chain.finalized_number()
        if wanted.tag == "safe":
            return self._chain.safe_number()
        # What can be mined is mined at once, so the pending block would be an empty one.
        return self._chain.head.block_number

    def _block(self, wanted: parameters.BlockId, full: Any) -> dict[str, Any] | None:
        whole = parameters.flag(full, "full")
        header = self._header_or_none(wanted)
        if header is None:
            return None
        return encoding.block(header, self._chain.block_transactions(header), full=whole)

    def _count(self, wanted: parameters.BlockId) -> str | None:
        header = self._header_or_none(wanted)
        return None if header is None else hex(len(self._chain.block_transactions(header)))

    def _receipts(self, header: BlockHeaderAPI) -> list[dict[str, Any]]:
        contents = self._chain.block_transactions(header)
        return encoding.receipts(contents, self._chain.block_receipts(header))

    def _blocks_of(self, wanted: parameters.LogFilter) -> list[BlockHeaderAPI]:
        if wanted.block_hash is not None:
            try:
                return [self._chain.header_of(wanted.block_hash)]
            except DevchainRefusalError as exc:
                raise refused("unknown block") from exc
        first, last = self._range_end(wanted.first), self._range_end(wanted.last)
        if first > last:
            raise invalid_params("invalid block range params")
        if last - first >= MAX_LOG_BLOCKS:
            raise invalid_params(f"block range exceeds {MAX_LOG_BLOCKS} blocks")
        return self._chain.blocks_with_logs(first, last)

    def _range_end(self, wanted: parameters.BlockId) -> int:
        if wanted.hash is not None:
            raise invalid_params("filter: a range takes numbers or tags")
        number = self._number(wanted)
        if number > self._chain.head.block_number:
            raise invalid_params("block range extends beyond current head block")
        return number

    def _logs(self, header: BlockHeaderAPI, wanted: parameters.LogFilter) -> list[dict[str, Any]]:
        contents = self._chain.block_transactions(header)
        found: list[dict[str, Any]] = []
        index = 0
        for mined, receipt in zip(contents, self._chain.block_receipts(header), strict=True):
            for entry in receipt.logs:
                topics = tuple(topic.to_bytes(32, "big") for topic in entry.topics)
                if wanted.matches(bytes(entry.address), topics):
                    found.append(encoding.log(entry, mined, index))
                index += 1
        return found
