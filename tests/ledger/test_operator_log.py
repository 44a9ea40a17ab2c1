"""The chain of the operator log: what was changed is found, and lines have one form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.errors import OperatorLogError
from testamur.ledger.operator_log import (
    ACTS,
    COMMAND_LINE,
    NODE,
    Act,
    Actor,
    LogLine,
    follow,
    origin,
    parse_line,
)
from tests.support.stored import IDENTITY, digest

START = origin(IDENTITY.ledger_id, IDENTITY.member)
LMS = Actor("token", "0123456789", "LMS")


def log_of(*acts: Act) -> list[LogLine]:
    lines: list[LogLine] = []
    for index, act in enumerate(acts):
        previous = lines[-1].hash() if lines else START
        lines.append(LogLine(index, previous, act))
    return lines


SOME = log_of(
    Act(NODE, "node_started", 1, {"version": "1", "unsafe": ("host",)}),
    Act(COMMAND_LINE, "token_created", 2, {"id": "x", "expires_at": None}),
    Act(LMS, "entries_submitted", 3, {"added": 5}),
    Act(NODE, "node_stopped", 4, {"failed": None}),
)


def test_a_whole_log_is_followed_also_from_the_middle() -> None:
    assert list(follow(SOME, START)) == SOME
    assert list(follow(SOME[2:], SOME[1].hash(), first=2)) == SOME[2:]
    assert list(follow([], START)) == []


@pytest.mark.parametrize("position", range(len(SOME) - 1))
def test_an_altered_line_is_found_at_the_line_after_it(position: int) -> None:
    line = SOME[position]
    for act in (
        replace(line.act, time=99),
        replace(line.act, actor=Actor("anyone")),
        replace(line.act, details={}),
    ):
        altered = [*SOME]
        altered[position] = replace(line, act=act)
        with pytest.raises(OperatorLogError, match=f"line {position + 1} does not follow"):
            list(follow(altered, START))


@pytest.mark.parametrize("position", range(len(SOME) - 1))
def test_a_line_that_was_left_out_or_put_in_is_found(position: int) -> None:
    without = SOME[:position] + SOME[position + 1 :]
    twice = SOME[: position + 1] + SOME[position:]
    for lines in (without, twice):
        with pytest.raises(OperatorLogError, match="where line"):
            list(follow(lines, START))
        renumbered = [replace(line, index=index) for index, line in enumerate(lines)]
        with pytest.raises(OperatorLogError, match="does not follow"):
            list(follow(renumbered, START))


def test_a_log_is_of_one_ledger_and_one_member() -> None:
    for start in (
        origin(digest("another ledger"), IDENTITY.member),
        origin(IDENTITY.ledger_id, IDENTITY.member + 1),
    ):
        with pytest.raises(OperatorLogError, match="line 0"):
            list(follow(SOME, start))


def test_a_line_is_read_back_as_it_was_written() -> None:
    for line in SOME:
        assert parse_line(json.loads(line.encode())) == line
        assert parse_line(json.loads(line.encode())).hash() == line.hash()


def wrong_lines() -> list[Any]:
    good = SOME[2].to_json()
    return [
        None,
        [],
        {},
        *({name: value for name, value in good.items() if name != left} for left in good),
        good | {"more": 1},
        good | {"index": -1},
        good | {"previous": "AB" * 32},
        good | {"act": "something_else"},
        good | {"actor": {"kind": "token"}},
        good | {"actor": {"kind": "token", "id": "x"}},
        good | {"actor": {"kind": "node", "id": "x", "name": "y"}},
        good | {"actor": {"kind": "stranger"}},
        good | {"actor": {"kind": "node", "more": 1}},
        good | {"details": []},
        good | {"details": {"x": 1.5}},
        good | {"details": {"x": True}},
        good | {"details": {"x": [1]}},
        good | {"details": {"x": "y" * 300}},
        good | {"details": {"x": {}}},
    ]


@pytest.mark.parametrize("value", wrong_lines(), ids=str)
def test_a_line_of_another_form_is_refused(value: Any) -> None:
    with pytest.raises(OperatorLogError):
        parse_line(value)


VALUES = st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20)


@given(
    name=st.sampled_from(ACTS),
    time=st.integers(0, 2**53 - 1),
    details=st.dictionaries(st.text(max_size=9), VALUES | st.lists(st.text(max_size=9)).map(tuple)),
)
def test_every_act_survives_writing_and_reading(
    name: Any, time: int, details: dict[str, Any]
) -> None:
    (line,) = log_of(Act(LMS, name, time, details))
    assert parse_line(json.loads(line.encode())) == line
