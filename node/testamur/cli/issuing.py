"""``testamur issue``: a folder or a list of credentials, from files to bundles, in one command."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testamur.cli import output
from testamur.cli.bearer import InsecureHttp, TokenFile, given_token
from testamur.cli.credentials import AsJson, ProfileName, check_profile
from testamur.cli.output import Colour, ExitCode
from testamur.cli.patience import Patience
from testamur.cli.rim import Rim, rim_of
from testamur.cli.submission import NodeUrl, check_wait
from testamur.cli.targets import own_trust
from testamur.errors import (
    ConfigurationError,
    FolderInUseError,
    NodeProtocolError,
    TestamurError,
    UnwritableFileError,
)

if TYPE_CHECKING:
    from testamur.cli.disk import Disk
    from testamur.cli.issue_list import IssueList
    from testamur.cli.issued import Issue, IssuedFile
    from testamur.cli.node_client import NodeClient


def issue(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Folder with the credentials.", show_default=False),
    ] = None,
    *,
    node: NodeUrl,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="LIST",
            help="In place of DIR: a list whose column path names the files, from its own folder.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where bundles and issued.csv go. Default: beside the credentials.",
        ),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Also what is in sub-folders of DIR.")
    ] = False,
    seal_now: Annotated[
        bool, typer.Option("--seal-now", help="Have the batch sealed at once.")
    ] = False,
    profile: ProfileName = None,
    wait: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            callback=check_wait,
            help="How long to wait until all are final. Default: as long as it takes.",
        ),
    ] = None,
    token_file: TokenFile = None,
    insecure_http: InsecureHttp = False,
    as_json: AsJson = False,
) -> None:
    """Issue credentials: commit, submit, wait until they are final, write a bundle for each.

    May be stopped at any time: run again, it goes on where it was and repeats nothing. Where each
    credential stands is written into issued.csv at each step. That file holds digests: a digest
    can be guessed from a class list, so keep it as you keep the credentials.

    Exit code: 0 all have their bundle, 3 some do not yet: run again, 2 some cannot have one.
    """
    from testamur.cli.issue_list import from_folder, from_list  # noqa: PLC0415 (slow to import)
    from testamur.cli.issued import Issue, IssuedFile  # noqa: PLC0415
    from testamur.cli.node_client import NodeClient  # noqa: PLC0415

    rim = rim_of(context)
    check_profile(profile)
    if (folder is None) == (csv is None):
        raise ConfigurationError("give either a folder, or a list with --csv")
    if csv is not None and recursive:
        raise ConfigurationError("--recursive goes with a folder")
    if folder is not None:
        listed = from_folder(folder, out=out, recursive=recursive)
    else:
        listed = from_list(csv or Path(), out=out)
    deadline = math.inf if wait is None else time.monotonic() + wait
    issues = [Issue(item) for item in listed.items]
    issued = IssuedFile(listed, issues, rim.disk)
    issued.check()
    if out is not None:
        _make_folders(listed, rim)
    stopped: TestamurError | None = None
    try:
        token = given_token(token_file)
        with (
            _alone_in(listed.issued.parent, rim.disk),
            NodeClient(node, token=token, insecure_http=insecure_http) as client,
        ):
            _run(client, issues, issued, rim, profile=profile, seal=seal_now, deadline=deadline)
    except TestamurError as exc:
        if not any(one.state or one.error for one in issues):
            raise  # nothing was begun
        stopped = exc
    raise typer.Exit(_report(issues, listed, stopped, as_json=as_json))


def _run(
    client: NodeClient,
    issues: Sequence[Issue],
    issued: IssuedFile,
    rim: Rim,
    *,
    profile: str | None,
    seal: bool,
    deadline: float,
) -> None:
    from testamur.cli.issue_run import IssueRun  # noqa: PLC0415 (slow to import)
    from testamur.cli.sidecars import Committer  # noqa: PLC0415

    trust, member = own_trust(client)
    if trust.member(member) is None:
        raise NodeProtocolError("the node's trust file does not name the node's own member")
    committer = Committer(
        ledger_id=trust.ledger_id,
        member=member,
        profile=profile,
        random_bytes=rim.random_bytes,
        disk=rim.disk,
    )
    run = IssueRun(client, issues, issued, trust=trust, disk=rim.disk, patience=Patience(rim.sleep))
    run.submit(run.commit(committer))
    if seal:
        run.seal_now()
    run.collect(deadline)


@contextmanager
def _alone_in(folder: Path, disk: Disk) -> Iterator[None]:
    """Let one command at a time issue into a folder: two would write over each other's list."""
    with ExitStack() as stack:
        try:
            stack.enter_context(disk.alone_in(folder))
        except BlockingIOError as exc:
            raise FolderInUseError(f"another command is issuing into {folder} just now") from exc
        except OSError as exc:
            raise UnwritableFileError(f"cannot open {folder}: {exc.strerror}") from exc
        yield


def _make_folders(listed: IssueList, rim: Rim) -> None:
    """Make the folders that bundles go into, durably, before anything is committed."""
    folders = {listed.issued.parent}
    folders |= {item.bundle.parent for item in listed.items if item.fault is None}
    for folder in sorted(folders):
        try:
            rim.disk.make_directory(folder)
        except OSError as exc:
            raise UnwritableFileError(f"cannot make {folder}: {exc.strerror}") from exc


def _report(
    issues: Sequence[Issue], listed: IssueList, stopped: TestamurError | None, *, as_json: bool
) -> ExitCode:
    """Print what became of each credential, and give the exit code."""
    codes = {ExitCode.OK}
    for one in issues:
        if as_json:
            output.json_line(_json_of(one))
        elif one.error is not None:
            output.error(one.error, about=one.item.name)
        if one.error is not None:
            codes.add(output.exit_code(one.error))
        elif not one.is_done:
            codes.add(ExitCode.RETRY)
    if stopped is not None:
        output.error(stopped)
        codes.add(output.exit_code(stopped))
    done, failed = sum(one.is_done for one in issues), sum(one.error is not None for one in issues)
    waiting = len(issues) - done - failed
    shown = output.coloured(f"{done} issued", Colour.GREEN if done else Colour.GREY, sys.stdout)
    if not as_json:
        output.line(
            f"{shown}, {waiting} not final yet, {failed} failed: "
            f"{output.printable(str(listed.issued))}"
        )
    if waiting and not (stopped and output.exit_code(stopped) is ExitCode.USAGE):
        output.note("Run the same command again: it goes on from here.")
    return output.worst(codes)


def _json_of(one: Issue) -> dict[str, object]:
    from testamur.cli.issued import shown_time  # noqa: PLC0415 (slow to import)

    made = one.sidecar
    row: dict[str, object] = {
        "file": one.item.name,
        "state": one.state or None,
        "entry": None if made is None else made.entry.hex(),
        "batch": None if one.batch is None else one.batch.hex(),
        "time": shown_time(one.time) or None,
        "bundle": str(one.item.bundle) if one.is_done else None,
    }
    if one.error is not None:
        row["error"] = output.error_json(one.error)
    return row
