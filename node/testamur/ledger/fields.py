"""Strict reading of decoded JSON objects: each field taken once, with its type and range.

One spelling per value: hex is lower case and of exact length, integers are JSON integers in
range, and a field that nobody asked for is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from testamur.errors import TestamurError
from testamur.merkle.hashing import Hash32

INTEGER_MAX: Final = 2**53 - 1
"""Largest integer that every JSON reader keeps exactly (RFC 7493 section 2.2)."""

PATH_HASHES_MAX: Final = 64
"""No tree has a longer path."""

_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")


class Fields:
    """Reads one JSON object field by field; :meth:`done` refuses what was not read.

    ``value`` is untrusted decoded JSON, ``where`` its name in messages, ``error`` the class
    raised for every fault.
    """

    def __init__(self, value: object, where: str, error: type[TestamurError]) -> None:
        self._error = error
        self._where = where
        if not isinstance(value, Mapping):
            raise error(f"{where} is not an object")
        self._values = dict(value)

    def fault(self, name: str, problem: str) -> TestamurError:
        """Make the error for field ``name``."""
        return self._error(f"{self._where}.{name} {problem}")

    def take(self, name: str) -> object:
        """Take a required field of any type."""
        if name not in self._values:
            raise self.fault(name, "is missing")
        return self._values.pop(name)

    def has(self, name: str) -> bool:
        """Whether an optional field is present (and not yet taken)."""
        return name in self._values

    def text(self, name: str, *, length_min: int = 0, length_max: int = 1024) -> str:
        """Take a string of ``length_min`` to ``length_max`` characters."""
        value = self.take(name)
        if not isinstance(value, str):
            raise self.fault(name, "is not a string")
        if not length_min <= len(value) <= length_max:
            raise self.fault(name, f"has not {length_min} to {length_max} characters")
        return value

    def texts(self, name: str, *, count_max: int, length_max: int = 1024) -> tuple[str, ...]:
        """Take a list of 1 to ``count_max`` strings, each of 1 to ``length_max`` characters."""
        items = self.items(name, count_max=count_max)
        if not items:
            raise self.fault(name, "is empty")
        for item in items:
            if not isinstance(item, str) or not 0 < len(item) <= length_max:
                raise self.fault(name, f"holds no string of 1 to {length_max} characters")
        return tuple(str(item) for item in items)

    def integer(self, name: str, *, least: int = 0, most: int = INTEGER_MAX) -> int:
        """Take an integer in [``least``, ``most``]; booleans and floats are not integers."""
        value = self.take(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fault(name, "is not an integer")
        if not least <= value <= most:
            raise self.fault(name, f"is outside {least} to {most}")
        return value

    def hash(self, name: str) -> Hash32:
        """Take a hash of ours: 64 lower-case hex digits."""
        return Hash32(self._hex(name, self.take(name), prefix="", length=32))

    def hashes(self, name: str) -> tuple[Hash32, ...]:
        """Take a proof path: at most 64 hashes of ours."""
        items = self.items(name, count_max=PATH_HASHES_MAX)
        return tuple(Hash32(self._hex(name, item, prefix="", length=32)) for item in items)

    def hex_list(self, name: str, *, length: int, count_max: int) -> tuple[bytes, ...]:
        """Take a list of byte strings of ours, each of ``length`` bytes."""
        items = self.items(name, count_max=count_max)
        return tuple(self._hex(name, item, prefix="", length=length) for item in items)

    def ethereum(self, name: str, length: int | None = None) -> bytes:
        """Take a value of Ethereum's: ``0x`` and lower-case hex, of ``length`` bytes if given."""
        return self._hex(name, self.take(name), prefix="0x", length=length)

    def ethereum_list(self, name: str, *, count_max: int) -> tuple[bytes, ...]:
        """Take a list of byte strings of Ethereum's."""
        items = self.items(name, count_max=count_max)
        return tuple(self._hex(name, item, prefix="0x", length=None) for item in items)

    def items(self, name: str, *, count_max: int) -> list[object]:
        """Take a list of at most ``count_max`` items of any type."""
        value = self.take(name)
        if not isinstance(value, list):
            raise self.fault(name, "is not a list")
        if len(value) > count_max:
            raise self.fault(name, f"has more than {count_max} items")
        return value

    def nested(self, name: str) -> Fields:
        """Take a nested object."""
        return Fields(self.take(name), f"{self._where}.{name}", self._error)

    def constant(self, name: str, expected: str) -> None:
        """Take a field that has only one allowed value."""
        value = self.take(name)
        if value != expected:
            raise self.fault(name, f"is not {expected!r}")

    def done(self) -> None:
        """Refuse fields that were not taken."""
        if self._values:
            # Cut, because whoever chose the names chose their length and number, too.
            unknown = ", ".join(repr(name[:40]) for name in sorted(self._values)[:3])
            raise self._error(f"{self._where} has unknown fields: {unknown}")

    def _hex(self, name: str, value: object, *, prefix: str, length: int | None) -> bytes:
        form = "0x and lower-case hex" if prefix else "lower-case hex"
        if length is not None:
            form += f" of {length} bytes"
        if not isinstance(value, str) or not value.startswith(prefix):
            raise self.fault(name, f"is not {form}")
        digits = value[len(prefix) :]
        if not _HEX.fullmatch(digits) or (length is not None and len(digits) != 2 * length):
            raise self.fault(name, f"is not {form}")
        return bytes.fromhex(digits)
