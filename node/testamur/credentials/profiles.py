"""The named rules from an artefact to its digest, and which of them fits a file.

A profile's name is part of the commitment. Whoever commits may let :func:`detect` choose; a
verifier always uses the profile that the receipt names. docs/formats/commitment.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import rfc8785

from testamur.credentials import jws, jwt, strict_json
from testamur.credentials.strict_json import JsonValue
from testamur.errors import CredentialTooLargeError, UnknownProfileError
from testamur.merkle.hashing import Hash32

JCS: Final = "jcs-sha256"
JWS_JSON: Final = "jws-json-sha256"
JWT: Final = "jwt-sha256"
BYTES: Final = "bytes-sha256"

BYTES_MAX: Final = 64 * 1024 * 1024
"""Size limit of ``bytes-sha256`` and so of any credential: it is held in memory whole."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One rule; the digest is SHA-256 of what it extracts."""

    name: str
    """ASCII, at most 255 bytes; part of every commitment made under it."""

    bytes_max: int
    """The largest artefact that it takes, in bytes."""

    extract: Callable[[bytes], bytes]
    """From the artefact to the bytes that are hashed; raises :class:`CredentialError`."""


def canonical(value: JsonValue) -> bytes:
    """Canonical form of a value that :mod:`strict_json` returned (RFC 8785)."""
    return rfc8785.dumps(value)


def _without_proof(data: bytes) -> bytes:
    # Proofs are added later, and the W3C's Data Integrity hashes without them too. What this
    # gives up: the digest does not bind the signature, which is a check of its own.
    document = strict_json.parse_object(data)
    document.pop("proof", None)
    return canonical(document)


def _unchanged(data: bytes) -> bytes:
    if len(data) > BYTES_MAX:
        raise CredentialTooLargeError(f"{len(data)} bytes, the limit is {BYTES_MAX}")
    return data


PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile(JCS, strict_json.BYTES_MAX, _without_proof),
            Profile(JWS_JSON, strict_json.BYTES_MAX, jws.signing_input),
            Profile(JWT, jwt.BYTES_MAX, jwt.issuer_signed),
            Profile(BYTES, BYTES_MAX, _unchanged),
        )
    }
)
"""The four profiles by name."""


def digest(data: bytes, profile: str) -> Hash32:
    """Digest of the artefact ``data`` under ``profile``; both may come from anyone.

    Raises:
        UnknownProfileError: no such profile.
        CredentialError: ``data`` breaks a rule of the profile; the class says which.
    """
    rule = PROFILES.get(profile)
    if rule is None:
        known = ", ".join(PROFILES)
        raise UnknownProfileError(f"no profile is called {profile[:60]!a}; there are {known}")
    return Hash32(sha256(rule.extract(data)).digest())


def detect(data: bytes) -> str:
    """Choose the profile for an artefact that is about to be committed.

    A JSON object with a payload and signatures is a JWS, any other JSON object a JCS document;
    three parts with dots whose first is an object in base64 are a JWT; everything else, other
    well-formed JSON included, is its bytes. What looks like JSON or like a JWT but breaks their
    rules is refused: hashing it as bytes would fix an artefact that no reader reads alike, and
    the next tool would rewrite it. What is not refused here is not refused by the profile
    returned, except for its size.

    Raises:
        CredentialError: it looks like JSON or a JWT and is not; ``bytes-sha256`` may then be
            named explicitly.
    """
    if strict_json.looks_like_json(data):
        document = strict_json.parse(data)
        if not isinstance(document, dict):
            return BYTES
        if jws.is_jws(document):
            jws.signing_input(data)
            return JWS_JSON
        return JCS
    if jwt.looks_like_jwt(data):
        jwt.issuer_signed(data)
        return JWT
    return BYTES
