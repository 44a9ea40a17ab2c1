"""Which failure of a stage passes by itself, and which stops the node."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from testamur.errors import (
    ChainDisagreementError,
    ChainIdentityError,
    ChainUnavailableError,
    CorruptBatchError,
    NotFollowedYetError,
    ReadBackError,
    StoreUnavailableError,
)
from testamur.service.loops import Loops, Stage

SECONDS = 10


class Steps:
    """A stage that fails a few times and then works; and what came of it."""

    def __init__(self, error: Exception, times: int) -> None:
        self._error = error
        self._left = times
        self.worked = threading.Event()
        self.stopped = threading.Event()

    def step(self) -> bool:
        if self._left:
            self._left -= 1
            raise self._error
        self.worked.set()
        return False

    def loops(self) -> Loops:
        stage = Stage("tried", self.step, 0.001, pause_after_error_seconds=0.001)
        return Loops([stage], on_fatal=self.stopped.set)


@pytest.mark.parametrize(
    "error",
    [
        ChainUnavailableError("no answer"),
        ChainDisagreementError("a log is missing"),
        NotFollowedYetError("the birth"),
    ],
    ids=lambda error: error.code,
)
def test_what_may_pass_is_waited_for_and_said_once(error: Exception) -> None:
    steps = Steps(error, times=3)
    loops = steps.loops()
    with capture_logs() as logs:
        loops.start()
        assert steps.worked.wait(SECONDS)
        loops.stop()
    assert [line["event"] for line in logs] == ["stage waits", "stage recovered"]
    assert loops.failed is None
    assert not steps.stopped.is_set()


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailableError("write", "disk full"),
        CorruptBatchError("another root"),
        ReadBackError("another root"),
        ChainIdentityError("another chain"),
        ZeroDivisionError("a mistake of ours"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_leaves_the_state_unknown_stops_the_node(error: Exception) -> None:
    steps = Steps(error, times=1)
    loops = steps.loops()
    with capture_logs() as logs:
        loops.start()
        assert steps.stopped.wait(SECONDS)
        loops.stop()
    assert not steps.worked.is_set()
    assert loops.failed == f"tried: {error}"
    assert "stage stopped the node" in [line["event"] for line in logs]


def test_one_stage_that_fails_for_good_ends_the_others() -> None:
    failing, other = Steps(StoreUnavailableError("write", "disk"), times=1), Steps(OSError(), 0)
    stages = [Stage("other", other.step, 0.001), Stage("failing", failing.step, 0.001)]
    loops = Loops(stages, on_fatal=failing.stopped.set)
    loops.start()
    assert failing.stopped.wait(SECONDS)
    loops.stop(SECONDS)
    other.worked.clear()
    assert not other.worked.wait(0.05)
