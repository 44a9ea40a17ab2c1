"""The record: 93 bytes that the contract appends to the ledger, one a change of the world.

Big-endian: kind u8 ‖ member u32 ‖ time u64 ‖ count u64 ‖ root[32] ‖ status_count u64 ‖
status_root[32]. Format: docs/formats/record.md; its twin in Solidity is ``Ledger.sol``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final

from testamur.errors import RecordFormatError
from testamur.merkle.hashing import EMPTY_ROOT, HASH_BYTES, Hash32, leaf_hash

RECORD_BYTES: Final = 93
COUNT_MAX: Final = 2**32
"""Most entries in one batch or status list."""
ZERO: Final = Hash32(bytes(HASH_BYTES))

_LAYOUT: Final = struct.Struct(">BIQQ32sQ32s")


class RecordKind(IntEnum):
    """What a record says."""

    GOVERNANCE = 0
    """The consortium changed; ``root`` is the SHA-256 of the change's ABI bytes, the rest zero."""
    ANCHOR = 1
    """A member anchored a batch and its whole status list."""
    PREDECESSOR = 2
    """An earlier ledger that this one continues: its last root, size and ledger id."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record. Made by :func:`governance_record`, :func:`parse_record` or from an event."""

    kind: RecordKind
    """What the record says; it decides how to read the rest."""
    member: int
    """Id of the member that anchored; 0 where the record is not a member's."""
    time: int
    """Timestamp of the block, Unix seconds; 0 in governance records."""
    count: int
    """Entries in the batch, at most 2^32."""
    root: Hash32
    """Root of the batch, or what ``kind`` makes of it."""
    status_count: int
    """Entries in the member's status list, at most 2^32."""
    status_root: Hash32
    """Root of the member's status list; the empty root while nothing is listed."""

    def __post_init__(self) -> None:
        _check(self)

    def encode(self) -> bytes:
        """Give the 93 bytes."""
        return _LAYOUT.pack(
            self.kind,
            self.member,
            self.time,
            self.count,
            self.root,
            self.status_count,
            self.status_root,
        )

    def leaf_hash(self) -> Hash32:
        """Give the record's leaf hash in the ledger; that of record 0 is the ledger id."""
        return leaf_hash(self.encode())


def parse_record(data: bytes) -> Record:
    """Read 93 bytes, from anyone, as a record.

    Raises:
        RecordFormatError: another length, an unknown kind, or a rule of the kind broken.
    """
    if len(data) != RECORD_BYTES:
        raise RecordFormatError(f"a record has {RECORD_BYTES} bytes, not {len(data)}")
    kind, member, time, count, root, status_count, status_root = _LAYOUT.unpack(data)
    try:
        known = RecordKind(kind)
    except ValueError as exc:
        raise RecordFormatError(f"no record has kind {kind}") from exc
    return Record(known, member, time, count, Hash32(root), status_count, Hash32(status_root))


def governance_record(change: bytes) -> Record:
    """Make the kind-0 record of a change, given its ABI bytes as the contract emitted them.

    Everything but the root is zero, so the record follows from the change alone.
    """
    root = Hash32(sha256(change).digest())
    return Record(RecordKind.GOVERNANCE, 0, 0, 0, root, 0, ZERO)


def _check(record: Record) -> None:
    _check_ranges(record)
    if record.kind is RecordKind.GOVERNANCE:
        rest = (record.member, record.time, record.count, record.status_count)
        if any(rest) or record.status_root != ZERO:
            raise RecordFormatError("a governance record is zero but for its root")
    if record.kind is RecordKind.ANCHOR:
        _check_anchor(record)


def _check_ranges(record: Record) -> None:
    fields = (
        ("member", record.member, 2**32 - 1),
        ("time", record.time, 2**53 - 1),
        ("count", record.count, 2**53 - 1),
        ("status_count", record.status_count, COUNT_MAX),
    )
    for name, value, most in fields:
        if not 0 <= value <= most:
            raise RecordFormatError(f"{name} {value} is outside 0 to {most}")
    if len(record.root) != HASH_BYTES or len(record.status_root) != HASH_BYTES:
        raise RecordFormatError("a root is not 32 bytes")


def _check_anchor(record: Record) -> None:
    if record.member == 0:
        raise RecordFormatError("an anchor names no member")
    if record.count > COUNT_MAX:
        raise RecordFormatError(f"count {record.count} is outside 0 to {COUNT_MAX}")
    if (record.count == 0) != (record.root == EMPTY_ROOT):
        raise RecordFormatError("the empty root goes with count 0, and with no other")
    if (record.status_count == 0) != (record.status_root == EMPTY_ROOT):
        raise RecordFormatError("the empty status root goes with status count 0 alone")
