"""The standard streams of a process that was started without some of them."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper


def reopen_closed() -> None:
    """Put something in place of closed standard streams; call it before any file is opened.

    A file opened later would get the number of the closed stream, and results or remarks would be
    written into it. What is put there can only be used the wrong way round, so that the command
    learns of a missing input or output when it needs it; remarks are dropped.
    """
    _reopen(0, os.O_WRONLY)
    _reopen(1, os.O_RDONLY)
    _reopen(2, os.O_WRONLY)
    if sys.stdin is None:
        sys.stdin = _text(0, "r")
    if sys.stdout is None:
        sys.stdout = _text(1, "w")
    if sys.stderr is None:
        sys.stderr = _text(2, "w")


def _reopen(number: int, flags: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        # The lowest number that is free, which is this one: those below are open by now.
        os.set_inheritable(os.open(os.devnull, flags), True)


def _text(number: int, mode: str) -> TextIOWrapper:
    file = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
    assert isinstance(file, TextIOWrapper)  # noqa: S101 - what `open` gives for text
    return file
