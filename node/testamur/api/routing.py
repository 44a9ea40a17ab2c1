"""What all routes share: the service they call, and the errors that they document."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Request

from testamur.api import schemas
from testamur.api.problems import MEDIA_TYPE
from testamur.service.node import NodeService


def _service(request: Request) -> NodeService:
    service: NodeService = request.app.state.service
    return service


Service = Annotated[NodeService, Depends(_service)]
"""The node's verbs, as an argument of a route."""


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
