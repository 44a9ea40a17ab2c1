"""The contract's calls and logs as bytes; a test holds these signatures against the artifact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from testamur.ledger.birth import FoundingMember
from testamur.merkle.hashing import Hash32

FOUNDERS: Final = "(address,address,bytes32,string,string,string)[]"
ANCHOR: Final = "anchor(uint32,uint64,bytes32,uint64,bytes32,uint40)"
HEAD: Final = "head()"
MEMBER: Final = "member(uint32)"
ANCHORED: Final = "Anchored(uint32,uint64,bytes32,uint64,uint64,uint64,bytes32,uint40)"
GOVERNED: Final = "Governed(uint64,bytes)"

ANCHORED_TOPIC: Final = Hash32(keccak(text=ANCHORED))
GOVERNED_TOPIC: Final = Hash32(keccak(text=GOVERNED))

ANCHORED_INDEXED: Final = ("uint32", "uint64", "bytes32")
"""member, index, root: one topic each, after the first."""
ANCHORED_DATA: Final = ("uint64", "uint64", "uint64", "bytes32", "uint40")
"""time, count, status count, status root, sequence."""
GOVERNED_INDEXED: Final = ("uint64",)
GOVERNED_DATA: Final = ("bytes",)

HEAD_RESULT: Final = ("uint64", "bytes32")
MEMBER_RESULT: Final = ("address", "bool", "uint40", "uint64")


class NonCanonicalError(ValueError):
    """Bytes that are not the one ABI encoding of what they decode to."""


def call(signature: str, *arguments: object) -> bytes:
    """Encode a call of one of the functions above."""
    types = signature[signature.index("(") + 1 : -1]
    return keccak(text=signature)[:4] + encode(types.split(",") if types else [], arguments)


def anchor_call(
    *,
    member: int,
    count: int,
    root: bytes,
    status_count: int,
    status_root: bytes,
    sequence: int,
) -> bytes:
    """Encode a call of ``anchor``."""
    return call(ANCHOR, member, count, root, status_count, status_root, sequence)


def founders(members: Sequence[FoundingMember]) -> bytes:
    """Encode the constructor's argument, which follows the creation code."""
    given = [
        (m.anchor_key, m.control_key, m.witness_key, m.name, m.domain, m.endpoint) for m in members
    ]
    return encode([FOUNDERS], [given])


def read(types: Sequence[str], value: bytes) -> tuple[Any, ...]:
    """Decode ``value``, from anyone, and refuse every spelling but the canonical one.

    Raises:
        NonCanonicalError: it does not decode, or is not what its values encode to.
    """
    try:
        values: tuple[Any, ...] = decode(types, value)
        canonical = encode(types, values)
    except Exception as exc:  # eth_abi raises a dozen kinds, and OverflowError, on foreign bytes
        raise NonCanonicalError(f"not an encoding of {', '.join(types)}") from exc
    if canonical != value:
        raise NonCanonicalError(f"not the canonical encoding of {', '.join(types)}")
    return values
