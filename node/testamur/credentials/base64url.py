"""base64url without padding (RFC 7515 section 2), in its one canonical spelling."""

from __future__ import annotations

import base64
import re
from typing import Final

from testamur.errors import UnparsableCredentialError

_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*")


def decode(text: str, what: str) -> bytes:
    """Decode ``text``, from anyone; ``what`` names it in the message.

    Raises:
        UnparsableCredentialError: a character outside the alphabet, padding, an impossible
            length, or unused bits that are not zero: each would be a second spelling of the
            same bytes.
    """
    if not _ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        raise UnparsableCredentialError(f"{what} is not base64url without padding")
    decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(decoded) != text:
        raise UnparsableCredentialError(f"{what} is not canonical base64url: unused bits are set")
    return decoded


def encode(data: bytes) -> str:
    """Encode canonically, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
