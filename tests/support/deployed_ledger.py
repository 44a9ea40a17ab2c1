"""The contract on the bare chain, with three founders, and a record of what was told to it.

Records are built here from events by concatenation, apart from the product's own encoder.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final, NamedTuple

from eth_typing import Address

from testamur.chain.artifacts import load_ledger_artifact
from testamur.merkle.hashing import EMPTY_ROOT, Hash32, leaf_hash
from tests.support.evm import Evm, Interface, Log, Outcome

BIRTH_TYPES: Final = [
    "uint256",
    "address",
    "bytes32",
    "(address,address,bytes32,string,string,string)[]",
]
"""Of record 0's change."""

LEDGER: Final = Interface(load_ledger_artifact().abi)


class Founder(NamedTuple):
    """A member as the constructor takes it."""

    anchor_key: Address
    """Sends the anchors."""
    control_key: Address
    """Governs."""
    witness_key: bytes
    """Ed25519."""
    name: str
    """For people."""
    domain: str
    """DNS name."""
    endpoint: str
    """URL."""


def founder(number: int, anchor_key: Address) -> Founder:
    """Make a founder whose fields tell its number."""
    return Founder(
        anchor_key=anchor_key,
        control_key=Address(bytes([0xC0 + number]) * 20),
        witness_key=bytes([0xE0 + number]) * 32,
        name=f"Université {number}",
        domain=f"u{number}.example",
        endpoint=f"https://u{number}.example",
    )


def digest(text: str) -> bytes:
    """Make a root that no tree has."""
    return sha256(text.encode()).digest()


def record_from(log: Log) -> bytes:
    """Rebuild a record's 93 bytes from its event alone."""
    values = log.values
    if log.name == "Governed":
        parts = [bytes(1 + 4 + 8 + 8), sha256(values["change"]).digest(), bytes(8 + 32)]
        return b"".join(parts)
    parts = [
        b"\x01",
        values["member"].to_bytes(4, "big"),
        values["time"].to_bytes(8, "big"),
        values["count"].to_bytes(8, "big"),
        values["root"],
        values["statusCount"].to_bytes(8, "big"),
        values["statusRoot"],
    ]
    return b"".join(parts)


class DeployedLedger:
    """One ledger on its own chain; account ``i`` of the chain is member ``i + 1``'s anchor key."""

    def __init__(self, *, founders: int = 3) -> None:
        self.evm = Evm(accounts=founders + 1)
        self.evm.mine()
        self.founders = [founder(i + 1, self.evm.addresses[i]) for i in range(founders)]
        self.deployment = self.evm.deploy(LEDGER, load_ledger_artifact().bytecode, self.founders)
        self.birth_block_parent = self.evm.parent_hash
        self.address = self.deployment.contract
        self.records: list[bytes] = []
        self.sequences = dict.fromkeys(range(1, founders + 1), 0)
        self._note(self.deployment)
        self.evm.mine()

    @property
    def leaf_hashes(self) -> list[Hash32]:
        """Of the records, in order."""
        return [leaf_hash(record) for record in self.records]

    def anchor(
        self,
        member: int = 1,
        *,
        count: int = 7,
        root: bytes | None = None,
        status: tuple[int, bytes] = (0, EMPTY_ROOT),
        sequence: int | None = None,
        account: int | None = None,
    ) -> Outcome:
        """Anchor as ``member``; by default correctly, with a root of its own each time."""
        outcome = self.evm.transact(
            LEDGER,
            self.address,
            "anchor",
            member,
            count,
            digest(f"batch {len(self.records)}") if root is None else root,
            *status,
            self.sequences.get(member, 0) if sequence is None else sequence,
            account=member - 1 if account is None else account,
        )
        self.sequences[member] += 1
        self._note(outcome)
        return outcome

    def call(self, function: str, *arguments: Any, **options: Any) -> tuple[Any, ...]:
        """Call a view function."""
        return self.evm.call(LEDGER, self.address, function, *arguments, **options)

    def grow_to(self, size: int) -> None:
        """Anchor by the members in turn until there are ``size`` records, eight a block."""
        members = len(self.founders)
        while len(self.records) < size:
            self.anchor(len(self.records) % members + 1)
            if len(self.records) % 8 == 0:
                self.evm.mine()

    def _note(self, outcome: Outcome) -> None:
        self.records += [record_from(log) for log in outcome.logs]
