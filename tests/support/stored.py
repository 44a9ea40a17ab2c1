"""Values to put into stores: entries, blocks and records that follow each other."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from testamur.ledger.records import Record, RecordKind, governance_record
from testamur.merkle.hashing import EMPTY_ROOT, Hash32, leaf_hash
from testamur.storage.model import (
    AnchorTransaction,
    FollowedBlock,
    FollowedRecord,
    LedgerIdentity,
    Padding,
)
from testamur.storage.tokens import Token

MEMBER = 7
BIRTH_CHANGE = b"the birth of a ledger"
BIRTH = governance_record(BIRTH_CHANGE)
IDENTITY = LedgerIdentity(
    chain_id=1337,
    genesis=Hash32(sha256(b"genesis").digest()),
    contract=bytes(range(20)),
    ledger_id=leaf_hash(BIRTH.encode()),
    member=MEMBER,
)


def digest(text: str) -> Hash32:
    """Give 32 bytes that ``text`` names."""
    return Hash32(sha256(text.encode()).digest())


def some_entries(count: int, name: str = "entry") -> list[Hash32]:
    """Give ``count`` distinct entries, in no order."""
    return [digest(f"{name} {number}") for number in range(count)]


def some_padding(count: int, name: str = "padding") -> list[Padding]:
    """Give ``count`` padding entries with their salts."""
    return [
        Padding(entry=digest(f"{name} {number}"), salt=digest(f"{name} salt {number}"))
        for number in range(count)
    ]


def a_token(name: str = "LMS", **given: Any) -> Token:
    """Give a token; its id comes from its name."""
    values: dict[str, Any] = {
        "id": digest(f"token {name}").hex()[:10],
        "name": name,
        "scopes": ("submit",),
        "created_at": 1_800_000_000,
        "expires_at": None,
        "quota_per_day": None,
    }
    return Token(**(values | given))


class PaddingMaker:
    """Makes other padding at each call, and counts; stands in for fresh salts."""

    def __init__(self, name: str = "made") -> None:
        self.name = name
        self.made = 0

    def __call__(self) -> tuple[Hash32, Hash32]:
        """Give (salt, entry)."""
        self.made += 1
        return digest(f"{self.name} salt {self.made}"), digest(f"{self.name} padding {self.made}")


def block(number: int, fork: str = "main") -> FollowedBlock:
    """Give block ``number`` of a chain whose blocks follow each other."""
    return FollowedBlock(
        number,
        digest(f"{fork} block {number}"),
        digest(f"{fork} block {number - 1}"),
        1_800_000_000 + 12 * number,
    )


def birth_in(place: FollowedBlock) -> FollowedRecord:
    """Give record 0, in that block."""
    return FollowedRecord(
        index=0,
        record=BIRTH.encode(),
        block_number=place.number,
        block_hash=place.hash,
        tx_hash=digest("birth"),
        transaction_index=0,
        log_index=0,
        change=BIRTH_CHANGE,
    )


def anchor_in(
    place: FollowedBlock, index: int, *, root: Hash32, count: int, member: int = MEMBER
) -> FollowedRecord:
    """Give the record of an anchored batch, in that block."""
    record = Record(RecordKind.ANCHOR, member, place.timestamp, count, root, 0, EMPTY_ROOT)
    return FollowedRecord(
        index=index,
        record=record.encode(),
        block_number=place.number,
        block_hash=place.hash,
        tx_hash=digest(f"transaction of record {index}"),
        transaction_index=0,
        log_index=index,
        change=None,
    )


def signed(number: int, *, sequence: int = 0, root: Hash32 | None = None) -> AnchorTransaction:
    """Give a transaction; ``number`` makes its hash."""
    return AnchorTransaction(
        sequence=sequence,
        root=root if root is not None else digest("root"),
        status_count=0,
        status_root=EMPTY_ROOT,
        nonce=sequence,
        raw=b"raw %d" % number,
        tx_hash=digest(f"tx {number}"),
        signed_at=1_800_000_000,
    )
