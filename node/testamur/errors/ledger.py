"""Formats, requests and verification."""

from __future__ import annotations

from testamur.errors.base import TestamurError


class FormatError(TestamurError):
    """Bytes that break one of Testamur's own formats (docs/formats/)."""

    code = "format_error"


class RecordFormatError(FormatError):
    """Not a 93-byte record, or one that breaks a rule of its kind."""

    code = "record_format"


class BirthFormatError(FormatError):
    """The change bytes of record 0 do not decode to a birth."""

    code = "birth_format"


class TrustFileFormatError(FormatError):
    """Not a trust file."""

    code = "trust_file_format"
    advice = "Get the trust file anew from at least two members that you know."


class ReceiptFormatError(FormatError):
    """Not a receipt."""

    code = "receipt_format"
    advice = "Ask the holder for the receipt as the university handed it out."


class BundleFormatError(FormatError):
    """Not a bundle, or content that no bundle can hold."""

    code = "bundle_format"
    advice = "Ask the holder for the bundle unchanged, as the university handed it out."


class BundleNameError(BundleFormatError):
    """A credential's file name that not every system takes, so that no bundle can hold it."""

    code = "bundle_name"
    advice = "Rename the file, and its sidecar alike if it has one, then run the command again."


class OperatorLogError(FormatError):
    """A line of the operator log is none, or does not follow the one before."""

    code = "operator_log"
    advice = "Lines were altered or removed: compare with a backup, and with what was noted of it."


class RequestFormatError(FormatError):
    """An HTTP request that is not of the documented form."""

    code = "request_format"


class OutOfRangeError(FormatError):
    """An HTTP request that asks for a number outside its range."""

    code = "out_of_range"
    advice = "Ask /v1/ledger for the sizes that this node can answer for now."


class RequestTooLargeError(FormatError):
    """An HTTP request whose body exceeds its limit."""

    code = "request_too_large"
    advice = "Send it in smaller parts."


class TooManyEntriesError(FormatError):
    """One request with more entries than the limit; nothing was done with any of them."""

    code = "too_many_entries"
    advice = "Send them in several requests: submitting is idempotent."


class TooManyLinesError(FormatError):
    """One request with more lines of newline-delimited JSON than the limit; none was answered."""

    code = "too_many_lines"
    advice = "Send them in several requests."


class UnsupportedMediaTypeError(FormatError):
    """An HTTP request with a Content-Type that its endpoint does not take."""

    code = "unsupported_media_type"


class VerificationError(TestamurError):
    """A numbered step of verification failed; the instance carries the check's own code."""

    code = "verification_failed"

    def __init__(self, check_code: str, detail: str) -> None:
        super().__init__(detail)
        self.check_code = check_code
        self.detail = detail
