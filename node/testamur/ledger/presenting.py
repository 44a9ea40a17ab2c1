"""What a verifier is shown, taken apart: a credential, with a receipt or without one.

Everything here comes from anyone. Whether the parts belong together is for verification to find
out; HTTP and the command line read them by the same functions, so that they cannot see two things
in one file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from testamur.credentials import claims, locator, profiles, strict_json
from testamur.credentials.locator import Locator
from testamur.errors import (
    BundleFormatError,
    CredentialError,
    ReceiptFormatError,
    SeveralLocatorsError,
    UnknownProfileError,
)
from testamur.ledger import receipt_json
from testamur.ledger.bundle import Bundle, looks_like_bundle, parse_bundle
from testamur.ledger.receipt_json import receipt_from_json
from testamur.ledger.view import Presented


@dataclass(frozen=True, slots=True)
class WithReceipt:
    """A credential that is to be verified by a receipt."""

    presented: Presented | CredentialError
    """What the verifier holds of it."""
    receipt: object
    """Decoded JSON, read strictly."""


@dataclass(frozen=True, slots=True)
class WithoutReceipt:
    """A credential that is to be verified by a locator, if there is one."""

    presented: Presented | CredentialError | BundleFormatError
    """What the verifier holds of it; or why the bundle that would hold it is none."""


Shown: TypeAlias = WithReceipt | WithoutReceipt


def read_shown(file: bytes, *, receipt: bytes | None = None, given: Locator | None = None) -> Shown:
    """Read a credential with its receipt beside it, a bundle, or a credential alone.

    ``given`` is a locator that came beside the file, by a link or a QR code.

    Raises:
        ReceiptFormatError: ``receipt`` is not strict JSON; what is wrong in it else is for
            verification.
        BundleFormatError: ``file`` is a bundle, and there is a ``receipt`` besides.
    """
    bundle = _bundle(file)
    if receipt is not None:
        if isinstance(bundle, Bundle):
            raise BundleFormatError("a bundle holds its receipt: present it without another one")
        return _with_receipt(file, _decoded(receipt), given)
    if bundle is None:
        return WithoutReceipt(present_file_alone(file, given=given))
    if isinstance(bundle, BundleFormatError):
        return WithoutReceipt(bundle)
    try:
        return _with_receipt(bundle.credential, _decoded(bundle.receipt_bytes), given)
    except ReceiptFormatError as exc:
        return WithoutReceipt(BundleFormatError(str(exc)))


def present_file(
    data: bytes, receipt: object, *, given: Locator | None = None
) -> Presented | CredentialError:
    """Compute what a verifier holds of a credential file, under the profile of its receipt.

    ``receipt`` is decoded JSON. Its profile is used, never detection: two profiles see two
    credentials in one file. An error stands for a file that does not read under that profile, or
    a receipt that names none; verification reports either.
    """
    try:
        made = receipt_from_json(receipt).commitment
    except ReceiptFormatError as exc:
        return UnknownProfileError(f"the receipt names no profile: {exc}")
    if made is None:
        return UnknownProfileError("the receipt names no profile")
    return _present(data, made.profile, given)


def present_file_alone(data: bytes, *, given: Locator | None = None) -> Presented | CredentialError:
    """Compute what a verifier holds of a credential file that came without its receipt.

    The profile is the detected one, under which a credential with a locator has to be committed.
    An error stands for a file in which no profile can be detected.
    """
    try:
        profile = profiles.detect(data)
    except CredentialError as exc:
        return exc
    return _present(data, profile, given)


def _with_receipt(file: bytes, receipt: object, given: Locator | None) -> WithReceipt:
    return WithReceipt(present_file(file, receipt, given=given), receipt)


def _decoded(receipt: bytes) -> object:
    try:
        return strict_json.parse(receipt, bytes_max=receipt_json.BYTES_MAX)
    except CredentialError as exc:
        raise ReceiptFormatError(f"the receipt is not strict JSON: {exc}") from exc


def _bundle(file: bytes) -> Bundle | BundleFormatError | None:
    """Read a bundle; the error where the file begins as one only; None where it does not."""
    if not looks_like_bundle(file):
        return None
    try:
        return parse_bundle(file)
    except BundleFormatError as exc:
        return exc


def _present(data: bytes, profile: str, given: Locator | None) -> Presented | CredentialError:
    try:
        digest = profiles.digest(data, profile)
    except CredentialError as exc:
        return exc
    issuer = claims.issuer(data, profile)
    return Presented(profile, digest, issuer, _locator_of(data, profile, given))


def _locator_of(
    data: bytes, profile: str, given: Locator | None
) -> Locator | CredentialError | None:
    try:
        found = locator.find(data, profile)
    except CredentialError as exc:
        return exc
    if None not in {found, given} and found != given:
        return SeveralLocatorsError("the credential holds another locator than the one given")
    return found or given
