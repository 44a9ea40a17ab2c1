"""Requests made from the node's own description of its routes, sound and broken: never a 5xx.

The description says what each answer looks like, too, so that every answer is compared with it.
"""

from __future__ import annotations

from typing import Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from testamur.ledger.operator_log import COMMAND_LINE
from testamur.service.access import TokenRequest
from testamur.storage.tokens import SCOPES
from tests.support.description import description
from tests.support.node import HttpNode

EXAMPLES_MAX: Final = 25
"""Requests for each route and mode: a minute for all of them."""


@schemathesis.serializer("application/x-ndjson")
def lines(_context: object, value: object) -> bytes:
    """Send text as it is made up; the library knows no lines of JSON."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


# The application is asked for its description only; the requests go to a real node.
OPERATIONS: Final[dict[str, APIOperation]] = {
    f"{one.ok().method.upper()} {one.ok().path}": one.ok()
    for one in schemathesis.openapi.from_dict(description()).get_all_operations()
}

CASES: Final = [
    pytest.param(name, mode, id=f"{name} {mode.value}")
    for name, one in OPERATIONS.items()
    for mode in GenerationMode
    # Where nothing can be chosen, nothing can be chosen wrongly.
    if mode is GenerationMode.POSITIVE or any(one.iter_parameters()) or one.body
]


@pytest.fixture(scope="module")
def header(node: HttpNode) -> dict[str, str]:
    """Let every request through to what is behind the token."""
    wanted = TokenRequest("fuzzing", SCOPES)
    made = node.node.service.access.create(wanted, by=COMMAND_LINE)
    return {"Authorization": f"Bearer {made.text}"}


@pytest.mark.slow  # hundreds of requests
@pytest.mark.parametrize(("name", "mode"), CASES)
def test_no_request_breaks_the_node(
    name: str, mode: GenerationMode, node: HttpNode, header: dict[str, str]
) -> None:
    sent: set[str | None] = set()

    @given(case=OPERATIONS[name].as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES_MAX, suppress_health_check=list(HealthCheck))
    def check(case: Case) -> None:
        sent.add(case.media_type)
        case.call_and_validate(
            base_url=node.url,
            headers=header,
            checks=[
                not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_schema_conformance,
            ],
            timeout=30,
        )

    check()
    if mode is GenerationMode.POSITIVE:
        assert sent - {None} == {form.media_type for form in OPERATIONS[name].body}
