"""A credential without its receipt: what its locator leads to, or what is said instead."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from testamur.credentials.locator import Locator, serialise
from testamur.errors import (
    BundleFormatError,
    ChainUnavailableError,
    LocatorFormatError,
    SeveralLocatorsError,
    UnparsableCredentialError,
)
from testamur.ledger import locating
from testamur.ledger.bundle import make_bundle
from testamur.ledger.locating import Sought
from testamur.ledger.presenting import WithoutReceipt, WithReceipt, read_shown
from testamur.ledger.receipt_json import receipt_to_json, serialise_receipt
from testamur.ledger.report import AsOf, Outcome, Report, Verdict
from testamur.ledger.steps import FRESH_SECONDS
from testamur.ledger.verification import verify
from testamur.ledger.view import Presented
from testamur.merkle.hashing import Hash32
from tests.ledger.conftest import Registered
from tests.support.paper_ledger import NOW

SALT = Hash32(sha256(b"salt").digest())
AS_OF = AsOf(7, 1_800_000_000)

ASK_THE_HOLDER = (
    "Ask the holder for the bundle, the receipt or the link: without it nothing can be said."
)
ASK_A_NODE = (
    "Ask a node, or the holder for the bundle: the credential came with a locator alone, and only "
    "a node can follow it."
)
NOT_FOUND = (
    "No record of exactly this file: changed, even by re-saving, or never registered. It stands "
    "in no batch of University of Aldermere as of 2027-01-15 08:00 UTC."
)
NOT_ANCHORED = "Submitted, but not anchored yet: ask again in some minutes."
NO_VERDICT = "This could not be checked, which says nothing about the credential. "
NOT_HELD = "This node lacks {} that University of Aldermere anchored: ask a node of that member."
UNKNOWN_MEMBER = "Member 9 is not known here; it may have joined later, or never."
CHAIN_SILENT = (
    "The chain could not be read: it did not answer, or not as the chain of this ledger does."
)


def checks(report: Report) -> list[tuple[str, str, str]]:
    return [(check.name, check.status.value, check.code) for check in report.checks]


def test_a_locator_leads_to_the_entry_of_exactly_this_credential(registered: Registered) -> None:
    trust = registered.ledger.trust()
    located = Locator(trust.ledger_id, 1, SALT)
    presented = replace(registered.presented, locator=located)
    found = locating.sought(presented, trust)
    assert isinstance(found, Sought)
    assert (found.member, found.entry) == (1, registered.receipt.entry)
    assert found.commitment == registered.receipt.commitment
    assert found.presented == presented
    for other in (
        replace(presented, digest=Hash32(bytes(32))),
        replace(presented, profile="jcs-sha256"),
        replace(presented, locator=replace(located, member=2)),
        replace(presented, locator=replace(located, salt=Hash32(bytes(32)))),
    ):
        elsewhere = locating.sought(other, trust)
        assert isinstance(elsewhere, Sought)
        assert elsewhere.entry != found.entry


@pytest.mark.parametrize(
    ("locator", "verdict", "check"),
    [
        (None, Verdict.RECEIPT_NEEDED, ("receipt", "unknown", "receipt_needed")),
        (
            Locator(Hash32(b"\x07" * 32), 1, SALT),
            Verdict.INVALID,
            ("locator", "invalid", "other_ledger"),
        ),
        (
            SeveralLocatorsError("two"),
            Verdict.INVALID,
            ("locator", "invalid", "several_locators"),
        ),
        (LocatorFormatError("x"), Verdict.INVALID, ("locator", "invalid", "locator_format")),
    ],
    ids=["none", "other ledger", "several", "damaged"],
)
def test_a_locator_that_leads_nowhere_has_its_verdict(
    registered: Registered,
    locator: Locator | None,
    verdict: Verdict,
    check: tuple[str, str, str],
) -> None:
    presented = replace(registered.presented, locator=locator)
    report = locating.sought(presented, registered.ledger.trust())
    assert isinstance(report, Report)
    assert (report.verdict, checks(report)) == (verdict, [check])


def test_what_is_no_credential_or_no_bundle_has_its_verdict(registered: Registered) -> None:
    trust = registered.ledger.trust()
    unread = locating.sought(UnparsableCredentialError("it is no JSON"), trust)
    assert isinstance(unread, Report)
    assert checks(unread) == [("receipt", "unknown", "receipt_needed")]
    assert unread.checks[0].detail.endswith("looked for in the credential: it is no JSON.")
    broken = locating.sought(BundleFormatError("it ends too early"), trust)
    assert isinstance(broken, Report)
    assert (broken.outcome, checks(broken)) == (
        Outcome.REJECT,
        [("bundle", "invalid", "bundle_format")],
    )


def test_the_sentences_for_people(registered: Registered) -> None:
    trust = registered.ledger.trust()
    network, member = trust.network, trust.members[0]
    silent = ChainUnavailableError("no answer")
    for report, outcome, summary in (
        (locating.receipt_needed(network), Outcome.REVIEW, ASK_THE_HOLDER),
        (locating.node_needed(network), Outcome.REVIEW, ASK_A_NODE),
        (locating.not_found(network, member, AS_OF, now=AS_OF.time), Outcome.REVIEW, NOT_FOUND),
        (locating.not_anchored(network), Outcome.RETRY, NOT_ANCHORED),
        (
            locating.not_held(network, member, 1),
            Outcome.RETRY,
            NO_VERDICT + NOT_HELD.format("a batch"),
        ),
        (
            locating.not_held(network, member, 12),
            Outcome.RETRY,
            NO_VERDICT + NOT_HELD.format("12 batches"),
        ),
        (locating.unknown_member(network, 9), Outcome.RETRY, NO_VERDICT + UNKNOWN_MEMBER),
        (locating.chain_silent(network, silent), Outcome.RETRY, NO_VERDICT + CHAIN_SILENT),
    ):
        assert (report.outcome, report.summary) == (outcome, summary)
        assert report.registered_by is report.registered_at is report.carried_by is None
        assert report.to_json()["does_not_prove"]
    assert locating.not_found(network, member, AS_OF, now=AS_OF.time).as_of == AS_OF


def test_a_search_of_long_ago_says_how_old_it_is(registered: Registered) -> None:
    trust = registered.ledger.trust()
    network, member = trust.network, trust.members[0]
    at_most = locating.not_found(network, member, AS_OF, now=AS_OF.time + FRESH_SECONDS)
    assert checks(at_most) == [("entry", "unknown", "not_found")]
    old = locating.not_found(network, member, AS_OF, now=AS_OF.time + FRESH_SECONDS + 1)
    assert (old.verdict, checks(old)) == (
        Verdict.NOT_FOUND,
        [("entry", "unknown", "not_found"), ("freshness", "unknown", "as_of_old")],
    )
    assert old.summary == NOT_FOUND + " What is known is old: as of 2027-01-15 08:00 UTC."


# --- the same credential, presented in every way -------------------------------------------------


def test_a_receipt_counts_more_than_a_locator_and_a_contradiction_is_a_warning(
    registered: Registered,
) -> None:
    trust = registered.ledger.trust()
    own = Locator(trust.ledger_id, 1, SALT)
    for located, verdict, check in (
        (own, Verdict.VERIFIED, ("locator", "valid", "locator_agrees")),
        (
            replace(own, member=2),
            Verdict.VERIFIED_WITH_WARNINGS,
            ("locator", "unknown", "locator_differs"),
        ),
        (
            replace(own, salt=Hash32(bytes(32))),
            Verdict.VERIFIED_WITH_WARNINGS,
            ("locator", "unknown", "locator_differs"),
        ),
        (
            replace(own, ledger_id=Hash32(bytes(32))),
            Verdict.VERIFIED_WITH_WARNINGS,
            ("locator", "unknown", "locator_differs"),
        ),
        (
            SeveralLocatorsError("two"),
            Verdict.VERIFIED_WITH_WARNINGS,
            ("locator", "unknown", "several_locators"),
        ),
    ):
        report = verify(
            receipt=receipt_to_json(registered.receipt),
            presented=replace(registered.presented, locator=located),
            trust=trust,
            view=registered.ledger.view(registered.receipt),
            now=NOW,
        )
        assert report.verdict is verdict
        assert check in checks(report)


def test_a_bundle_is_taken_apart_and_a_file_is_searched_for_its_locator(
    registered: Registered,
) -> None:
    receipt = serialise_receipt(registered.receipt)
    locator = Locator(registered.ledger.ledger_id, 1, SALT)
    data = b"%PDF-1.4 " + serialise(locator).encode()
    bundle = make_bundle("a.pdf", data, receipt)
    whole, apart = read_shown(bundle), read_shown(data, receipt=receipt)
    assert isinstance(whole, WithReceipt)
    assert whole == apart
    assert isinstance(whole.presented, Presented)
    assert whole.presented.locator == locator
    alone = read_shown(data)
    assert alone == WithoutReceipt(whole.presented)
    given = read_shown(b"%PDF-1.4", given=locator)
    assert isinstance(given.presented, Presented)
    assert given.presented.locator == locator
    both = read_shown(data, given=replace(locator, member=2))
    assert isinstance(both.presented, Presented)
    assert isinstance(both.presented.locator, SeveralLocatorsError)
    with pytest.raises(BundleFormatError, match="without another one"):
        read_shown(bundle, receipt=receipt)
    # Begun as a bundle and none: with a receipt of its own it is a credential, alone it is not.
    cut = read_shown(bundle[:-1], receipt=receipt)
    assert isinstance(cut.presented, Presented)
    assert cut.presented.digest == digest_of(bundle[:-1])
    assert isinstance(read_shown(bundle[:-1]).presented, BundleFormatError)


def digest_of(data: bytes) -> Hash32:
    return Hash32(sha256(data).digest())
