"""JSON read in one way only: I-JSON (RFC 7493) with limits, everything else refused.

Two readers must never see two documents in the same bytes. So whatever JSON readers are known
to disagree on (repeated keys, big integers, NaN, half surrogate pairs, byte order marks) is an
error here, and so is what would exhaust one of them (depth, size).
"""

from __future__ import annotations

import json
import math
import re
from typing import Final, NoReturn, TypeAlias

from testamur.errors import (
    CredentialTooLargeError,
    DuplicateKeyError,
    LoneSurrogateError,
    NestingTooDeepError,
    NumberOutOfRangeError,
    UnparsableCredentialError,
)

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What :func:`parse` returns. Numbers spelled with a fraction or an exponent are floats."""

BYTES_MAX: Final = 4 * 1024 * 1024
"""Size limit of a document; canonicalising one of this size takes about a second."""

DEPTH_MAX: Final = 128
"""Arrays and objects inside one another; a document that is one flat object has depth 1."""

INTEGER_MAX: Final = 2**53 - 1
"""The largest integer that every reader with IEEE 754 numbers keeps apart from its neighbours."""

_INTEGER_DIGITS_MAX: Final = len(str(INTEGER_MAX))
_BYTE_ORDER_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# Possessive, and content with a missing last quote: matches at every quote in linear time.
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_SURROGATE_ESCAPE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_OPENING: Final = b"[{"
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_KEY_SHOWN_MAX: Final = 60


def looks_like_json(data: bytes) -> bool:
    """Tell whether a person would call ``data`` a JSON object or array, well-formed or not.

    Byte order marks, the zero bytes of UTF-16 and white space before the first bracket are
    looked past, so that a JSON file in a wrong encoding is refused as JSON and not taken for an
    opaque file.
    """
    for mark in _BYTE_ORDER_MARKS:
        data = data.removeprefix(mark)
    return data.lstrip(b" \t\r\n\x00")[:1] in (b"{", b"[")


def parse(data: bytes, *, bytes_max: int = BYTES_MAX) -> JsonValue:
    """Parse a whole document from anyone.

    An integer may be spelled without fraction and exponent from -(2^53-1) to 2^53-1. A number
    with a fraction or an exponent is read as the nearest IEEE 754 double, as RFC 8785 demands;
    ``1e400`` (infinite) and ``1e-400`` (no longer distinct from 0) are refused. ``-0`` equals 0.

    Raises:
        CredentialTooLargeError: more than ``bytes_max`` bytes.
        NestingTooDeepError: deeper than :data:`DEPTH_MAX`; found before anything is parsed.
        DuplicateKeyError: a key stands twice in one object, after resolving escapes.
        NumberOutOfRangeError: NaN, Infinity, or a number beyond the limits above.
        LoneSurrogateError: a key or a value holds half a surrogate pair.
        UnparsableCredentialError: a byte order mark, invalid UTF-8, or not JSON (RFC 8259).
    """
    if len(data) > bytes_max:
        raise CredentialTooLargeError(f"{len(data)} bytes of JSON, the limit is {bytes_max}")
    if data.startswith(_BYTE_ORDER_MARKS):
        raise UnparsableCredentialError("the JSON starts with a byte order mark")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise UnparsableCredentialError(f"not UTF-8 at byte {exc.start}") from exc
    _check_depth(data)
    try:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=_unique_pairs,
            parse_int=_integer,
            parse_float=_double,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno} column {exc.colno}"
        raise UnparsableCredentialError(f"not JSON: {exc.msg} ({where})") from exc
    if _SURROGATE_ESCAPE.search(data):
        _check_surrogates(value)
    return value


def parse_object(data: bytes, *, bytes_max: int = BYTES_MAX) -> dict[str, JsonValue]:
    """As :func:`parse`, for a document whose top level must be an object.

    Raises:
        UnparsableCredentialError: also when the top level is something else.
        CredentialError: as :func:`parse`.
    """
    value = parse(data, bytes_max=bytes_max)
    if not isinstance(value, dict):
        raise UnparsableCredentialError("the top level of the JSON is not an object")
    return value


def _check_depth(data: bytes) -> None:
    """Refuse deep nesting by one scan, because parsers meet it with a full call stack.

    Strings are cut out first; only then do brackets count. In bytes that are not JSON the count
    may be off, which the parser then refuses for its own reason.
    """
    depth = 0
    for bracket in _STRING.sub(b"", data).translate(None, _NOT_BRACKETS):
        if bracket in _OPENING:
            depth += 1
            if depth > DEPTH_MAX:
                raise NestingTooDeepError(f"nested deeper than {DEPTH_MAX} levels")
        else:
            depth -= 1


def _check_surrogates(value: JsonValue) -> None:
    # UTF-8 has no form for half a pair, so encoding the whole value finds any of them.
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as exc:
        raise LoneSurrogateError("a key or a string holds half a surrogate pair") from exc


def _unique_pairs(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKeyError(f"the key {key[:_KEY_SHOWN_MAX]!a} stands twice")
            seen.add(key)
    return unique


def _integer(text: str) -> int | float:
    if text == "-0":
        # What it is to every reader with IEEE 754 numbers. Where an integer is wanted, as in our
        # own formats, it is thereby not a second spelling of 0.
        return -0.0
    # The length first: turning a million digits into an int takes quadratic time.
    digits = text.removeprefix("-")
    if len(digits) > _INTEGER_DIGITS_MAX or int(digits) > INTEGER_MAX:
        raise NumberOutOfRangeError("an integer is beyond 2^53-1")
    return int(text)


def _double(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise NumberOutOfRangeError("a number is too large for an IEEE 754 double")
    mantissa = text.lower().partition("e")[0]
    if number == 0 and mantissa.strip("-0."):
        raise NumberOutOfRangeError("a number is too small for an IEEE 754 double")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise NumberOutOfRangeError(f"{name} is not a JSON number")
