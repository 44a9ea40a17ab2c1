"""Every generated file of the vectors and formats, by its path in the project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support import merkle_vectors

if TYPE_CHECKING:
    from pathlib import Path


def files() -> dict[str, bytes]:
    """Path below the project's root → content; the same in every run."""
    made: dict[str, bytes] = {}
    for folder, cases in merkle_vectors.FOLDERS.items():
        for name, case in cases().items():
            made[f"tests/vectors/merkle/{folder}/{name}.json"] = as_json(case)
    return made


def as_json(value: object) -> bytes:
    """Indented JSON with a last line feed."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def write(root: Path) -> list[Path]:
    """Write all files below ``root`` and give their paths."""
    written = []
    for name, content in files().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written
