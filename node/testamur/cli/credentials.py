"""``testamur digest`` and ``testamur commit``: what happens where the credentials are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from testamur.cli import output
from testamur.cli.files import STANDARD_INPUT, read_credential
from testamur.cli.output import Colour, ExitCode
from testamur.cli.registered import MADE_SUFFIXES
from testamur.cli.rim import rim_of
from testamur.cli.sidecars import Committed, Committer
from testamur.cli.targets import MemberOption, NodeOption, TrustOption, target
from testamur.credentials import profiles
from testamur.errors import (
    ConfigurationError,
    TestamurError,
    UnknownProfileError,
)

Files = Annotated[list[str], typer.Argument(metavar="FILE...", show_default=False)]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="PROFILE",
        help=f"One of {', '.join(profiles.PROFILES)}. Default: detected.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def digest(files: Files, *, profile: ProfileName = None, as_json: AsJson = False) -> None:
    """Print profile and digest of credentials; ``-`` reads standard input.

    Nothing else is needed or contacted. A digest without its salt can be guessed from a class
    list: do not publish it.
    """
    check_profile(profile)
    codes = {ExitCode.OK}
    with output.progress("hashing", len(files)) as step:
        for name in files:
            try:
                data = read_credential(name)
                chosen = profile or profiles.detect(data)
                value = profiles.digest(data, chosen)
            except TestamurError as exc:
                codes.add(output.failed(name, exc, as_json=as_json))
            else:
                if as_json:
                    output.json_line({"file": name, "profile": chosen, "digest": value.hex()})
                else:
                    shown = output.coloured(f"{chosen:<15}", Colour.CYAN, sys.stdout)
                    output.line(f"{shown}  {value.hex()}  {output.printable(name)}")
            step()
    raise typer.Exit(output.worst(codes))


def commit(
    context: typer.Context,
    files: Files,
    *,
    trust: TrustOption = None,
    member: MemberOption = None,
    node: NodeOption = None,
    profile: ProfileName = None,
    as_json: AsJson = False,
) -> None:
    """Commit to credentials: write a sidecar with a salt beside each, print its entry.

    The entry is what gets submitted. Keep the sidecar with the credential: without its salt
    nobody can ever prove that the entry belongs to it. A file that has a sidecar keeps it; one
    that holds a locator gets that salt, any other one a fresh one.
    """
    rim = rim_of(context)
    check_profile(profile)
    ledger_id, own_member = target(context, trust, member, node)
    names = _credentials_among(files)
    committer = Committer(
        ledger_id=ledger_id,
        member=own_member,
        profile=profile,
        random_bytes=rim.random_bytes,
        disk=rim.disk,
    )
    codes = {ExitCode.OK}
    reused = fresh = 0
    with output.progress("committing", len(names)) as step:
        outcomes = committer.commit(Path(name) for name in names)
        for name, (_, outcome) in zip(names, outcomes, strict=True):
            if isinstance(outcome, Committed):
                reused += outcome.reused
                fresh += not outcome.reused
                _committed(name, outcome, as_json=as_json)
            else:
                codes.add(output.failed(name, outcome, as_json=as_json))
            step()
    output.note(
        f"{fresh} committed, {reused} were already, {len(names) - fresh - reused} failed. "
        "Keep the sidecars with the files: they hold the salts."
    )
    raise typer.Exit(output.worst(codes))


def _committed(name: str, outcome: Committed, *, as_json: bool) -> None:
    made = outcome.sidecar
    if as_json:
        output.json_line(
            {
                "file": name,
                "profile": made.profile,
                "entry": made.entry.hex(),
                "sidecar": str(outcome.sidecar_path),
                "reused": outcome.reused,
            }
        )
        return
    word = output.coloured("kept" if outcome.reused else "new ", Colour.GREEN, sys.stdout)
    output.line(f"{word}  {made.entry.hex()}  {output.printable(name)}")


def check_profile(profile: str | None) -> None:
    """Refuse a profile that does not exist, before any file is looked at.

    Raises:
        UnknownProfileError: there is none of that name.
    """
    if profile is not None and profile not in profiles.PROFILES:
        known = ", ".join(profiles.PROFILES)
        raise UnknownProfileError(f"no profile is called {profile[:60]!a}; there are {known}")


def _credentials_among(files: list[str]) -> list[str]:
    """Leave out what commands made, which a pattern such as ``folder/*`` also gives."""
    if STANDARD_INPUT in files:
        raise ConfigurationError("standard input cannot be committed: a sidecar needs a file")
    names = [name for name in files if not name.endswith(MADE_SUFFIXES)]
    if len(names) < len(files):
        output.note(f"left out {len(files) - len(names)} files that commands made")
    if not names:
        raise ConfigurationError("there is no file to commit")
    return names
