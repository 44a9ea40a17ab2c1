"""``scripts/setup`` after an interrupted run; a stub stands in for Python, so no network."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.samples import PROJECT

WORKING = """#!/bin/sh
echo "$0 $*" >> "$CALLS"
if [ "$1 $2" = "-m venv" ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi
"""
WITHOUT_PIP = """#!/bin/sh
echo "No module named pip" >&2
exit 1
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Copy what ``scripts/setup runtime`` reads, and put a stub of Python beside it."""
    for name in ("scripts/setup", "requirements/runtime.txt", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    executable(tmp_path / "python", WORKING)
    return tmp_path


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def set_up(tree: Path) -> tuple[int, str]:
    """Run it, and give its exit code and the calls of the stub."""
    calls = tree / "calls"
    calls.write_text("")
    done = subprocess.run(
        [tree / "scripts" / "setup", "runtime"],
        env=os.environ | {"PYTHON": str(tree / "python"), "CALLS": str(calls)},
        capture_output=True,
        timeout=30,
        check=False,
    )
    return done.returncode, calls.read_text()


def test_an_environment_that_was_left_without_pip_is_made_anew(tree: Path) -> None:
    executable(tree / ".venv/bin/python", WITHOUT_PIP)
    (tree / ".venv/rest").touch()
    code, calls = set_up(tree)
    assert code == 0
    assert "-m venv .venv" in calls
    assert ".venv/bin/python -m pip install" in calls
    assert not (tree / ".venv/rest").exists()


def test_an_environment_that_was_made_whole_is_kept(tree: Path) -> None:
    assert set_up(tree)[0] == 0
    (tree / ".venv/.installed-runtime").unlink()  # interrupted while it installed
    code, calls = set_up(tree)
    assert code == 0
    assert "-m venv" not in calls
    assert "-m pip install" in calls


def test_an_environment_of_an_older_lock_is_kept(tree: Path) -> None:
    executable(tree / ".venv/bin/python", WORKING)
    (tree / ".venv/.installed-runtime").write_text("another lock")
    code, calls = set_up(tree)
    assert code == 0
    assert "-m venv" not in calls
    assert "-m pip install" in calls


def test_nothing_is_done_where_nothing_changed(tree: Path) -> None:
    assert set_up(tree)[0] == 0
    assert set_up(tree) == (0, "")
