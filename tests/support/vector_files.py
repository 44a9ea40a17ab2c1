"""Every generated file of the vectors and formats, by its path in the project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tests.support import (
    broken_ledger_vectors,
    credential_vectors,
    error_table,
    http_page,
    ledger_vectors,
    merkle_vectors,
)
from tests.support.ledger_vectors import json_file

if TYPE_CHECKING:
    from pathlib import Path


def files() -> dict[str, bytes]:
    """Path below the project's root → content; the same in every run."""
    made = {
        "docs/formats/errors.md": error_table.page(),
        "docs/http-api.md": http_page.page(),
    }
    for folder, cases in merkle_vectors.FOLDERS.items():
        for name, case in cases().items():
            made[f"tests/vectors/merkle/{folder}/{name}.json"] = json_file(case)
    for folder, cases in credential_vectors.FOLDERS.items():
        for name, case in cases().items():
            path = f"tests/vectors/credentials/{folder}/{name}.json"
            # In ASCII, because some cases are about characters that are not shown.
            made[path] = json.dumps(case, indent=2).encode("ascii") + b"\n"
    good = ledger_vectors.files()
    broken = broken_ledger_vectors.files(good)
    made |= {f"tests/vectors/ledger/{name}": content for name, content in good.items()}
    made |= {f"tests/vectors/ledger/broken/{name}": content for name, content in broken.items()}
    return made


EXAMPLES: Final = {
    "docs/formats/trust-file.md": "tests/vectors/ledger/trust.json",
    "docs/formats/report.md": "tests/vectors/ledger/report.json",
}
"""Page → the file that its one block of JSON shows whole."""


def with_example(page: str, content: str) -> str:
    """Give ``page`` with ``content`` as its block of JSON."""
    before, _, rest = page.partition("```json\n")
    return before + "```json\n" + content + rest[rest.index("```\n") :]


def write(root: Path) -> list[Path]:
    """Write all files below ``root``, and the examples of the pages there; give the paths."""
    written = []
    made = files()
    for name, content in made.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    for name, example in EXAMPLES.items():
        path = root / name
        if path.exists():
            page = path.read_text(encoding="utf-8")
            path.write_text(with_example(page, made[example].decode()), encoding="utf-8")
            written.append(path)
    return written
