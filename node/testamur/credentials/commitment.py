"""The commitment: 32 bytes that bind ledger, member, profile, salt and digest.

It says nothing about the credential to anyone without the salt, and nobody but the member can
anchor it as theirs. docs/formats/commitment.md gives the layout to the byte.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from testamur.credentials.profiles import PROFILES
from testamur.errors import MemberRangeError, UnknownProfileError
from testamur.merkle.hashing import Hash32, hash32

TAG: Final = b"testamur/v1/commitment\x00"
"""Domain separation: no other hash of this product starts with these bytes."""

SALT_BYTES: Final = 32

MEMBER_MAX: Final = 2**32 - 1

PADDING: Final = "padding"
"""Profile of entries that only hide how small a batch is; their digest is 32 zero bytes."""


def entry(*, ledger_id: bytes, member: int, profile: str, salt: bytes, digest: bytes) -> Hash32:
    """Compute the entry of one credential; every argument may come from anyone.

    Requires ``1 <= member < 2**32``; ``ledger_id``, ``salt`` and ``digest`` have 32 bytes.

    Raises:
        MemberRangeError: no member can have this id.
        UnknownProfileError: neither one of the four profiles nor :data:`PADDING`.
        HashLengthError: ``ledger_id``, ``salt`` or ``digest`` is not 32 bytes.
    """
    check_member(member)
    if profile not in PROFILES and profile != PADDING:
        raise UnknownProfileError(f"no profile is called {profile[:60]!a}")
    name = profile.encode("ascii")
    return Hash32(
        sha256(
            TAG
            + hash32(ledger_id, "ledger id")
            + member.to_bytes(4, "big")
            + len(name).to_bytes(1, "big")
            + name
            + hash32(salt, "salt")
            + hash32(digest, "digest")
        ).digest()
    )


def check_member(member: int) -> None:
    """Refuse what cannot be a member's id; 0 stands for "none".

    Raises:
        MemberRangeError: not ``1 <= member < 2**32``.
    """
    if not 1 <= member <= MEMBER_MAX:
        raise MemberRangeError(f"{member} is not a member id: 1 to {MEMBER_MAX}")
