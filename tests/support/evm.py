"""A bare chain for contract tests: py-evm's own, without signatures and without HTTP.

It shares no code with the node's chain folder, so that a mistake there cannot hide here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from eth.chains.base import MiningChain
from eth.consensus.noproof import NoProofConsensus
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.db.atomic import AtomicDB
from eth.typing import AccountDetails
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.transactions import PragueLegacyTransaction
from eth_abi.abi import decode, encode
from eth_typing import Address, BlockNumber
from eth_utils.crypto import keccak

CHAIN_ID: Final = 1337
GENESIS_TIME: Final = 1_700_000_000
BLOCK_SECONDS: Final = 12
GAS_LIMIT: Final = 5_000_000
"""Of one transaction; the receipt tells what was used."""

TRANSACTION_GAS: Final = 21_000

GAS_PRICE: Final = 10**10
"""Above the base fee, which only falls in blocks as empty as these."""


class RevertError(Exception):
    """A call or transaction reverted."""

    def __init__(self, data: bytes, *, name: str, arguments: tuple[Any, ...]) -> None:
        super().__init__(f"{name}{arguments}" if name else f"0x{data.hex()}")
        self.data = data
        """What the contract gave as the reason."""
        self.name = name
        """The error's name, empty if the contract does not declare it."""
        self.arguments = arguments
        """Its arguments, decoded."""


@dataclass(frozen=True, slots=True)
class Log:
    """One event, decoded."""

    name: str
    """As declared."""
    values: dict[str, Any]
    """Indexed and other arguments alike."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one successful transaction did."""

    gas_used: int
    """As in its receipt, after refunds."""
    logs: list[Log]
    """In order."""
    contract: Address
    """The new contract's address for a deployment, else the contract called."""


class _UnsignedTransaction(PragueLegacyTransaction):
    """Names its sender in ``r``: signing and recovering took three quarters of a test's time."""

    def check_signature_validity(self) -> None:
        """Accept: there is none."""

    def get_sender(self) -> Address:
        """Read the sender where a signature would stand."""
        return Address(self.r.to_bytes(20, "big"))


class Interface:
    """Encodes calls and decodes events and errors by a contract's ABI."""

    def __init__(self, abi: Sequence[Mapping[str, Any]]) -> None:
        self._functions = {e["name"]: e for e in abi if e["type"] == "function"}
        self._events = {keccak(text=_signature(e)): e for e in abi if e["type"] == "event"}
        self._errors = {keccak(text=_signature(e))[:4]: e for e in abi if e["type"] == "error"}
        constructors = [e["inputs"] for e in abi if e["type"] == "constructor"]
        self._constructor: Sequence[Mapping[str, Any]] = constructors[0] if constructors else ()

    def call_data(self, function: str, *arguments: Any) -> bytes:
        """Encode one call."""
        entry = self._functions[function]
        return keccak(text=_signature(entry))[:4] + encode(_types(entry["inputs"]), arguments)

    def constructor_data(self, *arguments: Any) -> bytes:
        """Encode what is appended to the creation code."""
        return encode(_types(self._constructor), arguments)

    def result(self, function: str, output: bytes) -> tuple[Any, ...]:
        """Decode what a function returned."""
        return decode(_types(self._functions[function]["outputs"]), output)

    def log(self, topics: Sequence[int], data: bytes) -> Log:
        """Decode one event."""
        first, *others = [topic.to_bytes(32, "big") for topic in topics]
        event = self._events[first]
        indexed = [i for i in event["inputs"] if i["indexed"]]
        plain = [i for i in event["inputs"] if not i["indexed"]]
        values = [decode([i["type"]], topic)[0] for i, topic in zip(indexed, others, strict=True)]
        values += decode(_types(plain), data)
        names = [i["name"] for i in indexed + plain]
        return Log(event["name"], dict(zip(names, values, strict=True)))

    def revert(self, data: bytes) -> RevertError:
        """Decode a revert."""
        error = self._errors.get(data[:4])
        if error is None:
            return RevertError(data, name="", arguments=())
        arguments = decode(_types(error["inputs"]), data[4:])
        return RevertError(data, name=error["name"], arguments=arguments)


class _TestChain(MiningChain):
    chain_id = CHAIN_ID
    vm_configuration = ((BlockNumber(0), PragueVM.configure(consensus_class=NoProofConsensus)),)


