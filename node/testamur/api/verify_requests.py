"""Reading verifications: every form gives what is presented, with a receipt or without one.

What is wrong in the form of a request is an error; what is wrong inside a receipt, a credential or
a bundle is for the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Final

from testamur.api.requests import parse_json
from testamur.credentials import claims, locator, profiles
from testamur.credentials.claims import Issuer, IssuerClaim
from testamur.credentials.commitment import MEMBER_MAX
from testamur.credentials.locator import Locator
from testamur.credentials.profiles import PROFILES
from testamur.errors import (
    FormatError,
    LocatorFormatError,
    RequestFormatError,
    RequestTooLargeError,
    TooManyLinesError,
)
from testamur.ledger import receipt_json
from testamur.ledger.fields import Fields
from testamur.ledger.presenting import Shown, WithoutReceipt, WithReceipt, read_shown
from testamur.ledger.view import Presented
from testamur.merkle.hashing import Hash32

JSON_BYTES_MAX: Final = receipt_json.BYTES_MAX + 4096
"""Room for a receipt beside a digest. JSON costs up to thirty times its size in memory."""
UPLOAD_BYTES_MAX: Final = profiles.BYTES_MAX + receipt_json.BYTES_MAX + 64 * 1024
"""Room for the largest credential and receipt, and a form around them; or for all lines."""
LINES_MAX: Final = 1_000
"""Most verifications in one request, one a line."""
ISSUERS_MAX: Final = claims.SHOWN_MAX
"""Issuers, their names, and translations of each: with more, nothing matches anyway."""


def parse_verification(data: bytes, *, ledger_id: Hash32) -> Shown:
    """Read ``{profile, digest, receipt}``, or ``{profile, digest, member, salt}``.

    The receipt is left as decoded JSON; member and salt are for the ledger ``ledger_id``, this
    node's. With either there may be ``issuers``: a list of ``{id, names}`` as the credential has
    them, each name being the list of its translations, so that whoever keeps the credential to
    himself can still have its issuer compared with the member. With a receipt there may be
    ``locator``: the one in the credential, to be compared with the receipt.

    Raises:
        RequestTooLargeError: more than :data:`JSON_BYTES_MAX` bytes.
        RequestFormatError: not of the form. What is wrong inside the receipt is for the report.
    """
    if len(data) > JSON_BYTES_MAX:
        raise RequestTooLargeError(f"more than {JSON_BYTES_MAX} bytes in one verification")
    fields = Fields(parse_json(data, JSON_BYTES_MAX), "request", RequestFormatError)
    profile = fields.text("profile", length_max=32)
    if profile not in PROFILES:
        raise fields.fault("profile", f"is none of {', '.join(PROFILES)}")
    digest = fields.hash("digest")
    claim = _claim(fields) if fields.has("issuers") else None
    if not fields.has("receipt"):
        if not fields.has("member"):
            raise fields.fault("receipt", "is missing, and so are member and salt in its place")
        member = fields.integer("member", least=1, most=MEMBER_MAX)
        located = Locator(ledger_id, member, fields.hash("salt"))
        fields.done()
        return WithoutReceipt(Presented(profile, digest, claim, located))
    receipt = fields.take("receipt")
    given = parse_locator(fields.text("locator")) if fields.has("locator") else None
    fields.done()
    return WithReceipt(Presented(profile, digest, claim, given), receipt)


def parse_upload(file: bytes, receipt: bytes | None, given: Locator | None) -> Shown:
    """Read an uploaded credential, with its receipt beside it, in a bundle with it, or without.

    ``given`` is a locator that came beside the file, by a link or a QR code.

    Raises:
        RequestFormatError: the receipt is not strict JSON; a bundle came with a second receipt.
    """
    try:
        return read_shown(file, receipt=receipt, given=given)
    except FormatError as exc:
        raise RequestFormatError(str(exc)) from exc


def parse_locator(text: str) -> Locator:
    """Read a locator that stands by itself, or as the fragment of a link.

    Raises:
        RequestFormatError: anything else.
    """
    try:
        return locator.parse_link(text)
    except LocatorFormatError as exc:
        raise RequestFormatError("the locator is none, nor a link that ends in one") from exc


def lines_of(data: bytes) -> Iterator[bytes]:
    """Take newline-delimited JSON apart: 1 to :data:`LINES_MAX` lines, one after the other.

    Raises:
        TooManyLinesError: more.
        RequestFormatError: none.
    """
    count = data.count(b"\n") + (not data.endswith(b"\n"))
    if not data:
        raise RequestFormatError("there is no line")
    if count > LINES_MAX:
        raise TooManyLinesError(f"{count} lines in one request, the limit is {LINES_MAX}")
    return iter(BytesIO(data))


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
