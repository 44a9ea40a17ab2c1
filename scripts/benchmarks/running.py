"""A whole run: which measurements there are, and what it gives as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from scripts.benchmarks import gas, history, machine, sealing, submission, trees, verification
from scripts.benchmarks.catalogue import CATALOGUE
from scripts.benchmarks.figures import Figure, Progress, figure_from_json
from scripts.benchmarks.sizes import Sizes

Measurement = Callable[[Sizes, Progress, Path], Iterator[Figure]]

MEASUREMENTS: Final[Mapping[str, Measurement]] = {
    "gas": lambda sizes, progress, _: gas.measure(sizes, progress),
    "tree": lambda sizes, progress, _: trees.measure(sizes, progress),
    "bulk": submission.bulk,
    "single": submission.single,
    "history": history.measure,
    "verify": lambda sizes, progress, _: verification.measure(sizes, progress),
    "sealing": sealing.measure,
}
"""What can be measured by itself; each gives one or several figures."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave."""

    taken: str
    """The day, UTC."""
    quick: bool
    """Whether the sizes are too small to say anything about speed."""
    machine: Mapping[str, str]
    """On what."""
    figures: tuple[Figure, ...]
    """Those that were measured."""

    def to_json(self) -> dict[str, Any]:
        """Give it as the script writes it."""
        return {
            "taken": self.taken,
            "quick": self.quick,
            "machine": dict(self.machine),
            "figures": [figure.to_json() for figure in self.figures],
        }


def run_from_json(value: Mapping[str, Any]) -> Run:
    """Read what :meth:`Run.to_json` gave."""
    figures = tuple(map(figure_from_json, value["figures"]))
    return Run(value["taken"], value["quick"], value["machine"], figures)


def measure(names: Sequence[str], sizes: Sizes, *, quick: bool, directory: Path | None) -> Run:
    """Make the measurements named, with their data below ``directory``, which is left empty."""
    with TemporaryDirectory(prefix="testamur-bench-", dir=directory) as made:
        home = Path(made)
        described = machine.describe(home)
        if described["file system"] == "tmpfs":
            _tell("bench", "this directory is in memory: name one on a disk with --dir")
        figures = [
            figure
            for name in names
            for figure in MEASUREMENTS[name](sizes, partial(_tell, name), home)
        ]
    shown = list(CATALOGUE)
    figures.sort(key=lambda figure: shown.index(figure.name))
    return Run(datetime.now(UTC).date().isoformat(), quick, described, tuple(figures))


def _tell(name: str, what: str) -> None:
    print(f"{name}: {what}", file=sys.stderr, flush=True)
