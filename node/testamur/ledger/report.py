"""The report of a verification: one shape for HTTP, command line and page.

A verdict is never a guess: each check is valid, invalid or unknown, and what could not be checked
looks like neither "forged" nor "fine". Format: docs/formats/report.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from testamur.ledger.trust import Network, TrustedMember

DOES_NOT_PROVE: Final = (
    "This proves who registered exactly this credential, since when, and its status. It does not "
    "prove that its content is true, that the issuer's own signature is good, or that the person "
    "presenting it is the person named."
)


class Outcome(StrEnum):
    """What a program should do; integrators branch on this."""

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"
    RETRY = "retry"


class Verdict(StrEnum):
    """What was found."""

    VERIFIED = "verified"
    VERIFIED_WITH_WARNINGS = "verified_with_warnings"
    EXPIRED = "expired"
    NOT_FOUND = "not_found"
    RECEIPT_NEEDED = "receipt_needed"
    INVALID = "invalid"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    PENDING = "pending"
    COULD_NOT_CHECK = "could_not_check"


OUTCOMES: Final = {
    Verdict.VERIFIED: Outcome.ACCEPT,
    Verdict.VERIFIED_WITH_WARNINGS: Outcome.REVIEW,
    Verdict.EXPIRED: Outcome.REVIEW,
    Verdict.NOT_FOUND: Outcome.REVIEW,
    Verdict.RECEIPT_NEEDED: Outcome.REVIEW,
    Verdict.INVALID: Outcome.REJECT,
    Verdict.REVOKED: Outcome.REJECT,
    Verdict.SUSPENDED: Outcome.REJECT,
    Verdict.SUPERSEDED: Outcome.REJECT,
    Verdict.PENDING: Outcome.RETRY,
    Verdict.COULD_NOT_CHECK: Outcome.RETRY,
}


class Status(StrEnum):
    """Result of one check."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered step's result."""

    name: str
    """Stable name of the step, such as ``batch``."""
    status: Status
    """Valid, invalid, or unknown where it could not be checked."""
    code: str
    """Stable, for programs; docs/formats/report.md lists them."""
    detail: str
    """One sentence for people."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """The head that the verdict speaks of."""

    block: int
    """Block number."""
    time: int
    """The block's timestamp, Unix seconds."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a verifier is told."""

    verdict: Verdict
    """What was found."""
    summary: str
    """One plain sentence."""
    registered_by: TrustedMember | None
    """The member, as the verifier's trust file names it; None until it is established."""
    registered_at: int | None
    """Time of the anchor's block, Unix seconds; None until it is established."""
    as_of: AsOf | None
    """Which head the verdict speaks of; None where no head carried it."""
    network: Network
    """The chain; anything but a main network proves little."""
    carried_by: str | None
    """Root of trust: ``head``, ``cosignatures`` or ``evidence``; None where there was none."""
    checks: tuple[Check, ...] = field(default=())
    """The steps in order."""

    @property
    def outcome(self) -> Outcome:
        """What a program should do."""
        return OUTCOMES[self.verdict]

    def to_json(self) -> dict[str, object]:
        """Give the JSON object, fields in the documented order."""
        member = self.registered_by
        return {
            "outcome": self.outcome.value,
            "verdict": self.verdict.value,
            "summary": self.summary,
            "registered_by": None
            if member is None
            else {"id": member.id, "name": member.name, "domain": member.domain},
            "registered_at": self.registered_at,
            "as_of": None
            if self.as_of is None
            else {"block": self.as_of.block, "time": self.as_of.time},
            "network": {"name": self.network.name, "kind": self.network.kind.value},
            "carried_by": self.carried_by,
            "checks": [
                {"name": c.name, "status": c.status.value, "code": c.code, "detail": c.detail}
                for c in self.checks
            ],
            "does_not_prove": DOES_NOT_PROVE,
        }


def day(time: int) -> str:
    """Write a Unix time as a UTC date, for sentences."""
    return _written(time, "%Y-%m-%d")


def minute(time: int) -> str:
    """Write a Unix time as a UTC date and time of day, for sentences."""
    return _written(time, "%Y-%m-%d %H:%M UTC")


def _written(time: int, form: str) -> str:
    try:
        return datetime.fromtimestamp(time, UTC).strftime(form)
    except (ValueError, OverflowError, OSError):  # a chain's clock may say anything
        return f"Unix time {time}"
