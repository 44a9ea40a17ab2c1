"""What is said of a credential that comes without its receipt, and at best with a locator.

The locator leads to a receipt, and then :func:`testamur.ledger.verification.verify` decides. Here
stands what is said where it does not: a report with one check, and at most a warning beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from testamur.credentials import commitment
from testamur.errors import BundleFormatError, CredentialError, TestamurError
from testamur.ledger.receipt import Commitment
from testamur.ledger.report import AsOf, Check, Report, Status, Verdict, minute
from testamur.ledger.steps import SOURCE_FAILED, Unknown, check_freshness
from testamur.ledger.trust import Network, TrustedMember, TrustFile
from testamur.ledger.view import Presented
from testamur.merkle.hashing import Hash32

_NO_VERDICT: Final = "This could not be checked, which says nothing about the credential."


@dataclass(frozen=True, slots=True)
class Sought:
    """What a locator leads to: an entry, and whose it would be."""

    presented: Presented
    """The credential."""
    member: int
    """The member that the locator names."""
    entry: Hash32
    """Recomputed from the credential; nobody said that it exists."""
    commitment: Commitment
    """What the entry was made from, for its receipt."""


def sought(
    presented: Presented | CredentialError | BundleFormatError, trust: TrustFile
) -> Sought | Report:
    """Compute the entry that the credential's locator leads to, or report why it leads nowhere.

    The credential and its locator come from anyone; ``trust`` pins the ledger that is searched.
    """
    if isinstance(presented, BundleFormatError):
        detail = f"This is no bundle, or one that was changed: {presented}."
        return _invalid(trust.network, "bundle", presented, detail)
    if isinstance(presented, CredentialError):
        reason = f"No locator could be looked for in the credential: {presented}."
        return receipt_needed(trust.network, reason)
    located = presented.locator
    if located is None:
        return receipt_needed(trust.network)
    if isinstance(located, CredentialError):
        return _invalid(trust.network, "locator", located, f"Its locator is not clear: {located}.")
    if located.ledger_id != trust.ledger_id:
        detail = "The credential's locator is for another ledger than the one that is trusted here."
        check = Check("locator", Status.INVALID, "other_ledger", detail)
        return _report(Verdict.INVALID, detail, check, network=trust.network)
    entry = commitment.entry(
        ledger_id=trust.ledger_id,
        member=located.member,
        profile=presented.profile,
        salt=located.salt,
        digest=presented.digest,
    )
    return Sought(presented, located.member, entry, Commitment(presented.profile, located.salt))


def receipt_needed(network: Network, reason: str = "") -> Report:
    """Report on a credential that was presented without its receipt and without a locator."""
    return _report(
        Verdict.RECEIPT_NEEDED,
        "Ask the holder for the bundle, the receipt or the link: without it nothing can be said.",
        Check(
            "receipt",
            Status.UNKNOWN,
            "receipt_needed",
            f"The credential came without its receipt. {reason}".strip(),
        ),
        network=network,
    )


def node_needed(network: Network) -> Report:
    """Report on a credential with a locator, where no node can be asked for its receipt."""
    return _report(
        Verdict.RECEIPT_NEEDED,
        "Ask a node, or the holder for the bundle: the credential came with a locator alone, and "
        "only a node can follow it.",
        Check(
            "receipt",
            Status.UNKNOWN,
            "receipt_needed",
            "The credential came without its receipt, with a locator that a node can follow.",
        ),
        network=network,
    )


def not_found(network: Network, member: TrustedMember, as_of: AsOf, *, now: int) -> Report:
    """Report on a credential that stands in no batch of ``member``, all of which were searched.

    ``now`` is the verifier's clock, Unix seconds: a search of long ago says nothing of what was
    registered since, so that the report has a warning then.
    """
    detail = f"It stands in no batch of {member.name} as of {minute(as_of.time)}."
    checks = [Check("entry", Status.UNKNOWN, "not_found", detail)]
    try:
        check_freshness(as_of.time, now=now)
    except Unknown as exc:
        checks.append(Check("freshness", Status.UNKNOWN, exc.code, exc.detail))
    told = " ".join(check.detail for check in checks)
    return _report(
        Verdict.NOT_FOUND,
        f"No record of exactly this file: changed, even by re-saving, or never registered. {told}",
        *checks,
        network=network,
        as_of=as_of,
    )


def not_anchored(network: Network) -> Report:
    """Report on a credential that was submitted, while no anchor of it is on the chain."""
    return _report(
        Verdict.PENDING,
        "Submitted, but not anchored yet: ask again in some minutes.",
        Check("entry", Status.UNKNOWN, "not_anchored", "No anchor of it is on the chain yet."),
        network=network,
    )


def not_held(network: Network, member: TrustedMember, lacking: int) -> Report:
    """Report on a credential that was not found where ``lacking`` > 0 batches are not held."""
    batches = "a batch" if lacking == 1 else f"{lacking} batches"
    detail = f"This node lacks {batches} that {member.name} anchored: ask a node of that member."
    return _could_not_check(network, "batches_not_held", detail)


def unknown_member(network: Network, member: int) -> Report:
    """Report on a credential whose locator names a member that is not known here."""
    detail = f"Member {member} is not known here; it may have joined later, or never."
    return _could_not_check(network, "unknown_member", detail)


def chain_silent(network: Network, error: TestamurError) -> Report:
    """Report on a credential that was not found while the chain does not confirm what is held."""
    return _could_not_check(network, error.code, SOURCE_FAILED)


def _could_not_check(network: Network, code: str, detail: str) -> Report:
    check = Check("entry", Status.UNKNOWN, code, detail)
    return _report(Verdict.COULD_NOT_CHECK, f"{_NO_VERDICT} {detail}", check, network=network)


def _invalid(network: Network, name: str, error: TestamurError, detail: str) -> Report:
    check = Check(name, Status.INVALID, error.code, detail)
    return _report(Verdict.INVALID, detail, check, network=network)


def _report(
    verdict: Verdict, summary: str, *checks: Check, network: Network, as_of: AsOf | None = None
) -> Report:
    return Report(
        verdict=verdict,
        summary=summary,
        registered_by=None,
        registered_at=None,
        as_of=as_of,
        network=network,
        carried_by=None,
        checks=checks,
    )
