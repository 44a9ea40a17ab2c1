"""The values of a run: a quantity, what it stands beside, and what may be said about its bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

REPETITIONS = 3
"""How often everything is measured whose value is not the same each time."""

Progress = Callable[[str], None]
"""Told what is being done, for whoever waits."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One quantity over all repetitions."""

    value: float
    """The median."""
    low: float
    """The least."""
    high: float
    """The greatest."""
    repetitions: int
    """How many; 1 for what is the same each time."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run."""

    name: str
    """Its key in :data:`scripts.benchmarks.catalogue.CATALOGUE`."""
    size: str
    """On how much it was measured, for people."""
    measured: Measured
    """The quantity, in the catalogue's unit."""
    peers: Mapping[str, Measured]
    """What it stands beside, in the same unit, by the catalogue's names; at least one."""
    notes: Mapping[str, float | int | str] = field(default_factory=dict)
    """Further quantities of the same measurement, each with its unit in its name."""
    entries: int = 0
    """Entries of the node that it was measured on, where it depends on them."""

    def ratio(self, peer: str) -> float:
        """Give this figure as a multiple of ``peer``."""
        return self.measured.value / self.peers[peer].value

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "name": self.name,
            "size": self.size,
            "measured": _measured_to_json(self.measured),
            "peers": {
                name: _measured_to_json(peer) | {"ratio": self.ratio(name)}
                for name, peer in self.peers.items()
            },
            "notes": dict(self.notes),
            "entries": self.entries,
        }


def figure_from_json(value: Mapping[str, Any]) -> Figure:
    """Read what :meth:`Figure.to_json` gave."""
    return Figure(
        value["name"],
        value["size"],
        _measured_from_json(value["measured"]),
        {name: _measured_from_json(peer) for name, peer in value["peers"].items()},
        value["notes"],
        value["entries"],
    )


def measured(values: Sequence[float]) -> Measured:
    """Sum up the repetitions of one quantity; at least one."""
    return Measured(median(values), min(values), max(values), len(values))


def exactly(value: float) -> Measured:
    """Give a quantity that is the same however often it is measured."""
    return measured([value])


def seconds_of(work: Callable[[], object], clock: Callable[[], float] = perf_counter) -> float:
    """Run ``work`` once and give the seconds that it took on ``clock``."""
    begun = clock()
    work()
    return clock() - begun


def rates(count: int, work: Callable[[], object], repetitions: int = REPETITIONS) -> Measured:
    """Run ``work``, which does ``count`` of something, and give how many of it a second."""
    return measured([count / seconds_of(work) for _ in range(repetitions)])


def _measured_to_json(value: Measured) -> dict[str, float | int]:
    return {
        "value": value.value,
        "low": value.low,
        "high": value.high,
        "repetitions": value.repetitions,
    }


def _measured_from_json(value: Mapping[str, Any]) -> Measured:
    return Measured(value["value"], value["low"], value["high"], value["repetitions"])
