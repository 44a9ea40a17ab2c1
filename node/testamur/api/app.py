"""The HTTP application: a request is read, handed to the service, and answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from testamur import __version__
from testamur.api import requests, schemas
from testamur.api.access import DENIED, Submitter, is_closed_to_pages
from testamur.api.ledger_routes import add_batches, add_records
from testamur.api.pages import Pages, shown
from testamur.api.problems import problem, problem_of
from testamur.api.rate_limit import UNLIMITED, ClientLimits, RateLimited
from testamur.api.receipt_routes import add_receipts, add_sealing
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
    route_of,
)
from testamur.api.token_routes import add_operator_log, add_tokens
from testamur.api.verify_routes import add_verify
from testamur.errors import RequestFormatError, TestamurError
from testamur.ledger.trust import serialise_trust
from testamur.service.node import NodeService

_LOG = structlog.get_logger("testamur")


_BUSY: dict[int | str, dict[str, Any]] = {
    429: documented_problem("Over a quota; nothing was taken. Ask again after Retry-After."),
}


def create_app(
    service: NodeService,
    *,
    client_limits: ClientLimits = UNLIMITED,
    pages: Pages | None = None,
) -> FastAPI:
    """Make the application of one node.

    ``client_limits`` are those of one client's address; without ``pages`` there is nothing for
    people at ``/``.
    """
    app = FastAPI(
        title="Testamur node",
        version=__version__,
        summary="Universities testify together to micro-credentials.",
        # The pages that FastAPI makes for them load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        # It would lead to the host that the request names, by http: not with a token in hand.
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.pages = pages
    # What is added last comes first, so that a page of anyone's can read that it is limited.
    app.add_middleware(RateLimited, limits=client_limits)
    app.add_middleware(
        _OpenToPages,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["Content-Range", "ETag", "Link", "Retry-After"],
    )
    app.add_exception_handler(TestamurError, _on_expected)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_unexpected)
    _add_entries(app, service.intake.limits.submission_entries_max)
    add_receipts(app)
    add_sealing(app)
    add_verify(app)
    _add_ledger(app)
    add_batches(app)
    add_records(app)
    add_tokens(app)
    add_operator_log(app)
    _add_health(app)
    if pages is not None:
        app.router.routes.extend(pages.routes())
    return app


class _OpenToPages(CORSMiddleware):
    """Lets every page in the world read and verify, and none of them submit.

    A page that a registrar happens to visit could otherwise fill the queue of a node on his
    machine, whose member would then anchor it.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_closed_to_pages(scope):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _add_entries(app: FastAPI, entries_max: int) -> None:
    @app.post(
        "/v1/entries",
        status_code=202,
        response_model=schemas.Submitted,
        responses=PROBLEMS | TOO_LARGE | DENIED | _BUSY,
        openapi_extra=body(entries_body(entries_max)),
        summary="Submit entries",
    )
    async def submit(request: Request, service: Service, by: Submitter) -> schemas.Submitted:
        """Take entries into the queue. Durable when answered; submitting again is harmless."""
        data = await requests.read_body(request, requests.SUBMISSION_BYTES_MAX)
        entries = await run_in_threadpool(
            requests.parse_entries,
            data,
            requests.media_type(request),
            entries_max=entries_max,
        )
        result = await run_in_threadpool(service.intake.submit, entries, by)
        return schemas.Submitted(added=result.added, known=result.known)

    @app.get(
        "/v1/entries/{entry}",
        response_model=schemas.EntryAnswer,
        responses=PROBLEMS | NOT_FOUND,
        summary="Where an entry stands",
    )
    def entry_state(entry: EntryPath, service: Service) -> schemas.EntryAnswer:
        """Give the state of an entry that was submitted here, or stands in a batch held here."""
        return schemas.EntryAnswer.of(service.locate(requests.parse_entry(entry)))


def _add_ledger(app: FastAPI) -> None:
    @app.get("/v1/ledger", response_model=schemas.LedgerAnswer, summary="The ledger")
    def ledger(service: Service) -> schemas.LedgerAnswer:
        """Name the ledger and the heads that this node follows."""
        about, followed = service.about, service.ledger()
        identity = about.identity
        return schemas.LedgerAnswer(
            ledger_id=identity.ledger_id.hex(),
            chain_id=identity.chain_id,
            genesis="0x" + identity.genesis.hex(),
            contract="0x" + identity.contract.hex(),
            network=schemas.NetworkAnswer(name=about.network.name, kind=about.network.kind.value),
            member=identity.member,
            version=about.version,
            queued=service.queue().count,
            final=schemas.HeadAnswer.of(followed.final),
            seen=schemas.HeadAnswer.of(followed.seen),
        )

    @app.get(
        "/v1/members",
        response_model=schemas.MembersAnswer,
        responses=PROBLEMS,
        summary="The members",
    )
    def members(service: Service) -> schemas.MembersAnswer:
        """List the members as the ledger has them."""
        return schemas.MembersAnswer(
            members=[
                schemas.MemberAnswer.of(member, service.replication(member.id))
                for member in service.members()
            ]
        )

    @app.get("/v1/trust", responses=PROBLEMS, summary="This node's view as a trust file")
    def trust(service: Service) -> Response:
        """Give a trust file that nobody vouches for: compare it with other members' nodes."""
        return Response(serialise_trust(service.trust()), media_type="application/json")


def _add_health(app: FastAPI) -> None:
    @app.get("/health/live", response_model=schemas.LiveAnswer, summary="Is the process there?")
    async def live() -> schemas.LiveAnswer:
        """Answer; nothing else is looked at."""
        return schemas.LiveAnswer()

    @app.get(
        "/health/ready",
        response_model=schemas.ReadyAnswer,
        responses={503: {"model": schemas.ReadyAnswer}},
        summary="Can it do its work?",
    )
    def ready(service: Service) -> Response:
        """Name each dependency and whether it works."""
        checks = service.readiness()
        good = all(state == "ok" for state in checks.values())
        answer = schemas.ReadyAnswer(ready=good, checks=checks)
        return JSONResponse(answer.model_dump(), status_code=200 if good else 503)


Handler = Callable[[Request, Exception], Awaitable[Response]]


async def _on_expected(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, TestamurError):
        raise TypeError("handler of TestamurError") from exc
    note_failure(request, exc)
    return await shown(request, problem_of(exc))


async def _on_http(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, HTTPException):
        raise TypeError("handler of HTTPException") from exc
    codes = {404: "no_such_resource", 405: "method_not_allowed"}
    code = codes.get(exc.status_code, RequestFormatError.code)
    return await shown(
        request, problem(exc.status_code, code, str(exc.detail), headers=dict(exc.headers or {}))
    )


async def _on_invalid(request: Request, _exc: Exception) -> Response:
    # FastAPI's own words would quote what was sent.
    return await shown(
        request, problem_of(RequestFormatError("the request is not of the documented form"))
    )


async def _on_unexpected(request: Request, exc: Exception) -> Response:
    _LOG.error("unexpected error", route=route_of(request), kind=type(exc).__name__, exc_info=exc)
    answer = problem(
        500, "internal_error", "The node met an error of its own.", "Tell its operator the time."
    )
    return await shown(request, answer)
