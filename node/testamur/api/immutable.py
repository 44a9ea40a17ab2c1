"""Answers that never change: named by their hash, kept for ever, given in parts (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response

from testamur.api.problems import problem

CACHE_CONTROL: Final = "public, max-age=31536000, immutable"
_RANGE: Final = re.compile(r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))[ \t]*")
_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')


def immutable(read: Callable[[], bytes], tag: str, headers: Headers) -> Response:
    """Answer a GET for the bytes that ``tag``, without quotes, names; read only if needed.

    One range of bytes is answered with 206, one beyond the end with 416. Several ranges, other
    units and broken ones are answered with the whole, as RFC 9110 section 14.2 allows.
    """
    quoted = f'"{tag}"'
    known = {"ETag": quoted, "Cache-Control": CACHE_CONTROL}
    if _names(headers.getlist("if-none-match"), quoted):
        return Response(status_code=304, headers=known)
    data = read()
    known["Accept-Ranges"] = "bytes"
    found = _range(headers, quoted)
    if found is None:
        return _octets(data, 200, known)
    start, end = _within(found, len(data))
    if start >= end:
        return problem(
            416,
            "range_not_satisfiable",
            f"the range begins beyond the {len(data)} bytes",
            headers={"Content-Range": f"bytes */{len(data)}", "Accept-Ranges": "bytes"},
        )
    known["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
    return _octets(data[start:end], 206, known)


def _octets(data: bytes, status: int, headers: dict[str, str]) -> Response:
    return Response(data, status, headers, media_type="application/octet-stream")


def _names(lines: list[str], quoted: str) -> bool:
    """Whether If-None-Match names the tag; compared weakly (section 13.1.2)."""
    told = ",".join(lines)
    return told.strip() == "*" or quoted in _TAG.findall(told)


def _range(headers: Headers, quoted: str) -> re.Match[str] | None:
    """Give the one range that was asked for; None means the whole."""
    asked = headers.getlist("range")
    # Compared strongly: a date or a weak tag is never this representation (section 13.1.5).
    if len(asked) != 1 or headers.get("if-range", quoted) != quoted:
        return None
    match = _RANGE.fullmatch(asked[0])
    if match is None or (match[2] is not None and int(match[2]) < int(match[1])):
        return None
    return match


def _within(found: re.Match[str], size: int) -> tuple[int, int]:
    """Give [start, end) of a range within ``size`` bytes; empty when nothing of it is there."""
    first, last, suffix = found.groups()
    if suffix is not None:
        return max(0, size - int(suffix)), size
    return int(first), size if last is None else min(size, int(last) + 1)
