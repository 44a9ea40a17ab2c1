"""What commands print: one line a result for people or one JSON object a line, and errors.

Results go to standard output, everything else to standard error. File names and other foreign
text never reach a terminal with control characters in it.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from typing import Final, TextIO

import typer

from testamur.errors import (
    BusyError,
    ChainUnavailableError,
    NodeError,
    NodeRefusedError,
    SidecarStorageError,
    StorageError,
    TestamurError,
    UnwritableFileError,
    VerificationError,
)

TRACEBACK_VARIABLE: Final = "TESTAMUR_TRACEBACK"
"""Environment variable that asks for the stack trace of a mistake of ours."""

_OUTPUT_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""What the operating system answers to a write that it cannot do."""

_MAY_PASS: Final = (
    BusyError,
    ChainUnavailableError,
    NodeError,
    SidecarStorageError,
    StorageError,
    UnwritableFileError,
)
"""Errors after which the same command may succeed."""

PROGRESS_FROM: Final = 20
"""Fewer steps than this get no progress bar."""


class ExitCode(IntEnum):
    """What a shell script branches on; the same for every command."""

    OK = 0
    """Done, or the credential is to be accepted."""
    REJECT = 1
    """The credential is to be rejected."""
    USAGE = 2
    """The command, a setting or an input file is wrong; repeating it changes nothing."""
    RETRY = 3
    """Something did not answer; the same command may succeed later."""
    REVIEW = 4
    """A person has to look at the report."""
    SOFTWARE = 70
    """A mistake in Testamur itself (EX_SOFTWARE of sysexits.h): no verdict."""
    OUTPUT_LOST = 74
    """The result could not be written (EX_IOERR): whatever it was, nobody got it whole."""


_WORST_FIRST: Final = (ExitCode.USAGE, ExitCode.REJECT, ExitCode.RETRY, ExitCode.REVIEW)


class Colour(IntEnum):
    """ANSI colours; they only underline what the words say."""

    RED = 31
    GREEN = 32
    YELLOW = 33
    CYAN = 36
    GREY = 90


def exit_code(error: TestamurError) -> ExitCode:
    """Exit code for a command that ended with ``error``."""
    if isinstance(error, VerificationError):
        return ExitCode.REJECT
    if isinstance(error, NodeRefusedError):
        return ExitCode.USAGE
    if isinstance(error, _MAY_PASS):
        return ExitCode.RETRY
    return ExitCode.USAGE


def worst(codes: Collection[ExitCode]) -> ExitCode:
    """Give the code of several files together: the first of 2, 1, 3, 4 that any of them has."""
    return next((code for code in _WORST_FIRST if code in codes), ExitCode.OK)


def printable(text: str) -> str:
    """Make foreign text safe for a terminal: whatever is not printable becomes an escape."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


def coloured(text: str, colour: Colour, stream: TextIO) -> str:
    """Colour ``text`` where ``stream`` is a terminal and NO_COLOR (no-color.org) is not set."""
    if not stream.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{colour.value}m{text}\x1b[0m"


def line(text: str) -> None:
    """Print a result for people."""
    _write(sys.stdout, text)


def json_line(value: Mapping[str, object]) -> None:
    """Print a result for programs: one JSON object on one line, in ASCII."""
    _write(sys.stdout, json.dumps(value))


def note(text: str) -> None:
    """Print a remark that is not a result."""
    _write(sys.stderr, text)


def error(failure: TestamurError, *, about: str | None = None) -> None:
    """Print an error and its advice; ``about`` names the file it concerns."""
    label = coloured("error:", Colour.RED, sys.stderr)
    subject = f"{printable(about)}: " if about is not None else ""
    _write(sys.stderr, f"{label} {subject}{printable(str(failure))} [{failure.code}]")
    if failure.advice:
        _write(sys.stderr, f"       {failure.advice}")


def failed(subject: str, failure: TestamurError, *, as_json: bool) -> ExitCode:
    """Print what went wrong with one of several files, and give its exit code."""
    if as_json:
        json_line({"file": subject, "error": error_json(failure)})
    else:
        error(failure, about=subject)
    return exit_code(failure)


def error_json(failure: TestamurError) -> dict[str, str]:
    """Give an error the form in which programs get it."""
    return {"code": failure.code, "detail": str(failure), "advice": failure.advice}


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[..., None]]:
    """Show a bar on standard error for long work.

    Yields what to call after each step, or with a number after so many.

    Nothing is shown where standard error is no terminal, or for fewer than
    :data:`PROGRESS_FROM` steps.
    """
    if total < PROGRESS_FROM or not sys.stderr.isatty():
        yield lambda _count=1: None
        return
    # Imported here: it takes longer than many commands do altogether.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    # Lines for the same terminal are put above the bar; a redirected output stays untouched.
    redirect = sys.stdout.isatty()
    with Progress(*columns, console=console, redirect_stdout=redirect, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count=1: bar.advance(task, count)


def lost(failure: OSError) -> int:
    """Give up standard output, which takes no more, and return the exit code for that."""
    _discard(sys.stdout)
    if isinstance(failure, BrokenPipeError):  # its reader had enough: that is no error
        return 128 + signal.SIGPIPE
    note(f"error: the result cannot be written: {failure.strerror}")
    return ExitCode.OUTPUT_LOST


def crashed(failure: Exception) -> int:
    """Say that Testamur itself went wrong, and return the exit code for that."""
    try:
        sys.stdout.flush()
    except OSError as exc:
        return lost(exc)
    if (
        isinstance(failure, OSError)
        and failure.filename is None
        and failure.errno in _OUTPUT_ERRORS
    ):
        return lost(failure)  # a long text, such as a help page, fails before it is flushed
    if os.environ.get(TRACEBACK_VARIABLE):
        note("".join(traceback.format_exception(failure)).rstrip())
    note(
        f"error: Testamur itself failed: {printable(f'{type(failure).__name__}: {failure}')}\n"
        f"       Nothing was decided. With {TRACEBACK_VARIABLE}=1 it says where; please report it."
    )
    return ExitCode.SOFTWARE


def _write(stream: TextIO, text: str) -> None:
    try:
        try:
            stream.write(text + "\n")
        except UnicodeEncodeError:  # a terminal that is not UTF-8
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    except OSError as exc:
        if stream is sys.stderr:  # there is nobody who could be told
            _discard(stream)
        else:
            raise typer.Exit(lost(exc)) from exc


def _discard(stream: TextIO) -> None:
    """Let what is still buffered go nowhere, or it fails once more when the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
