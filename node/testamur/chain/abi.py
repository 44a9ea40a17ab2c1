"""The contract's calls and logs as bytes; a test holds these signatures against the artifact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from testamur.chain.artifacts import load_ledger_artifact
from testamur.ledger.birth import FoundingMember
from testamur.merkle.hashing import Hash32

FOUNDERS: Final = "(address,address,bytes32,string,string,string)[]"
ANCHOR: Final = "anchor(uint32,uint64,bytes32,uint64,bytes32,uint40)"
HEAD: Final = "head()"
MEMBER: Final = "member(uint32)"
HEAD_RESULT: Final = ("uint64", "bytes32")
MEMBER_RESULT: Final = ("address", "bool", "uint40", "uint64")


@dataclass(frozen=True, slots=True)
class EventLayout:
    """How a log holds an event's values; read from the artifact, which is what was deployed."""

    topic: Hash32
    """The first topic: Keccak-256 of the signature."""
    indexed: tuple[tuple[str, str], ...]
    """(type, name) of each value in the other topics, in order; all of static types."""
    data: tuple[tuple[str, str], ...]
    """(type, name) of each value in the data, in order."""

    def decode(self, topics: Sequence[bytes], body: bytes) -> dict[str, Any]:
        """Read a log, from anyone, as values by name.

        Raises:
            NonCanonicalError: another event, or not the one spelling of its values.
        """
        if topics[:1] != [self.topic] or len(topics) != 1 + len(self.indexed):
            raise NonCanonicalError("the topics are those of no event of the ledger")
        indexed = read([kind for kind, _ in self.indexed], b"".join(topics[1:]))
        data = read([kind for kind, _ in self.data], body)
        names = [name for _, name in (*self.indexed, *self.data)]
        return dict(zip(names, (*indexed, *data), strict=True))


@cache
def event_layout(name: str) -> EventLayout:
    """Give the layout of an event of the contract, by its name."""
    events = (item for item in load_ledger_artifact().abi if item["type"] == "event")
    inputs = next(item["inputs"] for item in events if item["name"] == name)
    signature = f"{name}({','.join(each['type'] for each in inputs)})"
    return EventLayout(
        topic=Hash32(keccak(text=signature)),
        indexed=tuple((each["type"], each["name"]) for each in inputs if each["indexed"]),
        data=tuple((each["type"], each["name"]) for each in inputs if not each["indexed"]),
    )


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
