"""When a batch is sealed."""

from __future__ import annotations

import pytest

from testamur.batching.policy import SealingLimits, padding_count, should_seal
from testamur.storage.model import QueueState

LIMITS = SealingLimits(batch_entries_max=100, seal_at_count=10, seal_after_seconds=60, floor=4)


@pytest.mark.parametrize(
    ("queue", "now", "due"),
    [
        (QueueState(0, None), 10**9, False),
        (QueueState(9, 1000), 1059, False),
        (QueueState(1, 1000), 1060, True),
        (QueueState(10, 1000), 1000, True),
        (QueueState(1, 1000), 999, True),
    ],
    ids=["empty", "few-and-young", "old-enough", "enough", "clock-set-back"],
)
def test_a_batch_is_due_by_count_or_by_age(queue: QueueState, now: int, *, due: bool) -> None:
    assert should_seal(queue, now, LIMITS) is due


@pytest.mark.parametrize(("entries", "padding"), [(1, 3), (3, 1), (4, 0), (5, 0)])
def test_small_batches_are_padded_to_the_floor(entries: int, padding: int) -> None:
    assert padding_count(entries, LIMITS) == padding


def test_no_floor_means_no_padding() -> None:
    assert padding_count(1, SealingLimits(floor=0)) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_entries_max": 0},
        {"batch_entries_max": 2**32 + 1},
        {"floor": -1},
        {"batch_entries_max": 8, "floor": 9},
        {"seal_at_count": 0},
        {"seal_after_seconds": -1},
    ],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        SealingLimits(**wrong)
