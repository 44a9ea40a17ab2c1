"""Verification in numbered steps. One function serves HTTP, command line and page.

(1) the receipt parses and equals the trust file
(2) credential and salt give the entry
(3) the entry is in the batch
(4) the record is genuine
(5) it is final
(6) who: the member, and the issuer that the credential names
(7) status: newest, ordered, as of when

The steps are those of the design; (8) validity dates and (9) domain evidence are optional and
will stand here too. Each step is a method whose comment carries its number. A step that fails
raises :class:`VerificationError`; one that lacks what it needs raises :class:`_Unknown`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from testamur.credentials import claims, commitment, profiles
from testamur.credentials.claims import IssuerClaim
from testamur.errors import (
    BirthFormatError,
    CredentialError,
    MerkleError,
    ReceiptFormatError,
    TestamurError,
    VerificationError,
)
from testamur.ledger.birth import parse_birth
from testamur.ledger.receipt import Receipt, RecordProof
from testamur.ledger.receipt_json import receipt_from_json
from testamur.ledger.records import governance_record
from testamur.ledger.report import AsOf, Check, Report, Status, Verdict, day, minute
from testamur.ledger.trust import TrustedMember, TrustFile
from testamur.merkle.hashing import Hash32, leaf_hash
from testamur.merkle.proofs import verify_consistency, verify_inclusion

WARNINGS: Final = frozenset({"issuer_differs"})
"""Codes of checks that let a verdict stand, with a warning."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What the verifier holds of the credential; computed by him, never taken from the receipt."""

    profile: str
    """The profile that the digest was computed under."""
    digest: Hash32
    """Digest of the presented credential."""
    issuer: IssuerClaim | None = None
    """The issuer that the credential names; None where it was not read."""


@dataclass(frozen=True, slots=True)
class Head:
    """The ledger at one block, as the verifier's own source shows it; trusted."""

    size: int
    """Records."""
    root: Hash32
    """Root over them."""
    block: int
    """Number of the block at which it was read."""
    time: int
    """The block's timestamp, Unix seconds."""


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The ledger as the verifier's own source shows it.

    The heads and the index of ``newest`` are trusted; every path is a proof that is checked
    against a head and may come from anyone.
    """

    final: Head
    """The head at the newest final block."""
    seen: Head
    """The head at the newest block; a reorg may still take it back."""
    inclusion: tuple[Hash32, ...] | None
    """Path of the receipt's record in ``final``, or, where its index is not below ``final.size``,
    in ``seen``; None where it is in neither."""
    consistency: tuple[Hash32, ...] | None
    """Proof from the receipt's head to ``final``; None when the receipt's is larger."""
    newest: RecordProof | None
    """The newest anchor of the receipt's member in ``final``; None without one."""


class _Unknown(Exception):  # noqa: N818 - not an error: a step that could not be done
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def verify(
    *,
    receipt: object,
    presented: Presented | CredentialError,
    trust: TrustFile,
    view: LedgerView | TestamurError | None,
) -> Report:
    """Check ``receipt`` for the presented credential and report; never raises for its content.

    Args:
        receipt: decoded JSON, read strictly, from anyone.
        presented: what the verifier computed from the credential itself, or why he could not.
        trust: what the verifier pins; trusted.
        view: the verifier's own view of the ledger; the error that kept him from one; or None
            where none was asked for (offline).
    """
    return _Verification(receipt, presented, trust, view).run()


def present_file(data: bytes, receipt: object) -> Presented | CredentialError:
    """Compute what a verifier holds of a credential file, under the profile of its receipt.

    Both come from anyone. The receipt's profile is used, never detection. An error stands for a
    file that does not read under that profile: :func:`verify` reports it.
    """
    try:
        made = receipt_from_json(receipt).commitment
    except ReceiptFormatError:
        made = None
    try:
        profile = made.profile if made is not None else profiles.detect(data)
        digest = profiles.digest(data, profile)
    except CredentialError as exc:
        return exc
    return Presented(profile, digest, claims.issuer(data, profile))


def compare_issuer(
    claim: IssuerClaim, *, name: str, domain: str, declared: tuple[str, ...]
) -> Check:
    """Compare the issuer that a credential names with the member that registered it.

    It is step (6)'s check ``issuer``; here for whoever has the credential, but sent a node its
    digest alone. ``name``, ``domain`` and ``declared`` issuers are the member's, and trusted.
    """
    if claim.matches(name=name, domain=domain, declared=declared):
        detail = f"The credential names {claim.label} as its issuer."
        return Check("issuer", Status.VALID, "issuer_is_member", detail)
    detail = f"The credential names {claim.label} as its issuer; {name} registered it."
    return Check("issuer", Status.UNKNOWN, "issuer_differs", detail)


