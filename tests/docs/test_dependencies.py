"""Whatever the package imports it names as a dependency of its own, and it names nothing else."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_IMPORTED = {"uvloop", "httptools"}
"""Named because uvicorn takes them up when they are there."""


def imported() -> set[str]:
    """Give the top-level modules that node/testamur imports from elsewhere."""
    found: set[str] = set()
    for file in (ROOT / "node" / "testamur").rglob("*.py"):
        for one in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(one, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in one.names}
            elif isinstance(one, ast.ImportFrom) and one.module and not one.level:
                found.add(one.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"testamur"}


def declared() -> set[str]:
    """Give the names of pyproject's dependencies, normalised."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = (re.split(r"[<>=!~\[ ;]", line, maxsplit=1)[0] for line in project["dependencies"])
    return {normal(name) for name in names}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_import_is_declared_and_every_declaration_imported() -> None:
    distributions = packages_distributions()
    needed = {normal(name) for module in imported() for name in distributions[module][:1]}
    assert needed - declared() == set()
    assert declared() - needed <= NOT_IMPORTED
