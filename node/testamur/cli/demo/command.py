"""The command ``testamur demo``."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testamur.cli import output
from testamur.cli.output import ExitCode
from testamur.errors import DemoError

if TYPE_CHECKING:
    from testamur.cli.demo.consortium import Chain, Member
    from testamur.cli.demo.processes import Processes
    from testamur.cli.demo.story import Story

EXAMPLES = Path(__file__).resolve().parents[4] / "examples" / "credentials"
"""The sample credentials of the source tree."""


def demo(
    *,
    serve: Annotated[
        bool, typer.Option(help="Leave the nodes running at the end, until Ctrl-C.")
    ] = True,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Work here, and keep it. Must not exist."),
    ] = None,
    credentials: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Credentials to register. Default: the samples.",
            show_default=False,
        ),
    ] = EXAMPLES,
) -> None:
    """Three universities, a chain and the main job, told step by step. Nothing leaves this machine.

    Exit code 0 only if every expectation held.
    """
    from testamur.cli.demo.processes import Processes  # noqa: PLC0415 (slow to import)

    if directory is None:
        place, keep = Path(tempfile.mkdtemp(prefix="testamur-demo-")), False
    else:
        try:
            directory.mkdir(parents=True)
        except OSError as exc:
            raise DemoError(f"{directory} cannot be made: {exc.strerror}") from exc
        place, keep = directory.resolve(), True
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # stop in order either way
    good = False
    try:
        with Processes(place) as processes:
            good = _tell(processes, credentials, serve=serve)
        if good:
            good = _check_data(place)
    except KeyboardInterrupt:
        output.note("\nstopped.")
        good = serve  # with the nodes left running, Ctrl-C is how it ends
    finally:
        if keep or not good:
            output.note(f"Everything is kept in {place}")
        else:
            shutil.rmtree(place, ignore_errors=True)
    raise typer.Exit(ExitCode.OK if good else ExitCode.REJECT)


def _tell(processes: Processes, credentials: Path, *, serve: bool) -> bool:
    from rich.console import Console  # noqa: PLC0415

    from testamur.cli.demo import consortium  # noqa: PLC0415
    from testamur.cli.demo import story as acts  # noqa: PLC0415

    console = Console(highlight=False)
    story = acts.Story(console)
    started = time.monotonic()
    with console.status("starting a chain, deploying the ledger, starting three nodes ..."):
        chain = consortium.start_chain(processes)
        members, deployment = consortium.found(chain)
        consortium.start_nodes(processes, chain, members, deployment)
    acts.prologue(story, members, chain, deployment)
    issued = acts.hand_out(credentials, processes.directory, members)
    acts.registrar(story, issued)
    acts.student(story, issued)
    acts.employer(story, issued, processes.directory)
    acts.auditor(story, issued, members, chain)
    console.print()
    _conclude(story, time.monotonic() - started)
    if serve and not story.broken:
        _serve(processes, members, chain)
    return not story.broken


def _conclude(story: Story, seconds: float) -> None:
    if story.broken:
        story.console.print(f"[red]{len(story.broken)} expectations did not hold:[/red]")
        for text in story.broken:
            story.console.print(f"  [red]✗[/red] {text}")
    else:
        story.console.print(
            f"[green]All {story.held} expectations held[/green], in {seconds:.0f} s. "
            "What it proves: who registered exactly this file, and since when. Not that its "
            "content is true, nor that whoever presents it is the person named."
        )


def _serve(processes: Processes, members: Sequence[Member], chain: Chain) -> None:
    output.note("")
    output.note("The nodes go on running; press Ctrl-C to stop them.")
    for member in members:
        output.line(f"  {member.name:<26} {member.url}/v1/ledger")
    output.line(f"  {'what a node can be asked':<26} {members[0].url}/openapi.json")
    output.line(f"  {'the chain (JSON-RPC)':<26} {chain.url}")
    output.line(f"  {'files and logs':<26} {processes.directory}")
    while (ended := processes.ended()) is None:
        time.sleep(0.5)
    raise DemoError(f"{ended} ended by itself")


def _check_data(place: Path) -> bool:
    """After all nodes have stopped: everything that they kept fits together."""
    from testamur.cli.demo.processes import run  # noqa: PLC0415

    clean = True
    for home in sorted(place.glob("node-*/data")):
        done = run("check", "--data-dir", str(home))
        clean = clean and done.code == 0
        output.note(f"{home.parent.name}: {done.output.strip() or done.errors.strip()}")
    return clean
