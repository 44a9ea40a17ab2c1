"""Each term stands once in the glossary, and the places in the package that it names exist."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from testamur.ledger.report import OUTCOMES

GLOSSARY: Final = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in GLOSSARY.splitlines()
    if line.startswith("| ") and not line.startswith(("| Term", "| ---"))
]
CODE_NAMES: Final = sorted(set(re.findall(r"`(testamur(?:\.\w+)+)`", GLOSSARY)))


def test_every_line_has_a_term_and_a_whole_sentence() -> None:
    assert ROWS
    for row in ROWS:
        assert len(row) == 3, row
        assert row[0]
        assert row[1].endswith("."), row


def test_no_term_is_explained_twice() -> None:
    terms = [row[0] for row in ROWS]
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize("name", CODE_NAMES)
def test_a_code_name_leads_to_something(name: str) -> None:
    try:
        import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(module), attribute)


def test_outcomes_and_their_verdicts_are_those_of_the_code() -> None:
    lines = re.findall(r"^- \*\*(\w+)\*\* \(\d\): (.+)\.$", GLOSSARY, re.MULTILINE)
    written = {
        verdict: outcome for outcome, verdicts in lines for verdict in re.findall(r"\w+", verdicts)
    }
    assert written == {verdict.value: outcome.value for verdict, outcome in OUTCOMES.items()}
