"""The command line: its commands, and how any of them ends."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from testamur import __version__
from testamur.cli import credentials, output
from testamur.cli.output import ExitCode
from testamur.cli.rim import Rim
from testamur.errors import TestamurError

app = typer.Typer(
    name="testamur",
    help="Universities testify together to micro-credentials.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(credentials.digest)
app.command()(credentials.commit)


@app.callback(invoke_without_command=True)
def _testamur(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        output.line(f"testamur {__version__}")
        raise typer.Exit


def run(arguments: Sequence[str], rim: Rim) -> int:
    """Run one command and return its exit code; nothing that we expect leaves a stack trace."""
    command = typer.main.get_command(app)
    try:
        result = command.main(
            args=list(arguments), prog_name="testamur", obj=rim, standalone_mode=False
        )
        sys.stdout.flush()
    except TestamurError as exc:
        output.error(exc)
        return output.exit_code(exc)
    except typer.TyperException as exc:
        _show_usage(exc)
        return ExitCode.USAGE
    except typer.Abort:
        return 128 + 2  # as after the signal SIGINT
    except OSError as exc:
        if exc.errno != errno.EPIPE:
            raise
        # The reader of our output went away. What it did not read must not fail at exit again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13  # as after the signal SIGPIPE
    return result if isinstance(result, int) else ExitCode.OK


def _show_usage(failure: typer.TyperException) -> None:
    # Typer's own usage errors know how to show themselves, but their class is private to it.
    show = getattr(failure, "show", None)
    if callable(show):
        show()
    else:
        output.note(f"error: {output.printable(failure.format_message())}")
