"""Whoever installs the package has the files of its pages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.credential_reader import ROOT, STATIC


@pytest.mark.slow  # a wheel is built
def test_the_wheel_holds_every_file_of_the_pages(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", tmp_path], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        for path in (*STATIC.iterdir(), *(STATIC.parent / "templates").iterdir()):
            name = path.relative_to(ROOT / "node").as_posix()
            assert archive.read(name) == path.read_bytes()
