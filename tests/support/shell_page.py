"""The shell blocks of a page, run one after the other as their reader would type them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SHELL: Final = re.compile(
    r"^```sh(?: exit=(?P<code>\d+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_MARK: Final = "=== block"
_SECONDS_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class Ran:
    """One block that was run."""

    text: str
    """What stands on the page."""
    output: str
    """What it wrote to standard output."""


def run_page(text: str, folder: Path, environment: Mapping[str, str]) -> list[Ran]:
    """Run the blocks of a page in one shell, whose variables and folder they share.

    A block ends at its first command that fails, as ``set -eo pipefail`` has it, and must end
    with the code that its fence names (``sh exit=1``), or with 0.
    """
    blocks = [(found["text"], int(found["code"] or 0)) for found in _SHELL.finditer(text)]
    assert blocks, "there is no block to run"
    script = ["set -euo pipefail"]
    for number, (block, code) in enumerate(blocks):
        file = folder / f".block-{number}.sh"
        file.write_text(block)
        # On a line of its own, also after a command that ends without one.
        script.append(f"printf '\\n%s\\n' '{_MARK} {number}'")
        if code:
            script.append(f"set +e; (set -e; source {file}); code=$?; set -e; [ $code -eq {code} ]")
        else:
            script.append(f"source {file}")
    ended = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS_MAX,
        check=False,
    )
    outputs = re.split(rf"\n{_MARK} \d+\n", ended.stdout)[1:]
    last = blocks[len(outputs) - 1][0]
    told = f"{last}\n{ended.stdout}{ended.stderr}"
    assert ended.returncode == 0, f"this ended with an error:\n{told}"
    assert len(outputs) == len(blocks)
    return [Ran(block, output) for (block, _), output in zip(blocks, outputs, strict=True)]