class _Verification:
    def __init__(
        self,
        receipt: object,
        presented: Presented | CredentialError,
        trust: TrustFile,
        view: LedgerView | TestamurError | None,
    ) -> None:
        self._given = receipt
        self._presented = presented
        self._trust = trust
        self._view = view
        self._receipt: Receipt
        self._member: TrustedMember | None = None
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
            ("member", self._check_member),
            ("issuer", self._check_issuer),
            ("status", self._check_status),
        )
        for name, step in first:
            if self._do(name, step) is not Status.VALID:
                return self._report()
        for name, step in rest:
            self._do(name, step)
        return self._report()

    def _do(self, name: str, step: Callable[[], tuple[str, str]]) -> Status:
        try:
            code, detail = step()
            status = Status.VALID
        except VerificationError as exc:
            status, code, detail = Status.INVALID, exc.check_code, exc.detail
        except _Unknown as exc:
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
        self._member = trust.member(self._receipt.record.record.member)
        if self._member is None:
            # Not a forgery: the member may have joined after the trust file was made.
            raise _Unknown(
                "unknown_member",
                f"Your trust file does not name member {self._receipt.record.record.member}: "
                "get a newer one.",
            )
        return "trusted_ledger", "The receipt is for the ledger that is trusted here."

    # (2) credential and salt give the entry
    def _check_credential(self) -> tuple[str, str]:
        made, presented = self._receipt.commitment, self._presented
        if isinstance(presented, CredentialError):
            raise VerificationError(presented.code, f"The credential is not readable: {presented}.")
        if made is None:
            raise VerificationError(
                "commitment_missing",
                "The receipt lacks the salt, which the holder's tool fills in: ask the holder.",
            )
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
        _proven(
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
        _proven(
            "record",
            leaf=leaf,
            index=proof.index,
            size=ledger.size,
            proof=proof.path,
            root=ledger.root,
        )
        view = self._need_view()
        if view.inclusion is None:
            raise _Unknown("not_seen", "The chain shows no such record: ask again later.")
        head = view.final if proof.index < view.final.size else view.seen
        _proven(
            "head",
            leaf=leaf,
            index=proof.index,
            size=head.size,
            proof=view.inclusion,
            root=head.root,
        )
        if head is view.seen:
            raise _Unknown("not_final", "The anchor is on the chain, but not final yet.")
        self._check_history(view)
        self._carried_by = "head"
        return "in_final_head", f"Record {proof.index} of the ledger, read from the chain."

    def _check_history(self, view: LedgerView) -> None:
        """Check that the receipt's own head is one that the ledger really had."""
        ledger = self._receipt.ledger
        if view.consistency is None:
            # The record stands, but the receipt speaks of a head that nobody vouches for yet.
            if ledger.size <= view.seen.size:
                raise _Unknown("not_final", "The receipt's own head is not final yet.")
            raise _Unknown("not_seen", "The chain shows no such head: ask again later.")
        try:
            verify_consistency(
                old_size=ledger.size,
                new_size=view.final.size,
                old_root=ledger.root,
                new_root=view.final.root,
                proof=view.consistency,
            )
        except MerkleError as exc:
            raise VerificationError(
                "head_not_in_history", f"The ledger never had the receipt's head: {exc}."
            ) from exc

    # (5) final
    def _check_final(self) -> tuple[str, str]:
        view = self._need_view()
        if self._receipt.record.index < view.final.size:
            return "final", f"It is final as of block {view.final.block}."
        if self._receipt.record.index < view.seen.size:
            raise _Unknown("not_final", "The anchor is not final yet: ask again in some minutes.")
        raise _Unknown("not_seen", "The chain shows no such record: ask again later.")

    # (6) who: the member
    def _check_member(self) -> tuple[str, str]:
        proof, ledger = self._receipt.member, self._receipt.ledger
        record = governance_record(proof.change)
        _proven(
            "member",
            leaf=record.leaf_hash(),
            index=proof.index,
            size=ledger.size,
            proof=proof.path,
            root=ledger.root,
        )
        if proof.index != 0:
            raise _Unknown(
                "change_not_understood",
                f"This version cannot read the change of record {proof.index}.",
            )
        if record.leaf_hash() != self._trust.ledger_id:
            raise VerificationError("other_birth", "Record 0 is not the birth of this ledger.")
        try:
            birth = parse_birth(proof.change)
        except BirthFormatError as exc:
            raise VerificationError(exc.code, f"{exc}.") from exc
        if (birth.chain_id, birth.contract) != (self._trust.chain_id, self._trust.contract):
            raise VerificationError("other_birth", "The birth names another chain or contract.")
        member = self._trusted_member()
        if member.id > len(birth.members):
            raise VerificationError("member_not_in_birth", "The birth does not name this member.")
        founder = birth.members[member.id - 1]
        if (founder.name, founder.domain) != (member.name, member.domain):
            raise VerificationError(
                "member_differs",
                f"The ledger knows this member as {founder.name} ({founder.domain}), "
                f"your trust file as {member.name} ({member.domain}).",
            )
        return (
            "identity_as_of_record",
            f"{member.name} ({member.domain}), as of record {proof.index}.",
        )

    # (6) who: the issuer that the credential names
    def _check_issuer(self) -> tuple[str, str]:
        presented, member = self._presented, self._trusted_member()
        claim = presented.issuer if isinstance(presented, Presented) else None
        if claim is None:
            raise _Unknown("issuer_not_read", "The issuer named in the credential was not read.")
        check = compare_issuer(
            claim, name=member.name, domain=member.domain, declared=member.issuers
        )
        if check.status is Status.VALID:
            return "issuer_is_member", check.detail
        raise _Unknown("issuer_differs", check.detail)

    # (7) status: newest, ordered, as of when
    def _check_status(self) -> tuple[str, str]:
        view = self._need_view()
        if view.newest is None:
            raise _Unknown("not_final", "The anchor is not final yet, so its status is not known.")
        newest = view.newest
        _proven(
            "status",
            leaf=newest.record.leaf_hash(),
            index=newest.index,
            size=view.final.size,
            proof=newest.path,
            root=view.final.root,
        )
        if newest.record.member != self._receipt.record.record.member:
            raise VerificationError("other_status", "The status given is another member's.")
        if newest.record.status_count == 0:
            # The list is empty, so it is ordered, complete, and names nobody.
            return "not_listed", f"Not revoked or suspended as of {minute(view.final.time)}."
        raise _Unknown("status_list_missing", "The member's status list could not be checked.")

    def _need_view(self) -> LedgerView:
        if self._view is None:
            raise _Unknown(
                "no_root_of_trust",
                "Nothing you trust vouches for the ledger here: ask a node, or the chain.",
            )
        if isinstance(self._view, TestamurError):
            raise _Unknown(self._view.code, f"It could not be checked: {self._view}.")
        return self._view

    def _trusted_member(self) -> TrustedMember:
        if self._member is None:  # step (1) ends the run without a member
            raise RuntimeError("no step after (1) runs without a member")
        return self._member

    def _report(self) -> Report:
        verdict = _verdict(self._checks)
        as_of = None
        if self._carried_by == "head" and isinstance(self._view, LedgerView):
            as_of = AsOf(self._view.final.block, self._view.final.time)
        member, time = None, None
        if self._carried_by is not None:
            time = self._receipt.record.record.time
            if _status_of(self._checks, "member") is Status.VALID:
                member = self._member
        return Report(
            verdict=verdict,
            summary=_summary(verdict, self._checks, member, time, as_of),
            registered_by=member,
            registered_at=time,
            as_of=as_of,
            network=self._trust.network,
            carried_by=self._carried_by,
            checks=tuple(self._checks),
        )


def _proven(
    what: str, *, leaf: Hash32, index: int, size: int, proof: tuple[Hash32, ...], root: Hash32
) -> None:
    try:
        verify_inclusion(leaf_hash=leaf, index=index, size=size, proof=proof, root=root)
    except MerkleError as exc:
        raise VerificationError(f"{what}_{exc.code}", f"The {what} proof fails: {exc}.") from exc


def _status_of(checks: list[Check], name: str) -> Status | None:
    return next((check.status for check in checks if check.name == name), None)


def _verdict(checks: list[Check]) -> Verdict:
    if any(check.status is Status.INVALID for check in checks):
        return Verdict.INVALID
    required = [check for check in checks if check.name != "issuer"]
    unknown = [check for check in required if check.status is Status.UNKNOWN]
    if unknown:
        waiting = all(check.code == "not_final" for check in unknown)
        return Verdict.PENDING if waiting else Verdict.COULD_NOT_CHECK
    if any(check.code in WARNINGS for check in checks):
        return Verdict.VERIFIED_WITH_WARNINGS
    return Verdict.VERIFIED


def _summary(
    verdict: Verdict,
    checks: list[Check],
    member: TrustedMember | None,
    time: int | None,
    as_of: AsOf | None,
) -> str:
    if verdict is Verdict.INVALID:
        return next(check.detail for check in checks if check.status is Status.INVALID)
    if verdict is Verdict.PENDING:
        return "Registered, but not final yet: ask again in some minutes."
    if verdict is Verdict.COULD_NOT_CHECK or member is None or time is None or as_of is None:
        reason = next(c.detail for c in checks if c.status is Status.UNKNOWN and c.name != "issuer")
        return f"This could not be checked, which says nothing about the credential. {reason}"
    sentence = (
        f"Registered by {member.name} ({member.domain}) on {day(time)}; unchanged since; "
        f"not revoked as of {minute(as_of.time)}."
    )
    if verdict is Verdict.VERIFIED_WITH_WARNINGS:
        sentence += " " + next(check.detail for check in checks if check.code in WARNINGS)
    return sentence
