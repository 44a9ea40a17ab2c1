"""A bar is judged by the figure, or by its ratio, and only on a history that is large enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scripts.benchmarks.catalogue import CATALOGUE, Bar
from scripts.benchmarks.figures import Figure, exactly, figure_from_json, measured
from tests.support.gas import anchor_gas

FIGURE = Figure("tree_build", "here", measured([30, 10, 20]), {"peer": exactly(40)}, {"a": 1})


def test_the_median_counts_and_the_spread_is_kept() -> None:
    assert FIGURE.measured.value == 20
    assert (FIGURE.measured.low, FIGURE.measured.high) == (10, 30)
    assert FIGURE.measured.repetitions == 3
    assert FIGURE.ratio("peer") == 0.5


@pytest.mark.parametrize(
    ("bar", "judged"),
    [
        (Bar("", least=20), "met"),
        (Bar("", least=20.1), "not met"),
        (Bar("", below=20), "not met"),
        (Bar("", below=20.1), "met"),
        (Bar("", peer="peer", least=0.5), "met"),
        (Bar("", peer="peer", least=0.51), "not met"),
        (Bar("", peer="peer", below=0.5), "not met"),
    ],
)
def test_a_bar_is_met_on_its_right_side_alone(bar: Bar, judged: str) -> None:
    assert bar.judge(FIGURE) == judged


def test_a_history_that_is_too_small_can_miss_a_bar_but_not_meet_it() -> None:
    bar = Bar("", below=100, entries=10**7)
    assert bar.judge(replace(FIGURE, entries=10**6)) == "not judged"
    assert bar.judge(replace(FIGURE, entries=10**7)) == "met"
    assert bar.judge(replace(FIGURE, entries=10**6, measured=exactly(100))) == "not met"


def test_a_figure_survives_json() -> None:
    assert figure_from_json(FIGURE.to_json()) == FIGURE


def test_every_bar_asks_for_something_that_is_measured() -> None:
    bars = [bar for described in CATALOGUE.values() for bar in described.bars]
    assert [bar for bar in bars if (bar.least is None) == (bar.below is None)] == []


def test_the_gas_of_the_first_anchors_is_left_out() -> None:
    # They fill slots of the frontier for the first time, which costs more.
    assert anchor_gas(first=1, last=8).anchor > anchor_gas(first=5, last=8).anchor
