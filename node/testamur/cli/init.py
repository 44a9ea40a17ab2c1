"""``testamur init``: a settings file for a node, from a few questions that are checked at once."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Final

import typer

from testamur.cli import output
from testamur.cli.asking import Asking
from testamur.cli.credentials import AsJson
from testamur.cli.disk import Disk
from testamur.cli.init_questions import (
    KEYSTORE_NAME,
    PASSWORD_VARIABLE,
    Answers,
    Options,
    answer,
)
from testamur.cli.rim import rim_of
from testamur.errors import ConfigurationError

FILE_NAME: Final = "node.toml"


def init(
    context: typer.Context,
    directory: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where node.toml is to be; made if missing.")
    ] = Path(),
    *,
    trial: Annotated[
        bool | None,
        typer.Option(
            "--trial/--real", help="Embedded chain, or one that exists.", show_default=False
        ),
    ] = None,
    contract: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The ledger's.")] = None,
    contract_block: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Block of its deployment.")
    ] = None,
    ledger_id: Annotated[
        str | None, typer.Option(metavar="HEX", help="Its id, as its members publish it.")
    ] = None,
    member: Annotated[str | None, typer.Option(metavar="ID", help="Who runs the node.")] = None,
    keystore: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Keystore with the anchor key; '' for none."),
    ] = None,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make an anchor key, in an encrypted keystore.")
    ] = False,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Go on where the chain does not answer.")
    ] = False,
    network_name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the chain is called in reports.")
    ] = None,
    network_kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="local, test or main.")
    ] = None,
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="To listen on.")] = None,
    port: Annotated[str | None, typer.Option(metavar="NUMBER", help="To listen on.")] = None,
    data_dir: Annotated[
        str | None, typer.Option(metavar="DIR", help="For the node's data. Default: data, in DIR.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take every default unasked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the settings of a node: an annotated node.toml, which is never overwritten.

    Asks what is not given, and checks it with the chain. The RPC URL comes from the environment
    variable TESTAMUR_RPC_URL or the prompt, never from an option, which others on this machine
    could read; so does a new key's password, from TESTAMUR_ANCHOR_KEYSTORE_PASSWORD.
    """
    file = directory / FILE_NAME
    _refuse_existing(file)
    if new_key:
        _refuse_existing(directory / KEYSTORE_NAME)
    options = Options(
        trial=trial,
        contract=contract,
        contract_block=contract_block,
        ledger_id=ledger_id,
        member=member,
        keystore=keystore,
        new_key=new_key,
        unchecked=unchecked,
        network_name=network_name,
        network_kind=network_kind,
        host=host,
        port=port,
        data_dir=data_dir,
    )
    rim = rim_of(context)
    answers = answer(options, Asking(yes=yes), rim.random_bytes)
    # Up to here nothing was written: whoever is interrupted finds the directory as it was.
    _write(directory, answers, rim.disk)
    _tell(file, answers, as_json=as_json)


def _refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise ConfigurationError(
            f"{path} exists, and is never overwritten: move it away, or name another directory"
        )


def _write(directory: Path, answers: Answers, disk: Disk) -> None:
    """Write the key first: a file that names a key which is not there would be of no use.

    A crash between the two leaves a keystore without settings, which ``--keystore`` takes.
    """
    from testamur.config import settings_file  # noqa: PLC0415 (slow to import)

    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigurationError(f"{directory} cannot be made: {exc.strerror}") from exc
    if answers.keystore is not None:
        _publish(directory / KEYSTORE_NAME, answers.keystore, disk)
    _publish(directory / FILE_NAME, settings_file(answers.settings), disk)


def _publish(path: Path, text: str, disk: Disk) -> None:
    """Write a new file for its owner's eyes alone, whole or not at all, durable on return."""
    try:
        temporary = disk.write_temporary(path.parent, text.encode())
        disk.publish(temporary, path)
    except FileExistsError:
        _refuse_existing(path)
        raise
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be written: {exc.strerror}") from exc
    try:
        disk.sync_directory(path.parent)
    except OSError as exc:
        raise ConfigurationError(
            f"{path} was written, but may be lost if this machine stops now: {exc.strerror}"
        ) from exc
    # A crash from here on leaves the file; before, perhaps a hidden temporary one as well, which
    # nothing reads. Whoever runs the command again is told which it was.


def _tell(file: Path, answers: Answers, *, as_json: bool) -> None:
    start = f"testamur serve --config {shlex.quote(str(file))}"
    address = None if answers.address is None else f"0x{answers.address.hex()}"
    variables = [PASSWORD_VARIABLE] if "anchor_keystore" in answers.settings else []
    if as_json:
        output.json_line(
            {"file": str(file), "address": address, "environment": variables, "next": start}
        )
        return
    output.line(f"Wrote {output.printable(str(file))}")
    if answers.keystore is not None:
        output.line(
            f"Wrote {output.printable(str(file.with_name(KEYSTORE_NAME)))}: keep a copy, and its "
            "password apart from it"
        )
    if address is not None:
        output.line(f"Anchors are paid by {address}: give it coins, and have it registered")
    for variable in variables:
        output.line(f"Before the start, set {variable}; for example: read -rs {variable}")
        output.line(f"  export {variable}")
    output.line("Next:")
    output.line(f"  {start}")
