"""The locator: text in a credential from which any node can be asked about it.

It holds the salt, chosen before the credential is sealed or hashed, so that whoever has the file
alone can recompute its entry. docs/formats/locator.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from testamur.credentials import jws, jwt, profiles, strict_json
from testamur.credentials.commitment import MEMBER_MAX, check_member
from testamur.credentials.strict_json import JsonValue
from testamur.errors import (
    CredentialError,
    ForeignLocatorError,
    LocatorFormatError,
    LocatorProfileError,
    SeveralLocatorsError,
    UnknownProfileError,
)
from testamur.merkle.hashing import Hash32, hash32

PREFIX: Final = b"testamur:1:"
"""What starts with this is a locator or an error; ``1`` is the version of the format."""

BYTES_MAX: Final = len(PREFIX) + 64 + 1 + len(str(MEMBER_MAX)) + 1 + 64
"""The longest locator, in bytes of ASCII."""

_LOCATOR: Final = re.compile(PREFIX + rb"([0-9a-f]{64}):([1-9][0-9]{0,9}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Locator:
    """What a credential says of where it is registered; believed only once its entry is found."""

    ledger_id: Hash32
    """The ledger that the commitment is for."""

    member: int
    """The member that registers it, 1 to 2^32-1."""

    salt: Hash32 = field(repr=False)
    """The 32 random bytes of the commitment."""


def serialise(locator: Locator) -> str:
    """Write a locator: ASCII, at most :data:`BYTES_MAX` characters.

    Raises:
        MemberRangeError: no member can have this id.
        HashLengthError: ledger id or salt is not 32 bytes.
    """
    check_member(locator.member)
    ledger_id, salt = hash32(locator.ledger_id, "ledger id"), hash32(locator.salt, "salt")
    return f"{PREFIX.decode('ascii')}{ledger_id.hex()}:{locator.member}:{salt.hex()}"


def parse(text: str) -> Locator:
    """Read a text, from anyone, that is one locator and nothing else.

    Raises:
        LocatorFormatError: another spelling, another version, or anything before or after it.
    """
    data = text.encode("utf-8", "replace")
    match = _LOCATOR.fullmatch(data)
    if match is None:
        raise LocatorFormatError("this is not a locator")
    return _from_match(match)


def parse_link(text: str) -> Locator:
    """Read a locator by itself, or the fragment of a link, of which nothing else is looked at.

    Raises:
        LocatorFormatError: neither.
    """
    before, sign, fragment = text.partition("#")
    return parse(fragment if sign else before)


def find(data: bytes, profile: str) -> Locator | None:
    """Find the one locator in a credential; None where there is none.

    ``data`` is untrusted. Searched is what the digest under ``profile`` binds and a reader is
    shown: under ``jcs-sha256`` every string and key outside the top-level ``proof``; under
    ``jwt-sha256`` and ``jws-json-sha256`` those of the payload, with what an SD-JWT discloses, or
    the payload's bytes where it is no strict JSON object; under ``bytes-sha256`` the file. Takes
    time linear in ``data``, which the profile limits in size.

    Raises:
        SeveralLocatorsError: two that differ. The same one in several places is one.
        LocatorFormatError: something starts with :data:`PREFIX` and is no locator.
        UnknownProfileError: no such profile.
        CredentialError: ``data`` breaks a rule of the profile.
    """
    found: Locator | None = None
    for text in _searched(data, profile):
        for start in _starts(text):
            match = _LOCATOR.match(text, start)
            if match is None:
                raise LocatorFormatError("the credential holds a damaged locator")
            one = _from_match(match)
            if found is not None and one != found:
                raise SeveralLocatorsError("the credential holds two different locators")
            found = one
    return found


def choose(
    data: bytes, *, profile: str | None, ledger_id: Hash32, member: int
) -> tuple[str, Hash32 | None]:
    """Choose profile and salt for a credential that is about to be committed.

    ``data`` is untrusted; ``profile`` is the one that a person asked for, None: the detected one.
    The salt is that of the locator; None where there is none, and a fresh one is to be drawn.

    Raises:
        ForeignLocatorError: the locator is of another ledger or member.
        LocatorProfileError: there is a locator, and ``profile`` is not the detected one, which is
            all that whoever has the file alone can go by.
        SeveralLocatorsError, LocatorFormatError, UnknownProfileError, CredentialError: as
            :func:`find`.
    """
    chosen = profile if profile is not None else profiles.detect(data)
    one = find(data, chosen)
    if profile is not None:
        detected = _detected(data)
        if detected != profile and (one or (detected and find(data, detected))):
            other = "none can be detected" if detected is None else f"{detected} is detected"
            raise LocatorProfileError(
                f"it holds a locator, and its profile is not {profile}: {other}"
            )
    if one is None:
        return chosen, None
    if (one.ledger_id, one.member) != (ledger_id, member):
        what = "ledger" if one.ledger_id != ledger_id else "member"
        raise ForeignLocatorError(f"its locator names another {what} than it is committed for")
    return chosen, one.salt


def _detected(data: bytes) -> str | None:
    try:
        return profiles.detect(data)
    except CredentialError:
        return None


def _from_match(match: re.Match[bytes]) -> Locator:
    ledger_id, member, salt = match.groups()
    if int(member) > MEMBER_MAX:
        raise LocatorFormatError(f"the locator's member is above {MEMBER_MAX}")
    return Locator(
        ledger_id=hash32(bytes.fromhex(ledger_id.decode("ascii")), "ledger id"),
        member=int(member),
        salt=hash32(bytes.fromhex(salt.decode("ascii")), "salt"),
    )


def _starts(text: bytes) -> Iterator[int]:
    position = text.find(PREFIX)
    while position >= 0:
        yield position
        position = text.find(PREFIX, position + len(PREFIX))


def _searched(data: bytes, profile: str) -> Iterator[bytes]:
    if profile == profiles.JCS:
        document = strict_json.parse_object(data)
        # Outside the digest: a locator there could be put in by anyone, after the fact.
        document.pop("proof", None)
        return _strings(document)
    rule = profiles.PROFILES.get(profile)
    if rule is None:
        raise UnknownProfileError(f"no profile is called {profile[:60]!a}")
    rule.extract(data)
    if profile == profiles.BYTES:
        return iter((data,))
    reader = jwt if profile == profiles.JWT else jws
    try:
        return _strings(reader.claims(data))
    except CredentialError:
        # It holds under its profile, so what cannot be read is the payload, which is then bytes.
        return iter((reader.payload(data),))


def _strings(document: JsonValue) -> Iterator[bytes]:
    """Give all keys and strings in the order of the document, without recursion."""
    work: list[JsonValue] = [document]
    while work:
        value = work.pop()
        if isinstance(value, str):
            yield value.encode("utf-8")
        elif isinstance(value, dict):
            for key, item in reversed(value.items()):
                work += (item, key)
        elif isinstance(value, list):
            work += reversed(value)
