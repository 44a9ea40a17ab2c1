"""Errors over HTTP: problem details (RFC 9457) with a stable code, and the one map to statuses.

HTTP statuses live here and nowhere else. A class that is not in the map is a mistake of ours.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import JSONResponse

from testamur.errors import (
    AccessError,
    BusyError,
    ChainDisagreementError,
    ChainUnavailableError,
    CorruptBatchError,
    CredentialError,
    DiskLowError,
    FormatError,
    NotFollowedYetError,
    NotSealingError,
    OperatorLogError,
    QueueFullError,
    RequestTooLargeError,
    ScopeMissingError,
    StorageError,
    TestamurError,
    TokenExpiredError,
    TokenFormatError,
    TokenInvalidError,
    TokenMissingError,
    TokenNameTakenError,
    TooManyEntriesError,
    TooManyLinesError,
    UnknownBatchError,
    UnknownEntryError,
    UnknownTokenError,
    UnsupportedMediaTypeError,
)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 5
_REALM: Final = 'Bearer realm="testamur"'

STATUSES: Final[tuple[tuple[type[TestamurError], int], ...]] = (
    (RequestTooLargeError, 413),
    (TooManyEntriesError, 413),
    (TooManyLinesError, 413),
    (UnsupportedMediaTypeError, 415),
    (NotSealingError, 409),
    (TokenMissingError, 401),
    (TokenInvalidError, 401),
    (TokenExpiredError, 401),
    (ScopeMissingError, 403),
    (TokenNameTakenError, 409),
    (UnknownTokenError, 404),
    (TokenFormatError, 400),
    (QueueFullError, 503),
    (DiskLowError, 503),
    (BusyError, 429),
    (UnknownEntryError, 404),
    (UnknownBatchError, 404),
    (CorruptBatchError, 500),
    (OperatorLogError, 500),
    (StorageError, 503),
    (NotFollowedYetError, 503),
    (ChainUnavailableError, 503),
    (ChainDisagreementError, 503),
    (CredentialError, 400),
    (FormatError, 400),
)
"""First match wins."""


def status_of(error: TestamurError) -> int:
    """Give the HTTP status of an error; 500 for one that should never reach a client."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def problem(
    status: int, code: str, detail: str, advice: str = "", headers: dict[str, str] | None = None
) -> JSONResponse:
    """Answer with a problem document."""
    body = _document(status, code, detail, advice)
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def problem_of(error: TestamurError) -> JSONResponse:
    """Answer with the problem document of an error."""
    body, status = problem_document(error), status_of(error)
    headers = _headers(error, status)
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def problem_document(error: TestamurError) -> dict[str, object]:
    """Make the problem document of an error, as a JSON object."""
    return _document(status_of(error), error.code, str(error), error.advice)


def _document(status: int, code: str, detail: str, advice: str) -> dict[str, object]:
    """Make a problem document; ``title`` stays the same for one ``code``."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": detail,
    }
    if advice:
        body["advice"] = advice
    return body


def _headers(error: TestamurError, status: int) -> dict[str, str] | None:
    if isinstance(error, BusyError):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, AccessError):
        return _challenge(error)
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else None  # noqa: PLR2004


def _challenge(error: AccessError) -> dict[str, str] | None:
    """Name the way to get in (RFC 6750 section 3); no cause where nothing was sent."""
    if isinstance(error, TokenMissingError):
        return {"WWW-Authenticate": _REALM}
    if isinstance(error, (TokenInvalidError, TokenExpiredError)):
        return {"WWW-Authenticate": f'{_REALM}, error="invalid_token"'}
    if isinstance(error, ScopeMissingError):
        told = f'{_REALM}, error="insufficient_scope", scope="{error.scope}"'
        return {"WWW-Authenticate": told}
    return None
