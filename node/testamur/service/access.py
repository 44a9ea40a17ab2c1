"""Who may write to a node: tokens are made, looked at and revoked here, and acts recorded.

A token is the text ``testamur_<id>_<secret>``. The id is public; the secret is 160 bits from the
operating system's generator, shown once, of which the store keeps a SHA-256. A slow hash, as for
passwords, would stop nobody: what was drawn at random cannot be guessed from a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from testamur.errors import (
    ScopeMissingError,
    TokenExpiredError,
    TokenFormatError,
    TokenInvalidError,
    UnknownTokenError,
)
from testamur.ledger.operator_log import NODE, Act, ActName, Actor, LogLine, Value
from testamur.merkle.hashing import Hash32
from testamur.storage.interface import Store
from testamur.storage.tokens import DAY_SECONDS, SCOPES, Scope, Token

PREFIX: Final = "testamur_"
"""What a token is recognised by, also by programs that look for secrets in the wrong places."""
ID_BYTES: Final = 5
SECRET_BYTES: Final = 20
EXPIRES_DAYS_DEFAULT: Final = 365
EXPIRES_DAYS_MAX: Final = 36_500
QUOTA_MAX: Final = 10**12
MINUTE_SECONDS: Final = 60
LINES_MAX: Final = 1000
"""Most lines of the operator log in one answer."""

_TEXT: Final = re.compile(
    rf"{PREFIX}(?P<id>[0-9a-f]{{{2 * ID_BYTES}}})_(?P<secret>[0-9a-f]{{{2 * SECRET_BYTES}}})"
)
_NAME: Final = re.compile(r"[^\W_](?:[\w .:@/+-]{0,62}[\w.:@/+-])?")
_NO_TOKEN: Final = Hash32(bytes(32))


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token as somebody wants it."""

    name: str
    """1 to 64 letters, digits, spaces and ``_.:@/+-``, beginning with a letter or digit."""
    scopes: Sequence[str]
    """At least one of :data:`SCOPES`."""
    expires_days: int | None = EXPIRES_DAYS_DEFAULT
    """Days from now; None, which has to be asked for: never."""
    quota_per_day: int | None = None
    """New entries a day; None: any number."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token with its text, on its way to whoever asked for it."""

    token: Token
    """What is kept."""
    text: str = field(repr=False)
    """What is shown this once."""


