"""The page of the HTTP interface names every route and every code that a node may answer."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

from testamur.api.problems import STATUSES
from tests.support.description import description
from tests.support.documents import ROOT, page
from tests.support.error_table import classes
from tests.support.http_page import codes

TEXT: Final = page("docs/http-api.md")
API: Final = ROOT / "node" / "testamur" / "api"


def spoken_in(path: Path) -> set[str]:
    """Give the codes that a module of the interface writes out itself."""
    found = set()
    for one in ast.walk(ast.parse(path.read_text("utf-8"))):
        named = isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
        if named and one.func.id == "problem" and len(one.args) > 1:
            code = one.args[1]
            if isinstance(code, ast.Constant):
                found.add(str(code.value))
    return found


def test_every_code_that_is_written_out_in_the_interface_is_on_the_page() -> None:
    spoken = set().union(*(spoken_in(path) for path in API.glob("*.py")))
    assert {"internal_error", "range_not_satisfiable"} <= spoken
    assert spoken <= set(codes())


@pytest.mark.parametrize("kind", [kind for kind, _ in STATUSES], ids=lambda kind: kind.code)
def test_every_error_with_a_status_is_on_the_page(kind: type[Exception]) -> None:
    below = [one for one in classes() if issubclass(one, kind)]
    assert below
    assert [one.code for one in below if f"| `{one.code}` |" not in TEXT] == []


def test_every_route_is_on_the_page() -> None:
    for path, methods in description()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in TEXT
