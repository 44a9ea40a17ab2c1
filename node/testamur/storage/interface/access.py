"""What a store guarantees for tokens, and for the log of who did what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from testamur.ledger.operator_log import Act, Actor, LogLine
from testamur.merkle.hashing import Hash32
from testamur.storage.tokens import Token


class Tokens(Protocol):
    """API tokens, without their secret parts. Each change stands in the operator log with it."""

    def put_token(self, token: Token, secret_hash: Hash32, /, *, by: Actor) -> None:
        """Keep a new token, ``by`` whom it was made; good from when this returns.

        ``secret_hash`` is what :meth:`token` gives to compare with. Repeating the call with equal
        arguments succeeds.

        Raises:
            TokenNameTakenError: one that was not revoked has this name.
            ImmutableConflictError: there is another token with this id.
            StateConflictError: the store is not bound to a ledger.
        """
        ...

    def token(self, token_id: str) -> tuple[Token, Hash32] | None:
        """Give a token and the hash of its secret, revoked or not; None where there is none."""
        ...

    def tokens(self) -> Sequence[Token]:
        """List all tokens in the order of their making, revoked ones included."""
        ...

    def revoke_token(self, token_id: str, *, at: int, by: Actor) -> Token:
        """Revoke a token at ``at`` (Unix seconds); one that was revoked keeps its first time.

        Raises:
            UnknownTokenError: there is none with this id.
        """
        ...


class OperatorLog(Protocol):
    """The hash-chained log of who did what; lines are appended and never change.

    It begins when the store is bound to a ledger, which its first line is bound to.
    """

    def record_act(self, act: Act, /) -> None:
        """Append an act. Repeating the newest one, with the same time, adds nothing.

        Raises:
            StateConflictError: the store is not bound to a ledger.
        """
        ...

    def settle_submissions(self, *, before: int) -> None:
        """Write the counts of submissions of the minutes that ended by ``before`` as lines.

        Submissions are counted by actor and minute as they are taken; a line each would make the
        log larger than what it is about. Any other line is preceded by those that are due.
        """
        ...

    def log_lines(self, *, start: int = 0, limit: int = 100) -> Sequence[LogLine]:
        """Give up to ``limit`` lines from index ``start`` on, as they were written."""
        ...

    def log_end(self) -> tuple[int, Hash32 | None]:
        """Give how many lines there are, and the hash of the newest; None without any."""
        ...
