"""Credentials and vectors of public projects, kept outside this repository."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.optional import require

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("TESTAMUR_SAMPLES") or PROJECT.parent / "shared" / "samples")


def sample(name: str) -> bytes:
    """Return one sample, or skip the test where the folder is absent."""
    require_samples()
    return (FOLDER / name).read_bytes()


def sample_files() -> list[Path]:
    """List all samples, without the page about them; empty where the folder is absent."""
    return sorted(path for path in FOLDER.glob("*/*") if path.is_file())


def require_samples() -> None:
    """Skip the test where the folder is absent."""
    require(FOLDER.is_dir(), f"the sample credentials in {FOLDER} (set TESTAMUR_SAMPLES)")
