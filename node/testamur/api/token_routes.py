"""Routes for whoever runs the node: its tokens, and its operator log."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from testamur.api import requests, schemas
from testamur.api.access import DENIED, Administrator, Auditor
from testamur.api.queries import Number, documented, parse_query
from testamur.api.routing import PROBLEMS, Service, documented_problem
from testamur.errors import RequestFormatError, UnsupportedMediaTypeError
from testamur.ledger.fields import Fields
from testamur.service.access import (
    EXPIRES_DAYS_DEFAULT,
    LINES_MAX,
    QUOTA_MAX,
    TokenRequest,
    expires_days,
)
from testamur.storage.tokens import SCOPES

REQUEST_BYTES_MAX: Final = 16 * 1024
EXPIRES_DEFAULT: Final = f"{EXPIRES_DAYS_DEFAULT}d"
_NO_STORE: Final = {"Cache-Control": "no-store"}
_START: Final = Number("start", "Index of the first line.", default=0)
_LIMIT: Final = Number("limit", "Most lines on the page.", 1, LINES_MAX, 100)

_UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: documented_problem("There is no such token."),
}
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    409: documented_problem("Another token that is in force has the name."),
    413: documented_problem("The body is too long."),
    415: documented_problem("Another Content-Type is needed."),
}


def add_tokens(app: FastAPI) -> None:
    """Add the routes that manage tokens."""

    @app.post(
        "/v1/tokens",
        status_code=201,
        response_model=schemas.NewTokenAnswer,
        responses=PROBLEMS | DENIED | _REFUSED,
        openapi_extra=_body(),
        summary="Make a token",
    )
    async def create(request: Request, service: Service, by: Administrator) -> Response:
        """Make a token; it is in this answer, and never again in any other."""
        if requests.media_type(request) != "application/json":
            raise UnsupportedMediaTypeError("send application/json")
        data = await requests.read_body(request, REQUEST_BYTES_MAX)
        made = await run_in_threadpool(service.access.create, _parse(data), by=by)
        answer = made.token.to_json() | {"token": made.text}
        return JSONResponse(answer, status_code=201, headers=_NO_STORE)

    @app.get(
        "/v1/tokens",
        response_model=schemas.TokensAnswer,
        responses=PROBLEMS | DENIED,
        summary="All tokens",
    )
    def tokens(service: Service, _by: Administrator) -> Response:
        """List all tokens, revoked and expired ones included, without their secret part."""
        found = [token.to_json() for token in service.access.tokens()]
        return JSONResponse({"tokens": found}, headers=_NO_STORE)

    @app.delete(
        "/v1/tokens/{token_id}",
        response_model=schemas.TokenAnswer,
        responses=PROBLEMS | DENIED | _UNKNOWN,
        summary="Revoke a token",
    )
    def revoke(
        token_id: Annotated[str, Path(description="The token's id.", max_length=64)],
        service: Service,
        by: Administrator,
    ) -> Response:
        """Revoke a token: no request that arrives after the answer is let in with it."""
        return JSONResponse(service.access.revoke_id(token_id, by=by).to_json(), headers=_NO_STORE)


def add_operator_log(app: FastAPI) -> None:
    """Add the route that reads the operator log."""

    @app.get(
        "/v1/operator-log",
        response_model=schemas.OperatorLogAnswer,
        responses=PROBLEMS | DENIED,
        openapi_extra=documented(_START, _LIMIT),
        summary="Who did what",
    )
    def operator_log(request: Request, service: Service, _by: Auditor) -> Response:
        """Give a page of the operator log; a line keeps its index and never changes."""
        start, limit = parse_query(request.query_params, _START, _LIMIT)
        lines = service.access.log_lines(start=start, limit=limit)
        size, newest = service.access.log_end()
        return JSONResponse(
            {
                "lines": [line.to_json() for line in lines],
                "size": size,
                "newest": None if newest is None else newest.hex(),
            },
            headers=_NO_STORE,
        )


def _parse(data: bytes) -> TokenRequest:
    """Read what token is wanted.

    Raises:
        RequestFormatError: not of the form. What is wrong with the values is said elsewhere.
    """
    decoded = requests.parse_json(data, REQUEST_BYTES_MAX)
    fields = Fields(decoded, "request", RequestFormatError)
    expires = fields.text("expires") if fields.has("expires") else EXPIRES_DEFAULT
    has_quota = fields.has("quota_per_day")
    wanted = TokenRequest(
        name=fields.text("name"),
        scopes=fields.texts("scopes", count_max=len(SCOPES)),
        expires_days=expires_days(expires),
        quota_per_day=fields.integer("quota_per_day", least=1) if has_quota else None,
    )
    fields.done()
    return wanted


def _body() -> dict[str, Any]:
    """OpenAPI for the body of a request for a token."""
    schema = {
        "type": "object",
        "required": ["name", "scopes"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 64},
            "scopes": {
                "type": "array",
                "items": {"type": "string", "enum": list(SCOPES)},
                "minItems": 1,
                "maxItems": len(SCOPES),
            },
            "expires": {
                "type": "string",
                "pattern": "^([1-9][0-9]{0,4}d|never)$",
                "default": EXPIRES_DEFAULT,
            },
            "quota_per_day": {"type": "integer", "minimum": 1, "maximum": QUOTA_MAX},
        },
    }
    example = {"name": "LMS", "scopes": ["submit"], "expires": "90d"}
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}
