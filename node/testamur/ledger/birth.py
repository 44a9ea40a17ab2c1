"""The birth record: what record 0 commits to, and so what every ledger id and head binds.

Its change bytes are ``abi.encode(uint256 chainid, address contract, bytes32 parent block hash,
Member[])`` with ``Member = (address anchorKey, address controlKey, bytes32 witnessKey, string
name, string domain, string endpoint)``. Format: docs/formats/birth-record.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from testamur.errors import BirthFormatError
from testamur.ledger.records import governance_record
from testamur.merkle.hashing import Hash32

BYTES_MAX: Final = 1024 * 1024
ENDPOINT_LENGTH_MAX: Final = 1024
"""In characters; kept to at deployment, while the contract takes any."""
_MEMBER: Final = "(address,address,bytes32,string,string,string)"
_TYPES: Final = ("uint256", "address", "bytes32", f"{_MEMBER}[]")


@dataclass(frozen=True, slots=True)
class FoundingMember:
    """One member as given at deployment; its id is its position in the birth, plus one."""

    anchor_key: bytes
    """Address, 20 bytes, that sends the member's anchors; the hot key."""
    control_key: bytes
    """Address, 20 bytes, that votes and rotates keys; the cold key, or a multisig wallet."""
    witness_key: bytes
    """Ed25519 public key, 32 bytes, used for cosignatures alone."""
    name: str
    """Legal name."""
    domain: str
    """Domain that the name is known by."""
    endpoint: str
    """URL of the member's node."""


@dataclass(frozen=True, slots=True)
class Birth:
    """Everything that record 0 commits to."""

    chain_id: int
    """EIP-155 chain id, as the contract saw it."""
    contract: bytes
    """The contract's own address, 20 bytes."""
    parent_block_hash: bytes
    """Hash of the block before the deployment, 32 bytes: tells apart two chains with one id."""
    members: tuple[FoundingMember, ...]
    """The founders; member ``n`` is ``members[n - 1]``."""

    def ledger_id(self) -> Hash32:
        """Give the leaf hash of record 0."""
        return governance_record(encode_birth(self)).leaf_hash()


def encode_birth(birth: Birth) -> bytes:
    """Give the change bytes, exactly as the contract emits them."""
    from eth_abi.abi import encode  # noqa: PLC0415 (slow to import; most receipts need no birth)

    members = [
        (m.anchor_key, m.control_key, m.witness_key, m.name, m.domain, m.endpoint)
        for m in birth.members
    ]
    return encode(_TYPES, (birth.chain_id, birth.contract, birth.parent_block_hash, members))


def parse_birth(change: bytes) -> Birth:
    """Read change bytes, from anyone.

    Raises:
        BirthFormatError: they do not decode, are too long, name no member, or are another
            spelling of what they decode to (ABI decoding alone accepts many).
    """
    from eth_abi.abi import decode  # noqa: PLC0415 (as above)

    if len(change) > BYTES_MAX:
        raise BirthFormatError(f"the change bytes are longer than {BYTES_MAX}")
    try:
        chain_id, contract, parent, members = decode(_TYPES, change)
        birth = Birth(
            chain_id=chain_id,
            contract=bytes.fromhex(contract[2:]),
            parent_block_hash=parent,
            members=tuple(
                FoundingMember(
                    bytes.fromhex(a[2:]), bytes.fromhex(c[2:]), w, name, domain, endpoint
                )
                for a, c, w, name, domain, endpoint in members
            ),
        )
    except Exception as exc:  # eth_abi raises a dozen kinds, and OverflowError, on foreign bytes
        raise BirthFormatError("the change bytes are not a birth") from exc
    if encode_birth(birth) != change:
        raise BirthFormatError("the change bytes are not in canonical ABI form")
    if not birth.members:
        raise BirthFormatError("the birth names no member")
    return birth
