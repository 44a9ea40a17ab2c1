"""Waiting for a node that says when to come back, for as long as a person would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from testamur.cli import output
from testamur.errors import NodeBusyError

WAIT_SECONDS_MAX: Final = 600
"""Longest time that one command waits for a busy node altogether."""
T = TypeVar("T")


class Patience:
    """Repeats what a busy node put off; one for a command, with the time that it may wait."""

    def __init__(
        self,
        sleep: Callable[[float], None],
        *,
        seconds_max: float = WAIT_SECONDS_MAX,
        only_too_often: bool = False,
    ) -> None:
        """With ``only_too_often``, as for reading: nobody waits for a node that is in trouble."""
        self._sleep = sleep
        self._left = seconds_max
        self._only_too_often = only_too_often

    def repeat(self, call: Callable[[], T]) -> T:
        """Do ``call``, and do it again after as long as the node asks.

        Repeating has to be harmless, as submitting is.

        Raises:
            NodeBusyError: the node asks for more time than is left, or is not waited for.
        """
        while True:
            try:
                return call()
            except NodeBusyError as exc:
                pause = max(1, exc.retry_after_seconds)
                if pause > self._left or (self._only_too_often and not exc.too_often):
                    raise
                self._left -= pause
                output.note(f"the node is busy; going on in {pause} s (Ctrl-C ends)")
                self._sleep(pause)
