"""The command ``testamur demo``."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testamur.cli import output
from testamur.cli.output import ExitCode
from testamur.errors import DemoError

if TYPE_CHECKING:
    from testamur.cli.demo.consortium import Consortium
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

    Exit code: 0 only if every expectation held and what the nodes kept fits together; 1 if not;
    128 and the signal's number, such as 130 for Ctrl-C, where it was stopped before its end.
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
    good = stopped = False
    _stop_on_signals()
    try:
        with Processes(place) as processes:
            good = _tell(processes, credentials, serve=serve)
            processes.stop_all()
            good = good and _check_data(processes)
    except _Stopped as exc:
        stopped = True
        output.note("\nstopped before the end.")
        raise typer.Exit(128 + exc.number) from exc
    finally:
        if keep or not (good or stopped):
            output.note(f"Everything is kept in {place}")
        else:
            shutil.rmtree(place, ignore_errors=True)
    raise typer.Exit(ExitCode.OK if good else ExitCode.REJECT)


class _Stopped(KeyboardInterrupt):
    """A signal asked the demo to stop."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _stop_on_signals() -> None:
    """Turn the first signal that asks to stop into :class:`_Stopped`, also in the background.

    A shell starts what runs in the background with SIGINT ignored, and nohup with SIGHUP: the
    first is meant for keys only, so ``kill -INT`` is heeded; the second is what nohup is for.
    Further signals do nothing, because stopping in order takes a moment and must come to its end.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)

    def stop(number: int, _frame: object) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise _Stopped(number)

    for each in numbers:
        signal.signal(each, stop)


def _tell(processes: Processes, credentials: Path, *, serve: bool) -> bool:
    import httpx  # noqa: PLC0415 (slow to import)
    from rich.console import Console  # noqa: PLC0415

    from testamur.cli.demo import acts, consortium  # noqa: PLC0415
    from testamur.cli.demo.story import Story  # noqa: PLC0415

    console = Console(highlight=False)
    story = Story(console)
    started = time.monotonic()
    # All of it is on this machine: a proxy that the environment names leads elsewhere.
    with httpx.Client(timeout=20, trust_env=False) as http:
        with console.status("starting a chain, deploying the ledger, starting three nodes ..."):
            universities = consortium.start(processes, http)
        acts.prologue(story, universities)
        issued = acts.hand_out(credentials, universities)
        acts.registrar(story, issued, universities)
        acts.student(story, issued, universities)
        acts.employer(story, issued, universities)
        acts.auditor(story, issued, universities)
    console.print()
    _conclude(story, time.monotonic() - started)
    if serve and not story.broken:
        _serve(universities)
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


def _serve(universities: Consortium) -> None:
    """Leave everything running until a signal comes: here it is the good end."""
    processes, members = universities.processes, universities.members
    output.note("")
    output.note(f"The nodes go on running; Ctrl-C stops them, or: kill {os.getpid()}")
    for member in members:
        output.line(f"  {member.name:<26} {member.url}/v1/ledger")
    output.line(f"  {'what a node can be asked':<26} {members[0].url}/openapi.json")
    output.line(f"  {'the chain (JSON-RPC)':<26} {universities.chain.url}")
    output.line(f"  {'files and logs':<26} {processes.directory}")
    sys.stdout.flush()  # it is waited for, where it is read from a file
    try:
        while (ended := processes.ended()) is None:
            time.sleep(0.5)
    except _Stopped:
        output.note("\nstopping ...")
    else:
        raise DemoError(f"{ended} ended by itself")


def _check_data(processes: Processes) -> bool:
    """After all nodes have stopped: everything that they kept fits together."""
    homes = sorted(processes.directory.glob("node-*/data"))
    checked = processes.run_all(*(("check", "--data-dir", str(home)) for home in homes))
    for home, done in zip(homes, checked, strict=True):
        output.note(f"{home.parent.name}: {done.output.strip() or done.errors.strip()}")
    return bool(homes) and all(done.code == 0 for done in checked)
