"""Answers as pydantic models, for OpenAPI and for one spelling of every field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from testamur.ledger.birth import FoundingMember
from testamur.service.ledger_tree import HeadTree
from testamur.service.membership import MemberEntry
from testamur.service.proving import Located
from testamur.storage.model import Replication
from testamur.storage.tokens import Scope

HexHash = Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=["e3" * 32])]
Address = Annotated[str, Field(pattern="^0x[0-9a-f]{40}$")]
EthereumHash = Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")]
State = Literal["queued", "sealed", "submitted", "anchored", "final"]


class Submitted(BaseModel):
    """What became of a submission; its entries are durable."""

    added: int = Field(description="Entries that are new.")
    known: int = Field(description="Entries that this node had already.")


class EntryAnswer(BaseModel):
    """Where an entry stands."""

    entry: HexHash
    member: int = Field(description="Whose it is.")
    state: State
    submitted_at: int | None = Field(
        description="Unix seconds; null where it was submitted at another node."
    )
    batch: HexHash | None = Field(description="Root of its batch, once sealed.")
    record: int | None = Field(description="Index of the anchor's record, once anchored.")

    @classmethod
    def of(cls, found: Located) -> EntryAnswer:
        """Make the answer."""
        state = found.state
        return cls(
            entry=state.entry.hex(),
            member=found.member,
            state=state.state,
            submitted_at=state.submitted_at,
            batch=None if state.batch is None else state.batch.hex(),
            record=found.record,
        )


class ReceiptLine(BaseModel):
    """One line of many: where an entry stands, and its receipt once it is anchored."""

    entry: HexHash
    state: State | None = Field(description="null: this node does not know the entry.")
    batch: HexHash | None
    record: int | None
    receipt: dict[str, Any] | None = Field(description="As `GET /v1/receipts/{entry}` gives it.")
    code: str = Field(
        default="",
        description="Why there is no receipt: `unknown_entry`, or the code of an error.",
    )


class SealingAnswer(BaseModel):
    """What is going to be sealed."""

    waiting: int = Field(description="Entries that wait, and are sealed at the next pass.")


class HeadAnswer(BaseModel):
    """The ledger at one block."""

    size: int = Field(description="Records.")
    root: HexHash
    block: int = Field(description="Block number.")
    time: int = Field(description="The block's timestamp, Unix seconds.")

    @classmethod
    def of(cls, found: HeadTree | None) -> HeadAnswer | None:
        """Make the answer; None where the node has not followed that far."""
        if found is None:
            return None
        head = found.head
        return cls(size=head.size, root=head.root.hex(), block=head.block, time=head.time)


class NetworkAnswer(BaseModel):
    """The chain."""

    name: str
    kind: Literal["local", "test", "main"]


class LedgerAnswer(BaseModel):
    """The ledger as this node follows it."""

    ledger_id: HexHash
    chain_id: int
    genesis: EthereumHash
    contract: Address
    network: NetworkAnswer
    member: int = Field(description="The member that runs this node.")
    version: str = Field(description="Of the node's software.")
    queued: int = Field(description="Entries that wait to be sealed here.")
    final: HeadAnswer | None = Field(description="The newest final head.")
    seen: HeadAnswer | None = Field(description="The newest head; a reorg may take it back.")


class MemberAnswer(BaseModel):
    """One member, as the ledger has it."""

    id: int
    name: str
    domain: str
    endpoint: str
    anchor_key: Address
    control_key: Address
    witness_key: HexHash
    since_record: int = Field(description="Governance record that says so.")
    batches_anchored: int = Field(description="Batches that it anchored, as far as followed.")
    batches_held: int = Field(description="Those of them that this node holds and can prove from.")

    @classmethod
    def of(cls, member: MemberEntry, batches: Replication) -> MemberAnswer:
        """Make the answer."""
        profile: FoundingMember = member.profile
        return cls(
            id=member.id,
            name=profile.name,
            domain=profile.domain,
            endpoint=profile.endpoint,
            anchor_key="0x" + profile.anchor_key.hex(),
            control_key="0x" + profile.control_key.hex(),
            witness_key=profile.witness_key.hex(),
            since_record=member.since_record,
            batches_anchored=batches.anchored,
            batches_held=batches.held,
        )


class MembersAnswer(BaseModel):
    """All members."""

    members: list[MemberAnswer]


class ReadyAnswer(BaseModel):
    """Whether the node can do its work."""

    ready: bool
    checks: dict[str, str] = Field(description="Each dependency: ``ok``, or what is wrong.")


class LiveAnswer(BaseModel):
    """The process answers."""

    live: Literal[True] = True


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable; docs/formats/errors.md lists all.")
    detail: str
    advice: str | None = None


class TokenAnswer(BaseModel):
    """A token, without its secret part."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: int = Field(description="Unix seconds.")
    expires_at: int | None = Field(description="Unix seconds; null: never.")
    quota_per_day: int | None = Field(description="New entries a day; null: any number.")
    revoked_at: int | None = Field(description="Unix seconds; null: it was not revoked.")


class NewTokenAnswer(TokenAnswer):
    """A new token."""

    token: str = Field(description="The token itself, shown this once.")


class TokensAnswer(BaseModel):
    """All tokens, the oldest first."""

    tokens: list[TokenAnswer]


class LogLineAnswer(BaseModel):
    """A line of the operator log; docs/formats/operator-log.md."""

    index: int
    previous: HexHash
    time: int = Field(description="Unix seconds.")
    actor: dict[str, str]
    act: str
    details: dict[str, str | int | list[str] | None]


class OperatorLogAnswer(BaseModel):
    """A page of the operator log."""

    lines: list[LogLineAnswer]
    size: int = Field(description="Lines that there are.")
    newest: HexHash | None = Field(description="Hash of the newest line; null without any.")
