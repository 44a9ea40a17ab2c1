"""Receipts, one or many, and the wish that what waits be sealed now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, StreamingResponse

from testamur.api import requests, schemas
from testamur.api.access import DENIED, Submitter
from testamur.api.routing import (
    NOT_FOUND,
    PROBLEMS,
    TOO_LARGE,
    EntryPath,
    Service,
    body,
    documented_problem,
    entries_body,
    note_failure,
)
from testamur.errors import RequestFormatError, UnknownEntryError, UnsupportedMediaTypeError
from testamur.ledger.receipt import Receipt
from testamur.ledger.receipt_json import receipt_to_json
from testamur.service.bulk_proving import Proven

NDJSON: Final = "application/x-ndjson"

LINES_AT_ONCE: Final = 50
"""Receipts that are made before they are sent: some 100 KB in memory."""

SEAL_REQUEST_BYTES_MAX: Final = 64

_RECEIPT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The receipt, without its commitment: the holder's tool adds it."},
    202: {
        "model": schemas.EntryAnswer,
        "description": "Not anchored yet: ask again after Retry-After seconds.",
    },
}
_LINES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A line for each entry, in the order asked.",
        "content": {NDJSON: {"schema": schemas.ReceiptLine.model_json_schema()}},
    },
}
_NOT_SEALING: Final[dict[int | str, dict[str, Any]]] = {
    409: documented_problem("This node has no anchor key and seals nothing."),
}


def add_receipts(app: FastAPI) -> None:
    """Add the routes of receipts."""

    @app.get(
        "/v1/receipts/{entry}",
        responses=PROBLEMS | NOT_FOUND | _RECEIPT,
        summary="The receipt of an entry",
    )
    def receipt(entry: EntryPath, service: Service) -> Response:
        """Prove an entry of any member whose batch this node holds, as soon as it is anchored.

        While its record is not final the receipt leads to the newest head, which a reorganisation
        can take back: get it again once the entry is final.
        """
        found = service.receipt(requests.parse_entry(entry))
        if isinstance(found, Receipt):
            return JSONResponse(receipt_to_json(found))
        answer = schemas.EntryAnswer.of(found)
        return JSONResponse(answer.model_dump(), status_code=202, headers={"Retry-After": "1"})

    @app.post(
        "/v1/receipts",
        response_class=Response,
        responses=PROBLEMS | TOO_LARGE | _LINES,
        openapi_extra=body(entries_body(requests.RECEIPTS_MAX)),
        summary="The receipts of many entries",
    )
    async def receipts(request: Request, service: Service) -> Response:
        """Say where each entry stands, with its receipt where it is anchored; unknown ones, too."""
        data = await requests.read_body(request, requests.RECEIPTS_BYTES_MAX)
        # Strict JSON of the largest size takes long enough to keep everyone else waiting.
        entries = await run_in_threadpool(
            requests.parse_entries,
            data,
            requests.media_type(request),
            entries_max=requests.RECEIPTS_MAX,
        )
        proven = await run_in_threadpool(service.receipts, entries)
        return StreamingResponse(_lines(request, proven), media_type=NDJSON)


def add_sealing(app: FastAPI) -> None:
    """Add the route by which a person has a batch sealed."""

    @app.post(
        "/v1/batches",
        status_code=202,
        response_model=schemas.SealingAnswer,
        responses=PROBLEMS | TOO_LARGE | DENIED | _NOT_SEALING,
        openapi_extra=body(
            {"application/json": {"schema": {"type": "object", "additionalProperties": False}}}
        ),
        summary="Seal what waits now",
    )
    async def seal(request: Request, service: Service, by: Submitter) -> schemas.SealingAnswer:
        """Have the entries that wait now sealed at the next pass; asking again is harmless.

        The body is an empty object: what a page can send without asking first is not taken.
        """
        data = await requests.read_body(request, SEAL_REQUEST_BYTES_MAX)
        if requests.media_type(request) != "application/json":
            raise UnsupportedMediaTypeError("send an empty object as application/json")
        if requests.parse_json(data, SEAL_REQUEST_BYTES_MAX) != {}:
            raise RequestFormatError("the body is not an empty object")
        return schemas.SealingAnswer(waiting=await run_in_threadpool(service.seal_now, by))


def _lines(request: Request, proven: Iterator[Proven]) -> Iterator[bytes]:
    """Write lines in groups; each group is a step of its own in the pool of threads."""
    noted: set[str] = set()
    while group := list(islice(proven, LINES_AT_ONCE)):
        for one in group:
            if one.error is not None and str(one.error) not in noted:
                noted.add(str(one.error))  # once for a batch, not for each of its entries
                note_failure(request, one.error)
        yield b"".join(_line(one) for one in group)


def _line(one: Proven) -> bytes:
    state = None if one.located is None else one.located.state
    code = None if one.error is None else one.error.code
    if state is None:
        code = UnknownEntryError.code
    line: dict[str, Any] = {
        "entry": one.entry.hex(),
        "state": None if state is None else state.state,
        "batch": None if state is None or state.batch is None else state.batch.hex(),
        "record": None if one.located is None else one.located.record,
        "receipt": None if one.receipt is None else receipt_to_json(one.receipt),
    }
    if code is not None:
        line["code"] = code
    return json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"
