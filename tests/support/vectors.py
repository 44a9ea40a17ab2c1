"""Vectors: one JSON file a case, named after what was altered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "vectors"


def vectors(folder: str) -> dict[str, Any]:
    """Read all vectors of a folder below tests/vectors, by name without ``.json``."""
    found = {path.stem: json.loads(path.read_text()) for path in (FOLDER / folder).glob("*.json")}
    if not found:
        raise FileNotFoundError(FOLDER / folder)
    return dict(sorted(found.items()))
