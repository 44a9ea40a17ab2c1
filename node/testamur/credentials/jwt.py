"""Compact JWTs: VC-JWT, and the issuer-signed part of an SD-JWT (RFC 7519, RFC 9901)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from testamur.credentials import base64url, strict_json
from testamur.errors import CredentialTooLargeError, UnparsableCredentialError

BYTES_MAX: Final = 4 * 1024 * 1024
"""Size limit, with everything that follows the first ``~``."""

_WHITE_SPACE: Final = b" \t\r\n"
_LOOSE: Final = re.compile(rb"([A-Za-z0-9_+/=-]+)\.[A-Za-z0-9_+/=-]*\.[A-Za-z0-9_+/=-]*(?:~.*)?")
_AFTER_JWT: Final = re.compile(rb"[A-Za-z0-9_.~-]*")
_PARTS: Final = 3


def looks_like_jwt(data: bytes) -> bool:
    """Tell whether a person would call ``data`` a JWT, well-formed or not.

    Line breaks within it, padding and the plain base64 alphabet are looked past: a JWT that was
    damaged on its way is to be refused as one, and not taken for an opaque file.
    """
    # An object starts with "{", which in base64 starts with "e": most files end here.
    if len(data) > BYTES_MAX or not data.lstrip(_WHITE_SPACE).startswith(b"e"):
        return False
    match = _LOOSE.fullmatch(b"".join(data.split()))
    if not match:
        return False
    header = match.group(1).rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(header + b"=" * (-len(header) % 4)).decode().startswith("{")
    except (binascii.Error, UnicodeDecodeError):
        return False


def issuer_signed(data: bytes) -> bytes:
    """Return the ASCII of the issuer-signed JWT in ``data``, from anyone.

    White space around it (space, tab, CR, LF) is trimmed. Of an SD-JWT it is the part up to the
    first ``~``: disclosures and the key-binding JWT differ with every presentation. The
    signature is not verified, and the payload is bound as it is, unread.

    Raises:
        CredentialTooLargeError: more than :data:`BYTES_MAX` bytes.
        UnparsableCredentialError: not three non-empty parts of canonical base64url, or the
            header is not an object that names its algorithm.
        CredentialError: as :func:`strict_json.parse`, of the header.
    """
    if len(data) > BYTES_MAX:
        raise CredentialTooLargeError(f"{len(data)} bytes of JWT, the limit is {BYTES_MAX}")
    token, _, presentation = data.strip(_WHITE_SPACE).partition(b"~")
    if not token.isascii() or not _AFTER_JWT.fullmatch(presentation):
        raise UnparsableCredentialError("the JWT holds characters that no JWT has")
    parts = token.decode("ascii").split(".")
    if len(parts) != _PARTS:
        raise UnparsableCredentialError(f"the JWT has {len(parts)} parts, not three")
    names = ("the header", "the payload", "the signature")
    header, *_ = [_decode(part, name) for part, name in zip(parts, names, strict=True)]
    if not isinstance(strict_json.parse_object(header).get("alg"), str):
        raise UnparsableCredentialError("the header of the JWT names no algorithm")
    return token


def _decode(part: str, name: str) -> bytes:
    if not part:
        raise UnparsableCredentialError(f"{name} of the JWT is empty")
    return base64url.decode(part, f"{name} of the JWT")
