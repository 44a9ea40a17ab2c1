"""Reading requests: bounded, strict, once. What is read here lives for this request only."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from starlette.requests import ClientDisconnect, Request

from testamur.credentials import strict_json
from testamur.errors import (
    CredentialError,
    RequestFormatError,
    RequestTooLargeError,
    TooManyEntriesError,
    UnsupportedMediaTypeError,
)
from testamur.merkle.hashing import HASH_BYTES, Hash32

ENTRIES_MAX: Final = 100_000
"""Most entries in one submission that an operator can allow."""
RECEIPTS_MAX: Final = 1000
"""Most receipts in one answer: about 5 MB, a second or less of work."""
RECEIPTS_BYTES_MAX: Final = 128 * 1024
"""Room for that many entries as JSON, each on a line of its own."""
SUBMISSION_BYTES_MAX: Final = 8 * 1024 * 1024
"""Room for that many entries as JSON, each on a line of its own."""
BODY_SECONDS_MAX: Final = 60.0
"""Longest time for a body to arrive."""
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_DECIMAL: Final = re.compile(r"[0-9]{1,15}")


def media_type(request: Request) -> str:
    """Give the request's media type without parameters, lower-case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_small(request: Request, bytes_max: int) -> bool:
    """Whether a request declares that its body has at most ``bytes_max`` bytes.

    HTTP ends a body where it was declared to end, so that whoever says so is held to it.
    """
    declared = request.headers.get("content-length", "")
    return _DECIMAL.fullmatch(declared) is not None and int(declared) <= bytes_max


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Read a whole body of at most ``bytes_max`` bytes.

    Raises:
        RequestTooLargeError: it is longer; the rest is not read.
        RequestFormatError: it is shorter than its Content-Length says, or its end never came.
    """
    declared = request.headers.get("content-length")
    if declared is not None and (not _DECIMAL.fullmatch(declared) or int(declared) > bytes_max):
        raise RequestTooLargeError(f"the body is longer than {bytes_max} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise RequestTooLargeError(f"the body is longer than {bytes_max} bytes")
    except ClientDisconnect as exc:
        raise RequestFormatError("the body was cut off") from exc
    except TimeoutError as exc:
        raise RequestFormatError(f"the body took more than {BODY_SECONDS_MAX:.0f} s") from exc
    if declared is not None and len(body) != int(declared):
        raise RequestFormatError("the body was cut off")
    return bytes(body)


def parse_entry(text: str) -> Hash32:
    """Read an entry from a path: 64 lower-case hex digits.

    Raises:
        RequestFormatError: anything else.
    """
    if not _HEX.fullmatch(text):
        raise RequestFormatError("an entry is 64 lower-case hex digits")
    return Hash32(bytes.fromhex(text))


def parse_entries(data: bytes, kind: str, *, entries_max: int) -> list[Hash32]:
    """Read entries: a JSON array of them, or their raw bytes one after the other.

    Raises:
        RequestFormatError: not of the form; nothing of it is taken.
        TooManyEntriesError: more than ``entries_max``.
        UnsupportedMediaTypeError: neither ``application/json`` nor ``application/octet-stream``.
    """
    if kind == "application/octet-stream":
        if not data or len(data) % HASH_BYTES:
            raise RequestFormatError(
                f"{len(data)} bytes are not entries of {HASH_BYTES} bytes one after the other"
            )
        _check_count(len(data) // HASH_BYTES, entries_max)
        return [
            Hash32(data[start : start + HASH_BYTES]) for start in range(0, len(data), HASH_BYTES)
        ]
    if kind != "application/json":
        raise UnsupportedMediaTypeError(
            "send entries as application/json or application/octet-stream"
        )
    items = parse_json(data, SUBMISSION_BYTES_MAX)
    if not isinstance(items, list) or not items:
        raise RequestFormatError("the body is not a JSON array of at least one entry")
    _check_count(len(items), entries_max)
    for position, item in enumerate(items):
        if not isinstance(item, str) or not _HEX.fullmatch(item):
            raise RequestFormatError(f"entry {position} is not 64 lower-case hex digits")
    return [Hash32(bytes.fromhex(str(item))) for item in items]


def parse_json(data: bytes, bytes_max: int) -> object:
    """Read strict JSON.

    Raises:
        RequestFormatError: it is not.
    """
    try:
        return strict_json.parse(data, bytes_max=bytes_max)
    except CredentialError as exc:
        raise RequestFormatError(f"the body is not strict JSON: {exc}") from exc


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise TooManyEntriesError(f"{count} entries in one request, the limit is {most}")
