"""Answers to an auditor's reads, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from testamur.api.schemas import EthereumHash, HexHash
from testamur.service.reading import Consistency, HeldBatch, Inclusion, ReadRecord

Finality = Annotated[bool, Field(description="False: a reorganisation may still take it back.")]
Path = Annotated[list[HexHash], Field(description="RFC 9162, leaf side first.")]
Next = Annotated[
    str | None, Field(description="Where the next page is; null at the end, as of now.")
]


class BatchAnswer(BaseModel):
    """A batch that this node holds: of its own member, or a replica of another's."""

    member: int = Field(description="Whose batch it is.")
    number: int | None = Field(
        description="Order of sealing; ascending, with gaps. Null for a replica."
    )
    root: HexHash
    count: int = Field(description="Entries, padding included.")
    sealed_at: int | None = Field(description="Unix seconds. Null for a replica.")
    state: Literal["sealed", "submitted", "anchored", "final"]
    record: int | None = Field(description="Index of the anchor's record, once anchored.")

    @classmethod
    def of(cls, batch: HeldBatch) -> BatchAnswer:
        """Make the answer; how many entries are padding is nobody's business."""
        return cls(
            member=batch.member,
            number=batch.number,
            root=batch.root.hex(),
            count=batch.count,
            sealed_at=batch.sealed_at,
            state=batch.state,
            record=batch.record,
        )


class BatchesAnswer(BaseModel):
    """One page of batches, in the order of sealing."""

    batches: list[BatchAnswer]
    next: Next


class RecordAnswer(BaseModel):
    """One record of the ledger, as it is hashed and as it is read."""

    index: int
    record: str = Field(pattern="^[0-9a-f]{186}$", description="The 93 bytes.")
    kind: int = Field(description="0 governance, 1 anchor, 2 predecessor.")
    member: int = Field(description="0 where the record is not a member's.")
    time: int = Field(description="Of the block, Unix seconds; 0 in governance records.")
    count: int = Field(description="Entries of the batch.")
    root: HexHash
    status_count: int = Field(description="Entries of the member's status list.")
    status_root: HexHash
    block: int = Field(description="Number of the block that holds it.")
    block_hash: EthereumHash
    change: str | None = Field(
        pattern="^0x([0-9a-f]{2})*$", description="A governance record's ABI bytes; else null."
    )
    final: Finality

    @classmethod
    def of(cls, found: ReadRecord) -> RecordAnswer:
        """Make the answer."""
        followed, record = found.followed, found.record
        return cls(
            index=followed.index,
            record=followed.record.hex(),
            kind=int(record.kind),
            member=record.member,
            time=record.time,
            count=record.count,
            root=record.root.hex(),
            status_count=record.status_count,
            status_root=record.status_root.hex(),
            block=followed.block_number,
            block_hash="0x" + followed.block_hash.hex(),
            change=None if followed.change is None else "0x" + followed.change.hex(),
            final=found.final,
        )


class RecordsAnswer(BaseModel):
    """One page of records."""

    records: list[RecordAnswer]
    size: int = Field(description="Records in the newest head.")
    next: Next


class InclusionAnswer(BaseModel):
    """A record proven in the ledger at one size."""

    index: int
    size: int
    leaf: HexHash = Field(description="SHA-256(00 || record).")
    path: Path
    root: HexHash = Field(description="Compare it with a head that you trust.")
    final: Finality

    @classmethod
    def of(cls, found: Inclusion, *, index: int, size: int) -> InclusionAnswer:
        """Make the answer."""
        return cls(
            index=index,
            size=size,
            leaf=found.leaf.hex(),
            path=[step.hex() for step in found.path],
            root=found.root.hex(),
            final=found.final,
        )


class ConsistencyAnswer(BaseModel):
    """The ledger at one size proven to be the beginning of it at another."""

    old_size: int
    size: int
    path: Path
    old_root: HexHash
    root: HexHash = Field(description="Compare both with heads that you trust.")
    final: Finality

    @classmethod
    def of(cls, found: Consistency, *, old_size: int, size: int) -> ConsistencyAnswer:
        """Make the answer."""
        return cls(
            old_size=old_size,
            size=size,
            path=[step.hex() for step in found.path],
            old_root=found.old_root.hex(),
            root=found.root.hex(),
            final=found.final,
        )
