"""The pages and their headers. What a page says of a credential is the service's report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from testamur.errors import TestamurError
from testamur.ledger.locating import receipt_needed
from testamur.ledger.report import Report
from testamur.service.membership import MemberEntry
from testamur.service.node import NodeService
from testamur.web import wording
from testamur.web.shown import Shown, network_label, shown_problem, shown_refusal, shown_report
from testamur.web.static_files import StaticFiles

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Scripts of this node and no others; no request to anyone else, so that no file can leave."""

HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
}
"""Of every page and of what it loads, beside those that the server gives to every answer. Cookies
and storage are not used at all."""


class Pages:
    """The pages of one node. May be used from any thread."""

    def __init__(self, service: NodeService, *, clock: Callable[[], float]) -> None:
        self._service = service
        self._clock = clock
        self._static = StaticFiles()
        self._templates = Environment(
            loader=PackageLoader("testamur.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["static"] = self._static.url

    def routes(self) -> list[BaseRoute]:
        """Give the routes of the pages and of the static files."""

        def start(_request: Request) -> Response:
            return self.start()

        return [
            Route("/", start, include_in_schema=False),
            self._static.route(HEADERS),
        ]

    def start(self) -> Response:
        """Make the verify page, with what it shows without asking anyone."""
        members, network = self._members(), self._service.about.network
        needed = shown_report(receipt_needed(network), node=self._name(members), now=self._now())
        silent = shown_problem("node_unavailable", "", retry=True, network=network)
        unread = shown_problem("credential_error", "", retry=False, network=network)
        return self._page(
            "verify.html",
            members,
            # Nothing was asked and nothing checked, which is all that there is to say.
            receipt_needed=replace(needed, facts=(), checks=(), raw=None),
            no_answer=silent,
            could_not_read=unread,
            modules=self._static.modules,
            not_valid=shown_refusal(network),
            advice=wording.ADVICE,
            known={
                "ledger": self._service.about.identity.ledger_id.hex(),
                "members": {m.id: f"{m.profile.name} ({m.profile.domain})" for m in members},
            },
        )

    def report(self, report: Report) -> Response:
        """Show a report, as the answer to a form or to the script of the verify page."""
        members = self._members()
        return self._result(
            shown_report(report, node=self._name(members), now=self._now()), members, 200
        )

    def problem(self, status: int, code: str, detail: str) -> Response:
        """Show an error in the place of a report; ``status`` is its HTTP status."""
        # 408, 429 and all of 5xx: not the fault of what was sent.
        retry = status in {408, 429} or status >= 500  # noqa: PLR2004
        network = self._service.about.network
        shown = shown_problem(code, detail, retry=retry, network=network)
        return self._result(shown, self._members(), status)

    def _result(self, shown: Shown, members: tuple[MemberEntry, ...], status: int) -> Response:
        answer = self._page("result.html", members, shown=shown)
        answer.status_code = status
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _page(self, template: str, members: tuple[MemberEntry, ...], **values: Any) -> Response:
        about = self._service.about
        page = self._templates.get_template(template).render(
            node=self._name(members),
            network=network_label(about.network),
            version=about.version,
            **values,
        )
        return HTMLResponse(page, headers=HEADERS | {"Cache-Control": "no-cache"})

    def _members(self) -> tuple[MemberEntry, ...]:
        """Give the members; none where the node cannot say, because the page needs no names."""
        try:
            return self._service.members()
        except TestamurError:
            return ()

    def _name(self, members: tuple[MemberEntry, ...]) -> str:
        number = self._service.about.identity.member
        for member in members:
            if member.id == number:
                return f"{member.profile.name} ({member.profile.domain})"
        return f"member {number}"

    def _now(self) -> int:
        return int(self._clock())
