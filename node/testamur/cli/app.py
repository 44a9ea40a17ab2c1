"""The command line: its commands, and how any of them ends."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from testamur import __version__
from testamur.cli import (
    credentials,
    devchain,
    init,
    issuing,
    operation,
    operator_log,
    output,
    reservation,
    submission,
    tokens,
    verification,
)
from testamur.cli.demo.command import demo
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
app.command()(reservation.reserve)
app.command()(credentials.commit)
app.command()(issuing.issue)
app.command()(submission.submit)
app.command()(submission.receipt)
app.command()(verification.verify)
app.command()(init.init)
app.command()(operation.serve)
app.command()(operation.check)
app.add_typer(tokens.app)
app.command()(operator_log.log)
app.command()(devchain.devchain)
app.command()(demo)


@app.callback(invoke_without_command=True)
def _testamur(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        output.line(f"testamur {__version__}")
        raise typer.Exit


def run(arguments: Sequence[str], rim: Rim) -> int:
    """Run one command and return its exit code; nothing leaves a stack trace unasked.

    Whatever goes wrong in a way that we do not expect gets a code that no verdict has.
    """
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
    except (typer.Abort, KeyboardInterrupt):
        return 128 + signal.SIGINT
    except SystemExit as exc:
        # Typer turns a broken pipe into exit code 1, which would be a verdict.
        if isinstance(exc.__context__, BrokenPipeError):
            return output.lost(exc.__context__)
        raise
    except Exception as exc:  # noqa: BLE001 - the last resort
        return output.crashed(exc)
    return result if isinstance(result, int) else ExitCode.OK


def _show_usage(failure: typer.TyperException) -> None:
    # Typer's own usage errors know how to show themselves, but their class is private to it.
    show = getattr(failure, "show", None)
    if callable(show):
        show()
    else:
        output.note(f"error: {output.printable(failure.format_message())}")
