"""The node's stages, each in a thread of its own: follow, replicate, seal, anchor.

They share nothing but the store. A stage that fails in an expected way says so and goes on after
a pause; one that finds its state unknown (a failed write) stops the node, because a restart runs
the same path from what is durable. One that finds itself on another chain or ledger stops it, too:
only the operator can tell which of the two is meant.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from testamur.errors import ChainIdentityError, ReadBackError, StorageError, TestamurError

_LOG = structlog.get_logger("testamur")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the node."""

    name: str
    """For logs."""
    step: Callable[[], bool]
    """Does what can be done now; True when there is more to do at once."""
    pause_seconds: float
    """How long to wait when there is nothing more."""
    pause_after_error_seconds: float = 2.0
    """How long to wait after an error that may pass."""


class Loops:
    """Runs stages until told to stop, or until one fails in a way that a restart must settle."""

    def __init__(self, stages: Sequence[Stage], *, on_fatal: Callable[[], None]) -> None:
        self._stopping = threading.Event()
        self._on_fatal = on_fatal
        self._threads = [
            threading.Thread(target=self._run, args=(stage,), name=stage.name, daemon=True)
            for stage in stages
        ]
        self.failed: str | None = None
        """What stopped the loops, if something did."""

    def start(self) -> None:
        """Start all stages."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_seconds: float = 10) -> None:
        """Ask all stages to end after their present step, and wait for them."""
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout_seconds)

    def _run(self, stage: Stage) -> None:
        complaint = ""
        while not self._stopping.is_set():
            pause = stage.pause_seconds
            try:
                if stage.step():
                    pause = 0
                if complaint:
                    _LOG.info("stage recovered", stage=stage.name)
                    complaint = ""
            except (StorageError, ReadBackError, ChainIdentityError) as exc:
                if not self._stopping.is_set():
                    self._fail(stage, exc)
                return
            except TestamurError as exc:
                if str(exc) != complaint:  # say it once, not every two seconds
                    _LOG.warning("stage waits", stage=stage.name, code=exc.code, reason=str(exc))
                    complaint = str(exc)
                pause = stage.pause_after_error_seconds
            except Exception as exc:  # noqa: BLE001 - a mistake of ours: go on in no unknown state
                _LOG.error("unexpected error", stage=stage.name, exc_info=exc)
                self._fail(stage, exc)
                return
            self._stopping.wait(pause)

    def _fail(self, stage: Stage, exc: Exception) -> None:
        self.failed = f"{stage.name}: {exc}"
        _LOG.error("stage stopped the node", stage=stage.name, reason=str(exc))
        self._stopping.set()
        self._on_fatal()
