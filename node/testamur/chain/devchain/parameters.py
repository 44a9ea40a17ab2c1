"""Strict parsing of JSON-RPC parameters (EIP-1474, EIP-1898).

Every function takes decoded JSON from an untrusted client and raises DevchainRefusalError with
code -32602 for anything but the one accepted spelling.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from testamur.chain.devchain.refusals import invalid_params

_QUANTITY: Final = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_DATA: Final = re.compile(r"0x([0-9a-fA-F]{2})*")
_CALL_FIELDS: Final = frozenset(
    {
        "from", "to", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value",
        "data", "input", "nonce", "type", "chainId", "accessList",
    }
)  # fmt: skip
_FILTER_FIELDS: Final = frozenset({"fromBlock", "toBlock", "blockHash", "address", "topics"})
_MAX_TOPICS: Final = 4
_MAX_ALTERNATIVES: Final = 1000

TAGS: Final = ("earliest", "finalized", "safe", "latest", "pending")


def quantity(value: Any, name: str) -> int:
    """Parse ``0x``-prefixed hexadecimal without leading zeros, below 2^256."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise invalid_params(f"{name}: expected a quantity such as 0x1f")
    return int(value, 16)


def data(value: Any, name: str, length: int | None = None) -> bytes:
    """Parse ``0x``-prefixed bytes, of exactly ``length`` if given."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise invalid_params(f"{name}: expected 0x-prefixed bytes in hexadecimal")
    if length is not None and len(value) != 2 + 2 * length:
        raise invalid_params(f"{name}: expected {length} bytes")
    return bytes.fromhex(value[2:])


def address(value: Any, name: str = "address") -> bytes:
    """Parse 20 bytes; the case of the letters is not checked, as other clients do not either."""
    return data(value, name, 20)


def word(value: Any, name: str) -> bytes:
    """Parse 32 bytes: a block or transaction hash, a topic."""
    return data(value, name, 32)


def slot(value: Any, name: str) -> int:
    """Parse a storage slot: 32 bytes, or a quantity, since clients send either."""
    if isinstance(value, str) and len(value) == 66:  # noqa: PLR2004  # 0x and 64 digits
        return int.from_bytes(word(value, name), "big")
    return quantity(value, name)


def flag(value: Any, name: str) -> bool:
    """Parse a JSON boolean."""
    if not isinstance(value, bool):
        raise invalid_params(f"{name}: expected true or false")
    return value


@dataclass(frozen=True, slots=True)
class BlockId:
    """A block by exactly one of tag, number or hash."""

    tag: str | None = None
    number: int | None = None
    hash: bytes | None = None


def block_id(value: Any, name: str = "block") -> BlockId:
    """Parse a tag, a number, or EIP-1898's ``{blockNumber}`` or ``{blockHash}`` object."""
    if isinstance(value, dict):
        fields = dict(value)
        # Every block of this chain is canonical, so requireCanonical holds either way.
        flag(fields.pop("requireCanonical", False), "requireCanonical")
        if set(fields) == {"blockHash"}:
            return BlockId(hash=word(fields["blockHash"], "blockHash"))
        if set(fields) == {"blockNumber"}:
            return BlockId(number=quantity(fields["blockNumber"], "blockNumber"))
        raise invalid_params(f"{name}: expected either blockHash or blockNumber (EIP-1898)")
    if isinstance(value, str) and value in TAGS:
        return BlockId(tag=value)
    return BlockId(number=quantity(value, name))


@dataclass(frozen=True, slots=True)
class Call:
    """What eth_call and eth_estimateGas execute."""

    sender: bytes
    """20 bytes; the zero address unless given."""

    to: bytes
    """20 bytes, or none at all: create a contract."""

    gas: int | None
    value: int
    data: bytes


def call(value: Any) -> Call:
    """Parse a call object. Fees and nonce are parsed and ignored: a call here costs nothing."""
    if not isinstance(value, dict):
        raise invalid_params("transaction: expected an object")
    unknown = sorted(set(value) - _CALL_FIELDS)
    if unknown:
        raise invalid_params(f"transaction: unknown field {unknown[0]}")
    given = {name: item for name, item in value.items() if item is not None}
    for name in ("gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "nonce", "type", "chainId"):
        if name in given:
            quantity(given[name], name)
    if given.get("accessList"):
        raise invalid_params("accessList: not supported in calls")
    payload = {data(given[name], name) for name in ("data", "input") if name in given}
    if len(payload) > 1:
        raise invalid_params("data and input differ")
    return Call(
        sender=address(given["from"], "from") if "from" in given else bytes(20),
        to=address(given["to"], "to") if given.get("to") else b"",
        gas=quantity(given["gas"], "gas") if "gas" in given else None,
        value=quantity(given.get("value", "0x0"), "value"),
        data=payload.pop() if payload else b"",
    )


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs are asked for."""

    first: BlockId
    last: BlockId
    block_hash: bytes | None
    """If given, the range does not count."""

    addresses: frozenset[bytes]
    """Empty: any address."""

    topics: tuple[frozenset[bytes] | None, ...]
    """For each position the accepted values, None being any."""

    def matches(self, log_address: bytes, log_topics: tuple[bytes, ...]) -> bool:
        """Whether a log is asked for; it must have at least as many topics as the filter."""
        if self.addresses and log_address not in self.addresses:
            return False
        if len(log_topics) < len(self.topics):
            return False
        return all(
            wanted is None or topic in wanted
            for topic, wanted in zip(log_topics, self.topics, strict=False)
        )


def log_filter(value: Any) -> LogFilter:
    """Parse a filter object as eth_getLogs takes it (EIP-234 for ``blockHash``)."""
    if not isinstance(value, dict):
        raise invalid_params("filter: expected an object")
    unknown = sorted(set(value) - _FILTER_FIELDS)
    if unknown:
        raise invalid_params(f"filter: unknown field {unknown[0]}")
    given = {name: item for name, item in value.items() if item is not None}
    if "blockHash" in given and ("fromBlock" in given or "toBlock" in given):
        raise invalid_params("filter: blockHash and a range exclude each other")
    topics = given.get("topics", [])
    if not isinstance(topics, list) or len(topics) > _MAX_TOPICS:
        raise invalid_params("topics: expected an array of at most 4")
    return LogFilter(
        first=block_id(given.get("fromBlock", "latest"), "fromBlock"),
        last=block_id(given.get("toBlock", "latest"), "toBlock"),
        block_hash=word(given["blockHash"], "blockHash") if "blockHash" in given else None,
        addresses=frozenset(
            address(item) for item in _alternatives(given.get("address", []), "address")
        ),
        topics=tuple(_topic(item) for item in topics),
    )


def _topic(value: Any) -> frozenset[bytes] | None:
    # An empty list of alternatives means any, as in geth.
    if value is None or value == []:
        return None
    items = _alternatives(value, "topics")
    if None in items:
        return None
    return frozenset(word(item, "topic") for item in items)


def _alternatives(value: Any, name: str) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    if len(items) > _MAX_ALTERNATIVES:
        raise invalid_params(f"{name}: at most {_MAX_ALTERNATIVES} alternatives")
    return items
