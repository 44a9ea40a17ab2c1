"""Tokens in SQL; each change together with its line in the operator log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Row, bindparam, case, insert, or_, select, update

from testamur.errors import (
    ImmutableConflictError,
    QuotaExceededError,
    TokenInvalidError,
    TokenNameTakenError,
    UnknownTokenError,
)
from testamur.ledger.operator_log import Act, Actor, Value
from testamur.merkle.hashing import HASH_BYTES, Hash32
from testamur.storage.sql.database import Database
from testamur.storage.sql.operator_log import append
from testamur.storage.sql.tables import tokens
from testamur.storage.tokens import DAY_SECONDS, SCOPES, Token

_FIND: Final = select(tokens).where(tokens.c.id == bindparam("token"))
_USED: Final = bindparam("new", type_=BigInteger()) + case(
    (tokens.c.used_day == bindparam("day"), tokens.c.used), else_=0
)
# One statement for each submission: it does nothing where the quota or a revocation forbids it.
_CHARGE: Final = (
    update(tokens)
    .where(
        tokens.c.id == bindparam("token"),
        tokens.c.revoked_at.is_(None),
        or_(tokens.c.quota_per_day.is_(None), tokens.c.quota_per_day >= _USED),
    )
    .values(used_day=bindparam("day"), used=_USED)
)


class SqlTokens:
    """Implements :class:`testamur.storage.interface.Tokens`."""

    _database: Database

    def put_token(self, token: Token, secret_hash: Hash32, /, *, by: Actor) -> None:
        """See the interface."""
        if len(secret_hash) != HASH_BYTES:
            raise ValueError("the hash of a secret is not 32 bytes")
        with self._database.write("keep a token") as connection:
            row = _find(connection, token.id)
            if row is not None:
                if (_token(row), row.secret_hash) != (token, secret_hash):
                    raise ImmutableConflictError(f"there is another token {token.id}")
                return
            _refuse_name(connection, token.name)
            connection.execute(
                insert(tokens).values(
                    id=token.id,
                    name=token.name,
                    secret_hash=secret_hash,
                    scopes=" ".join(token.scopes),
                    created_at=token.created_at,
                    expires_at=token.expires_at,
                    quota_per_day=token.quota_per_day,
                    used_day=0,
                    used=0,
                )
            )
            append(connection, Act(by, "token_created", token.created_at, _details(token)))
        # A crash before its maker is shown the token leaves one that nobody can use: it is
        # listed, and its maker revokes it.

    def token(self, token_id: str) -> tuple[Token, Hash32] | None:
        """See the interface."""
        with self._database.read("find a token") as connection:
            row = _find(connection, token_id)
        return None if row is None else (_token(row), Hash32(row.secret_hash))

    def tokens(self) -> Sequence[Token]:
        """See the interface."""
        with self._database.read("list the tokens") as connection:
            return [
                _token(row) for row in connection.execute(select(tokens).order_by(tokens.c.number))
            ]

    def revoke_token(self, token_id: str, *, at: int, by: Actor) -> Token:
        """See the interface."""
        with self._database.write("revoke a token") as connection:
            row = _find(connection, token_id)
            if row is None:
                raise UnknownTokenError("there is no such token")
            token = _token(row)
            if token.revoked_at is None:
                token = replace(token, revoked_at=at)
                connection.execute(
                    update(tokens).where(tokens.c.id == token_id).values(revoked_at=at)
                )
                named = {"id": token.id, "name": token.name}
                append(connection, Act(by, "token_revoked", at, named))
        # Nothing that is decided after this commit takes the token; a crash before it leaves
        # the token good, and whoever revoked it was not told otherwise.
        return token


def charge(connection: Connection, token_id: str, *, at: int, added: int) -> None:
    """Count new entries towards a token's quota, in the transaction that takes them.

    Raises:
        TokenInvalidError: it is unknown, or was revoked since it was looked at.
        QuotaExceededError: they are more than it leaves.
    """
    day = at // DAY_SECONDS
    if connection.execute(_CHARGE, {"token": token_id, "day": day, "new": added}).rowcount:
        return
    row = _find(connection, token_id)
    if row is None or row.revoked_at is not None:
        raise TokenInvalidError("the token is not known here")
    if not added:
        return  # what is known already is welcome beyond a quota, too
    left = max(0, row.quota_per_day - (row.used if row.used_day == day else 0))
    raise QuotaExceededError(
        f"the token's quota is {row.quota_per_day} new entries a day, of which {left} are left; "
        f"the submission has {added}",
        (day + 1) * DAY_SECONDS - at,
    )


def _refuse_name(connection: Connection, name: str) -> None:
    # Writers are serialised, so that nobody takes the name between this and the insertion.
    taken = select(tokens.c.id).where(tokens.c.name == name, tokens.c.revoked_at.is_(None))
    if connection.execute(taken).first() is not None:
        raise TokenNameTakenError("another token has this name")


def _find(connection: Connection, token_id: str) -> Row[Any] | None:
    return connection.execute(_FIND, {"token": token_id}).one_or_none()


def _token(row: Row[Any]) -> Token:
    held = row.scopes.split(" ")
    return Token(
        id=row.id,
        name=row.name,
        scopes=tuple(scope for scope in SCOPES if scope in held),
        created_at=row.created_at,
        expires_at=row.expires_at,
        quota_per_day=row.quota_per_day,
        revoked_at=row.revoked_at,
    )


def _details(token: Token) -> dict[str, Value]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": tuple(token.scopes),
        "expires_at": token.expires_at,
        "quota_per_day": token.quota_per_day,
    }
