"""``testamur submit`` and ``testamur receipt``: from commitments to receipts, over HTTP."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from testamur.cli import output
from testamur.cli.bearer import InsecureHttp, TokenFile, given_token
from testamur.cli.credentials import AsJson, Files
from testamur.cli.files import read_credential
from testamur.cli.output import Colour, ExitCode
from testamur.cli.patience import Patience
from testamur.cli.registered import MADE_SUFFIXES, Registered, find_registered
from testamur.cli.rim import rim_of
from testamur.cli.targets import NODE_VARIABLE, own_trust
from testamur.errors import (
    ConfigurationError,
    NodeError,
    SidecarStorageError,
    TestamurError,
)

if TYPE_CHECKING:
    from testamur.cli.disk import Disk
    from testamur.cli.node_client import NodeClient
    from testamur.ledger.receipt import Receipt
    from testamur.ledger.trust import TrustFile
    from testamur.merkle.hashing import Hash32

POLL_SECONDS: Final = 0.25

NodeUrl = Annotated[
    str,
    typer.Option("--node", metavar="URL", envvar=NODE_VARIABLE, help="URL of your member's node."),
]


def check_wait(value: float | None) -> float | None:
    """Refuse what is no time to wait; None is for ever."""
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise typer.BadParameter("a number of seconds from 0 on")
    return value


def submit(
    context: typer.Context,
    files: Files,
    *,
    node: NodeUrl,
    token_file: TokenFile = None,
    insecure_http: InsecureHttp = False,
    as_json: AsJson = False,
) -> None:
    """Submit committed credentials: only their entries are sent, never the files.

    Submitting again is harmless. The entries are safe at the node when this command ends well.

    Exit code: 0 all are, 3 some may not be yet: run again, 2 some cannot be.
    """
    from testamur.cli import bulk_client  # noqa: PLC0415 (slow to import)
    from testamur.cli.node_client import NodeClient  # noqa: PLC0415 (slow to import)

    paths = _credentials_among(files, "submit")
    rim = rim_of(context)
    with NodeClient(node, token=given_token(token_file), insecure_http=insecure_http) as client:
        found, codes = _find_all(rim.disk, client, paths, as_json=as_json)
        entries = [one.sidecar.entry for one in found]
        added = known = done = 0
        with output.progress("submitting", len(found)) as step:
            for count, answer in bulk_client.submit(client, entries, Patience(rim.sleep)):
                added += answer.added
                known += answer.known
                for one in found[done : done + count]:
                    _submitted(one, as_json=as_json)
                    step()
                done += count
    output.note(f"{added} submitted, {known} were already, {len(paths) - len(found)} failed.")
    raise typer.Exit(output.worst(codes))


def receipt(
    context: typer.Context,
    files: Files,
    *,
    node: NodeUrl,
    wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            callback=check_wait,
            help="How long to wait until all receipts are final; 0 takes what is there.",
        ),
    ] = 0.0,
    bundle: Annotated[
        bool,
        typer.Option("--bundle", help="Also write FILE.testamur.zip, once the receipt is final."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch receipts and write each beside its credential, as FILE.receipt.json.

    The salt is filled in here, from the sidecar: the node never has it. A receipt that is not
    final yet is written too, and replaced when the command is run again. A bundle is what a
    student is given: it holds credential and receipt, and is written over nothing.

    Exit code: 0 all are final, 3 some are not yet: run again, 2 some cannot be.
    """
    from testamur.cli.node_client import NodeClient  # noqa: PLC0415 (slow to import)

    paths = _credentials_among(files, "fetch a receipt for")
    rim = rim_of(context)
    disk, patience = rim.disk, Patience(rim.sleep, only_too_often=True)
    deadline = time.monotonic() + wait
    with NodeClient(node) as client:
        found, codes = _find_all(disk, client, paths, as_json=as_json)
        with output.progress("receipts", len(found)) as step:
            trust = own_trust(client)[0] if bundle else None
            look = partial(_look, client, disk=disk, trust=trust, patience=patience)
            fetched = _fetch_all(look, found, deadline)
            for one, outcome in fetched:
                if isinstance(outcome, TestamurError):
                    codes.add(output.failed(str(one.path), outcome, as_json=as_json))
                else:
                    codes.add(_fetched(one, outcome, as_json=as_json))
                step()
    raise typer.Exit(output.worst(codes))


def _find_all(
    disk: Disk, client: NodeClient, paths: Sequence[Path], *, as_json: bool
) -> tuple[list[Registered], set[ExitCode]]:
    """Find the sidecar of each file for the node's ledger and member."""
    ledger_id, member = client.own_ledger()
    found: list[Registered] = []
    codes = {ExitCode.OK}
    for path in paths:
        try:
            found.append(find_registered(path, ledger_id=ledger_id, member=member, disk=disk))
        except TestamurError as exc:
            codes.add(output.failed(str(path), exc, as_json=as_json))
    return found, codes


