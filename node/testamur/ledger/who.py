"""Step (6) of verification: who registered the credential, and what it says of that itself."""

from __future__ import annotations

from testamur.credentials.locator import Locator
from testamur.errors import BirthFormatError, CredentialError, VerificationError
from testamur.ledger.birth import parse_birth
from testamur.ledger.receipt import Receipt
from testamur.ledger.records import governance_record
from testamur.ledger.steps import Unknown, proven
from testamur.ledger.trust import TrustedMember, TrustFile
from testamur.ledger.view import Presented


# (6) who: the member
def check_member(receipt: Receipt, trust: TrustFile) -> tuple[str, str]:
    """Check that the ledger knows the receipt's member as the trust file does.

    Raises:
        VerificationError: it does not, or the proof fails.
        Unknown: the trust file or this version does not know enough to tell.
    """
    proof, ledger = receipt.member, receipt.ledger
    record = governance_record(proof.change)
    proven(
        "member",
        leaf=record.leaf_hash(),
        index=proof.index,
        size=ledger.size,
        proof=proof.path,
        root=ledger.root,
    )
    if proof.index != 0:
        raise Unknown(
            "change_not_understood",
            f"This version cannot read the change of record {proof.index}.",
        )
    if record.leaf_hash() != trust.ledger_id:
        raise VerificationError("other_birth", "Record 0 is not the birth of this ledger.")
    try:
        birth = parse_birth(proof.change)
    except BirthFormatError as exc:
        raise VerificationError(exc.code, f"{exc}.") from exc
    if (birth.chain_id, birth.contract) != (trust.chain_id, trust.contract):
        raise VerificationError("other_birth", "The birth names another chain or contract.")
    member = trusted_member(receipt, trust)
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
def check_issuer(
    receipt: Receipt, trust: TrustFile, presented: Presented | CredentialError
) -> tuple[str, str]:
    """Compare the issuer that the credential names with the member.

    Raises:
        Unknown: it is another, or it was not read.
    """
    member = trusted_member(receipt, trust)
    claim = presented.issuer if isinstance(presented, Presented) else None
    if claim is None:
        raise Unknown("issuer_not_read", "The issuer named in the credential was not read.")
    if claim.matches(name=member.name, domain=member.domain, declared=member.issuers):
        return "issuer_is_member", f"The credential names {claim.label} as its issuer."
    raise Unknown(
        "issuer_differs",
        f"The credential names {claim.label} as its issuer; {member.name} registered it.",
    )


# (6) who: the registration that the credential's own locator names
def check_locator(receipt: Receipt, located: Locator | CredentialError) -> tuple[str, str]:
    """Compare the locator in the credential with the receipt, which counts where they differ.

    Raises:
        Unknown: it names another registration, or none that can be told.
    """
    if isinstance(located, CredentialError):
        raise Unknown(
            located.code, f"The receipt was used and not the credential's locator: {located}."
        )
    made = receipt.commitment
    salt = None if made is None else made.salt
    registered = (receipt.ledger.ledger_id, receipt.record.record.member, salt)
    if (located.ledger_id, located.member, located.salt) != registered:
        raise Unknown(
            "locator_differs",
            "The credential's own locator names another registration than this receipt.",
        )
    return "locator_agrees", "The credential's own locator names this registration."


def trusted_member(receipt: Receipt, trust: TrustFile) -> TrustedMember:
    """Give the receipt's member as the trust file names it.

    Raises:
        Unknown: it does not, which is no forgery: the member may have joined later.
    """
    member_id = receipt.record.record.member
    member = trust.member(member_id)
    if member is None:
        raise Unknown(
            "unknown_member",
            f"The trust file does not name member {member_id}, which may have joined later.",
        )
    return member
