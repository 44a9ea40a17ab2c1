"""From checks to a verdict and its sentence; docs/adr/0011 says why in this order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from testamur.ledger.report import AsOf, Check, Status, Verdict, day, minute
from testamur.ledger.trust import TrustedMember

WARNINGS: Final = frozenset(
    {"issuer_differs", "as_of_old", "locator_differs", "locator_format", "several_locators"}
)
"""Codes of unknown checks that let a verdict stand, with a warning."""

OPTIONAL: Final = frozenset(
    {"issuer", "locator", "freshness", "checkpoint", "status_proof", "evidence"}
)
"""Checks that may be unknown in a verdict that accepts."""

_WAITING: Final = "not_final"


def verdict_of(checks: Sequence[Check]) -> Verdict:
    """Conclude; never ``verified`` while a required check is not valid."""
    if any(check.status is Status.INVALID for check in checks):
        return Verdict.INVALID
    missing = _missing(checks)
    if missing:
        waiting = all(check.code == _WAITING for check in missing)
        return Verdict.PENDING if waiting else Verdict.COULD_NOT_CHECK
    if any(check.code in WARNINGS for check in checks):
        return Verdict.VERIFIED_WITH_WARNINGS
    return Verdict.VERIFIED


def summary_of(
    verdict: Verdict,
    checks: Sequence[Check],
    *,
    member: TrustedMember | None,
    time: int | None,
    as_of: AsOf | None,
) -> str:
    """Say it in one plain sentence, and a second one for a warning or a reason."""
    if verdict is Verdict.INVALID:
        return next(check.detail for check in checks if check.status is Status.INVALID)
    if verdict is Verdict.PENDING:
        return "Registered, but not final yet: ask again in some minutes."
    if verdict is Verdict.COULD_NOT_CHECK or member is None or time is None or as_of is None:
        reason = _missing(checks)[0].detail
        return f"This could not be checked, which says nothing about the credential. {reason}"
    sentence = (
        f"Registered by {member.name} ({member.domain}) on {day(time)}; unchanged since; "
        f"not revoked as of {minute(as_of.time)}."
    )
    warnings = [check.detail for check in checks if check.code in WARNINGS]
    return " ".join([sentence, *warnings])


def _missing(checks: Sequence[Check]) -> list[Check]:
    return [
        check for check in checks if check.status is Status.UNKNOWN and check.name not in OPTIONAL
    ]
