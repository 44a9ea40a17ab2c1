"""Receipts as JSON: strict in, one spelling out. Format: docs/formats/receipt.md."""

from __future__ import annotations

import json
from typing import Final

from testamur.credentials import strict_json
from testamur.credentials.profiles import PROFILES
from testamur.errors import CredentialError, ReceiptFormatError, RecordFormatError
from testamur.ledger.fields import Fields
from testamur.ledger.receipt import (
    BatchProof,
    Commitment,
    Evidence,
    LedgerHead,
    MemberProof,
    Receipt,
    RecordProof,
    ShownStatus,
    StatusProof,
    SuffixProof,
)
from testamur.ledger.records import COUNT_MAX, RECORD_BYTES, Record, RecordKind
from testamur.merkle.hashing import Hash32

TYPE: Final = "testamur/receipt/v1"
BYTES_MAX: Final = 4 * 1024 * 1024
CHANGE_BYTES_MAX: Final = 1024 * 1024
CHECKPOINT_CHARACTERS_MAX: Final = 1024 * 1024
HEADER_BYTES_MAX: Final = 16 * 1024
PROOF_NODES_MAX: Final = 64
SUFFIX_RECORDS_MAX: Final = 16_384


def parse_receipt(data: bytes) -> Receipt:
    """Parse a receipt from its bytes, from anyone.

    Raises:
        ReceiptFormatError: anything but one strict JSON object of the documented form.
    """
    try:
        value = strict_json.parse(data, bytes_max=BYTES_MAX)
    except CredentialError as exc:
        raise ReceiptFormatError(f"the receipt is not strict JSON: {exc}") from exc
    return receipt_from_json(value)


def receipt_from_json(value: object) -> Receipt:
    """Parse a receipt from decoded JSON that was read strictly, from anyone.

    Raises:
        ReceiptFormatError: a field is missing, unknown, or not of its form.
    """
    fields = Fields(value, "receipt", ReceiptFormatError)
    fields.constant("type", TYPE)
    receipt = Receipt(
        commitment=_commitment(fields.nested("commitment")) if fields.has("commitment") else None,
        entry=fields.hash("entry"),
        batch=_batch(fields.nested("batch")),
        record=_record(fields.nested("record"), count_least=1),
        member=_member(fields.nested("member")),
        ledger=_ledger(fields.nested("ledger")),
        checkpoint=(
            fields.text("checkpoint", length_max=CHECKPOINT_CHARACTERS_MAX)
            if fields.has("checkpoint")
            else None
        ),
        status=_status(fields.nested("status")) if fields.has("status") else None,
        evidence=_evidence(fields.nested("evidence")) if fields.has("evidence") else None,
    )
    fields.done()
    return receipt


def receipt_to_json(receipt: Receipt) -> dict[str, object]:
    """Give the JSON object, fields in the documented order."""
    value: dict[str, object] = {"type": TYPE}
    if receipt.commitment is not None:
        value["commitment"] = {
            "profile": receipt.commitment.profile,
            "salt": receipt.commitment.salt.hex(),
        }
    value |= {
        "entry": receipt.entry.hex(),
        "batch": {"index": receipt.batch.index, "path": _hex_list(receipt.batch.path)},
        "record": _record_json(receipt.record),
        "member": {
            "index": receipt.member.index,
            "path": _hex_list(receipt.member.path),
            "change": "0x" + receipt.member.change.hex(),
        },
        "ledger": {
            "chain_id": receipt.ledger.chain_id,
            "genesis": "0x" + receipt.ledger.genesis.hex(),
            "contract": "0x" + receipt.ledger.contract.hex(),
            "ledger_id": receipt.ledger.ledger_id.hex(),
            "size": receipt.ledger.size,
            "root": receipt.ledger.root.hex(),
        },
    }
    if receipt.checkpoint is not None:
        value["checkpoint"] = receipt.checkpoint
    if receipt.status is not None:
        value["status"] = _status_json(receipt.status)
    if receipt.evidence is not None:
        value["evidence"] = _evidence_json(receipt.evidence)
    return value


def serialise_receipt(receipt: Receipt) -> bytes:
    """Write a receipt: indented JSON, fields in the documented order, a last line feed."""
    return json.dumps(receipt_to_json(receipt), indent=2, ensure_ascii=False).encode() + b"\n"


def _commitment(fields: Fields) -> Commitment:
    profile = fields.text("profile", length_max=32)
    if profile not in PROFILES:
        raise fields.fault("profile", "is no known profile")
    commitment = Commitment(profile=profile, salt=fields.hash("salt"))
    fields.done()
    return commitment


def _batch(fields: Fields) -> BatchProof:
    batch = BatchProof(
        index=fields.integer("index", most=COUNT_MAX - 1), path=fields.hashes("path")
    )
    fields.done()
    return batch


