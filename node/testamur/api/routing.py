"""What all routes share: the service they call, and the errors that they document and log."""

from __future__ import annotations

from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, Path, Request

from testamur.api import schemas
from testamur.api.problems import MEDIA_TYPE, status_of
from testamur.errors import TestamurError
from testamur.service.node import NodeService

_LOG = structlog.get_logger("testamur")


def _service(request: Request) -> NodeService:
    service: NodeService = request.app.state.service
    return service


Service = Annotated[NodeService, Depends(_service)]
"""The node's verbs, as an argument of a route."""


EntryPath = Annotated[str, Path(description="64 lower-case hex digits.", max_length=256)]
"""An entry, as an argument of a route; its form is checked by the route."""


def documented_problem(description: str) -> dict[str, Any]:
    """Give OpenAPI's words for an answer that is a problem document."""
    content = {MEDIA_TYPE: {"schema": schemas.Problem.model_json_schema()}}
    return {"description": description, "content": content}


PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    400: documented_problem("The request is not of the documented form."),
    503: documented_problem("Something did not answer; ask again."),
    # Also keeps FastAPI from documenting its own 422, which this application never gives.
    "default": documented_problem("Any other error."),
}
"""What any route may answer."""

NOT_FOUND: Final[dict[int | str, dict[str, Any]]] = {
    404: documented_problem("This node does not know the entry."),
}
"""What a route that asks for one entry may answer besides."""

TOO_LARGE: Final[dict[int | str, dict[str, Any]]] = {
    413: documented_problem("Over a limit; nothing was taken."),
    415: documented_problem("Another Content-Type is needed."),
}
"""What a route with a body may answer besides."""


def body(content: dict[str, Any]) -> dict[str, Any]:
    """Give OpenAPI for a body that is read by hand: FastAPI's own reading is not strict."""
    return {"requestBody": {"required": True, "content": content}}


def entries_body(count_max: int) -> dict[str, Any]:
    """Give OpenAPI's words for a body of 1 to ``count_max`` entries, in either form."""
    return {
        "application/json": {
            "schema": {
                "type": "array",
                "items": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "minItems": 1,
                "maxItems": count_max,
            },
            "example": ["e3" * 32],
        },
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    }


def note_failure(request: Request, error: TestamurError) -> None:
    """Log an error that is the node's, and not of whoever asked."""
    if status_of(error) >= 500:  # noqa: PLR2004
        _LOG.error("request failed", route=route_of(request), code=error.code, reason=str(error))


def route_of(request: Request) -> str:
    """Name a request for the log by its route, never by its path: paths hold entries."""
    route = request.scope.get("route")
    return f"{request.method} {getattr(route, 'path', 'unknown')}"
