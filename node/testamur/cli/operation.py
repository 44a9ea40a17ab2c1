"""``testamur serve`` and ``testamur check``: running a node, and looking over its data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testamur.cli import output
from testamur.cli.credentials import AsJson
from testamur.cli.data_directory import opened_store
from testamur.cli.output import Colour, ExitCode
from testamur.cli.rim import ServeOptions, rim_of
from testamur.errors import StoreDamagedError

if TYPE_CHECKING:
    from testamur.storage.integrity import IntegrityReport


def serve(
    context: typer.Context,
    *,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings in TOML. TESTAMUR_* variables override it."),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the node keeps its data.", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port to listen on; 0 takes a free one. Default: 8180."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Log one JSON object a line, on a terminal too.")
    ] = False,
) -> None:
    """Run a node: follow the chain, seal and anchor batches, answer over HTTP.

    Without any configuration it is a trial: a whole node with a chain of its own, kept in
    ~/.local/share/testamur, which proves nothing to others.
    """
    rim = rim_of(context)
    if rim.serve is None:  # a programming mistake: the command was run without the bootstrap
        raise TypeError("no node can be built here")
    options = {"data_dir": data_dir, "port": port}
    given = {name: value for name, value in options.items() if value is not None}
    raise typer.Exit(rim.serve(ServeOptions(config, given, as_json)))


def check(
    *,
    data_dir: Annotated[
        Path, typer.Option(metavar="DIR", help="Data directory of a node that is stopped.")
    ],
    as_json: AsJson = False,
) -> None:
    """Derive every root of a node's data again and compare; the first thing to run in doubt.

    Exit code: 0 all is well, 1 something does not fit.
    """
    try:
        report = _examined(data_dir)
    except StoreDamagedError as exc:
        # What was asked for is known: it does not fit, and will not at another try.
        output.failed(str(data_dir), exc, as_json=as_json)
        raise typer.Exit(ExitCode.REJECT) from exc
    if as_json:
        output.json_line(
            {
                "clean": report.clean,
                "batches": report.batches_checked,
                "entries": report.entries_checked,
                "replicas": report.replicas_checked,
                "replicated_entries": report.replicated_checked,
                "records": report.records,
                "problems": [
                    {"code": p.code, "subject": p.subject, "detail": p.detail}
                    for p in report.problems
                ],
            }
        )
    else:
        for problem in report.problems:
            word = output.coloured("problem", Colour.RED, sys.stdout)
            subject = output.printable(problem.subject)
            output.line(f"{word}  {problem.code}  {subject}: {output.printable(problem.detail)}")
        output.line(
            f"{report.batches_checked} batches with {report.entries_checked} entries, "
            f"{report.replicas_checked} replicas with {report.replicated_checked} and "
            f"{report.records} records checked: "
            + ("all is well." if report.clean else f"{len(report.problems)} problems.")
        )
    raise typer.Exit(ExitCode.OK if report.clean else ExitCode.REJECT)


def _examined(data_dir: Path) -> IntegrityReport:
    from testamur.storage.batch_files import LocalBatchFiles  # noqa: PLC0415 (slow to import)
    from testamur.storage.integrity import check as check_integrity  # noqa: PLC0415

    with opened_store(data_dir) as store:
        total, done = sum(store.indexed_counts().values()), 0
        total += sum(store.replica_entry_counts().values())
        with output.progress("checking entries", total) as step:

            def advance(checked: int, _total: int) -> None:
                nonlocal done
                step(checked - done)
                done = checked

            return check_integrity(store, LocalBatchFiles(data_dir / "batches"), advance)
