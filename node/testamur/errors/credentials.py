"""Credentials, and the sidecars beside them."""

from __future__ import annotations

from testamur.errors.base import TestamurError


class CredentialError(TestamurError):
    """A presented credential cannot be hashed under its profile."""

    code = "credential_error"
    advice = "Present the file exactly as it was issued, or name its profile with --profile."


class UnparsableCredentialError(CredentialError):
    """The bytes do not parse under the profile."""

    code = "unparsable_credential"


class DuplicateKeyError(CredentialError):
    """A JSON object names a key twice, so that two readers may see two credentials."""

    code = "duplicate_key"


class NestingTooDeepError(CredentialError):
    """JSON nested deeper than the limit."""

    code = "nesting_too_deep"


class NumberOutOfRangeError(CredentialError):
    """A number that JSON readers do not agree on: NaN, infinite, or an integer beyond 2^53-1."""

    code = "number_out_of_range"


class LoneSurrogateError(CredentialError):
    """A string with half a surrogate pair, which has no UTF-8 form."""

    code = "lone_surrogate"


class CredentialTooLargeError(CredentialError):
    """The credential exceeds the size limit of its profile."""

    code = "credential_too_large"


class UnknownProfileError(CredentialError):
    """No profile has this name."""

    code = "unknown_profile"


class SeveralSignaturesError(CredentialError):
    """A JWS with more than one signature has no single signing input."""

    code = "several_signatures"


class UnmatchedDisclosureError(CredentialError):
    """An SD-JWT shows a claim that the part signed by its issuer does not refer to."""

    code = "unmatched_disclosure"
    advice = "Do not rely on it: its claims were altered or added. Ask for it as it was issued."


class MemberRangeError(CredentialError):
    """A number that no member can have as its id."""

    code = "member_range"
    advice = "Member ids are whole numbers from 1 to 4294967295."


class LocatorFormatError(CredentialError):
    """Text that starts as a locator does and is none."""

    code = "locator_format"
    advice = "Restore the original: a locator is broken by one character, also by a line break."


class SeveralLocatorsError(CredentialError):
    """One credential with two different locators, so that it is not clear which one counts."""

    code = "several_locators"
    advice = "Do not rely on it by its locator: ask for its bundle, or for it as it was issued."


class ForeignLocatorError(CredentialError):
    """The locator in a credential names another ledger or member than it is committed for."""

    code = "foreign_locator"
    advice = "Commit it for the ledger and member that its locator names, or make it anew."


class LocatorProfileError(CredentialError):
    """A credential with a locator, and a profile for it that is not the detected one."""

    code = "locator_profile"
    advice = "Leave --profile out: whoever has the file alone goes by the detected one."


class ReusedLocatorError(CredentialError):
    """Two different credentials hold the same locator, so that they share a salt."""

    code = "reused_locator"
    advice = "Make it anew with a locator of its own: testamur reserve gives as many as needed."


class UnreadableFileError(CredentialError):
    """The operating system did not give the file's content."""

    code = "unreadable_file"
    advice = "Check that the file exists and that you may read it."


class SidecarError(TestamurError):
    """The journal of a salt, beside its credential, cannot be used."""

    code = "sidecar_error"


class SidecarMissingError(SidecarError):
    """The file was never committed for this ledger and member, or its sidecar was moved away."""

    code = "sidecar_missing"
    advice = "Commit the file first, for this node's ledger: testamur commit FILE --node URL."


class SidecarFormatError(SidecarError):
    """The sidecar does not parse, or contradicts itself."""

    code = "sidecar_format"
    advice = "Restore the sidecar from a backup: the salt in it cannot be made again."


class SidecarStorageError(SidecarError):
    """The sidecar could not be read or made durable; whether a write was kept is unknown."""

    code = "sidecar_storage"
    advice = "Check the folder's space and permissions, then commit again: it resumes by itself."


class ProfileConflictError(SidecarError):
    """The file was committed under another profile than the one that is asked for now."""

    code = "profile_conflict"
    advice = "Leave --profile out, or commit a copy of the file under another name."


class CredentialChangedError(SidecarError):
    """The file differs from the one that its sidecar was written for."""

    code = "credential_changed"
    advice = "Restore the original file, or, for a new version, give it a new name and commit that."
