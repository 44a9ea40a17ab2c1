"""Who may write to a node, and how much."""

from __future__ import annotations

from testamur.errors.base import TestamurError


class AccessError(TestamurError):
    """The node refuses a request for who sent it, or for how much is asked."""

    code = "access_refused"


class TokenMissingError(AccessError):
    """The request has no token, and what it asks for needs one."""

    code = "token_missing"
    advice = (
        "Send 'Authorization: Bearer TOKEN'; the command line takes it from TESTAMUR_TOKEN or "
        "--token-file. The node's operator makes one: testamur token create."
    )


class TokenInvalidError(AccessError):
    """The token is malformed, unknown to this node, or revoked."""

    code = "token_invalid"
    advice = "Check that the token is whole and of this node, or ask its operator for a new one."


class TokenExpiredError(AccessError):
    """The token was good, and its time is over."""

    code = "token_expired"
    advice = "Ask the node's operator for a new token: testamur token create."


class ScopeMissingError(AccessError):
    """The token is good, and does not allow this."""

    code = "scope_missing"
    advice = "Use a token with the scope named, or ask the node's operator for one."

    def __init__(self, scope: str) -> None:
        super().__init__(f"the token has not the scope {scope}")
        self.scope = scope


class TokenNameTakenError(AccessError):
    """Another token that was not revoked has the name."""

    code = "token_name_taken"
    advice = "Choose another name, or revoke the token that has it: testamur token revoke NAME."


class UnknownTokenError(AccessError):
    """This node has no token with that id or name."""

    code = "unknown_token"
    advice = "See which there are: testamur token list."


class TokenFormatError(AccessError):
    """A token cannot be made as it was described."""

    code = "token_format"
    advice = "Give a name, at least one scope, and when it expires; 'never' has to be written out."


class BusyError(AccessError):
    """The node takes no more of this for now; nothing of the request was done."""

    code = "busy"
    advice = "Ask again after the seconds that Retry-After names."

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class QuotaExceededError(BusyError):
    """The submission has more new entries than the token's quota leaves for today."""

    code = "quota_exceeded"
    advice = "Submit again when the day is over (UTC), or ask the node's operator for more."


class QueueFullError(BusyError):
    """The queue is full: the node seals more slowly than it is given entries."""

    code = "queue_full"
    advice = "Submit again later; if it stays full, its operator has to see why nothing is sealed."


class TooManyRequestsError(BusyError):
    """One client asks more often than the node answers."""

    code = "too_many_requests"


class DiskLowError(BusyError):
    """The node's disk is nearly full: it takes no new entries, and goes on answering."""

    code = "disk_low"
    advice = "The node's operator has to make room in the data directory."
