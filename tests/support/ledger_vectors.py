"""The vectors of tests/vectors/ledger: good files of each format, and what verifies with what.

All from one ledger on paper. Format: docs/formats/README.md. The broken ones:
:mod:`tests.support.broken_ledger_vectors`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from testamur.credentials import claims
from testamur.ledger.receipt import (
    Commitment,
    Evidence,
    Receipt,
    RecordProof,
    ShownStatus,
    StatusProof,
    SuffixProof,
)
from testamur.ledger.receipt_json import receipt_to_json, serialise_receipt
from testamur.ledger.records import Record, RecordKind
from testamur.ledger.trust import FinalityRule, serialise_trust
from testamur.ledger.verification import verify
from testamur.ledger.view import Head, LedgerView, Presented
from testamur.merkle.hashing import EMPTY_ROOT, Hash32, leaf_hash
from tests.support.paper_ledger import NOW, PaperLedger

if TYPE_CHECKING:
    from collections.abc import Iterable

Case = dict[str, object]

PROFILE: Final = "jcs-sha256"
CREDENTIAL: Final = {
    "issuer": {"id": "https://aldermere.example/issuers/registry", "name": "Aldermere Registry"},
    "name": "Micro-credential: Tidal Energy Systems",
    "credentialSubject": {"type": "AchievementSubject"},
}
SEALED_ELSEWHERE: Final = CREDENTIAL | {"issuer": "https://seal.example/central"}
RECEIPT: Final = 2
"""Index of the record that registered the credential."""


def salt(label: bytes) -> Hash32:
    """Stands for 32 random bytes."""
    return Hash32(sha256(b"salt " + label).digest())


def digest(credential: object) -> Hash32:
    """RFC 8785 of a credential with plain strings alone is what Python's own JSON writes."""
    text = json.dumps(credential, sort_keys=True, separators=(",", ":"))
    return Hash32(sha256(text.encode()).digest())


@dataclass(frozen=True)
class World:
    """A ledger of five records, and the receipts of three entries in it."""

    ledger: PaperLedger
    """Records: birth; member 2, one entry; member 1, six; member 3, two; member 1, one."""
    receipt: Receipt
    """The receipt that most vectors are made from."""
    single: Receipt
    """For the same credential under another salt, in a batch of its own."""
    sealed_elsewhere: Receipt
    """For a credential that names another issuer than the member that registered it."""


def world() -> World:
    """Make the ledger; the same in every run."""
    ledger = PaperLedger()
    others = [Hash32(sha256(b"other %d" % number).digest()) for number in range(6)]
    made = [Commitment(PROFILE, salt(label)) for label in (b"one", b"two", b"three")]
    documents = (CREDENTIAL, CREDENTIAL, SEALED_ELSEWHERE)
    entries = [
        ledger.entry(1, one.salt, digest(document), PROFILE)
        for one, document in zip(made, documents, strict=True)
    ]
    ledger.anchor(2, others[:1], time=1_700_000_000)
    ledger.anchor(1, [*others[1:5], entries[0], entries[2]], time=1_700_000_100)
    ledger.anchor(3, others[:2], time=1_700_000_200)
    ledger.anchor(1, [entries[1]], time=1_700_000_300)
    return World(
        ledger,
        ledger.receipt(RECEIPT, entries[0], made[0]),
        ledger.receipt(4, entries[1], made[1]),
        ledger.receipt(RECEIPT, entries[2], made[2]),
    )


def early(given: World) -> Receipt:
    """Give the receipt as it was handed out when the ledger had three records."""
    return given.ledger.receipt(RECEIPT, given.receipt.entry, given.receipt.commitment, size=3)


def with_status_list(given: World) -> LedgerView:
    """Give what the chain shows after member 1 anchored a status list that names one entry."""
    ledger = PaperLedger(birth=given.ledger.birth)
    ledger.records, ledger.batches = list(given.ledger.records), given.ledger.batches
    listed = salt(b"listed") + b"\x01" + (1_700_000_400).to_bytes(8)
    ledger.anchor(1, [], time=1_700_000_500, status_count=1, status_root=leaf_hash(listed))
    return ledger.view(given.receipt)


