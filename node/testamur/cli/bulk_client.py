"""A node asked about many entries at once. What it answers is checked by whoever relies on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

from testamur.cli.node_client import NodeClient, Submitted
from testamur.cli.patience import Patience
from testamur.credentials import strict_json
from testamur.errors import (
    CredentialError,
    NodeBusyError,
    NodeProtocolError,
    NotSealingError,
    TooManyEntriesError,
)
from testamur.ledger.fields import Fields
from testamur.merkle.hashing import Hash32

SUBMITTED_AT_ONCE: Final = 10_000
"""Entries of one submission, unless the node takes fewer."""

ASKED_AT_ONCE: Final = 250
"""Entries of one request: some 2 MB of receipts, held in memory."""

REPLY_BYTES_MAX: Final = 64 * 1024 * 1024
"""Largest answer to one request; with very many members a receipt has 200 KB."""

STATES: Final = ("queued", "sealed", "submitted", "anchored", "final")
"""The life of an entry; a node's word for each."""


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What a node says of one entry."""

    entry: Hash32
    """The entry that was asked for."""
    state: str | None
    """One of :data:`STATES`; None: the node does not know the entry."""
    batch: Hash32 | None
    """Root of its batch, once sealed."""
    receipt: object
    """Its receipt as decoded JSON; None before it is anchored."""
    code: str | None
    """Why there is no receipt, where there should be one."""


def submit(
    client: NodeClient, entries: Sequence[Hash32], patience: Patience
) -> Iterator[tuple[int, Submitted]]:
    """Submit ``entries`` in their order; give after each request how many were in it.

    What a node does not take at once is halved: its limit may be lower, and so may be what is left
    of a quota or in its queue, of which as much is used as there is.

    Raises:
        NodeBusyError: it does not take even one more, for longer than ``patience`` waits.
        NodeUnavailableError, NodeProtocolError, TooManyEntriesError: as
            :meth:`NodeClient.submit`; some may have been taken.
    """
    start, size = 0, SUBMITTED_AT_ONCE
    while start < len(entries):
        chunk = entries[start : start + size]
        try:
            answer = patience.repeat(partial(client.submit, chunk))
        except (NodeBusyError, TooManyEntriesError):
            if len(chunk) == 1:
                raise
            size = len(chunk) // 2
            continue
        yield len(chunk), answer
        start += len(chunk)


def receipts(client: NodeClient, entries: Sequence[Hash32]) -> Iterator[ReceiptLine]:
    """Give a line for each of ``entries``, in their order.

    Raises:
        NodeUnavailableError, NodeProtocolError: as :meth:`NodeClient.request`; or not of the form.
    """
    for start in range(0, len(entries), ASKED_AT_ONCE):
        asked = entries[start : start + ASKED_AT_ONCE]
        reply = client.request(
            "POST",
            "/v1/receipts",
            content=b"".join(asked),
            headers={"Content-Type": "application/octet-stream"},
            bytes_max=REPLY_BYTES_MAX,
        )
        lines = reply.body.splitlines()
        if len(lines) != len(asked):
            raise NodeProtocolError(
                f"the node answered {len(lines)} lines for {len(asked)} entries"
            )
        for entry, line in zip(asked, lines, strict=True):
            yield _line(entry, line)


def batch_state(client: NodeClient, root: Hash32) -> str:
    """Give the state of a batch.

    Raises:
        NodeUnavailableError, NodeProtocolError: as :meth:`NodeClient.request`; or no state.
    """
    answer = client.get_object(f"/v1/batches/{root.hex()}")
    return _state(Fields(answer, "the node's batch", NodeProtocolError))


def seal_now(client: NodeClient) -> int:
    """Ask that what waits be sealed now; say how many entries that are.

    Raises:
        NotSealingError: the node has no anchor key (409): asking again changes nothing.
        NodeUnavailableError, NodeProtocolError: as :meth:`NodeClient.request`.
    """
    reply = client.request(
        "POST",
        "/v1/batches",
        content=b"{}",
        headers={"Content-Type": "application/json"},
        expected=(HTTPStatus.ACCEPTED, HTTPStatus.CONFLICT),
        authorised=True,
    )
    if reply.status == HTTPStatus.CONFLICT:
        raise NotSealingError("the node has no anchor key, so it seals nothing")
    return Fields(_parsed(reply.body), "the node's answer", NodeProtocolError).integer("waiting")


def _line(entry: Hash32, line: bytes) -> ReceiptLine:
    fields = Fields(_parsed(line), "the node's line", NodeProtocolError)
    if fields.hash("entry") != entry:
        raise NodeProtocolError("the node answered for another entry")
    code = fields.text("code", length_max=100) if fields.has("code") else None
    receipt = fields.take("receipt")
    values = {name: fields.take(name) for name in ("state", "batch")}
    known = Fields(
        {name: value for name, value in values.items() if value is not None},
        "the node's line",
        NodeProtocolError,
    )
    return ReceiptLine(
        entry,
        _state(known) if known.has("state") else None,
        known.hash("batch") if known.has("batch") else None,
        receipt,
        code,
    )


def _state(fields: Fields) -> str:
    state = fields.text("state")
    if state not in STATES:
        raise NodeProtocolError("the node named a state that is not known here")
    return state


def _parsed(data: bytes) -> dict[str, strict_json.JsonValue]:
    try:
        return strict_json.parse_object(data)
    except CredentialError as exc:
        raise NodeProtocolError(f"the node answered no strict JSON: {exc}") from exc
