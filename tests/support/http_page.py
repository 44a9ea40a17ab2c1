"""docs/http-api.md, made from the application's own description and from the map of errors."""

from __future__ import annotations

import inspect
from typing import Any, Final

from testamur.api import queries, requests, server, verify_requests, verify_routes
from testamur.api.problems import STATUSES
from testamur.credentials import profiles, strict_json
from testamur.ledger import receipt_json
from tests.support.description import description
from tests.support.error_table import classes

INTRODUCTION: Final = """\
# HTTP interface

What a node answers over HTTP. `GET /openapi.json` describes the same for machines, with schemas and
examples. This page is made from the code by `scripts/vectors`; a test compares.

- **Reading and verifying** need no account. **Writing** needs a token, in the header
  `Authorization: Bearer TOKEN`; the table names the scope that it must have.
- Bodies are read strictly: JSON without repeated keys, each value in its one spelling, no unknown
  field or parameter. A refused request changed nothing.
- `POST /v1/verify` answers 200 with a [report](formats/report.md) whatever the verdict. Branch on
  its `outcome`: `accept`, `review`, `reject` or `retry`. A refused credential is no HTTP error.
- Errors are problem documents (RFC 9457, `application/problem+json`). Branch on `code`, never on
  the words. `advice` says what a person can do.
- 429 and 503 carry `Retry-After`, in seconds: wait, and send the same request again. Submitting is
  idempotent, so that this is always safe.
- Hashes are 64 lower-case hex digits; Ethereum's values start with `0x`. Times are Unix seconds.
- `GET /v1/receipts/{entry}` proves an entry of any member whose batch this node holds: 200 with
  the [receipt](formats/receipt.md), which has no commitment, because no node has the salt; 202 with
  the entry's state and `Retry-After` while its batch is not anchored; 404 where this node was never
  given it and holds no batch with it. While its record is not final a receipt leads to the newest
  head, which a reorganisation can take back: get it again once the entry is `final`.
- A list names its next page in `next` and in the `Link` header; `null` is the end as of now. A page
  stays right while the ledger grows.
- Paths and bodies are in no log. What is sent for verification is forgotten with the reply.
"""

BEYOND: Final = {
    "no_such_resource": (404, "Nothing of the node's is at this path."),
    "method_not_allowed": (405, "The path has no such method; `Allow` names those that it has."),
    "range_not_satisfiable": (416, "The range of bytes begins beyond the end."),
    "internal_error": (500, "A mistake of ours, answered without its cause: tell the operator."),
}
"""Codes that no error class has: code -> status and meaning."""


LIMITS: Final = {
    "entries in a submission": f"{requests.ENTRIES_MAX:,}, or fewer by a node's settings",
    "receipts in a request": f"{requests.RECEIPTS_MAX:,}",
    "lines in a verification": f"{verify_requests.LINES_MAX:,}",
    "items on a page": f"{queries.LIMIT_MAX:,}, {queries.LIMIT_DEFAULT} unless asked for",
    "bytes of a credential": f"{profiles.BYTES_MAX:,}, of JSON and JWT {strict_json.BYTES_MAX:,}",
    "bytes of a receipt": f"{receipt_json.BYTES_MAX:,}",
    "bytes of a request's head": f"{server.HEAD_BYTES_MAX:,}",
    "seconds for a head to arrive": f"{server.HEAD_SECONDS_MAX:.0f}, then the connection ends",
    "seconds for a body to arrive": f"{requests.BODY_SECONDS_MAX:.0f}",
    "seconds for many verifications": f"{verify_routes.LINES_SECONDS_MAX:.0f}",
    "requests at a time": f"{server.REQUESTS_MAX}, all clients together; beyond, a bare 503",
    "connections": f"{server.CONNECTIONS_MAX}; beyond, a new one ends the one idle longest",
}
"""What is bounded, and by how much; settings bound queue, quotas and rates."""


def page() -> bytes:
    """Make the whole page."""
    return f"{INTRODUCTION}\n{_routes()}\n{_limits()}\n{_errors()}".encode()


def codes() -> dict[str, int]:
    """Every code that a node may answer over HTTP, with its status."""
    ours = {kind.code: _status(kind) for kind in classes()}
    return {code: status for code, status in ours.items() if status is not None} | {
        code: status for code, (status, _) in BEYOND.items()
    }


def _routes() -> str:
    lines = ["## Routes", "", "| route | what it does | token |", "| --- | --- | --- |"]
    for path, methods in description()["paths"].items():
        for method, route in methods.items():
            scope = _scope(route)
            lines.append(f"| `{method.upper()} {path}` | {route['summary']} | {scope} |")
    return "\n".join(lines) + "\n"


def _scope(route: dict[str, Any]) -> str:
    scopes = [scope for each in route.get("security", []) for scope in next(iter(each.values()))]
    return ", ".join(f"`{scope}`" for scope in scopes) or "none"


def _limits() -> str:
    lines = ["## Limits", "", "| what | most |", "| --- | --- |"]
    lines += [f"| {what} | {most} |" for what, most in LIMITS.items()]
    told = "What a node takes in a day, and how often one client may ask, is set by its operator:"
    return "\n".join([*lines, "", f"{told} [settings](settings.md)."]) + "\n"


def _errors() -> str:
    lines = [
        "## Errors",
        "",
        "A program must treat a code that it does not know as an error of its status.",
        "",
        "| status | code | meaning | advice |",
        "| --- | --- | --- | --- |",
    ]
    rows = [(status, code, meaning, "-") for code, (status, meaning) in BEYOND.items()]
    for kind in classes():
        status = _status(kind)
        if status is not None:
            meaning = " ".join(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].split())
            rows.append((status, kind.code, meaning.replace("``", "`"), kind.advice or "-"))
    lines += [
        f"| {status} | `{code}` | {told} | {what} |" for status, code, told, what in sorted(rows)
    ]
    return "\n".join(lines) + "\n"


def _status(kind: type[Exception]) -> int | None:
    return next((status for known, status in STATUSES if issubclass(kind, known)), None)
