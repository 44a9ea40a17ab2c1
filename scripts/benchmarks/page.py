"""A run for people: a table for the terminal, and docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scripts.benchmarks.catalogue import CATALOGUE, Bar
from scripts.benchmarks.figures import Figure, Measured
from scripts.benchmarks.running import Run

QUIET_LOAD: Final = 0.5
"""Load average, at the start of a run, up to which a machine had nothing else to do."""
_WIDE: Final = 1000
_INTRODUCTION = (
    "# Benchmarks\n\n"
    "Written by `scripts/bench --docs` from what it measured: to change a text, change "
    "`scripts/benchmarks/catalogue.py` or `scripts/benchmarks/page.py`, and let the script write "
    "the page anew (`--from` takes the figures of an earlier run). Words are those of the "
    "[glossary](glossary.md).\n\n"
    "    .venv/bin/python scripts/bench                      # everything, as a table\n"
    "    .venv/bin/python scripts/bench --only tree          # one measurement\n"
    "    .venv/bin/python scripts/bench --json run.json --docs    # everything, and this page\n\n"
    "A figure alone says more about a machine than about a program. So each stands beside a "
    "peer, or a limit that nothing can pass, measured in the same run on the same machine. The "
    "**ratio** is the figure over the peer; it is what to compare between machines and between "
    "versions. Figures are medians of their repetitions, with the least and the greatest beside "
    "them. The bars are goals of the design, and a figure that misses its bar is shown as what it "
    "is: nothing was tuned for them yet beyond not doing work twice. *Not judged* means that the "
    "run was too small for the bar. No test depends on how long anything took.\n"
)


def table(run: Run) -> str:
    """Give the run as lines for a terminal."""
    rows = [("figure", "value", "unit", "peer", "ratio", "bar")]
    for figure in run.figures:
        described = CATALOGUE[figure.name]
        bars = "; ".join(_verdict(bar, figure, quick=run.quick) for bar in described.bars)
        value, unit = _number(figure.measured.value), described.unit
        for position, peer in enumerate(figure.peers):
            first = (described.title, value, unit) if position == 0 else ("", "", "")
            rows.append((*first, peer, _ratio(figure, peer), bars if position == 0 else ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def page(run: Run) -> str:
    """Give the run as docs/benchmarks.md."""
    return "\n".join([_INTRODUCTION, *_machine(run), *_overview(run), *_sections(run)]) + "\n"


def _machine(run: Run) -> Iterator[str]:
    yield "## The machine\n"
    if run.quick:
        yield "**A quick run: its sizes are too small to say anything about speed.**\n"
    yield f"Taken on {run.taken}.\n"
    load = run.machine["load before the run"]
    if float(load) > QUIET_LOAD:
        yield f"**It was busy with other work (load {load}), which makes figures worse.**\n"
    yield "| | |"
    yield "| --- | --- |"
    for name, value in run.machine.items():
        yield f"| {name} | {value} |"
    yield ""


def _overview(run: Run) -> Iterator[str]:
    yield "## The figures\n"
    yield "| figure | measured | peer: ratio | bar |"
    yield "| --- | --- | --- | --- |"
    for figure in run.figures:
        described = CATALOGUE[figure.name]
        peers = "<br>".join(f"{peer}: {_ratio(figure, peer)}" for peer in figure.peers)
        bars = "<br>".join(_verdict(bar, figure, quick=run.quick) for bar in described.bars)
        value = f"{_number(figure.measured.value)} {described.unit}"
        yield f"| {described.title} | {value} | {peers} | {bars or 'none'} |"
    yield ""


def _sections(run: Run) -> Iterator[str]:
    for figure in run.figures:
        described = CATALOGUE[figure.name]
        yield f"### {described.title}\n"
        yield f"{described.meaning}\n"
        yield f"- Here, {figure.size}: {_spread(figure.measured, described.unit)}."
        for name, peer in figure.peers.items():
            ratio = _ratio(figure, name)
            yield f"- {name}: {_spread(peer, described.unit)}; ratio {ratio}."
        if figure.notes:
            notes = (f"{name}: {_note(value)}" for name, value in figure.notes.items())
            yield f"- Also: {'; '.join(notes)}."
        yield from (f"- Bar: {_verdict(bar, figure, quick=run.quick)}." for bar in described.bars)
        yield ""


def _verdict(bar: Bar, figure: Figure, *, quick: bool) -> str:
    text = f"{bar.text} (a stretch)" if bar.stretch else bar.text
    return f"{text}: {'not judged' if quick else bar.judge(figure)}"


def _spread(measured: Measured, unit: str) -> str:
    if measured.repetitions == 1:
        return f"{_number(measured.value)} {unit}"
    return (
        f"{_number(measured.value)} {unit} ({_number(measured.low)} to {_number(measured.high)} "
        f"in {measured.repetitions})"
    )


def _ratio(figure: Figure, peer: str) -> str:
    return _number(figure.ratio(peer))


def _note(value: float | str) -> str:
    return value if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    """Write a number with three digits that count, or whole where it is large."""
    if isinstance(value, int) or abs(value) >= _WIDE:
        return f"{value:,.0f}"
    return f"{value:#.3g}".removesuffix(".")