class Access:
    """Tokens and the operator log of one node. May be used from any thread."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Keep tokens in ``store``; whoever predicts ``random_bytes`` has every new token."""
        self._store = store
        self._clock = clock
        self._random_bytes = random_bytes

    def draw(self) -> str:
        """Draw the text of a token that is none yet, for who must keep it before it is good."""
        token_id = self._random_bytes(ID_BYTES).hex()
        return f"{PREFIX}{token_id}_{self._random_bytes(SECRET_BYTES).hex()}"

    def create(self, wanted: TokenRequest, *, by: Actor, text: str | None = None) -> NewToken:
        """Make a token; it is good when this returns, and its text exists nowhere else.

        With ``text``, which :meth:`draw` gave, it is the one whose text the caller has kept.

        Raises:
            TokenFormatError: it is not described as one can be.
            TokenNameTakenError: another one has the name.
            StoreUnavailableError: whether it was kept is unknown; nobody has its text. A second
                attempt that finds the name taken means that it was.
        """
        scopes = _scopes(wanted)
        _check(wanted)
        now = int(self._clock())
        days = wanted.expires_days
        text = self.draw() if text is None else text
        token = Token(
            id=_id(text),
            name=wanted.name,
            scopes=scopes,
            created_at=now,
            expires_at=None if days is None else now + days * DAY_SECONDS,
            quota_per_day=wanted.quota_per_day,
        )
        self._store.put_token(token, _hash(text), by=by)
        return NewToken(token, text)

    def tokens(self) -> Sequence[Token]:
        """List all tokens, the oldest first."""
        return self._store.tokens()

    def revoke(self, named: str, *, by: Actor) -> Token:
        """Revoke the token that :func:`find_named` finds.

        Raises:
            UnknownTokenError: there is none.
            StoreUnavailableError: whether it was revoked is unknown; repeat the call.
        """
        return self.revoke_id(find_named(self._store.tokens(), named).id, by=by)

    def revoke_id(self, token_id: str, *, by: Actor) -> Token:
        """Revoke the token with this id; one that was revoked stays so.

        Raises:
            UnknownTokenError, StoreUnavailableError: as of :meth:`revoke`.
        """
        return self._store.revoke_token(token_id, at=int(self._clock()), by=by)

    def authorise(self, text: str, scope: Scope) -> Token:
        """Give the token whose text somebody sent, if it allows what ``scope`` names.

        What is answered does not depend on which part of the text is wrong, and the comparison's
        time not on how much of it is right.

        Raises:
            TokenInvalidError: malformed, unknown or revoked.
            TokenExpiredError: its time is over.
            ScopeMissingError: it does not allow this.
        """
        parts = _TEXT.fullmatch(text)
        found = None if parts is None else self._store.token(parts["id"])
        kept = _NO_TOKEN if found is None else found[1]
        fits = compare_digest(_hash(text), kept)
        if found is None or not fits or found[0].revoked_at is not None:
            raise TokenInvalidError("the token is not known here")
        token = found[0]
        if token.expires_at is not None and token.expires_at <= self._clock():
            raise TokenExpiredError("the token has expired")
        if scope not in token.scopes:
            raise ScopeMissingError(scope)
        return token

    def record(self, by: Actor, name: ActName, details: dict[str, Value]) -> None:
        """Write an act into the operator log; durable when it returns.

        Raises:
            StoreUnavailableError: whether it was written is unknown.
        """
        self._store.record_act(Act(by, name, int(self._clock()), details))

    def started(self, version: str, unsafe: Sequence[str]) -> None:
        """Record that the node starts, with the names of its unsafe settings.

        What a crash left counted, but not written, is written first.

        Raises:
            StoreUnavailableError: whether it was written is unknown.
        """
        self.record(NODE, "node_started", {"version": version, "unsafe": tuple(unsafe)})

    def stopped(self, failed: str | None) -> None:
        """Record that the node stops, with the stage that failed, after all that was submitted.

        Raises:
            StoreUnavailableError: it was not written, or nobody knows.
        """
        self._store.settle_submissions(before=int(self._clock()) + MINUTE_SECONDS)
        self.record(NODE, "node_stopped", {"failed": failed})

    def log_lines(self, *, start: int, limit: int) -> Sequence[LogLine]:
        """Give lines of the operator log, with what was submitted up to the last full minute.

        Raises:
            StoreUnavailableError: the store failed.
        """
        self._store.settle_submissions(before=int(self._clock()))
        return self._store.log_lines(start=start, limit=limit)

    def log_end(self) -> tuple[int, Hash32 | None]:
        """Give how many lines the operator log has, and the hash of the newest."""
        return self._store.log_end()


def find_named(tokens: Sequence[Token], named: str) -> Token:
    """Find the token with this id, or else the one with this name that was not revoked.

    Raises:
        UnknownTokenError: there is none.
    """
    found = [token for token in tokens if token.id == named] or [
        token for token in tokens if token.name == named and token.revoked_at is None
    ]
    if not found:
        raise UnknownTokenError("no token has this id, and none that is in force this name")
    return found[0]


def expires_days(text: str) -> int | None:
    """Read when a token expires: a number of days with ``d``, such as ``90d``, or ``never``.

    Raises:
        TokenFormatError: anything else.
    """
    if text == "never":
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,4}d", text, re.ASCII):
        raise TokenFormatError("a token expires after a number of days, such as 90d, or 'never'")
    return int(text[:-1])


def _id(text: str) -> str:
    parts = _TEXT.fullmatch(text)
    if parts is None:
        raise TokenFormatError("this is not the text of a token")
    return parts["id"]


def _scopes(wanted: TokenRequest) -> tuple[Scope, ...]:
    if not wanted.scopes or not set(wanted.scopes) <= set(SCOPES):
        raise TokenFormatError(f"a token has one or more of the scopes {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in wanted.scopes)


def _check(wanted: TokenRequest) -> None:
    if not _NAME.fullmatch(wanted.name):
        raise TokenFormatError(
            "a token's name has 1 to 64 letters, digits, spaces and _.:@/+-, begins with a letter "
            "or digit and does not end with a space"
        )
    if wanted.name.startswith(PREFIX):
        raise TokenFormatError("a token's name is not a token")
    days, quota = wanted.expires_days, wanted.quota_per_day
    if days is not None and not 1 <= days <= EXPIRES_DAYS_MAX:
        raise TokenFormatError(f"a token expires after 1 to {EXPIRES_DAYS_MAX} days, or never")
    if quota is not None and not 1 <= quota <= QUOTA_MAX:
        raise TokenFormatError(f"a quota is 1 to {QUOTA_MAX} new entries a day")


def _hash(text: str) -> Hash32:
    return Hash32(sha256(text.encode("utf-8", "surrogatepass")).digest())
