"""What the pages say, in one place; the report's own sentences are made where the report is.

Whoever reads this works in a personnel or an admissions office and knows none of our words but
*credential*, *receipt* and *bundle*. Translations will stand beside these texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from testamur.ledger.report import Status, Verdict
from testamur.ledger.trust import NetworkKind


class Tone(StrEnum):
    """Colour and icon go by it; never alone, because a word stands beside them."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    WAIT = "wait"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Words:
    """How a verdict, or an error in its place, is announced."""

    word: str
    """The heading."""
    tone: Tone
    """How it looks."""
    icon: str
    """Name of its picture in ``icons.html``."""
    steps: tuple[str, ...]
    """What to do now, unless a check has advice of its own."""


_ORIGINAL: Final = (
    "Ask the holder for the file exactly as the university sent it. A copy that was saved again, "
    "printed, scanned or converted is another file, even if it looks the same."
)
_ASK_HOLDER: Final = (
    "Ask the holder for what the university handed out with the credential: the bundle (a file "
    "whose name ends in .testamur.zip), the receipt (a file whose name ends in receipt.json), or "
    "the link."
)
_LATER: Final = "Check again in some minutes, or on the page of another member."
_ASK_UNIVERSITY: Final = (
    "If you are in doubt, ask the university. Use an address that you know yourself, not one that "
    "stands in the file or came with it."
)
_IDENTITY: Final = (
    "Make sure that the person who showed it to you is the person named in it, for example by an "
    "identity document."
)

VERDICTS: Final = {
    Verdict.VERIFIED: Words("Verified", Tone.GOOD, "check", (_IDENTITY,)),
    Verdict.VERIFIED_WITH_WARNINGS: Words(
        "Verified, with warnings", Tone.WARN, "warning", (_IDENTITY,)
    ),
    Verdict.EXPIRED: Words(
        "Expired",
        Tone.WARN,
        "clock",
        ("The credential is genuine, but its time is over. Ask the holder if it was renewed.",),
    ),
    Verdict.NOT_FOUND: Words(
        "Not found",
        Tone.UNKNOWN,
        "question",
        (_ORIGINAL, "If it is the original, ask the university whether it registered it."),
    ),
    Verdict.RECEIPT_NEEDED: Words(
        "Receipt needed",
        Tone.UNKNOWN,
        "paper",
        (_ASK_HOLDER, "If you have the receipt or the link already, add it."),
    ),
    Verdict.INVALID: Words(
        "Not valid", Tone.BAD, "cross", ("Do not rely on this file.", _ORIGINAL, _ASK_UNIVERSITY)
    ),
    Verdict.REVOKED: Words(
        "Revoked",
        Tone.BAD,
        "stop",
        ("Do not rely on it: the university has withdrawn it for good.", _ASK_UNIVERSITY),
    ),
    Verdict.SUSPENDED: Words(
        "Suspended",
        Tone.BAD,
        "pause",
        ("Do not rely on it for now. The university may lift this; check again later.",),
    ),
    Verdict.SUPERSEDED: Words(
        "Replaced by a newer one",
        Tone.BAD,
        "replaced",
        ("Do not rely on this version. Ask the holder for the one that replaced it.",),
    ),
    Verdict.PENDING: Words(
        "Not final yet",
        Tone.WAIT,
        "hourglass",
        ("Check again in some minutes. Nothing is wrong, and you need no other file.",),
    ),
    Verdict.COULD_NOT_CHECK: Words(
        "Could not be checked",
        Tone.UNKNOWN,
        "dash",
        ("Nothing was found wrong, and nothing was confirmed.", _LATER),
    ),
}

COULD_NOT_READ: Final = Words("Could not be read", Tone.BAD, "cross", ())
"""In a verdict's place where a file breaks a rule of reading."""

COULD_NOT_ASK: Final = VERDICTS[Verdict.COULD_NOT_CHECK]
"""In a verdict's place where the node did not answer; it looks the same on purpose."""

NO_ANSWER: Final = (
    "The node did not answer, so this could not be checked. That says nothing about the credential."
)

_OTHER_LEDGER: Final = (
    "This was registered in another place than the one that this page speaks for. Ask the holder "
    "which university's page is meant, and open that by an address that you know yourself."
)
_OTHER_ISSUER: Final = (
    "The credential names another issuer than the university that registered it. That is normal "
    "where one office registers for several; if you do not know of such a tie, ask the university "
    "that registered it."
)
_TWO_REGISTRATIONS: Final = (
    "The code inside the file does not lead to the same registration as the receipt. Ask the "
    "university which one counts."
)
_INCOMPLETE: Final = (
    "The receipt is not complete. Ask the holder for the bundle, or for the receipt as the "
    "university handed it out."
)

