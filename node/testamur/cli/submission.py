"""``testamur submit`` and ``testamur receipt``: from commitments to receipts, over HTTP."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from testamur.cli import output
from testamur.cli.credentials import AsJson, Files
from testamur.cli.output import Colour, ExitCode
from testamur.cli.registered import Registered, find_registered
from testamur.cli.rim import Rim, rim_of
from testamur.credentials import sidecar
from testamur.errors import (
    NodeProtocolError,
    SidecarStorageError,
    TestamurError,
)

if TYPE_CHECKING:
    from testamur.cli.node_client import NodeClient
    from testamur.ledger.receipt import Receipt
    from testamur.merkle.hashing import Hash32

CHUNK_ENTRIES: Final = 10_000
POLL_SECONDS: Final = 0.5

NodeUrl = Annotated[str, typer.Option("--node", metavar="URL", help="URL of your member's node.")]


def submit(context: typer.Context, files: Files, *, node: NodeUrl, as_json: AsJson = False) -> None:
    """Submit committed credentials: only their entries are sent, never the files.

    Submitting again is harmless. The entries are safe at the node when this command ends well.
    """
    from testamur.cli.node_client import NodeClient  # noqa: PLC0415 (slow to import)

    with NodeClient(node) as client:
        found, codes = _find_all(rim_of(context), client, files, as_json=as_json)
        added = known = 0
        with output.progress("submitting", len(found)) as step:
            for start in range(0, len(found), CHUNK_ENTRIES):
                chunk = found[start : start + CHUNK_ENTRIES]
                answer = client.submit([one.sidecar.entry for one in chunk])
                added += answer.added
                known += answer.known
                for one in chunk:
                    _submitted(one, as_json=as_json)
                    step()
    output.note(f"{added} submitted, {known} were already, {len(files) - len(found)} failed.")
    raise typer.Exit(max(codes))


def receipt(
    context: typer.Context,
    files: Files,
    *,
    node: NodeUrl,
    wait: Annotated[
        float,
        typer.Option(help="Seconds to wait until all receipts are final; 0 takes what is there."),
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Fetch receipts and write each beside its credential, as FILE.receipt.json.

    The salt is filled in here, from the sidecar: the node never has it. A receipt that is not
    final yet is written too, and replaced when the command is run again.
    """
    from testamur.cli.node_client import NodeClient  # noqa: PLC0415 (slow to import)

    deadline = time.monotonic() + wait
    with NodeClient(node) as client:
        found, codes = _find_all(rim_of(context), client, files, as_json=as_json)
        waiting = list(found)
        with output.progress("receipts", len(found)) as step:
            while waiting:
                still: list[Registered] = []
                for one in waiting:
                    last_try = time.monotonic() >= deadline
                    state, error = _fetch(client, one)
                    if error is None and (state == "final" or last_try):
                        codes.add(_fetched(one, state, as_json=as_json))
                    elif error is not None and (last_try or error.code == "unknown_entry"):
                        codes.add(output.failed(str(one.path), error, as_json=as_json))
                    else:
                        still.append(one)
                        continue
                    step()
                waiting = still
                if waiting:
                    time.sleep(POLL_SECONDS)
    raise typer.Exit(max(codes))


def _find_all(
    rim: Rim, client: NodeClient, files: Sequence[str], *, as_json: bool
) -> tuple[list[Registered], set[ExitCode]]:
    """Find the sidecar of each file for the node's ledger and member."""
    ledger_id, member = client.own_ledger()
    found: list[Registered] = []
    codes = {ExitCode.OK}
    for path in _credentials(files):
        try:
            found.append(find_registered(path, ledger_id=ledger_id, member=member, disk=rim.disk))
        except TestamurError as exc:
            codes.add(output.failed(str(path), exc, as_json=as_json))
    return found, codes


def _credentials(files: Sequence[str]) -> Iterator[Path]:
    """Leave out sidecars and receipts, which a pattern such as ``folder/*`` also gives."""
    for name in files:
        if not name.endswith((sidecar.SUFFIX, ".receipt.json")):
            yield Path(name)


def _fetch(client: NodeClient, one: Registered) -> tuple[str, TestamurError | None]:
    """Fetch one receipt and keep it; gives the entry's state."""
    try:
        state, got = client.receipt(one.sidecar.entry)
        if got is not None:
            _check_fits(got, one)
            _write(one, got)
    except TestamurError as exc:
        return "unknown", exc
    return state, None


def _check_fits(got: Receipt, one: Registered) -> None:
    """Check what the node gave against the sidecar, before a holder relies on it."""
    if got.commitment is not None or got.entry != one.sidecar.entry:
        raise NodeProtocolError("the node gave the receipt of another entry")
    if (got.ledger.ledger_id, got.record.record.member) != (
        one.sidecar.ledger_id,
        one.sidecar.member,
    ):
        raise NodeProtocolError("the node gave a receipt of another ledger or member")


def _write(one: Registered, got: Receipt) -> None:
    from testamur.ledger.receipt_json import serialise_receipt  # noqa: PLC0415

    data = serialise_receipt(got.with_commitment(one.sidecar.profile, one.sidecar.salt))
    target = one.receipt_path
    partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # A crash here leaves a hidden file that nothing reads; the receipt can be fetched again.
        partial.replace(target)
    except OSError as exc:
        partial.unlink(missing_ok=True)
        raise SidecarStorageError(f"cannot write {target.name}: {exc.strerror}") from exc


def _submitted(one: Registered, *, as_json: bool) -> None:
    entry: Hash32 = one.sidecar.entry
    if as_json:
        output.json_line({"file": str(one.path), "entry": entry.hex(), "submitted": True})
    else:
        output.line(f"submitted  {entry.hex()}  {output.printable(str(one.path))}")


def _fetched(one: Registered, state: str, *, as_json: bool) -> ExitCode:
    if as_json:
        written = str(one.receipt_path) if state in {"anchored", "final"} else None
        output.json_line(
            {
                "file": str(one.path),
                "entry": one.sidecar.entry.hex(),
                "state": state,
                "receipt": written,
            }
        )
    else:
        colour = Colour.GREEN if state == "final" else Colour.YELLOW
        word = output.coloured(f"{state:<9}", colour, sys.stdout)
        output.line(f"{word}  {output.printable(str(one.receipt_path))}")
    return ExitCode.OK if state == "final" else ExitCode.RETRY
