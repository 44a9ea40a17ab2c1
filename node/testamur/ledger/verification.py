"""Verification in numbered steps. One function serves HTTP, command line and page.

(1) the receipt parses and equals the trust file
(2) credential and salt give the entry
(3) the entry is in the batch
(4) the record is genuine
(5) it is final
(6) who: the member, the issuer that the credential names, and its own locator
(7) status: newest, ordered, as of when

The steps are those of the design; (8) validity dates and (9) domain evidence are optional and
will stand here too. Each step is a method, or a function of :mod:`testamur.ledger.who`, whose
comment carries its number. A step that fails raises :class:`VerificationError`; one that lacks
what it needs raises :class:`Unknown`.
"""

from __future__ import annotations

from collections.abc import Callable

from testamur.credentials import commitment
from testamur.errors import (
    CredentialError,
    MerkleError,
    ReceiptFormatError,
    TestamurError,
    VerificationError,
)
from testamur.ledger import who
from testamur.ledger.receipt import Receipt
from testamur.ledger.receipt_json import receipt_from_json
from testamur.ledger.report import AsOf, Check, Report, Status, minute
from testamur.ledger.steps import (
    FRESH_SECONDS,
    SOURCE_FAILED,
    Unknown,
    check_freshness,
    proven,
    shown,
)
from testamur.ledger.trust import TrustFile
from testamur.ledger.verdict import summary_of, verdict_of
from testamur.ledger.view import LedgerView, Presented
from testamur.merkle.hashing import leaf_hash
from testamur.merkle.proofs import verify_consistency


def verify(
    *,
    receipt: object,
    presented: Presented | CredentialError,
    trust: TrustFile,
    view: LedgerView | TestamurError | None,
    now: int,
    fresh_seconds: int = FRESH_SECONDS,
) -> Report:
    """Check ``receipt`` for the presented credential and report; never raises for its content.

    Args:
        receipt: decoded JSON, read strictly, from anyone.
        presented: what the verifier computed from the credential itself, or why he could not.
        trust: what the verifier pins; trusted.
        view: the verifier's own view of the ledger; the error that kept him from one; or None
            where none was asked for (offline).
        now: the verifier's clock, Unix seconds; only for the warning that a view is old.
        fresh_seconds: age of the view's final head above which there is that warning.
    """
    return _Verification(
        receipt, presented, trust, view, now=now, fresh_seconds=fresh_seconds
    ).run()


