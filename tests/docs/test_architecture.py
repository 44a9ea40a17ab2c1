"""The map is whole, the layers are those that are enforced, and each guard exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest

from testamur.storage.model import (
    ANCHOR_STATES,
    ANCHOR_TRANSITIONS,
    BATCH_STATES,
    BATCH_TRANSITIONS,
)
from tests.support.documents import ROOT, blocks, page

TEXT: Final = page("ARCHITECTURE.md")
PACKAGE: Final = ROOT / "node" / "testamur"
MADE_BY_TOOLS: Final = {"node_modules", "build", "dist"}
FOLDERS: Final = set(re.findall(r"`([\w./-]+/)`", TEXT))
GUARD: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ARROW: Final = re.compile(r"^ +(\S+) --> (\S+?)(?::.*)?$", re.MULTILINE)


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def packages() -> list[str]:
    made = {path.parent for path in PACKAGE.rglob("__init__.py")} - {PACKAGE}
    return sorted(f"{path.relative_to(ROOT).as_posix()}/" for path in made)


def top_level() -> list[str]:
    found = [path.name for path in ROOT.iterdir() if path.is_dir()]
    kept = [name for name in found if not name.startswith(".") or name == ".ci"]
    return sorted(
        f"{name}/" for name in kept if name not in MADE_BY_TOOLS and not name.startswith("__")
    )


@pytest.mark.parametrize("folder", packages() + top_level())
def test_the_map_has_every_folder(folder: str) -> None:
    assert f"`{folder}`" in section("The map")


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_a_folder_that_is_named_exists(folder: str) -> None:
    assert (ROOT / folder).is_dir()


def test_the_layers_are_those_that_are_enforced() -> None:
    settings = tomllib.loads(page("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in settings if contract["type"] == "layers"]
    enforced = [sorted(re.findall(r"testamur\.(\w+)", layer)) for layer in layers]
    cells = re.findall(r"^\| (`[^|]+) \|", section("Layers"), re.MULTILINE)
    assert [sorted(re.findall(r"`(\w+)`", cell)) for cell in cells] == enforced


def test_every_invariant_has_a_number_and_a_guard() -> None:
    lines = re.findall(r"^(\d+)\. (.+)$", section("Invariants"), re.MULTILINE)
    assert [int(number) for number, _ in lines] == list(range(1, len(lines) + 1))
    assert [text for _, text in lines if not GUARD.search(text)] == []


@pytest.mark.parametrize(("path", "name"), GUARD.findall(TEXT))
def test_a_guard_exists(path: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", page(path), re.MULTILINE)


def test_the_pictures_of_the_two_lives_are_the_tables_of_the_code() -> None:
    batch, transaction = (set(ARROW.findall(block)) for block in blocks(TEXT, "mermaid")[1:])
    assert batch == BATCH_TRANSITIONS | {("[*]", BATCH_STATES[0])}
    assert transaction == ANCHOR_TRANSITIONS | {("[*]", ANCHOR_STATES[0])}


def test_what_is_to_be_changed_is_where_it_says() -> None:
    rows = re.findall(
        r"^\| (?!To change|---)(.+) \|$", section("To change X, look in Y"), re.MULTILINE
    )
    assert rows
    paths = [path for row in rows for path in re.findall(r"`([\w./-]+)`", row)]
    missing = [path for path in paths if "/" in path and not Path(ROOT / path).exists()]
    assert missing == []
