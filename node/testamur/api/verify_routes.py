"""``POST /v1/verify``: every form of it, and its answer. Nothing that is sent is kept or logged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, nullcontext, suppress
from typing import Final

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from testamur.api import requests, verify_requests
from testamur.api.pages import VARY, VERIFY_PATH, pages_for
from testamur.api.problems import problem_document
from testamur.api.routing import PROBLEMS, TOO_LARGE, Service, note_failure
from testamur.api.uploads import Upload, read_upload
from testamur.api.verify_schemas import ANSWER, BODY
from testamur.errors import TestamurError, UnsupportedMediaTypeError
from testamur.ledger.presenting import Shown, WithReceipt
from testamur.ledger.report import Report
from testamur.service.node import NodeService
from testamur.service.verifying import Moment

UPLOADS_MAX: Final = 8
"""Requests that may each hold a credential of the largest size; the others wait their turn."""
SMALL_BYTES_MAX: Final = 64 * 1024
"""Whoever sends no more than this, such as a digest with its receipt, waits for nobody."""
LINES_SECONDS_MAX: Final = 300.0
"""Longest time for answering all lines: whoever reads slowly does not keep others waiting."""
NDJSON: Final = "application/x-ndjson"
_PRIVATE: Final = {"Cache-Control": "no-store"}


def add_verify(app: FastAPI) -> None:
    """Add the route to ``app``."""
    uploads = asyncio.Semaphore(UPLOADS_MAX)

    @app.post(
        VERIFY_PATH,
        responses=PROBLEMS | TOO_LARGE | ANSWER,
        openapi_extra=BODY,
        summary="Verify a credential",
    )
    async def verify(request: Request, service: Service) -> Response:
        """Check a digest or a file, with its receipt or by its locator.

        The answer is a report whatever the verdict. Nothing that is sent is kept or logged.
        """
        if requests.media_type(request) == NDJSON:
            return await _lines(request, service, uploads)
        report = await _report(request, service, uploads)
        return await _told(request, report)


async def _report(request: Request, service: NodeService, uploads: asyncio.Semaphore) -> Report:
    """Read one verification, and make its report.

    Raises:
        TestamurError: the request is of no documented form, or the node's own store failed.
    """
    kind = requests.media_type(request)
    turn = nullcontext() if requests.is_small(request, SMALL_BYTES_MAX) else uploads
    if kind == "application/json":
        async with turn:
            data = await requests.read_body(request, verify_requests.JSON_BYTES_MAX)
            return await run_in_threadpool(_verify_json, service, data)
    if kind == "multipart/form-data":
        async with turn:
            data = await requests.read_body(request, verify_requests.UPLOAD_BYTES_MAX)
            upload = await read_upload(data, request.headers)
            del data  # the parts are copies
            return await run_in_threadpool(_verify_upload, service, upload)
    raise UnsupportedMediaTypeError(
        f"send application/json, {NDJSON}, or multipart/form-data with file"
    )


async def _told(request: Request, report: Report) -> Response:
    """Answer with a report, as a page or as JSON."""
    pages = pages_for(request)
    if pages is None:
        answer: Response = JSONResponse(report.to_json())
    else:
        answer = await run_in_threadpool(pages.report, report)
    answer.headers.update(_PRIVATE | VARY)
    return answer


async def _lines(request: Request, service: NodeService, uploads: asyncio.Semaphore) -> Response:
    """Read many verifications, and answer them one by one.

    Raises:
        TestamurError: the request as a whole is of no documented form.
    """
    async with AsyncExitStack() as held:
        await held.enter_async_context(uploads)
        data = await requests.read_body(request, verify_requests.UPLOAD_BYTES_MAX)
        lines = verify_requests.lines_of(data)
        moment = await run_in_threadpool(service.moment)
        return _Lines(_answers(request, service, lines, moment), held.pop_all())


async def _answers(
    request: Request, service: NodeService, lines: Iterator[bytes], moment: Moment
) -> AsyncIterator[bytes]:
    """Answer each line by a report, or by a problem that leaves the others unharmed."""
    for line in lines:
        try:
            report = await run_in_threadpool(_verify_json, service, line, moment)
            answer = report.to_json()
        except TestamurError as exc:
            note_failure(request, exc)
            answer = problem_document(exc)
        yield json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _verify_json(service: NodeService, data: bytes, moment: Moment | None = None) -> Report:
    ledger_id = service.about.identity.ledger_id
    return _verify(service, verify_requests.parse_verification(data, ledger_id=ledger_id), moment)


def _verify_upload(service: NodeService, upload: Upload) -> Report:
    return _verify(
        service, verify_requests.parse_upload(upload.file, upload.receipt, upload.locator)
    )


def _verify(service: NodeService, shown: Shown, moment: Moment | None = None) -> Report:
    if isinstance(shown, WithReceipt):
        return service.verify(shown.receipt, shown.presented, moment)
    return service.verify_without_receipt(shown.presented, moment)


class _Lines(StreamingResponse):
    """Lines that are sent as they are made; what was ``held`` for them is freed at the end."""

    def __init__(self, lines: AsyncIterator[bytes], held: AsyncExitStack) -> None:
        super().__init__(lines, media_type=NDJSON, headers=_PRIVATE)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Out of time, the answer stays incomplete, and the server closes the connection.
        with suppress(TimeoutError):
            async with self._held, asyncio.timeout(LINES_SECONDS_MAX):
                await super().__call__(scope, receive, send)
