"""``scripts/bench --quick`` gives every figure with its peer, and makes table and page of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.catalogue import CATALOGUE
from tests.support.samples import PROJECT

pytestmark = pytest.mark.slow  # nodes start, seal and are asked


@dataclass(frozen=True, slots=True)
class QuickRun:
    """What one run wrote."""

    folder: Path
    table: str
    progress: str
    answer: dict[str, Any]
    page: str


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, PROJECT / "scripts" / "bench", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> QuickRun:
    folder = tmp_path_factory.mktemp("bench")
    data = folder / "data"
    data.mkdir()
    files = ("--json", folder / "run.json", "--docs", folder / "page.md")
    done = bench("--quick", "--dir", data, *files)
    assert done.returncode == 0, done.stderr
    assert list(data.iterdir()) == []
    answer = json.loads((folder / "run.json").read_text())
    return QuickRun(folder, done.stdout, done.stderr, answer, (folder / "page.md").read_text())


def test_every_figure_is_there_and_positive_with_its_peers(run: QuickRun) -> None:
    figures = {figure["name"]: figure for figure in run.answer["figures"]}
    assert [figure["name"] for figure in run.answer["figures"]] == list(CATALOGUE)
    for figure in figures.values():
        measured = figure["measured"]
        assert 0 < measured["low"] <= measured["value"] <= measured["high"]
        assert figure["peers"]
        for peer in figure["peers"].values():
            assert 0 < peer["low"] <= peer["value"] <= peer["high"]
            assert peer["ratio"] == measured["value"] / peer["value"]


def test_what_was_measured_was_right(run: QuickRun) -> None:
    notes = {figure["name"]: figure["notes"] for figure in run.answer["figures"]}
    assert notes["rederivation"]["problems found"] == 0
    assert notes["single_submissions"]["node's generator, share of a core"] > 0


def test_table_and_page_have_every_figure(run: QuickRun) -> None:
    for described in CATALOGUE.values():
        assert described.title in run.table
        assert f"### {described.title}\n" in run.page


def test_a_quick_run_judges_nothing_and_says_so(run: QuickRun) -> None:
    assert run.answer["quick"] is True
    assert "quick run" in run.page
    assert ": met" not in run.page + run.table
    assert ": not met" not in run.page + run.table


def test_progress_is_told_apart_from_what_is_found(run: QuickRun) -> None:
    assert "history: receipts at" in run.progress
    assert "receipts at" not in run.table


def test_the_page_can_be_made_again_from_an_earlier_run(run: QuickRun) -> None:
    again = run.folder / "again.md"
    done = bench("--from", run.folder / "run.json", "--docs", again, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == run.answer
    assert again.read_text() == run.page
    assert done.stderr == ""


def test_one_measurement_can_be_made_by_itself_and_makes_no_page(tmp_path: Path) -> None:
    done = bench("--quick", "--only", "verify", "--json", "-")
    assert [figure["name"] for figure in json.loads(done.stdout)["figures"]] == [
        "offline_verification"
    ]
    page = tmp_path / "page.md"
    refused = bench("--quick", "--only", "verify", "--docs", page)
    assert (refused.returncode, page.exists()) == (2, False)
    assert "--only" in refused.stderr
    assert bench("--only", "everything").returncode == 2