def _credentials_among(files: Sequence[str], purpose: str) -> list[Path]:
    """Leave out what commands made, which a pattern such as ``folder/*`` also gives."""
    paths = [Path(name) for name in files if not name.endswith(MADE_SUFFIXES)]
    if not paths:
        raise ConfigurationError(f"there is no file to {purpose}")
    return paths


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What the last look at an entry gave."""

    state: str
    """The entry's state, in the node's words."""
    written: bool
    """Whether its receipt was written."""
    bundle: Path | None
    """Its bundle, where one was asked for and the receipt is final."""


def _fetch_all(
    look: Callable[..., _Fetched | TestamurError | None],
    found: Sequence[Registered],
    deadline: float,
) -> Iterator[tuple[Registered, _Fetched | TestamurError]]:
    """Yield every credential once: when its receipt is final, it failed, or the time is over."""
    waiting = list(found)
    while waiting:
        last = time.monotonic() >= deadline
        still: list[Registered] = []
        for one in waiting:
            outcome = look(one, last=last)
            if outcome is None:
                still.append(one)
            else:
                yield one, outcome
        waiting = still
        if waiting:
            time.sleep(max(0.0, min(POLL_SECONDS, deadline - time.monotonic())))


def _look(
    client: NodeClient,
    one: Registered,
    *,
    disk: Disk,
    trust: TrustFile | None,
    patience: Patience,
    last: bool,
) -> _Fetched | TestamurError | None:
    """Fetch a receipt if its time has come; None to look again later.

    A receipt that is not final changes with every block, so it is fetched at the last look only.
    With ``trust``, the node's own view, a final one is put into a bundle.
    """
    from testamur.cli.bundles import check_fits  # noqa: PLC0415 (slow to import)

    bundle, entry = None, one.sidecar.entry
    try:
        # With many files a node is soon asked more often than it answers one client.
        state = patience.repeat(partial(client.state, entry))
        got = None
        if state == "final" or (last and state == "anchored"):
            got = patience.repeat(partial(client.receipt, entry))
        if got is not None:
            check_fits(got, one.sidecar)
            _write(one, got, disk)
            if trust is not None and state == "final":
                bundle = _bundle(one, got, disk, trust)
    except NodeError as exc:  # it may answer later
        return exc if last else None
    except TestamurError as exc:
        return exc
    return _Fetched(state, got is not None, bundle) if last or got is not None else None


def _write(one: Registered, got: Receipt, disk: Disk) -> None:
    from testamur.ledger.receipt_json import serialise_receipt  # noqa: PLC0415

    data = serialise_receipt(got.with_commitment(one.sidecar.profile, one.sidecar.salt))
    target = one.receipt_path
    try:
        disk.replace(disk.write_temporary(target.parent, data), target)
        disk.sync_directory(target.parent)
    except OSError as exc:
        raise SidecarStorageError(f"cannot write {target.name}: {exc.strerror}") from exc


def _bundle(one: Registered, got: Receipt, disk: Disk, trust: TrustFile) -> Path:
    """Make the bundle beside the credential, unless it is there."""
    from testamur.cli import bundles  # noqa: PLC0415 (slow to import)

    path = one.bundle_path
    data = read_credential(one.path)
    if bundles.existing(path, data, one.sidecar, disk) is None:
        made = bundles.complete(one.path.name, data, got, one.sidecar, trust=trust)
        bundles.publish(path, made.content, disk)
        bundles.settle(path, disk)
    return path


def _submitted(one: Registered, *, as_json: bool) -> None:
    entry: Hash32 = one.sidecar.entry
    if as_json:
        output.json_line({"file": str(one.path), "entry": entry.hex(), "submitted": True})
    else:
        output.line(f"submitted  {entry.hex()}  {output.printable(str(one.path))}")


def _fetched(one: Registered, outcome: _Fetched, *, as_json: bool) -> ExitCode:
    final = outcome.written and outcome.state == "final"
    if as_json:
        output.json_line(
            {
                "file": str(one.path),
                "entry": one.sidecar.entry.hex(),
                "state": outcome.state,
                "receipt": str(one.receipt_path) if outcome.written else None,
                "bundle": outcome.bundle and str(outcome.bundle),
            }
        )
    else:
        shown = f"{output.printable(outcome.state):<9}"
        word = output.coloured(shown, Colour.GREEN if final else Colour.YELLOW, sys.stdout)
        if outcome.written:
            shown_path = outcome.bundle or one.receipt_path
            output.line(f"{word}  {output.printable(str(shown_path))}")
        else:
            output.line(f"{word}  {output.printable(str(one.path))}: no receipt yet")
    return ExitCode.OK if final else ExitCode.RETRY
