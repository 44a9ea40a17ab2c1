"""What a store keeps of tokens, and on which terms it accepts a submission."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal, get_args

from testamur.ledger.operator_log import Actor

Scope = Literal["submit", "status:own", "status:any", "audit", "admin"]
"""What a token allows: to submit entries; to change the status of what this token submitted, or of
anything; to read the operator log; to manage tokens. None of them contains another."""

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

DAY_SECONDS: Final = 86_400
"""Quotas count by the day, which begins at midnight UTC."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret part, which only its holder has."""

    id: str
    """Public, never used again; it is the second part of the token's text."""
    name: str
    """What people call it; no two that are not revoked share it."""
    scopes: tuple[Scope, ...]
    """What it allows, in the order of :data:`SCOPES`; at least one."""
    created_at: int
    """Unix seconds."""
    expires_at: int | None
    """Unix seconds from which on it is good for nothing; None: never."""
    quota_per_day: int | None
    """New entries that it may submit in a day; None: any number."""
    revoked_at: int | None = None
    """Unix seconds; None while it was not revoked."""

    @property
    def actor(self) -> Actor:
        """Who acts with it, in the words of the operator log."""
        return Actor("token", self.id, self.name)

    def to_json(self) -> dict[str, object]:
        """Give all of it as a JSON object."""
        return asdict(self) | {"scopes": list(self.scopes)}


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms the store takes a submission, all of it or nothing."""

    by: Actor
    """Who submits; the store counts it for the operator log, and towards the token's quota."""
    queue_entries_max: int
    """Most entries that may wait afterwards."""
    queue_retry_seconds: int
    """What to answer whoever finds the queue full."""