class _Verification:
    def __init__(
        self,
        receipt: object,
        presented: Presented | CredentialError,
        trust: TrustFile,
        view: LedgerView | TestamurError | None,
        *,
        now: int,
        fresh_seconds: int,
    ) -> None:
        self._given = receipt
        self._presented = presented
        self._trust = trust
        self._view = view
        self._now = now
        self._fresh_seconds = fresh_seconds
        self._receipt: Receipt
        self._carried_by: str | None = None
        self._checks: list[Check] = []

    def run(self) -> Report:
        # Without a receipt of this ledger for this credential nothing further has a meaning, so
        # the first three steps end the run; the others are all done, to report all they find.
        first = (
            ("receipt", self._check_receipt),
            ("credential", self._check_credential),
            ("batch", self._check_batch),
        )
        rest = (
            ("record", self._check_record),
            ("final", self._check_final),
            ("member", lambda: who.check_member(self._receipt, self._trust)),
            ("issuer", lambda: who.check_issuer(self._receipt, self._trust, self._presented)),
            ("status", self._check_status),
            ("freshness", self._check_freshness),
        )
        for name, step in first:
            if self._do(name, step) is not Status.VALID:
                return self._report()
        for name, step in rest:
            self._do(name, step)
        if isinstance(self._presented, Presented) and self._presented.locator is not None:
            located = self._presented.locator
            self._do("locator", lambda: who.check_locator(self._receipt, located))
        self._note_unread()
        return self._report()

    def _do(self, name: str, step: Callable[[], tuple[str, str]]) -> Status:
        try:
            code, detail = step()
            status = Status.VALID
        except VerificationError as exc:
            status, code, detail = Status.INVALID, exc.check_code, exc.detail
        except Unknown as exc:
            status, code, detail = Status.UNKNOWN, exc.code, exc.detail
        self._checks.append(Check(name, status, code, detail))
        return status

    # (1) parse, and equal to the trust file
    def _check_receipt(self) -> tuple[str, str]:
        try:
            self._receipt = receipt_from_json(self._given)
        except ReceiptFormatError as exc:
            raise VerificationError(exc.code, f"This is not a receipt: {exc}.") from exc
        ledger, trust = self._receipt.ledger, self._trust
        if (ledger.chain_id, ledger.genesis) != (trust.chain_id, trust.genesis):
            raise VerificationError("other_chain", "The receipt is for another chain.")
        if ledger.contract != trust.contract:
            raise VerificationError("other_contract", "The receipt is for another contract.")
        if ledger.ledger_id != trust.ledger_id:
            raise VerificationError("other_ledger", "The receipt is for another ledger.")
        return "trusted_ledger", "The receipt is for the ledger that is trusted here."

    # (2) credential and salt give the entry
    def _check_credential(self) -> tuple[str, str]:
        made, presented = self._receipt.commitment, self._presented
        if made is None:
            raise VerificationError(
                "commitment_missing",
                "The receipt lacks the salt, which the holder's tool fills in: ask the holder.",
            )
        if isinstance(presented, CredentialError):
            raise VerificationError(presented.code, f"The credential is not readable: {presented}.")
        if made.profile != presented.profile:
            raise VerificationError(
                "other_profile",
                f"The receipt is for a digest under {made.profile}, not under {presented.profile}.",
            )
        entry = commitment.entry(
            ledger_id=self._trust.ledger_id,
            member=self._receipt.record.record.member,
            profile=made.profile,
            salt=made.salt,
            digest=presented.digest,
        )
        if entry != self._receipt.entry:
            raise VerificationError(
                "other_credential",
                "The credential is not the one that this receipt was issued for: it was changed, "
                "even if only by saving it again, or the receipt belongs to another one.",
            )
        return "same_credential", "The credential is exactly the one that was registered."

    # (3) the entry is in the batch
    def _check_batch(self) -> tuple[str, str]:
        record = self._receipt.record.record
        proven(
            "batch",
            leaf=leaf_hash(self._receipt.entry),
            index=self._receipt.batch.index,
            size=record.count,
            proof=self._receipt.batch.path,
            root=record.root,
        )
        return "in_batch", f"It stands in a batch of {record.count}."

    # (4) the record is genuine
    def _check_record(self) -> tuple[str, str]:
        proof, ledger = self._receipt.record, self._receipt.ledger
        leaf = proof.record.leaf_hash()
        proven(
            "record",
            leaf=leaf,
            index=proof.index,
            size=ledger.size,
            proof=proof.path,
            root=ledger.root,
        )
        view = self._need_view()
        if view.at_index is None:
            raise Unknown("not_seen", "The chain shows no such record: ask again later.")
        final = proof.index < view.final.size
        head = view.final if final else view.seen
        shown(
            leaf=view.at_index.leaf,
            index=proof.index,
            head=head,
            proof=view.at_index.path,
        )
        if view.at_index.leaf != leaf:
            raise VerificationError(
                "other_record",
                "The ledger has another record in this place: the receipt is forged, or it was "
                "fetched before its anchor was final and the chain went another way since. The "
                "holder can fetch it again.",
            )
        if not final:
            raise Unknown("not_final", "The anchor is on the chain, but not final yet.")
        self._check_history(view)
        self._carried_by = "head"
        return "in_final_head", f"Record {proof.index} of the ledger, read from the chain."

    def _check_history(self, view: LedgerView) -> None:
        """Check that the receipt's own head is one that the ledger really had."""
        ledger = self._receipt.ledger
        if view.at_size is None:
            # The record stands, but the receipt speaks of a head that nobody vouches for yet.
            if ledger.size <= view.seen.size:
                raise Unknown("not_final", "The receipt's own head is not final yet.")
            raise Unknown("not_seen", "The chain shows no such head: ask again later.")
        try:
            verify_consistency(
                old_size=ledger.size,
                new_size=view.final.size,
                old_root=view.at_size.root,
                new_root=view.final.root,
                proof=view.at_size.path,
            )
        except MerkleError as exc:
            raise Unknown("view_broken", f"The source contradicts itself: {exc}.") from exc
        if view.at_size.root != ledger.root:
            # The record is genuine all the same. A head that never was is no proof of a forgery:
            # one that a reorganisation took back looks alike.
            raise Unknown(
                "receipt_overtaken",
                "The record is in the ledger, but the ledger never had the receipt's head: it "
                "was fetched before it was final. The holder can fetch it again.",
            )

    # (5) final
    def _check_final(self) -> tuple[str, str]:
        view = self._need_view()
        if self._receipt.record.index < view.final.size:
            return "final", f"It is final as of block {view.final.block}."
        if self._receipt.record.index < view.seen.size:
            raise Unknown("not_final", "The anchor is not final yet: ask again in some minutes.")
        raise Unknown("not_seen", "The chain shows no such record: ask again later.")

    # (7) status: newest, ordered
    def _check_status(self) -> tuple[str, str]:
        view = self._need_view()
        newest = view.newest
        if newest is None:
            raise Unknown("not_final", "The anchor is not final yet, so its status is not known.")
        shown(
            leaf=newest.record.leaf_hash(),
            index=newest.index,
            head=view.final,
            proof=newest.path,
        )
        if newest.record.member != self._receipt.record.record.member:
            raise Unknown("view_broken", "The source gave the status of another member.")
        if newest.record.status_count == 0:
            # The list is empty, so it is ordered, complete, and names nobody.
            return "not_listed", f"Not revoked or suspended as of {minute(view.final.time)}."
        raise Unknown("status_list_missing", "The member's status list could not be checked.")

    # (7) status: as of when
    def _check_freshness(self) -> tuple[str, str]:
        time = self._need_view().final.time
        return check_freshness(time, now=self._now, fresh_seconds=self._fresh_seconds)

    def _note_unread(self) -> None:
        """Name the parts of the receipt that this version carries, and does not check."""
        parts = {
            "checkpoint": self._receipt.checkpoint,
            "status_proof": self._receipt.status,
            "evidence": self._receipt.evidence,
        }
        for name, part in parts.items():
            if part is not None:
                detail = f"The receipt's {name.replace('_', ' ')} is not checked by this version."
                self._checks.append(Check(name, Status.UNKNOWN, "not_checked", detail))

    def _need_view(self) -> LedgerView:
        if self._view is None:
            raise Unknown(
                "no_root_of_trust",
                "Nothing you trust vouches for the ledger here: ask a node, or the chain.",
            )
        if isinstance(self._view, TestamurError):
            raise Unknown(self._view.code, SOURCE_FAILED)
        return self._view

    def _report(self) -> Report:
        verdict = verdict_of(self._checks)
        member, time, as_of = None, None, None
        if self._carried_by is not None:
            time = self._receipt.record.record.time
            if _status_of(self._checks, "member") is Status.VALID:
                member = who.trusted_member(self._receipt, self._trust)
        if self._carried_by == "head" and isinstance(self._view, LedgerView):
            as_of = AsOf(self._view.final.block, self._view.final.time)
        return Report(
            verdict=verdict,
            summary=summary_of(verdict, self._checks, member=member, time=time, as_of=as_of),
            registered_by=member,
            registered_at=time,
            as_of=as_of,
            network=self._trust.network,
            carried_by=self._carried_by,
            checks=tuple(self._checks),
        )


def _status_of(checks: list[Check], name: str) -> Status | None:
    return next((check.status for check in checks if check.name == name), None)
