"""What each stage of a running node does in one step, and the line that it logs when it is done."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from structlog.typing import FilteringBoundLogger

from testamur.batching.seal_request import SealRequest
from testamur.batching.sealing import Sealer
from testamur.chain.anchoring import Anchorer
from testamur.chain.following import Follower
from testamur.consortium.replicating import Replicator
from testamur.errors import ChainIdentityError, ChainUnavailableError
from testamur.service.loops import Stage

SEALING_PAUSE_SECONDS_MAX = 1.0
"""Looking at the queue costs little, so it is done at least this often."""


def _log() -> FilteringBoundLogger:
    logger: FilteringBoundLogger = structlog.get_logger("testamur")
    return logger


def following(
    follower: Follower,
    *,
    check_identity: Callable[[], None],
    succeeded: Callable[[], None],
    pause_seconds: float,
) -> Stage:
    """Follow the chain, once it is known to be the right one.

    ``succeeded`` is called after each look at the chain that was whole.
    """
    size = -1

    def step() -> bool:
        nonlocal size
        now = follower.poll_once()
        succeeded()
        if now.rewound_to is not None:
            _log().warning("chain reorganised", rewound_to=now.rewound_to)
        if now.size != size:
            size = now.size
            _log().info("ledger followed", records=size, block=now.block and now.block.number)
        return False

    return Stage("following", _on_the_right_chain(step, check_identity), pause_seconds)


def sealing(
    sealer: Sealer,
    requested: SealRequest,
    *,
    clock: Callable[[], float],
    pause_seconds: float,
) -> Stage:
    """Seal batches while there is enough to seal, or while somebody asked for more."""

    def step() -> bool:
        begun = clock()
        wanted = requested.take()
        batch = sealer.seal_once(int(begun), force=wanted > 0)
        if batch is None:
            return False
        # A batch has a largest size: what did not fit in is for the next one.
        requested.ask(max(0, wanted - (batch.count - batch.padding_count)))
        _log().info(
            "batch sealed",
            batch=batch.root.hex(),
            entries=batch.count,
            padding=batch.padding_count,
            elapsed_ms=round(1000 * (clock() - begun)),
        )
        return True

    return Stage("sealing", step, min(pause_seconds, SEALING_PAUSE_SECONDS_MAX))


def anchoring(
    anchorer: Anchorer, *, check_identity: Callable[[], None], pause_seconds: float
) -> Stage:
    """Take sealed batches to finality; each change of phase is logged once."""
    shown: tuple[object, ...] = ()

    def step() -> bool:
        nonlocal shown
        now = anchorer.step()
        if now.batch is not None and (now.batch, now.phase) != shown:
            shown = (now.batch, now.phase)
            told = {"batch": now.batch.hex(), "phase": now.phase.value, "detail": now.detail}
            if now.needs_operator:
                _log().warning("anchoring needs the operator", **told)
            else:
                _log().info("anchoring", **told)
        return False

    return Stage("anchoring", _on_the_right_chain(step, check_identity), pause_seconds)


def replicating(replicator: Replicator, *, pause_seconds: float) -> Stage:
    """Pull the batches that other members anchored."""
    return Stage("replicating", replicator.step, pause_seconds)


def _on_the_right_chain(
    step: Callable[[], bool], check_identity: Callable[[], None]
) -> Callable[[], bool]:
    """Run ``check_identity`` before the first step, and again when a step doubts it.

    Not before the stage, because the chain may be down when the process starts. What it says
    stops the node; one odd answer in the middle, which it does not confirm, is only an outage.
    """
    checked = False

    def checked_step() -> bool:
        nonlocal checked
        if not checked:
            check_identity()
            checked = True
        try:
            return step()
        except ChainIdentityError as exc:
            check_identity()
            raise ChainUnavailableError(f"an answer of another ledger, once: {exc}") from exc

    return checked_step