def full(receipt: Receipt) -> Receipt:
    """Fill every optional field of a receipt; their content proves nothing."""
    made_up = Hash32(sha256(b"made up").digest())
    return replace(
        receipt,
        checkpoint="aldermere.example/testamur\n5\nroot\n\n— name signature\n",
        status=StatusProof(
            receipt.record,
            (ShownStatus(made_up, 1, 1_700_000_050, 0, ()),),
            SuffixProof((made_up,), (receipt.record.record.encode(),)),
        ),
        evidence=Evidence(9, made_up, b"\xc0", (b"\xc1\x80",), 0, 1, made_up),
    )


def records(given: World) -> dict[str, Record]:
    """One record of each form."""
    root, other = salt(b"a root"), salt(b"another root")
    anchor = RecordKind.ANCHOR
    return {
        "record-birth": given.ledger.records[0],
        "record-anchor": given.receipt.record.record,
        "record-anchor-with-status": Record(anchor, 7, 1_700_000_000, 2**32, root, 3, other),
        "record-anchor-status-only": Record(anchor, 1, 1_700_000_000, 0, EMPTY_ROOT, 1, other),
        "record-predecessor": Record(RecordKind.PREDECESSOR, 0, 0, 1_000, root, 0, other),
    }


def files() -> dict[str, bytes]:
    """Good files below tests/vectors/ledger."""
    given = world()
    ledger, trust = given.ledger, given.ledger.trust()
    declaring = replace(trust.members[0], issuers=("https://seal.example/central",))
    optional = replace(
        trust,
        finality=FinalityRule(depth=12),
        members=(declaring, *trust.members[1:]),
        source="the node at testamur.aldermere.example; check it with a second member",
    )
    made = {f"{name}.hex": hex_file(record.encode()) for name, record in records(given).items()}
    made |= {
        "birth.hex": hex_file(ledger.change),
        "birth.json": json_file(birth_json(ledger)),
        "credential.json": json_file(CREDENTIAL),
        "credential-sealed-elsewhere.json": json_file(SEALED_ELSEWHERE),
        "trust.json": serialise_trust(trust),
        "trust-with-options.json": serialise_trust(optional),
        "receipt.json": serialise_receipt(given.receipt),
        "receipt-from-node.json": serialise_receipt(replace(given.receipt, commitment=None)),
        "receipt-early.json": serialise_receipt(early(given)),
        "receipt-batch-of-one.json": serialise_receipt(given.single),
        "receipt-sealed-elsewhere.json": serialise_receipt(given.sealed_elsewhere),
        "receipt-with-options.json": serialise_receipt(full(given.receipt)),
        "view.json": view_file(ledger.view(given.receipt)),
        "view-early.json": view_file(ledger.view(early(given))),
        "view-batch-of-one.json": view_file(ledger.view(given.single)),
        "view-not-final.json": view_file(ledger.view(given.receipt, final=2)),
        "view-with-status-list.json": view_file(with_status_list(given)),
        "report.json": json_file(report_json(given)),
        "index.json": json_file({"reading": reading(), "verification": verification()}),
    }
    return made


def reading() -> list[Case]:
    """Which file reads under which format."""
    names = [*records(world()), "birth"]
    cases = [{"file": f"{name}.hex", "format": name.split("-")[0]} for name in names]
    cases += [{"file": f"trust{end}.json", "format": "trust"} for end in ("", "-with-options")]
    ends = ("", "-from-node", "-early", "-batch-of-one", "-sealed-elsewhere", "-with-options")
    cases += [{"file": f"receipt{end}.json", "format": "receipt"} for end in ends]
    return [dict(case) for case in cases]


