"""Credentials with a locator in them, as an issuing system makes them."""

from __future__ import annotations

from hashlib import sha256

from testamur.credentials import commitment, profiles
from testamur.credentials.locator import Locator, serialise
from testamur.merkle.hashing import Hash32
from tests.support.node import Committed

PLACE = b"@locator@"
JSON_TEMPLATE = b'{"degree":"MSc","issuer":"https://aldermere.example","link":"@locator@"}'
PDF_TEMPLATE = b"%PDF-1.4\n\xff\xfe<rdf:li>@locator@</rdf:li>\n%%EOF"


def located(
    ledger_id: Hash32, member: int, template: bytes, *, seed: str
) -> tuple[Committed, Locator]:
    """Put a locator into ``template`` at :data:`PLACE`, and commit under the detected profile.

    The salt is drawn from ``seed``, so that each credential of a test has its own.
    """
    salt = Hash32(sha256(f"located {seed}".encode()).digest())
    locator = Locator(ledger_id, member, salt)
    data = template.replace(PLACE, serialise(locator).encode("ascii"))
    profile = profiles.detect(data)
    digest = profiles.digest(data, profile)
    entry = commitment.entry(
        ledger_id=ledger_id, member=member, profile=profile, salt=salt, digest=digest
    )
    return Committed(data, "located", profile, salt, digest, entry), locator
