"""Waiting for something that happens soon, without sleeping blindly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_POLL_SECONDS = 0.01


def wait_until(condition: Callable[[], bool], timeout_seconds: float) -> None:
    """Return as soon as ``condition()`` holds; it is asked at least once.

    Raises:
        TimeoutError: it did not hold within ``timeout_seconds``.
    """
    deadline = time.monotonic() + timeout_seconds
    never = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_seconds} s")
        never.wait(_POLL_SECONDS)