STEPS_BY_CODE: Final = {
    "issuer_differs": (_OTHER_ISSUER, _IDENTITY),
    "as_of_old": (
        f"What this node knows is old: the credential may have been revoked since. {_LATER}",
        _IDENTITY,
    ),
    "locator_differs": (_TWO_REGISTRATIONS, _IDENTITY),
    "locator_format": (_TWO_REGISTRATIONS, _IDENTITY),
    "several_locators": (_TWO_REGISTRATIONS, _IDENTITY),
    "commitment_missing": (_INCOMPLETE,),
    "other_chain": (_OTHER_LEDGER,),
    "other_contract": (_OTHER_LEDGER,),
    "other_ledger": (_OTHER_LEDGER,),
    "receipt_overtaken": (
        "The receipt was made too early. Ask the holder to get it again from the university.",
    ),
}
"""What to do now, by the code of the check that decided the verdict."""

CHECKS: Final = {
    "receipt": "The receipt is for this consortium",
    "bundle": "The bundle is as it was made",
    "credential": "The file is unchanged",
    "entry": "The file was found in the ledger",
    "batch": "It is part of a registration",
    "record": "The registration stands in the ledger",
    "final": "The registration is final",
    "member": "The member that registered it is known",
    "issuer": "The issuer named in the file is that member",
    "locator": "The code in the file fits",
    "status": "It is not revoked",
    "freshness": "The information is recent",
    "checkpoint": "Signatures of other members",
    "status_proof": "The receipt's own proof of status",
    "evidence": "The receipt's own evidence from the chain",
}
"""Titles of the checks; one that is missing here is shown by its name."""

STATUSES: Final = {
    Status.VALID: ("OK", Tone.GOOD, "check"),
    Status.INVALID: ("Failed", Tone.BAD, "cross"),
    Status.UNKNOWN: ("Not checked", Tone.UNKNOWN, "dash"),
}
"""Word, look and icon of a check."""

BY_CODE: Final = {
    "not_final": ("Not yet", Tone.WAIT, "hourglass"),
    "not_anchored": ("Not yet", Tone.WAIT, "hourglass"),
    "not_found": ("Not found", Tone.UNKNOWN, "question"),
}
"""The same, where the code of an unknown check says more."""

WARNING: Final = ("Warning", Tone.WARN, "warning")
"""The same, of a check that lets a verdict stand with a warning."""

NETWORKS: Final = {
    NetworkKind.LOCAL: "A local network: a trial, proves nothing to others.",
    NetworkKind.TEST: "A test network: a trial that may vanish, proves little to others.",
}
"""What is said of every network that is not a main one."""

CARRIERS: Final = {
    "head": "the chain, as this node reads it",
    "cosignatures": "signatures of several members",
    "evidence": "a block of the chain",
}
"""What carries a verdict."""

ADVICE: Final = {
    "credential_error": _ORIGINAL,
    "duplicate_key": (
        "Do not rely on it: the file says something twice, so that two readers may see two "
        "different credentials. " + _ORIGINAL
    ),
    "unmatched_disclosure": (
        "Do not rely on it: something in it was altered or added. " + _ORIGINAL
    ),
    "several_locators": (
        "Do not rely on it: it is not clear which registration counts. Ask the holder for the "
        "bundle, or for the file exactly as the university sent it."
    ),
    "locator_format": (
        "The link or the code is damaged; one lost character is enough. Copy it again in full, or "
        "ask the holder for the bundle."
    ),
    "receipt_format": (
        "Ask the holder for the receipt as the university handed it out, or for the bundle."
    ),
    "bundle_format": (
        "Ask the holder for the bundle exactly as the university handed it out. If it was packed "
        "anew, unpack it and choose the credential and its receipt here, both at once."
    ),
    "other_ledger": _OTHER_LEDGER,
    "unreadable_file": "Choose the file again. A folder cannot be checked.",
    "internal_error": "Try again; if it happens twice, tell the operator of this page.",
    "request_format": (
        "Choose the files again: one credential at a time, with its receipt. A bundle needs no "
        "receipt beside it."
    ),
    "request_too_large": "The file is larger than this node takes.",
}
"""What to do when a file cannot be read, by the error's code; other codes: ``credential_error``."""
