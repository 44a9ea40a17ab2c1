"""Compact JWTs: VC-JWT, and the issuer-signed part of an SD-JWT (RFC 7519, RFC 9901)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from testamur.credentials import base64url, sd_jwt, strict_json
from testamur.credentials.strict_json import JsonValue
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
    first ``~``, the same for every presentation. The disclosures after it are checked to be the
    issuer's; a key-binding JWT must have its form and is otherwise ignored. No signature is
    verified. Without disclosures the payload is bound as it is, unread.

    Raises:
        CredentialTooLargeError: more than :data:`BYTES_MAX` bytes.
        UnparsableCredentialError: not three non-empty parts of canonical base64url, or the
            header is not an object that names its algorithm.
        UnmatchedDisclosureError: a disclosure that the payload does not refer to.
        CredentialError: as :func:`strict_json.parse`, of the header; as
            :func:`sd_jwt.disclose`, of the payload.
    """
    token, payload, disclosures = _read(data)
    if disclosures:
        sd_jwt.disclose(strict_json.parse_object(payload), disclosures)
    return token


def claims(data: bytes) -> dict[str, JsonValue]:
    """Return the payload with what the disclosures add to it, as a reader is shown it.

    Raises:
        CredentialError: as :func:`issuer_signed`, and where the payload is not a JSON object.
    """
    _, payload, disclosures = _read(data)
    document = strict_json.parse_object(payload)
    return sd_jwt.disclose(document, disclosures) if disclosures else document


def payload(data: bytes) -> bytes:
    """Return the payload as it was signed, whatever it is; disclosures are not looked at.

    Raises:
        CredentialError: as :func:`issuer_signed`.
    """
    return _read(data)[1]


def check_key_binding(text: str) -> None:
    """Refuse a key-binding JWT that has not the form of a JWT; what it says is not read.

    Raises:
        UnparsableCredentialError: not three non-empty parts of canonical base64url.
    """
    _decoded(text, "key-binding JWT")


def _read(data: bytes) -> tuple[bytes, bytes, list[str]]:
    """Split into the issuer-signed JWT, its payload and the disclosures, in their form."""
    if len(data) > BYTES_MAX:
        raise CredentialTooLargeError(f"{len(data)} bytes of JWT, the limit is {BYTES_MAX}")
    token, tilde, presentation = data.strip(_WHITE_SPACE).partition(b"~")
    if not token.isascii() or not _AFTER_JWT.fullmatch(presentation):
        raise UnparsableCredentialError("the JWT holds characters that no JWT has")
    header, payload, _ = _decoded(token.decode("ascii"), "JWT")
    if not isinstance(strict_json.parse_object(header).get("alg"), str):
        raise UnparsableCredentialError("the header of the JWT names no algorithm")
    # RFC 9901 section 4: every disclosure ends with "~"; what follows the last one is the
    # key-binding JWT, or nothing.
    *disclosures, key_binding = presentation.decode("ascii").split("~") if tilde else [""]
    if key_binding:
        check_key_binding(key_binding)
    return token, payload, disclosures


def _decoded(token: str, what: str) -> list[bytes]:
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise UnparsableCredentialError(f"the {what} has {len(parts)} parts, not three")
    names = ("the header", "the payload", "the signature")
    return [_decode(part, f"{name} of the {what}") for part, name in zip(parts, names, strict=True)]


def _decode(part: str, name: str) -> bytes:
    if not part:
        raise UnparsableCredentialError(f"{name} is empty")
    return base64url.decode(part, name)