class Evm:
    """One chain in memory, with time passed in: block ``n`` is ``n * BLOCK_SECONDS`` old."""

    def __init__(self, *, accounts: int = 4) -> None:
        self.addresses: list[Address] = [
            Address(keccak(b"test account %d" % i)[:20]) for i in range(accounts)
        ]
        genesis: dict[str, Any] = {
            "difficulty": 0,
            "gas_limit": 30_000_000,
            "timestamp": GENESIS_TIME,
        }
        account: AccountDetails = {"balance": 10**24, "nonce": 0, "code": b"", "storage": {}}
        state = dict.fromkeys(self.addresses, account)
        self._chain = cast("MiningChain", _TestChain.from_genesis(AtomicDB(), genesis, state))
        self._nonces = [0] * accounts
        self._set_time()

    @property
    def block_number(self) -> int:
        """Of the block that is being built."""
        return int(self._chain.header.block_number)

    @property
    def time(self) -> int:
        """Of the block that is being built, Unix seconds."""
        return int(self._chain.header.timestamp)

    @property
    def parent_hash(self) -> bytes:
        """Hash of the last block mined."""
        return bytes(self._chain.header.parent_hash)

    def deploy(self, interface: Interface, bytecode: bytes, *arguments: Any) -> Outcome:
        """Create a contract from account 0, in the block that is being built."""
        data = bytecode + interface.constructor_data(*arguments)
        return self._transact(interface, CREATE_CONTRACT_ADDRESS, data, account=0)

    def transact(
        self, interface: Interface, to: Address, function: str, *arguments: Any, account: int = 0
    ) -> Outcome:
        """Send one transaction from an account, in the block that is being built.

        Raises:
            RevertError: it reverted.
        """
        return self._transact(
            interface, to, interface.call_data(function, *arguments), account=account
        )

    def call(
        self,
        interface: Interface,
        to: Address,
        function: str,
        *arguments: Any,
        storage: Mapping[int, int] | None = None,
        sender: Address | None = None,
        value: int = 0,
    ) -> tuple[Any, ...]:
        """Run a function on the newest state, keeping nothing.

        ``storage`` overrides slots for this call, for states that no transaction reaches.

        Raises:
            RevertError: it reverted.
        """
        computation = self._execute(
            to,
            interface.call_data(function, *arguments),
            storage=storage or {},
            sender=sender or self.addresses[0],
            value=value,
        )
        if computation.is_error:
            raise interface.revert(bytes(computation.output))
        return interface.result(function, bytes(computation.output))

    def call_gas(
        self, to: Address, data: bytes, *, sender: Address, storage: Mapping[int, int]
    ) -> int:
        """Count the gas of a successful transaction from ``sender`` in an overridden state."""
        computation = self._execute(to, data, storage=storage, sender=sender, value=0)
        computation.raise_if_error()
        zeroes = data.count(0)
        intrinsic = TRANSACTION_GAS + 4 * zeroes + 16 * (len(data) - zeroes)
        return intrinsic + int(computation.get_gas_used())

    def _execute(
        self, to: Address, data: bytes, *, storage: Mapping[int, int], sender: Address, value: int
    ) -> Any:
        vm = self._chain.get_vm(self._chain.header)
        for slot, content in storage.items():
            vm.state.set_storage(to, slot, content)
        # Flushed, as EIP-2200 prices a write by what stood there before the transaction.
        vm.state.persist()
        return vm.execute_bytecode(
            origin=sender,
            gas_price=0,
            gas=GAS_LIMIT,
            to=to,
            sender=sender,
            value=value,
            data=data,
            code=vm.state.get_code(to),
        )

    def storage(self, contract: Address, slot: int) -> int:
        """Read one raw slot of the newest state."""
        return int(self._chain.get_vm(self._chain.header).state.get_storage(contract, slot))

    @staticmethod
    def mapping_slot(key: int, slot: int) -> int:
        """Where Solidity keeps a mapping's value for an integer key."""
        return int.from_bytes(keccak(key.to_bytes(32, "big") + slot.to_bytes(32, "big")), "big")

    def code(self, contract: Address) -> bytes:
        """Code at an address."""
        return bytes(self._chain.get_vm(self._chain.header).state.get_code(contract))

    def mine(self) -> None:
        """Close the block and begin the next."""
        self._chain.mine_block()
        self._set_time()

    def _set_time(self) -> None:
        self._chain.set_header_timestamp(GENESIS_TIME + self.block_number * BLOCK_SECONDS)

    def _transact(self, interface: Interface, to: Address, data: bytes, *, account: int) -> Outcome:
        transaction = _UnsignedTransaction(
            nonce=self._nonces[account],
            gas_price=GAS_PRICE,
            gas=GAS_LIMIT,
            to=to,
            value=0,
            data=data,
            v=27,
            r=int.from_bytes(self.addresses[account], "big"),
            s=1,
        )
        before = self._chain.header.gas_used
        _, receipt, computation = self._chain.apply_transaction(transaction)
        self._nonces[account] += 1
        if computation.is_error:
            raise interface.revert(bytes(computation.output))
        return Outcome(
            gas_used=receipt.gas_used - before,
            logs=[interface.log(log.topics, log.data) for log in receipt.logs],
            contract=to or computation.msg.storage_address,
        )


def _type(parameter: Mapping[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_types(parameter['components']))}){kind.removeprefix('tuple')}"


def _types(parameters: Sequence[Mapping[str, Any]]) -> list[str]:
    return [_type(parameter) for parameter in parameters]


def _signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(_types(entry['inputs']))})"
