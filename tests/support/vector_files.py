"""Every generated file of the vectors and formats, by its path in the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import broken_ledger_vectors, error_table, ledger_vectors, merkle_vectors
from tests.support.ledger_vectors import json_file

if TYPE_CHECKING:
    from pathlib import Path


def files() -> dict[str, bytes]:
    """Path below the project's root → content; the same in every run."""
    made = {"docs/formats/errors.md": error_table.page()}
    for folder, cases in merkle_vectors.FOLDERS.items():
        for name, case in cases().items():
            made[f"tests/vectors/merkle/{folder}/{name}.json"] = json_file(case)
    good = ledger_vectors.files()
    broken = broken_ledger_vectors.files(good)
    made |= {f"tests/vectors/ledger/{name}": content for name, content in good.items()}
    made |= {f"tests/vectors/ledger/broken/{name}": content for name, content in broken.items()}
    return made


def write(root: Path) -> list[Path]:
    """Write all files below ``root`` and give their paths."""
    written = []
    for name, content in files().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written
