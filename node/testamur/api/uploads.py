"""Reading multipart forms: in memory, every byte of a part as it was sent."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from testamur.api.verify_requests import UPLOAD_BYTES_MAX, parse_locator
from testamur.credentials.locator import Locator
from testamur.errors import RequestFormatError

_PARTS: Final = ("file", "receipt", "locator")
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


@dataclass(frozen=True, slots=True)
class Upload:
    """What a form holds."""

    file: bytes = field(repr=False)
    """A credential or a bundle."""
    receipt: bytes | None = field(repr=False)
    """Its receipt; None where the form has none."""
    locator: Locator | None
    """Its locator; None where the form has none."""


class _InMemoryParser(MultiPartParser):
    """Starlette's parser, which otherwise writes a part of over 1 MiB to the disk."""

    spool_max_size = UPLOAD_BYTES_MAX + 1


async def read_upload(data: bytes, headers: Headers) -> Upload:
    """Take a multipart form apart; nothing touches the disk.

    A part without content and with an empty file name is what a browser sends for a choice that
    nobody made; it counts as absent.

    Raises:
        RequestFormatError: another form.
    """

    async def stream() -> AsyncGenerator[bytes, None]:
        yield data

    parser = _InMemoryParser(
        _form_headers(headers),
        stream(),
        max_files=len(_PARTS),
        max_fields=len(_PARTS),
        max_part_size=UPLOAD_BYTES_MAX,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, FormParserError) as exc:
        raise RequestFormatError(f"the form cannot be read: {exc}") from exc
    try:
        parts = await _parts(form)
    finally:
        await form.close()
    if "file" not in parts:
        raise RequestFormatError("the form lacks the part file: a credential or a bundle")
    given = parts.get("locator")
    return Upload(parts["file"], parts.get("receipt"), None if given is None else _locator(given))


async def _parts(form: FormData) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    for name, value in form.multi_items():
        if name not in _PARTS or name in parts:
            raise RequestFormatError(
                "the form has a part file, and at most one receipt and one locator"
            )
        if not isinstance(value, UploadFile):
            parts[name] = value.encode("latin-1")
        elif value.filename or value.size:
            parts[name] = await value.read()
    return parts


def _locator(given: bytes) -> Locator | None:
    """Read the part; empty is what a browser sends for a field that nobody filled in."""
    text = given.decode("latin-1").strip()
    return parse_locator(text) if text else None


def _form_headers(headers: Headers) -> Headers:
    """Name the boundary anew, and Latin-1 as the charset, whatever the sender names.

    A part without a file name is decoded by the parser. Latin-1 gives every byte back; any
    other charset would alter a credential, and some of Python's fail in ways of their own.
    RFC 7578 section 4.8 knows no charset here, RFC 2046 section 5.1.1 the form of a boundary.
    """
    _, options = parse_options_header(headers["content-type"])
    boundary = options.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise RequestFormatError("the form's Content-Type names no boundary")
    kind = f'multipart/form-data; charset=latin-1; boundary="{boundary.decode("ascii")}"'
    return Headers({"content-type": kind})
