"""The fields of a record that a store searches by (the full parser is the ledger's)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from testamur.merkle.hashing import Hash32

KIND_ANCHOR: Final = 1

# kind u8, member u32, time u64, count u64, root; what follows is of no interest here.
_HEAD: Final = struct.Struct(">BIQQ32s")


@dataclass(frozen=True, slots=True)
class RecordFields:
    """What a record says of its batch."""

    kind: int
    """0 governance, 1 anchor, 2 predecessor ledger."""
    member: int
    """Who anchored; 0 for none."""
    count: int
    """Entries of the batch."""
    root: Hash32
    """Root of the batch."""


def record_fields(record: bytes) -> RecordFields:
    """Read the fields of a 93-byte record that the follower has parsed before."""
    kind, member, _time, count, root = _HEAD.unpack_from(record)
    return RecordFields(kind, member, count, Hash32(root))
