"""The table of transitions, by itself: closed, in one with the document, safe at every crash."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from testamur.chain import abi
from testamur.chain.artifacts import load_ledger_artifact
from testamur.chain.client import Fees
from testamur.chain.fees import capped_fees
from testamur.chain.lifecycle import (
    KEPT,
    TRANSITIONS,
    Event,
    Phase,
    UnknownTransitionError,
    phase_of,
    step,
)
from testamur.storage.model import ANCHOR_STATES, BATCH_STATES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/anchoring.md"


def test_the_document_shows_the_table() -> None:
    shown = re.findall(
        r"^\| (\S+) \| ([a-z ]+) \| (\S+) \| (.*) \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    expected = [
        (phase.value, event.value, to.value, ", ".join(action.value for action in actions) or "-")
        for (phase, event), (to, actions) in TRANSITIONS.items()
    ]
    assert sorted(shown) == sorted(expected)


def test_what_is_not_in_the_table_is_refused() -> None:
    for phase, event in itertools.product(Phase, Event):
        if (phase, event) not in TRANSITIONS:
            with pytest.raises(UnknownTransitionError):
                step(phase, event)


def test_only_kept_states_are_left_and_all_states_but_idle_are_reached() -> None:
    assert {phase for phase, _ in TRANSITIONS} == KEPT - {Phase.FINAL}
    assert {to for to, _ in TRANSITIONS.values()} == set(Phase) - {Phase.IDLE}


def test_every_pair_that_a_crash_can_leave_has_a_state() -> None:
    for batch, newest in itertools.product(BATCH_STATES, (None, *ANCHOR_STATES)):
        assert phase_of(batch, newest) in KEPT


def test_the_artifact_has_the_functions_that_are_called() -> None:
    found = {}
    for item in load_ledger_artifact().abi:
        if item["type"] == "function":
            types = ",".join(each["type"] for each in item["inputs"])
            outputs = tuple(each["type"] for each in item["outputs"])
            found[f"{item['name']}({types})"] = outputs
    assert found[abi.ANCHOR] == ()
    assert found[abi.HEAD] == abi.HEAD_RESULT
    assert found[abi.MEMBER] == abi.MEMBER_RESULT
    constructor = next(i for i in load_ledger_artifact().abi if i["type"] == "constructor")
    parts = [part["type"] for part in constructor["inputs"][0]["components"]]
    assert f"({','.join(parts)})[]" == abi.FOUNDERS


@pytest.mark.parametrize(
    ("base", "tip", "cap", "offered"),
    [
        (10, 1, 100, (21, 1)),
        (10, 1, 15, (15, 1)),
        (10, 1, 11, (11, 1)),
        (10, 1, 10, None),
        (0, 0, 0, (0, 0)),
    ],
)
def test_fees_never_exceed_the_cap(
    base: int, tip: int, cap: int, offered: tuple[int, int] | None
) -> None:
    fees = capped_fees(Fees(base_fee_wei=base, tip_wei=tip), cap_wei=cap)
    assert (None if fees is None else (fees.fee_max_wei, fees.tip_max_wei)) == offered
