"""The sidecar: the journal of one salt, kept in a file beside its credential.

Pure: bytes in, bytes out; :mod:`testamur.cli.sidecars` reads and writes the file. Without the
salt nobody can ever show that an entry belongs to a credential, so the sidecar is written, and
durable, before the entry is shown to anyone. docs/formats/commitment.md.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Final

from testamur.credentials import commitment, strict_json
from testamur.credentials.profiles import PROFILES
from testamur.credentials.strict_json import JsonValue
from testamur.errors import CredentialError, SidecarFormatError
from testamur.merkle.hashing import Hash32, hash32

TYPE: Final = "testamur/sidecar/v1"

SUFFIX: Final = ".testamur.json"

BYTES_MAX: Final = 4096
"""A sidecar has about 450 bytes; a file larger than this is none."""

_FIELDS: Final = ("type", "ledger_id", "member", "profile", "salt", "digest", "entry")
_HEX32: Final = re.compile(r"[0-9a-f]{64}")
_LEDGER_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Everything that is needed to recompute the entry of one credential."""

    ledger_id: Hash32
    """The ledger that the commitment is for."""

    member: int
    """The member that registers it, 1 to 2^32-1."""

    profile: str
    """Profile of :attr:`digest`, one of the four."""

    salt: Hash32 = field(repr=False)
    """32 random bytes; whoever has them and the credential can recognise the entry."""

    digest: Hash32 = field(repr=False)
    """Digest of the credential when it was committed; tells whether the file changed since."""

    entry: Hash32
    """The commitment, always equal to what the other fields give."""


def make(*, ledger_id: bytes, member: int, profile: str, salt: bytes, digest: bytes) -> Sidecar:
    """Build the sidecar of a new commitment.

    Raises:
        MemberRangeError, UnknownProfileError, HashLengthError: as :func:`commitment.entry`.
    """
    entry = commitment.entry(
        ledger_id=ledger_id, member=member, profile=profile, salt=salt, digest=digest
    )
    return Sidecar(
        ledger_id=hash32(ledger_id, "ledger id"),
        member=member,
        profile=profile,
        salt=hash32(salt, "salt"),
        digest=hash32(digest, "digest"),
        entry=entry,
    )


def file_name(credential_name: str, *, ledger_id: Hash32, member: int) -> str:
    """Name of the sidecar of the file ``credential_name``: one per ledger and member.

    So a trial on another ledger never stands in the way of the real one.
    """
    return f"{credential_name}.{ledger_id.hex()[:_LEDGER_DIGITS]}-{member}{SUFFIX}"


def serialise(sidecar: Sidecar) -> bytes:
    """Write a sidecar: JSON, two spaces of indentation, ASCII, one line feed at the end."""
    values = {
        "type": TYPE,
        "ledger_id": sidecar.ledger_id.hex(),
        "member": sidecar.member,
        "profile": sidecar.profile,
        "salt": sidecar.salt.hex(),
        "digest": sidecar.digest.hex(),
        "entry": sidecar.entry.hex(),
    }
    return json.dumps(values, indent=2).encode("ascii") + b"\n"


def parse(data: bytes) -> Sidecar:
    """Read a sidecar, which may have been damaged or made by anyone.

    White space between JSON's tokens and the order of the fields are free, so that a file whose
    line ends were converted still gives its salt back; values have one spelling each.

    Raises:
        SidecarFormatError: a field is missing, unknown or misspelt, or the entry is not the one
            that the other fields give.
    """
    try:
        values = strict_json.parse_object(data, bytes_max=BYTES_MAX)
    except CredentialError as exc:
        raise SidecarFormatError(f"the sidecar is damaged: {exc}") from exc
    if values.get("type") != TYPE:
        raise SidecarFormatError(f"the sidecar is not of type {TYPE}")
    if values.keys() != set(_FIELDS):
        wrong = min(values.keys() ^ set(_FIELDS))
        raise SidecarFormatError(f"the sidecar lacks or adds the field {wrong[:60]!a}")
    member, profile = values["member"], values["profile"]
    if type(member) is not int or not 1 <= member <= commitment.MEMBER_MAX:
        raise SidecarFormatError("the sidecar's member is not a member id")
    if not isinstance(profile, str) or profile not in PROFILES:
        raise SidecarFormatError("the sidecar's profile is unknown")
    sidecar = make(
        ledger_id=_hex32(values, "ledger_id"),
        member=member,
        profile=profile,
        salt=_hex32(values, "salt"),
        digest=_hex32(values, "digest"),
    )
    if _hex32(values, "entry") != sidecar.entry:
        raise SidecarFormatError("the sidecar contradicts itself: its fields give another entry")
    return sidecar


def _hex32(values: dict[str, JsonValue], name: str) -> Hash32:
    value = values[name]
    if not isinstance(value, str) or not _HEX32.fullmatch(value):
        raise SidecarFormatError(f"the sidecar's {name} is not 64 lower-case hex digits")
    return hash32(bytes.fromhex(value), name)
