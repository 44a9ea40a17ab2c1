"""Who may call a route: bearer tokens (RFC 6750) and their scopes, as dependencies of routes.

A token is read from the header ``Authorization`` alone: what stands in a URL ends up in logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.types import Scope as ASGIScope

from testamur.api.routing import Service, documented_problem
from testamur.errors import TokenInvalidError, TokenMissingError
from testamur.ledger.operator_log import ANYONE, Actor
from testamur.service.node import NodeService
from testamur.storage.tokens import Scope

_HEADER: Final = re.compile(r"bearer +(?P<token>[A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
_CLOSED: Final = frozenset({"/v1/entries", "/v1/tokens", "/v1/operator-log"})
"""Paths that no page of somebody else's gets at."""
_CLOSED_TO_POST: Final = frozenset({"/v1/batches"})
"""Paths that such a page may read, and nothing else."""

_BEARER: Final = HTTPBearer(
    scheme_name="token",
    description="A token of this node: `testamur token create` makes one.",
    auto_error=False,
)
"""For OpenAPI; the header is read by :func:`_token`, which is strict."""

DENIED: Final[dict[int | str, dict[str, Any]]] = {
    401: documented_problem("No token, or none that is in force here."),
    403: documented_problem("The token does not allow this."),
}
"""What a route that needs a token may answer besides."""


def demands(scope: Scope) -> Callable[..., Actor]:
    """Make the dependency of a route that needs a token with ``scope``; it gives who acts."""

    def demand(
        request: Request, service: Service, _: object = Security(_BEARER, scopes=[scope])
    ) -> Actor:
        return _authorised(request, service, scope)

    return demand


def _submitter(
    request: Request, service: Service, _: object = Security(_BEARER, scopes=["submit"])
) -> Actor:
    """Give who submits: whoever has a token for it, or, at an open node, anyone.

    A token that is sent to an open node has to be good, so that its quota is not passed by.
    """
    if service.intake.limits.open and "authorization" not in request.headers:
        return ANYONE
    return _authorised(request, service, "submit")


Submitter = Annotated[Actor, Depends(_submitter)]
"""Who submits, as an argument of a route."""
Auditor = Annotated[Actor, Depends(demands("audit"))]
"""Who reads the operator log."""
Administrator = Annotated[Actor, Depends(demands("admin"))]
"""Who manages tokens."""


def is_closed_to_pages(scope: ASGIScope) -> bool:
    """Whether a page of somebody else's must not get at what a request is for (CORS).

    A browser asks before it sends anything but plain text: what it asks for counts.
    """
    path = scope["path"]
    if path in _CLOSED or path.startswith("/v1/tokens/"):
        return True
    asked = Headers(scope=scope).get("access-control-request-method")
    return path in _CLOSED_TO_POST and "POST" in {scope["method"], asked}


def _authorised(request: Request, service: NodeService, scope: Scope) -> Actor:
    return service.access.authorise(_token(request), scope).actor


def _token(request: Request) -> str:
    given = request.headers.getlist("authorization")
    if not given:
        raise TokenMissingError("this needs a token")
    found = _HEADER.fullmatch(given[0].strip())
    if len(given) > 1 or found is None:
        # In the words for any token that is not good: what was sent is not quoted.
        raise TokenInvalidError("the token is not known here")
    return found["token"]
