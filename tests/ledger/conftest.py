"""One ledger on paper with a few batches, and one registered credential."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import pytest

from testamur.ledger.receipt import Commitment, Receipt
from testamur.ledger.view import Presented
from testamur.merkle.hashing import Hash32
from tests.support.paper_ledger import PaperLedger


@dataclass(frozen=True)
class Registered:
    """A credential that stands in the ledger, with all that its holder and verifier have."""

    ledger: PaperLedger
    receipt: Receipt
    presented: Presented


@pytest.fixture
def registered() -> Registered:
    ledger = PaperLedger()
    others = [Hash32(sha256(b"other %d" % number).digest()) for number in range(6)]
    ledger.anchor(2, others[:1], time=1_700_000_000)
    digest = Hash32(sha256(b"the credential").digest())
    made = Commitment("bytes-sha256", Hash32(sha256(b"salt").digest()))
    entry = ledger.entry(1, made.salt, digest, made.profile)
    index = ledger.anchor(1, [*others[1:], entry], time=1_700_000_100)
    ledger.anchor(3, others[:2], time=1_700_000_200)
    ledger.anchor(1, others[2:3], time=1_700_000_300)
    receipt = ledger.receipt(index, entry, made)
    return Registered(ledger, receipt, Presented("bytes-sha256", digest))
