"""Values of JSON-RPC (EIP-1474: quantities and unformatted data), written and strictly read.

An answer that is not what the method promises is no answer: :class:`ChainUnavailableError`.
Everything that is read is untrusted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from testamur.errors import ChainUnavailableError
from testamur.merkle.hashing import HASH_BYTES, Hash32
from testamur.storage.model import ADDRESS_BYTES

NUMBER_MAX: Final = 2**53 - 1
"""Most that a count, a height or a time may be: no chain gets there, and it fits a database's
column and every JSON reader (RFC 7493 section 2.2), which 2^64 - 1 does not."""

_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


def quantity(value: object, what: str, *, most: int = NUMBER_MAX) -> int:
    """Read an integer in [0, ``most``]."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise _malformed(what, value)
    number = int(value, 16)
    if number > most:
        raise _malformed(what, value)
    return number


def data(value: object, what: str, *, length: int | None = None) -> bytes:
    """Read bytes, exactly ``length`` of them if given."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise _malformed(what, value)
    found = bytes.fromhex(value[2:])
    if length is not None and len(found) != length:
        raise _malformed(what, value)
    return found


def hash_of(value: object, what: str) -> Hash32:
    """Read 32 bytes."""
    return Hash32(data(value, what, length=HASH_BYTES))


def mapping(value: object, what: str) -> Mapping[str, Any]:
    """Read an object; its unknown fields are allowed, because each client adds some."""
    if not isinstance(value, Mapping):
        raise _malformed(what, value)
    return value


def items(value: object, what: str) -> list[object]:
    """Read a list."""
    if not isinstance(value, list):
        raise _malformed(what, value)
    return value


def hex_of(value: bytes) -> str:
    """Write bytes."""
    return "0x" + value.hex()


def canonical(block_hash: Hash32) -> dict[str, object]:
    """Name a block by its hash, to be refused when a reorganisation took it away (EIP-1898)."""
    return {"blockHash": hex_of(block_hash), "requireCanonical": True}


def checked_address(value: bytes) -> bytes:
    """Refuse, as a mistake of the caller's, what has not the length of an address."""
    if len(value) != ADDRESS_BYTES:
        raise ValueError(f"an address has {ADDRESS_BYTES} bytes, not {len(value)}")
    return value


def _malformed(what: str, value: object) -> ChainUnavailableError:
    # Foreign text is quoted, and cut, so that it can neither pose as ours nor fill a log.
    return ChainUnavailableError(f"the endpoint's {what} cannot be used: {repr(value)[:80]}")