def _record(fields: Fields, *, count_least: int) -> RecordProof:
    index = fields.integer("index", least=1)
    path = fields.hashes("path")
    if fields.integer("kind") != RecordKind.ANCHOR:
        raise fields.fault("kind", "is not 1: only an anchor registers entries")
    try:
        record = Record(
            kind=RecordKind.ANCHOR,
            member=fields.integer("member", least=1, most=2**32 - 1),
            time=fields.integer("time"),
            count=fields.integer("count", least=count_least, most=COUNT_MAX),
            root=fields.hash("root"),
            status_count=fields.integer("status_count", most=COUNT_MAX),
            status_root=fields.hash("status_root"),
        )
    except RecordFormatError as exc:
        raise ReceiptFormatError(f"receipt.record: {exc}") from exc
    fields.done()
    return RecordProof(index=index, path=path, record=record)


def _record_json(proof: RecordProof) -> dict[str, object]:
    record = proof.record
    return {
        "index": proof.index,
        "path": _hex_list(proof.path),
        "kind": int(record.kind),
        "member": record.member,
        "time": record.time,
        "count": record.count,
        "root": record.root.hex(),
        "status_count": record.status_count,
        "status_root": record.status_root.hex(),
    }


def _member(fields: Fields) -> MemberProof:
    member = MemberProof(
        index=fields.integer("index"),
        path=fields.hashes("path"),
        change=fields.ethereum("change"),
    )
    if len(member.change) > CHANGE_BYTES_MAX:
        raise fields.fault("change", f"is longer than {CHANGE_BYTES_MAX} bytes")
    fields.done()
    return member


def _ledger(fields: Fields) -> LedgerHead:
    ledger = LedgerHead(
        chain_id=fields.integer("chain_id", least=1),
        genesis=fields.ethereum("genesis", 32),
        contract=fields.ethereum("contract", 20),
        ledger_id=fields.hash("ledger_id"),
        size=fields.integer("size", least=2),
        root=fields.hash("root"),
    )
    fields.done()
    return ledger


def _status(fields: Fields) -> StatusProof:
    status = StatusProof(
        record=_record(fields.nested("record"), count_least=0),
        shown=tuple(
            _shown(Fields(item, f"receipt.status.shown[{position}]", ReceiptFormatError))
            for position, item in enumerate(fields.items("shown", count_max=2))
        ),
        suffix=_suffix(fields.nested("suffix")) if fields.has("suffix") else None,
    )
    fields.done()
    return status


def _shown(fields: Fields) -> ShownStatus:
    shown = ShownStatus(
        entry=fields.hash("entry"),
        code=fields.integer("code", least=1, most=3),
        time=fields.integer("time"),
        index=fields.integer("index", most=COUNT_MAX - 1),
        path=fields.hashes("path"),
    )
    fields.done()
    return shown


def _suffix(fields: Fields) -> SuffixProof:
    suffix = SuffixProof(
        range=fields.hashes("range"),
        records=fields.hex_list("records", length=RECORD_BYTES, count_max=SUFFIX_RECORDS_MAX),
    )
    fields.done()
    return suffix


def _status_json(status: StatusProof) -> dict[str, object]:
    value: dict[str, object] = {
        "record": _record_json(status.record),
        "shown": [
            {
                "entry": shown.entry.hex(),
                "code": shown.code,
                "time": shown.time,
                "index": shown.index,
                "path": _hex_list(shown.path),
            }
            for shown in status.shown
        ],
    }
    if status.suffix is not None:
        value["suffix"] = {
            "range": _hex_list(status.suffix.range),
            "records": [record.hex() for record in status.suffix.records],
        }
    return value


def _evidence(fields: Fields) -> Evidence:
    evidence = Evidence(
        block_number=fields.integer("block_number"),
        block_hash=fields.ethereum("block_hash", 32),
        header=fields.ethereum("header"),
        receipt_proof=fields.ethereum_list("receipt_proof", count_max=PROOF_NODES_MAX),
        transaction_index=fields.integer("transaction_index"),
        log_position=fields.integer("log_position"),
        tx_hash=fields.ethereum("tx_hash", 32),
    )
    if not 0 < len(evidence.header) <= HEADER_BYTES_MAX:
        raise fields.fault("header", f"has not 1 to {HEADER_BYTES_MAX} bytes")
    fields.done()
    return evidence


def _evidence_json(evidence: Evidence) -> dict[str, object]:
    return {
        "block_number": evidence.block_number,
        "block_hash": "0x" + evidence.block_hash.hex(),
        "header": "0x" + evidence.header.hex(),
        "receipt_proof": ["0x" + node.hex() for node in evidence.receipt_proof],
        "transaction_index": evidence.transaction_index,
        "log_position": evidence.log_position,
        "tx_hash": "0x" + evidence.tx_hash.hex(),
    }


def _hex_list(path: tuple[Hash32, ...]) -> list[str]:
    return [step.hex() for step in path]
