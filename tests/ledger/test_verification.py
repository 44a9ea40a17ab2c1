"""The numbered steps: each failure by its own code, and no guess where something is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from testamur.credentials import claims
from testamur.credentials.claims import IssuerClaim
from testamur.errors import ChainUnavailableError
from testamur.ledger.receipt import Commitment, Receipt
from testamur.ledger.receipt_json import receipt_to_json
from testamur.ledger.report import Check, Outcome, Report, Status, Verdict
from testamur.ledger.verification import verify
from testamur.ledger.view import LeafProof, LedgerView, RootProof
from testamur.merkle.hashing import Hash32
from tests.ledger.conftest import Registered
from tests.support.paper_ledger import NOW, PaperLedger

OTHER = Hash32(sha256(b"another").digest())


def run(registered: Registered, receipt: Receipt | None = None, **given: Any) -> Report:
    receipt = registered.receipt if receipt is None else receipt
    ledger = registered.ledger
    given.setdefault("view", ledger.view(registered.receipt))
    given.setdefault("trust", ledger.trust())
    given.setdefault("presented", registered.presented)
    given.setdefault("now", NOW)
    return verify(receipt=receipt_to_json(receipt), **given)


def check(report: Report, name: str) -> Check:
    return next(check for check in report.checks if check.name == name)


def test_a_registered_credential_is_verified(registered: Registered) -> None:
    report = run(registered)
    assert (report.verdict, report.outcome) == (Verdict.VERIFIED, Outcome.ACCEPT)
    assert report.summary == (
        "Registered by University of Aldermere (aldermere.example) on 2023-11-14; "
        "unchanged since; not revoked as of 2027-01-15 08:00 UTC."
    )
    assert report.registered_by is not None
    assert report.registered_by.id == 1
    assert report.carried_by == "head"
    assert report.as_of is not None
    assert report.as_of.block == 5
    names = [one.name for one in report.checks]
    assert names == [
        "receipt", "credential", "batch", "record", "final", "member", "issuer", "status",
        "freshness",
    ]  # fmt: skip


def test_a_receipt_verifies_as_the_ledger_grows(registered: Registered) -> None:
    early = registered.ledger.receipt(
        2, registered.receipt.entry, registered.receipt.commitment, size=3
    )
    view = registered.ledger.view(early)
    assert run(registered, early, view=view).verdict is Verdict.VERIFIED


def test_another_credential_is_refused(registered: Registered) -> None:
    report = run(registered, presented=replace(registered.presented, digest=OTHER))
    assert report.outcome is Outcome.REJECT
    assert report.checks[-1].code == "other_credential"
    assert report.registered_by is None


def test_another_profile_is_refused(registered: Registered) -> None:
    report = run(registered, presented=replace(registered.presented, profile="jcs-sha256"))
    assert report.checks[-1].code == "other_profile"


def test_a_receipt_without_its_salt_is_refused(registered: Registered) -> None:
    report = run(registered, replace(registered.receipt, commitment=None))
    assert report.checks[-1].code == "commitment_missing"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("chain_id", 1, "other_chain"),
        ("genesis", OTHER, "other_chain"),
        ("contract", OTHER[:20], "other_contract"),
        ("ledger_id", OTHER, "other_ledger"),
    ],
)
def test_a_receipt_of_another_ledger_is_refused(
    registered: Registered, field: str, value: object, code: str
) -> None:
    ledger = replace(registered.receipt.ledger, **{field: value})  # type: ignore[arg-type]
    report = run(registered, replace(registered.receipt, ledger=ledger))
    assert report.verdict is Verdict.INVALID
    assert report.checks[-1].code == code


def _path(part: Any, path: tuple[Hash32, ...]) -> Any:
    return replace(part, path=path)


@pytest.mark.parametrize(
    ("part", "check_name"), [("batch", "batch"), ("record", "record"), ("member", "member")]
)
def test_a_broken_path_fails_at_its_own_step(
    registered: Registered, part: str, check_name: str
) -> None:
    whole = getattr(registered.receipt, part)
    cases = {
        "proof_length": [whole.path[:-1], (*whole.path, OTHER)],
        "root_mismatch": [(OTHER, *whole.path[1:]), (*whole.path[:-1], OTHER)],
    }
    for code, broken in cases.items():
        for path in broken:
            receipt = replace(registered.receipt, **{part: _path(whole, path)})  # type: ignore[arg-type]
            report = run(registered, receipt)
            assert report.verdict is Verdict.INVALID
            assert check(report, check_name).code == f"{check_name}_{code}"


def test_every_changed_field_of_a_record_is_refused(registered: Registered) -> None:
    proof = registered.receipt.record
    for field, value in (
        ("member", 2), ("time", 5), ("count", 7), ("root", OTHER),
        ("status_root", OTHER),
    ):  # fmt: skip
        change = {field: value} | ({"status_count": 1} if field == "status_root" else {})
        record = replace(proof.record, **change)  # type: ignore[arg-type]
        report = run(registered, replace(registered.receipt, record=replace(proof, record=record)))
        assert report.verdict is Verdict.INVALID, field


def test_a_record_at_another_index_is_refused(registered: Registered) -> None:
    for index in (1, 3, 4):
        record = replace(registered.receipt.record, index=index)
        report = run(registered, replace(registered.receipt, record=record))
        assert report.verdict is Verdict.INVALID


def test_a_forged_ledger_that_fits_itself_is_refused(registered: Registered) -> None:
    """The forger makes batch, record, paths and head anew: all fit, but the chain differs."""
    forged = PaperLedger(birth=registered.ledger.birth)
    made = registered.receipt.commitment
    assert made is not None
    entry = registered.receipt.entry
    index = forged.anchor(1, [entry], time=1_500_000_000)
    forged.anchor(2, [OTHER], time=1_500_000_001)
    receipt = forged.receipt(index, entry, made)
    report = run(registered, receipt, view=registered.ledger.view(receipt))
    assert check(report, "batch").status is Status.VALID
    assert check(report, "record").code == "other_record"
    assert report.verdict is Verdict.INVALID


def test_a_genuine_record_under_a_head_that_never_was_is_neither_fine_nor_forged(
    registered: Registered,
) -> None:
    """Fetched before it was final; then a reorg replaced a later record of somebody else."""
    overtaken = PaperLedger(birth=registered.ledger.birth)
    overtaken.records = registered.ledger.records[:3]
    overtaken.batches = registered.ledger.batches
    overtaken.anchor(3, [OTHER], time=1)
    receipt = overtaken.receipt(2, registered.receipt.entry, registered.receipt.commitment)
    report = run(registered, receipt, view=registered.ledger.view(receipt))
    assert report.verdict is Verdict.COULD_NOT_CHECK
    assert check(report, "record").code == "receipt_overtaken"
    assert "fetch it again" in report.summary


def test_a_record_beyond_what_the_chain_shows_is_not_called_registered(
    registered: Registered,
) -> None:
    young = PaperLedger(birth=registered.ledger.birth)
    young.anchor(2, [OTHER], time=1)
    report = run(registered, view=young.view(registered.receipt))
    assert report.verdict is Verdict.COULD_NOT_CHECK
    assert check(report, "record").code == "not_seen"


def test_an_anchor_that_is_not_final_is_pending(registered: Registered) -> None:
    view = registered.ledger.view(registered.receipt, final=2)
    report = run(registered, view=view)
    assert (report.verdict, report.outcome) == (Verdict.PENDING, Outcome.RETRY)
    assert report.carried_by is None


def test_a_forged_record_is_not_called_pending(registered: Registered) -> None:
    forged = PaperLedger(birth=registered.ledger.birth)
    forged.anchor(2, [OTHER], time=1)
    index = forged.anchor(1, [registered.receipt.entry], time=1)
    receipt = forged.receipt(index, registered.receipt.entry, registered.receipt.commitment)
    report = run(registered, receipt, view=registered.ledger.view(receipt, final=2))
    assert report.verdict is Verdict.INVALID


def test_a_chain_that_does_not_answer_is_no_verdict(registered: Registered) -> None:
    report = run(registered, view=ChainUnavailableError("no answer in 5 s"))
    assert (report.verdict, report.outcome) == (Verdict.COULD_NOT_CHECK, Outcome.RETRY)
    assert check(report, "record").code == "chain_unavailable"
    assert "says nothing about the credential" in report.summary


def test_a_report_does_not_name_the_endpoint_that_failed(registered: Registered) -> None:
    report = run(registered, view=ChainUnavailableError("https://rpc.example/key did not answer"))
    assert check(report, "record").code == "chain_unavailable"
    assert "rpc.example" not in str(report.to_json())


def test_a_forgery_is_a_forgery_also_without_the_chain(registered: Registered) -> None:
    report = run(
        registered,
        presented=replace(registered.presented, digest=OTHER),
        view=ChainUnavailableError("no answer"),
    )
    assert report.verdict is Verdict.INVALID


def test_offline_without_any_root_of_trust_is_no_verdict(registered: Registered) -> None:
    report = run(registered, view=None)
    assert report.verdict is Verdict.COULD_NOT_CHECK
    assert check(report, "record").code == "no_root_of_trust"
    assert check(report, "member").status is Status.VALID


def test_a_source_that_contradicts_itself_makes_no_forgery(registered: Registered) -> None:
    view = registered.ledger.view(registered.receipt)
    assert view.at_index is not None
    assert view.at_size is not None
    assert view.newest is not None
    index, size, newest = view.at_index, view.at_size, view.newest
    other = registered.ledger.receipt(3, registered.ledger.batches[
        registered.ledger.records[3].root][0], Commitment("bytes-sha256", OTHER))  # fmt: skip
    lies: list[tuple[str, LedgerView]] = [
        ("record", replace(view, at_index=replace(index, path=(OTHER, *index.path[1:])))),
        ("record", replace(view, at_index=LeafProof(OTHER, index.path))),
        ("record", replace(view, at_size=replace(size, path=(OTHER,)))),
        ("record", replace(view, at_size=RootProof(OTHER, size.path))),
        ("status", replace(view, newest=replace(newest, path=(OTHER, *newest.path[1:])))),
        ("status", replace(view, newest=replace(newest, record=replace(newest.record, time=1)))),
        ("status", replace(view, newest=registered.ledger.view(other).newest)),
    ]
    for step, lie in lies:
        report = run(registered, view=lie)
        assert report.verdict is Verdict.COULD_NOT_CHECK
        assert check(report, step).code == "view_broken"


def test_one_head_that_is_final_and_newest_is_final(registered: Registered) -> None:
    view = registered.ledger.view(registered.receipt)
    assert run(registered, view=replace(view, seen=view.final)).verdict is Verdict.VERIFIED


def test_an_old_head_is_a_warning(registered: Registered) -> None:
    week = 7 * 24 * 3600
    head = registered.ledger.view(registered.receipt).final
    assert run(registered, now=head.time + week).verdict is Verdict.VERIFIED
    report = run(registered, now=head.time + week + 1)
    assert report.verdict is Verdict.VERIFIED_WITH_WARNINGS
    assert check(report, "freshness").code == "as_of_old"
    assert "What is known is old" in report.summary


def test_parts_that_are_not_checked_are_named(registered: Registered) -> None:
    receipt = replace(registered.receipt, checkpoint="anything at all")
    report = run(registered, receipt)
    assert report.verdict is Verdict.VERIFIED
    assert check(report, "checkpoint").code == "not_checked"
    assert report.carried_by == "head"


def test_a_status_list_that_is_not_checked_is_never_passed_over(registered: Registered) -> None:
    registered.ledger.anchor(1, [OTHER], time=9, status_count=1, status_root=OTHER)
    report = run(registered, view=registered.ledger.view(registered.receipt))
    assert report.verdict is Verdict.COULD_NOT_CHECK
    assert check(report, "status").code == "status_list_missing"


def test_a_member_unknown_to_the_trust_file_is_not_called_forged(registered: Registered) -> None:
    trust = registered.ledger.trust()
    trust = replace(trust, members=trust.members[1:], threshold=1)
    report = run(registered, trust=trust)
    assert report.verdict is Verdict.COULD_NOT_CHECK
    assert check(report, "member").code == "unknown_member"
    assert report.registered_by is None


def test_a_forgery_in_the_name_of_an_unknown_member_is_a_forgery(registered: Registered) -> None:
    trust = registered.ledger.trust()
    trust = replace(trust, members=trust.members[1:], threshold=1)
    report = run(registered, trust=trust, presented=replace(registered.presented, digest=OTHER))
    assert report.verdict is Verdict.INVALID


def test_a_member_with_another_name_than_trusted_is_refused(registered: Registered) -> None:
    trust = registered.ledger.trust()
    renamed = replace(trust.members[0], name="University of Elsewhere")
    report = run(registered, trust=replace(trust, members=(renamed, *trust.members[1:])))
    assert check(report, "member").code == "member_differs"


def naming(issuer: object) -> IssuerClaim | None:
    return claims.issuer(json.dumps({"issuer": issuer}).encode(), "jcs-sha256")


@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        ({"name": "University of Aldermere"}, "issuer_is_member"),
        ({"name": "  university  of ALDERMERE "}, "issuer_is_member"),
        ({"id": "https://badges.aldermere.example/1", "name": "Learning"}, "issuer_is_member"),
        ("did:web:aldermere.example:issuer", "issuer_is_member"),
        ("https://aldermere.example.evil.test/", "issuer_differs"),
        ("https://notaldermere.example/", "issuer_differs"),
        ({"name": "Universidad de Brisamar"}, "issuer_differs"),
        ({"name": ["University of Oxford", "University of Aldermere"]}, "issuer_differs"),
        (["https://oxford.example", "https://x@aldermere.example/"], "issuer_differs"),
        (["https://oxford.example", "https://aldermere.example/"], "issuer_differs"),
    ],
)
def test_the_named_issuer_is_compared_with_the_member(
    registered: Registered, issuer: object, code: str
) -> None:
    presented = replace(registered.presented, issuer=naming(issuer))
    report = run(registered, presented=presented)
    assert check(report, "issuer").code == code
    expected = Verdict.VERIFIED if code == "issuer_is_member" else Verdict.VERIFIED_WITH_WARNINGS
    assert report.verdict is expected


@pytest.mark.parametrize(
    "issuer",
    [
        {"name": ["University of Aldermere", "University of Oxford"]},
        {"name": {"en": "University of Aldermere", "fr": "University of Oxford"}},
        {"id": "https://aldermere.example", "name": "University of Oxford"},
        [{"name": "University of Aldermere"}, {"name": "University of Oxford"}],
    ],
)
def test_the_report_never_hides_a_foreign_name(registered: Registered, issuer: object) -> None:
    presented = replace(registered.presented, issuer=naming(issuer))
    detail = check(run(registered, presented=presented), "issuer").detail
    assert "University of Oxford" in detail


def test_a_declared_issuer_is_no_warning(registered: Registered) -> None:
    trust = registered.ledger.trust()
    declaring = replace(trust.members[0], issuers=("did:ebsi:zabc",))
    presented = replace(registered.presented, issuer=naming("did:ebsi:zabc"))
    trust = replace(trust, members=(declaring, *trust.members[1:]))
    assert run(registered, presented=presented, trust=trust).verdict is Verdict.VERIFIED


@pytest.mark.parametrize("receipt", [None, [], "text", {}, {"type": "testamur/receipt/v1"}])
def test_what_is_no_receipt_is_an_answer_not_a_crash(
    registered: Registered, receipt: object
) -> None:
    report = verify(
        receipt=receipt,
        presented=registered.presented,
        trust=registered.ledger.trust(),
        view=None,
        now=NOW,
    )
    assert report.verdict is Verdict.INVALID
    assert report.checks[-1].code == "receipt_format"


def test_the_report_is_json_and_says_what_it_does_not_prove(registered: Registered) -> None:
    value = json.loads(json.dumps(run(registered).to_json()))
    assert list(value) == [
        "outcome", "verdict", "summary", "registered_by", "registered_at", "as_of", "network",
        "carried_by", "checks", "does_not_prove",
    ]  # fmt: skip
    assert "person" in value["does_not_prove"]
    assert value["network"] == {"name": "paper", "kind": "local"}
