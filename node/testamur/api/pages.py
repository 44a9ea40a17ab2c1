"""Where pages for people come in: a browser's form is answered with a page, programs with JSON.

The pages themselves are made in ``web/``, which this folder does not know; whoever builds the
application hands them over.
"""

from __future__ import annotations

import json
from typing import Final, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from testamur.ledger.report import Report

VERIFY_PATH: Final = "/v1/verify"
"""The one path that has two kinds of answer; the form of the verify page is sent there."""

VARY: Final = {"Vary": "Accept"}
"""What its answers say to caches."""


class Pages(Protocol):
    """What makes pages for people."""

    def routes(self) -> list[BaseRoute]:
        """Give the routes of the pages and of what they load."""
        ...

    def report(self, report: Report) -> Response:
        """Show a report."""
        ...

    def problem(self, status: int, code: str, detail: str) -> Response:
        """Show an error in the place of a report."""
        ...


def pages_for(request: Request) -> Pages | None:
    """Give what makes the page that ``request`` wants; None where it wants JSON.

    A page is for whoever names ``text/html`` and not JSON, on the one path that has both. Browsers
    name it when they send a form; programs that name nothing get what they always got.
    """
    pages: Pages | None = request.app.state.pages
    if pages is None or request.url.path != VERIFY_PATH:
        return None
    accepted = {
        each.partition(";")[0].strip().lower()
        for each in request.headers.get("accept", "").split(",")
    }
    return pages if "text/html" in accepted and "application/json" not in accepted else None


async def shown(request: Request, problem: Response) -> Response:
    """Give a problem document as it is, or as a page where ``request`` wants one."""
    pages = pages_for(request)
    if pages is None:
        return problem
    told = json.loads(bytes(problem.body))
    page = await run_in_threadpool(pages.problem, told["status"], told["code"], told["detail"])
    page.headers.update(VARY)
    if "Retry-After" in problem.headers:
        page.headers["Retry-After"] = problem.headers["Retry-After"]
    return page
