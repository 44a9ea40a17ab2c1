"""The page of benchmarks has every figure as the catalogue explains it, and names a machine."""

from __future__ import annotations

import re
from typing import Final

import pytest

from scripts.benchmarks.catalogue import CATALOGUE
from tests.support.documents import page

PAGE: Final = page("docs/benchmarks.md")


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_figure_is_explained_and_measured(name: str) -> None:
    described = CATALOGUE[name]
    section = PAGE.split(f"\n### {described.title}\n")[1].split("\n### ")[0]
    assert described.meaning in section
    assert re.search(rf"^- Here, .+: [\d,.]+ {re.escape(described.unit)}", section, re.MULTILINE)
    assert re.search(r"ratio [\d,.]+\.$", section, re.MULTILINE)
    judged = re.findall(r"^- Bar: (.+): (?:met|not met|not judged)\.$", section, re.MULTILINE)
    assert [text.removesuffix(" (a stretch)") for text in judged] == [
        bar.text for bar in described.bars
    ]


@pytest.mark.parametrize("name", ["CPU", "cores", "memory", "kernel", "Python", "SQLite"])
def test_the_machine_is_named(name: str) -> None:
    assert re.search(rf"^\| {name} \| \S.* \|$", PAGE, re.MULTILINE)


def test_it_is_of_a_whole_run_and_tells_nothing_of_where() -> None:
    assert "quick run" not in PAGE
    assert "tmpfs" not in PAGE
    assert re.findall(r"(?<![\w.<])/(?:home|root|tmp|var|opt|usr|work|Users)\b", PAGE) == []
