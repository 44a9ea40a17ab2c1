"""Reading requests: bounded, strict, once. What is read here lives for this request only."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from testamur.credentials import claims, profiles, strict_json
from testamur.credentials.claims import Issuer, IssuerClaim
from testamur.credentials.profiles import PROFILES
from testamur.errors import (
    CredentialError,
    RequestFormatError,
    RequestTooLargeError,
    TooManyEntriesError,
    UnsupportedMediaTypeError,
)
from testamur.ledger import receipt_json
from testamur.ledger.fields import Fields
from testamur.ledger.view import Presented, present_file
from testamur.merkle.hashing import HASH_BYTES, Hash32

ENTRIES_MAX: Final = 100_000
"""Most entries in one submission."""
SUBMISSION_BYTES_MAX: Final = 8 * 1024 * 1024
"""Room for that many entries as JSON, each on a line of its own."""
RECEIPT_REQUEST_BYTES_MAX: Final = receipt_json.BYTES_MAX + 4096
"""Room for a receipt beside a digest. JSON costs up to thirty times its size in memory."""
UPLOAD_BYTES_MAX: Final = profiles.BYTES_MAX + receipt_json.BYTES_MAX + 64 * 1024
"""Room for the largest credential and receipt, and a form around them."""
BODY_SECONDS_MAX: Final = 60.0
"""Longest time for a body to arrive."""
ISSUERS_MAX: Final = claims.SHOWN_MAX
"""Issuers, their names, and translations of each: with more, nothing matches anyway."""
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_DECIMAL: Final = re.compile(r"[0-9]{1,15}")
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


def media_type(request: Request) -> str:
    """Give the request's media type without parameters, lower-case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


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


def parse_entries(data: bytes, kind: str) -> list[Hash32]:
    """Read a submission: a JSON array of entries, or their raw bytes one after the other.

    Raises:
        RequestFormatError: not of the form; nothing of it is taken.
        TooManyEntriesError: more than :data:`ENTRIES_MAX`.
        UnsupportedMediaTypeError: neither ``application/json`` nor ``application/octet-stream``.
    """
    if kind == "application/octet-stream":
        if not data or len(data) % HASH_BYTES:
            raise RequestFormatError(
                f"{len(data)} bytes are not entries of {HASH_BYTES} bytes one after the other"
            )
        _check_count(len(data) // HASH_BYTES)
        return [
            Hash32(data[start : start + HASH_BYTES]) for start in range(0, len(data), HASH_BYTES)
        ]
    if kind != "application/json":
        raise UnsupportedMediaTypeError(
            "send entries as application/json or application/octet-stream"
        )
    items = parse_json(data, SUBMISSION_BYTES_MAX)
    if not isinstance(items, list) or not items:
        raise RequestFormatError("a submission is a JSON array of at least one entry")
    _check_count(len(items))
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


def parse_verification(data: bytes) -> tuple[object, Presented]:
    """Read ``{profile, digest, receipt}``; the receipt is left as decoded JSON.

    ``issuers`` may be there, too: a list of ``{id, names}`` as the credential has them, each
    name being the list of its translations, so that whoever keeps the credential to himself can
    still have its issuer compared with the member.

    Raises:
        RequestFormatError: not of the form. What is wrong inside the receipt is for the report.
    """
    fields = Fields(parse_json(data, RECEIPT_REQUEST_BYTES_MAX), "request", RequestFormatError)
    profile = fields.text("profile", length_max=32)
    if profile not in PROFILES:
        raise fields.fault("profile", f"is none of {', '.join(PROFILES)}")
    digest = fields.hash("digest")
    claim = _claim(fields) if fields.has("issuers") else None
    receipt = fields.take("receipt")
    fields.done()
    return receipt, Presented(profile, digest, claim)


def _claim(request: Fields) -> IssuerClaim:
    items = request.items("issuers", count_max=ISSUERS_MAX)
    if not items:
        raise request.fault("issuers", "is empty")
    return IssuerClaim(tuple(_issuer(item) for item in items))


def _issuer(value: object) -> Issuer:
    fields = Fields(value, "request.issuers", RequestFormatError)
    names = fields.items("names", count_max=ISSUERS_MAX) if fields.has("names") else []
    made = Issuer(
        fields.text("id", length_min=1) if fields.has("id") else None,
        tuple(
            Fields({"names": name}, "request.issuers", RequestFormatError).texts(
                "names", count_max=ISSUERS_MAX
            )
            for name in names
        ),
    )
    fields.done()
    return made


class _InMemoryParser(MultiPartParser):
    """Starlette's parser, which otherwise writes a part of over 1 MiB to the disk."""

    spool_max_size = UPLOAD_BYTES_MAX + 1


async def read_upload(data: bytes, headers: Headers) -> tuple[bytes, bytes]:
    """Take a multipart form apart into ``file`` and ``receipt``; nothing touches the disk.

    Raises:
        RequestFormatError: another form.
    """

    async def stream() -> AsyncGenerator[bytes, None]:
        yield data

    parser = _InMemoryParser(
        _form_headers(headers), stream(), max_files=2, max_fields=2, max_part_size=UPLOAD_BYTES_MAX
    )
    try:
        form = await parser.parse()
    except (MultiPartException, FormParserError) as exc:
        raise RequestFormatError(f"the form cannot be read: {exc}") from exc
    try:
        if sorted(name for name, _ in form.multi_items()) != ["file", "receipt"]:
            raise RequestFormatError("the form has exactly the parts file and receipt")
        parts = {}
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                parts[name] = await value.read()
            else:
                parts[name] = value.encode("latin-1")
    finally:
        await form.close()
    return parts["file"], parts["receipt"]


def parse_upload(file: bytes, receipt: bytes) -> tuple[object, Presented | CredentialError]:
    """Read an uploaded credential under the profile of its receipt.

    Raises:
        RequestFormatError: the receipt is not strict JSON.
    """
    decoded = parse_json(receipt, receipt_json.BYTES_MAX)
    return decoded, present_file(file, decoded)


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


def _check_count(count: int) -> None:
    if count > ENTRIES_MAX:
        raise TooManyEntriesError(f"{count} entries in one submission, the limit is {ENTRIES_MAX}")
