"""Values of JSON-RPC answers, read strictly (EIP-1474: quantities and unformatted data).

An answer that is not what the method promises is no answer: :class:`ChainUnavailableError`.
Everything here is untrusted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from testamur.errors import ChainUnavailableError
from testamur.merkle.hashing import HASH_BYTES, Hash32

UINT64_MAX: Final = 2**64 - 1

_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


def quantity(value: object, what: str, *, most: int = UINT64_MAX) -> int:
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


def _malformed(what: str, value: object) -> ChainUnavailableError:
    # Foreign text is quoted, and cut, so that it can neither pose as ours nor fill a log.
    return ChainUnavailableError(f"the endpoint's {what} cannot be used: {repr(value)[:80]}")