def verification() -> list[Case]:
    """Say what is verified with what, and the verdict."""
    return [
        case(verdict="verified"),
        case(receipt="receipt-early.json", view="view-early.json", verdict="verified"),
        case(
            receipt="receipt-batch-of-one.json", view="view-batch-of-one.json", verdict="verified"
        ),
        case(
            receipt="receipt-sealed-elsewhere.json", credential="credential-sealed-elsewhere.json",
            verdict="verified_with_warnings", check=("issuer", "unknown", "issuer_differs"),
        ),
        case(
            receipt="receipt-sealed-elsewhere.json", credential="credential-sealed-elsewhere.json",
            trust="trust-with-options.json", verdict="verified",
        ),
        case(
            view="view-not-final.json", verdict="pending",
            check=("final", "unknown", "not_final"),
        ),
        case(
            view="view-with-status-list.json", verdict="could_not_check",
            check=("status", "unknown", "status_list_missing"),
        ),
        case(
            view=None, verdict="could_not_check",
            check=("record", "unknown", "no_root_of_trust"),
        ),
    ]  # fmt: skip


def case(
    *,
    verdict: str,
    receipt: str = "receipt.json",
    credential: str = "credential.json",
    trust: str = "trust.json",
    view: str | None = "view.json",
    check: tuple[str, str, str] | None = None,
) -> Case:
    """One line of the index; ``check`` is the name, status and code of the check that decides."""
    value: Case = {
        "receipt": receipt, "credential": credential, "trust": trust, "view": view,
        "verdict": verdict,
    }  # fmt: skip
    if check is not None:
        value["check"] = dict(zip(("name", "status", "code"), check, strict=True))
    return value


def birth_json(ledger: PaperLedger) -> Case:
    """Spell out the birth's change bytes, for people and for other implementations."""
    return {
        "chain_id": ledger.birth.chain_id,
        "contract": "0x" + ledger.birth.contract.hex(),
        "parent_block_hash": "0x" + ledger.birth.parent_block_hash.hex(),
        "members": [
            {
                "anchor_key": "0x" + member.anchor_key.hex(),
                "control_key": "0x" + member.control_key.hex(),
                "witness_key": member.witness_key.hex(),
                "name": member.name,
                "domain": member.domain,
                "endpoint": member.endpoint,
            }
            for member in ledger.birth.members
        ],
        "record": ledger.records[0].encode().hex(),
        "ledger_id": ledger.ledger_id.hex(),
    }


def report_json(given: World) -> Case:
    """Give the report on the receipt."""
    presented = Presented(
        PROFILE, digest(CREDENTIAL), claims.issuer(json_file(CREDENTIAL), PROFILE)
    )
    return verify(
        receipt=receipt_to_json(given.receipt),
        presented=presented,
        trust=given.ledger.trust(),
        view=given.ledger.view(given.receipt),
        now=NOW,
    ).to_json()


def view_file(view: LedgerView) -> bytes:
    """Write what a source shows of the ledger, as JSON for the vectors alone."""
    newest, at_index, at_size = view.newest, view.at_index, view.at_size
    return json_file(
        {
            "final": _head(view.final),
            "seen": _head(view.seen),
            "at_index": None
            if at_index is None
            else {"leaf": at_index.leaf.hex(), "path": _hashes(at_index.path)},
            "at_size": None
            if at_size is None
            else {"root": at_size.root.hex(), "path": _hashes(at_size.path)},
            "newest": None if newest is None else _record_proof(newest),
        }
    )


def _record_proof(proof: RecordProof) -> Case:
    path = _hashes(proof.path)
    return {"index": proof.index, "path": path, "record": proof.record.encode().hex()}


def _head(head: Head) -> Case:
    return {"size": head.size, "root": head.root.hex(), "block": head.block, "time": head.time}


def _hashes(path: Iterable[bytes]) -> list[str]:
    return [step.hex() for step in path]


def json_file(value: object) -> bytes:
    """Indented JSON with a last line feed."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def hex_file(data: bytes) -> bytes:
    """One line of lower-case hex."""
    return data.hex().encode() + b"\n"
