"""How much is measured: enough for the bars, or little for a test of the script."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of one run."""

    anchors: int = 1088
    """Anchors whose gas is counted, the mean from the 65th on."""
    tree_leaves: int = 2**20
    """Leaves of the tree."""
    bulk_entries: int = 100_000
    """Entries of one request, the most that a node takes."""
    bulk_rounds: int = 5
    """Requests of each form."""
    clients: int = 64
    """Connections that submit one entry at a time."""
    single_seconds: float = 10
    """How long they do, each time."""
    syncs: int = 400
    """Writes to the disk, each synced, that are timed one after the other."""
    histories: tuple[int, ...] = (10**4, 10**6)
    """Entries of the node that receipts are asked of, when it is small and when it has grown."""
    batch_entries: int = 2**16
    """Entries of a full batch there."""
    receipts: int = 2000
    """Receipts asked for, at most, each time."""
    receipt_seconds: float = 20
    """How long receipts are asked for, at most, each time."""
    verified_batch: int = 2**16
    """Entries of the batch of the receipt that is verified offline."""
    verified_records: int = 1000
    """Records of its ledger."""
    verifications: int = 500
    """Verifications that are timed at once."""
    sealed_entries: int = 2**18
    """Entries of the batch that is sealed, the most that one holds."""


FULL: Final = Sizes()
"""The sizes that the bars speak of, but for the largest history."""

LARGE: Final = replace(FULL, histories=(10**4, 10**6, 10**7))
"""All of them; half an hour more."""

QUICK: Final = Sizes(
    anchors=80,
    tree_leaves=2**16,
    bulk_entries=2000,
    bulk_rounds=3,
    clients=8,
    single_seconds=0.5,
    syncs=20,
    histories=(200, 2000),
    batch_entries=1000,
    receipts=50,
    receipt_seconds=2,
    verified_batch=256,
    verified_records=20,
    verifications=20,
    sealed_entries=2**12,
)
"""A minute at most; what it gives says nothing about speed."""
