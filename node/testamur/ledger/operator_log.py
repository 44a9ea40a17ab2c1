"""The operator log: who did what at a node, each line bound to the one before.

A line is canonical JSON (RFC 8785) whose field ``previous`` is the SHA-256 of the line before, so
that no line can be altered, left out or put in without altering every later one. The first line is
bound to ledger and member. That lines are missing at the end cannot be seen from the log alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal, get_args

import rfc8785

from testamur.credentials.commitment import check_member
from testamur.errors import OperatorLogError
from testamur.ledger.fields import Fields
from testamur.merkle.hashing import Hash32, hash32

TAG: Final = b"testamur/v1/operator-log\x00"
"""Keeps the value that the first line is bound to apart from every other hash."""

ActorKind = Literal["token", "command line", "node", "anyone"]
"""Who acts: whoever holds a token; whoever can write to the data directory; the node by itself;
whoever reaches a node that is open for submission."""

ACTOR_KINDS: Final[tuple[ActorKind, ...]] = get_args(ActorKind)

ActName = Literal[
    "node_started",
    "node_stopped",
    "token_created",
    "token_revoked",
    "entries_submitted",
    "seal_requested",
    "batch_sealed",
]
"""What is recorded; docs/formats/operator-log.md says with which details."""

ACTS: Final[tuple[ActName, ...]] = get_args(ActName)

Value = str | int | None | tuple[str, ...]
"""What a detail of an act may be."""

TEXT_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something."""

    kind: ActorKind
    """What kind of actor."""
    id: str | None = None
    """Public id of the token; None for any other kind."""
    name: str | None = None
    """The token's name when it acted; None for any other kind."""

    def to_json(self) -> dict[str, str]:
        """Give the form of a line."""
        named = {"id": self.id, "name": self.name}
        return {"kind": self.kind} | {key: text for key, text in named.items() if text is not None}


COMMAND_LINE: Final = Actor("command line")
NODE: Final = Actor("node")
ANYONE: Final = Actor("anyone")


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done, before it has its place in the log."""

    actor: Actor
    """Who."""
    name: ActName
    """What."""
    time: int
    """When, in Unix seconds, by the node's clock."""
    details: Mapping[str, Value]
    """The rest, by name: counts, ids and times; never an entry, a digest or a secret."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """An act at its place."""

    index: int
    """Position, from 0."""
    previous: Hash32
    """SHA-256 of the line before; for the first, :func:`origin`."""
    act: Act
    """What was done."""

    def to_json(self) -> dict[str, object]:
        """Give the line as a JSON object."""
        act = self.act
        return {
            "index": self.index,
            "previous": self.previous.hex(),
            "time": act.time,
            "actor": act.actor.to_json(),
            "act": act.name,
            "details": {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in act.details.items()
            },
        }

    def encode(self) -> bytes:
        """Give the line's bytes, which its hash is of."""
        return rfc8785.dumps(self.to_json())  # type: ignore[arg-type] # JSON, by its types

    def hash(self) -> Hash32:
        """Give what the next line names as ``previous``."""
        return Hash32(sha256(self.encode()).digest())


def origin(ledger_id: Hash32, member: int) -> Hash32:
    """Give what the first line names as ``previous``.

    Raises:
        HashLengthError, MemberRangeError: there is no such ledger or member.
    """
    check_member(member)
    bound = TAG + hash32(ledger_id, "ledger id") + member.to_bytes(4, "big")
    return Hash32(sha256(bound).digest())


def parse_actor(value: object) -> Actor:
    """Read who acted, from decoded JSON.

    Raises:
        OperatorLogError: it is not of the form.
    """
    fields = Fields(value, "line.actor", OperatorLogError)
    told = fields.text("kind")
    kind = next((one for one in ACTOR_KINDS if one == told), None)
    if kind is None:
        raise fields.fault("kind", "is unknown")
    named = [
        fields.text(name, length_min=1, length_max=TEXT_MAX) if fields.has(name) else None
        for name in ("id", "name")
    ]
    fields.done()
    if (kind == "token") != (None not in named) or (kind != "token" and named != [None, None]):
        raise fields.fault("id", "and name belong to a token, and to nothing else")
    return Actor(kind, *named)


def parse_line(value: object) -> LogLine:
    """Read a line from decoded JSON that anyone may have made.

    Raises:
        OperatorLogError: it is not of the form.
    """
    fields = Fields(value, "line", OperatorLogError)
    index, previous = fields.integer("index"), fields.hash("previous")
    time, told = fields.integer("time"), fields.text("act")
    name = next((one for one in ACTS if one == told), None)
    if name is None:
        raise fields.fault("act", "is none that this version knows")
    actor, details = parse_actor(fields.take("actor")), fields.take("details")
    fields.done()
    if not isinstance(details, Mapping) or not all(
        isinstance(key, str) and len(key) <= TEXT_MAX for key in details
    ):
        raise fields.fault("details", "is not an object")
    read = {str(key): _value(item) for key, item in details.items()}
    return LogLine(index, previous, Act(actor, name, time, read))


def follow(lines: Iterable[LogLine], start: Hash32, *, first: int = 0) -> Iterator[LogLine]:
    """Give ``lines`` on, each after it was found to follow the one before.

    ``start`` is what the line with index ``first`` must name as ``previous``.

    Raises:
        OperatorLogError: a line does not follow; the message says which.
    """
    previous = start
    for index, line in enumerate(lines, first):
        if line.index != index:
            raise OperatorLogError(f"where line {index} belongs stands one numbered {line.index}")
        if line.previous != previous:
            raise OperatorLogError(
                f"line {index} does not follow the one before: it, or what stands before it, "
                "was altered"
            )
        previous = line.hash()
        yield line


def _value(item: object) -> Value:
    if item is None or (isinstance(item, int) and not isinstance(item, bool)):
        return item
    if isinstance(item, str) and len(item) <= TEXT_MAX:
        return item
    if isinstance(item, list) and all(isinstance(one, str) for one in item):
        return tuple(str(one) for one in item)
    raise OperatorLogError("line.details holds something that is neither text nor a whole number")
