"""Numbers in a query, strictly: each once, decimal, within its range, and no other parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import QueryParams

from testamur.errors import OutOfRangeError, RequestFormatError
from testamur.merkle.hashing import HASH_BYTES, Hash32

NUMBER_MAX: Final = 2**53 - 1
"""Largest number that every reader of JSON agrees on."""
LIMIT_MAX: Final = 1000
"""Most items on one page."""
LIMIT_DEFAULT: Final = 100
"""Items on a page when nothing else is asked for."""
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Number:
    """One parameter of a query."""

    name: str
    """As it stands in the URL."""
    description: str
    """For OpenAPI."""
    least: int = 0
    """Smallest value."""
    most: int = NUMBER_MAX
    """Largest value."""
    default: int | None = None
    """Value when it is left out; None when it has to be there."""


LIMIT: Final = Number("limit", "Most items on the page.", 1, LIMIT_MAX, LIMIT_DEFAULT)


def documented(*numbers: Number) -> dict[str, Any]:
    """Give OpenAPI's words for a query that :func:`parse_query` reads."""
    return {"parameters": [_parameter(number) for number in numbers]}


def parse_query(query: QueryParams, *numbers: Number) -> list[int]:
    """Read a query that may hold ``numbers`` and nothing else; give their values in that order.

    Raises:
        RequestFormatError: an unknown or repeated parameter, one that is missing, or no number.
        OutOfRangeError: a number outside its range.
    """
    given: dict[str, str] = {}
    names = {number.name for number in numbers}
    for name, text in query.multi_items():
        if name not in names:
            raise RequestFormatError(f"the query may hold {', '.join(sorted(names))} only")
        if name in given:
            raise RequestFormatError(f"{name} stands in the query twice")
        given[name] = text
    return [_value(number, given.get(number.name)) for number in numbers]


def parse_root(text: str) -> Hash32:
    """Read a batch root from a path: 64 lower-case hex digits.

    Raises:
        RequestFormatError: anything else.
    """
    if not _HEX.fullmatch(text):
        raise RequestFormatError(f"a root is {2 * HASH_BYTES} lower-case hex digits")
    return Hash32(bytes.fromhex(text))


def _value(number: Number, text: str | None) -> int:
    if text is None:
        if number.default is None:
            raise RequestFormatError(f"the query has no {number.name}")
        return number.default
    if not _DECIMAL.fullmatch(text):
        raise RequestFormatError(f"{number.name} is not a decimal number of up to 16 digits")
    value = int(text)
    if not number.least <= value <= number.most:
        raise OutOfRangeError(f"{number.name} {value} is outside {number.least} to {number.most}")
    return value


def _parameter(number: Number) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "integer",
        "minimum": number.least,
        "maximum": number.most,
    }
    if number.default is not None:
        schema["default"] = number.default
    return {
        "name": number.name,
        "in": "query",
        "required": number.default is None,
        "description": number.description,
        "schema": schema,
    }
