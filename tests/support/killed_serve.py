"""``testamur serve`` that is killed, as by kill -9, right before or after one of its own calls.

    python -m tests.support.killed_serve MODULE:CLASS.METHOD before|after NUMBER [OPTION ...]

NUMBER counts the calls from 1. Everything else is the product's.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import Any


def die_at(target: str, moment: str, number: int) -> None:
    """Put a death around the call; the calls before it are left alone."""
    module, _, path = target.partition(":")
    owner_name, _, name = path.rpartition(".")
    owner = getattr(import_module(module), owner_name)
    original = getattr(owner, name)
    calls = 0

    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **named)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, dying)


if __name__ == "__main__":
    die_at(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    sys.argv[1:] = ["serve", *sys.argv[4:]]
    from testamur.bootstrap import main

    main()
