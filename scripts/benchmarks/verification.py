"""Verifying a receipt offline: the pure function, beside the hashing that it cannot avoid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Final, NamedTuple

from scripts.benchmarks.figures import REPETITIONS, Figure, Measured, Progress, measured, seconds_of
from scripts.benchmarks.load import RefusedError
from scripts.benchmarks.sizes import Sizes
from testamur.credentials import commitment
from testamur.ledger.receipt import Commitment, Receipt
from testamur.ledger.receipt_json import receipt_to_json
from testamur.ledger.records import RECORD_BYTES
from testamur.ledger.report import Report
from testamur.ledger.verification import verify
from testamur.ledger.view import Presented
from testamur.merkle.hashing import HASH_BYTES, Hash32
from tests.support.paper_ledger import NOW, PaperLedger

MEMBER: Final = 1
PROFILE: Final = "bytes-sha256"
ENTRY_MESSAGE_BYTES: Final = len(commitment.TAG) + 32 + 4 + 1 + len(PROFILE) + 32 + 32
NODE_BYTES: Final = 1 + 2 * HASH_BYTES


class _Case(NamedTuple):
    arguments: dict[str, Any]
    receipt: Receipt


def measure(sizes: Sizes, progress: Progress) -> Iterator[Figure]:
    """Verify one receipt again and again, as JSON gave it; the view of the chain is at hand."""
    progress("verifying a receipt offline")
    case = _case(sizes)
    report = verify(**case.arguments)
    if report.verdict != "verified":
        raise RefusedError(f"the receipt to be measured is {report.verdict}")
    messages = [bytes(length) for length in _message_lengths(case.receipt)]
    yield Figure(
        "offline_verification",
        f"paths of {len(case.receipt.batch.path)} and {len(case.receipt.record.path)} hashes",
        _microseconds(sizes.verifications, partial(_verify, case)),
        {"the hashing alone": _microseconds(sizes.verifications, partial(_hash, messages))},
        {"hashes that it needs": len(messages)},
    )


def _case(sizes: Sizes) -> _Case:
    """Make a receipt from the middle of a large batch in the middle of a long ledger."""
    ledger = PaperLedger()
    salt, digest = Hash32(bytes(HASH_BYTES)), Hash32(sha256(b"credential").digest())
    entry = ledger.entry(MEMBER, salt, digest, PROFILE)
    others = [Hash32(sha256(b"%d" % n).digest()) for n in range(sizes.verified_batch - 1)]
    few = others[:2]
    for number in range(sizes.verified_records // 2):
        ledger.anchor(2, few, time=NOW - sizes.verified_records + number)
    index = ledger.anchor(MEMBER, [*others, entry], time=NOW)
    while len(ledger.records) < sizes.verified_records:
        ledger.anchor(2, few, time=NOW)
    receipt = ledger.receipt(index, entry, Commitment(PROFILE, salt))
    arguments = {
        "receipt": receipt_to_json(receipt),
        "presented": Presented(PROFILE, digest, None),
        "trust": ledger.trust(),
        "view": ledger.view(receipt),
        "now": NOW + sizes.verified_records,
    }
    return _Case(arguments, receipt)


def _verify(case: _Case) -> Report:
    return verify(**case.arguments)


def _message_lengths(receipt: Receipt) -> Iterator[int]:
    """List the messages that any verifier hashes: entry, batch, record and member."""
    yield ENTRY_MESSAGE_BYTES
    yield 1 + HASH_BYTES
    yield from [NODE_BYTES] * len(receipt.batch.path)
    yield 1 + RECORD_BYTES
    yield from [NODE_BYTES] * len(receipt.record.path)
    yield len(receipt.member.change)
    yield 1 + RECORD_BYTES
    yield from [NODE_BYTES] * len(receipt.member.path)


def _hash(messages: Sequence[bytes]) -> None:
    for message in messages:
        sha256(message).digest()


def _microseconds(count: int, work: Any) -> Measured:
    def often() -> None:
        for _ in range(count):
            work()

    return measured([10**6 * seconds_of(often) / count for _ in range(REPETITIONS)])
