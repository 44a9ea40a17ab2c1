"""A command on a terminal, answered as a person would: each question once it is there."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.support.waiting import wait_until

ANSWER_SECONDS = 30
_LOCAL_FLAGS = 3


class Terminal:
    """What stands on the terminal, and the keys of whoever sits there."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self.text = ""
        """Everything that was shown so far."""
        self._descriptor = descriptor
        self._seen = 0

    def answer(self, question: str, keys: str) -> None:
        """Wait until ``question``, a pattern, is shown anew; then type ``keys`` and return."""
        self._read_until(question)
        os.write(self._descriptor, keys.encode() + b"\n")

    def answer_unseen(self, question: str, keys: str) -> None:
        """Do the same where what is typed is not shown, once the terminal shows nothing."""
        self._read_until(question)
        wait_until(lambda: not termios.tcgetattr(self._descriptor)[_LOCAL_FLAGS] & termios.ECHO, 30)
        os.write(self._descriptor, keys.encode() + b"\n")

    def interrupt(self, question: str) -> None:
        """Wait for the question, then type Ctrl-C."""
        self._read_until(question)
        os.write(self._descriptor, b"\x03")

    def end(self) -> int:
        """Wait until the command ends; give its exit code."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while self._read(deadline - time.monotonic()):
            assert time.monotonic() < deadline, f"does not end:\n{self.text}"
        return self.process.wait(ANSWER_SECONDS)

    def _read_until(self, question: str) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while (found := re.search(question, self.text[self._seen :])) is None:
            left = deadline - time.monotonic()
            assert left > 0, f"never asked {question!r}:\n{self.text}"
            assert self._read(left), f"ended before {question!r}:\n{self.text}"
        self._seen += found.end()

    def _read(self, seconds: float) -> bool:
        if not select.select([self._descriptor], [], [], max(seconds, 0))[0]:
            return True
        try:
            data = os.read(self._descriptor, 4096)
        except OSError:  # EIO: nobody has the other end any more
            return False
        self.text += data.decode().replace("\r\n", "\n")
        return bool(data)


@contextmanager
def on_terminal(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a command on a terminal of its own; whatever is left of it is killed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        words,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "400"},
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - no threads; Ctrl-C needs a controlling terminal
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(ANSWER_SECONDS)
        os.close(ours)


def _take_terminal() -> None:
    import fcntl  # noqa: PLC0415 - in the child, where little may be done

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # A shell starts what runs in the background with SIGINT ignored, which would be inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
