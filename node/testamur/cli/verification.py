"""``testamur verify``: a credential and its receipt, asked of a node or checked offline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from testamur.cli import output
from testamur.cli.credentials import AsJson
from testamur.cli.files import read_credential
from testamur.cli.output import Colour, ExitCode
from testamur.cli.registered import receipt_path
from testamur.errors import (
    ConfigurationError,
    CredentialError,
    NodeProtocolError,
    ReceiptMissingError,
    UnreadableFileError,
)

_EXIT_CODES = {
    "accept": ExitCode.OK,
    "reject": ExitCode.REJECT,
    "retry": ExitCode.RETRY,
    "review": ExitCode.REVIEW,
}
_MARKS = {
    "valid": ("ok     ", Colour.GREEN),
    "invalid": ("FAILED ", Colour.RED),
    "unknown": ("unknown", Colour.YELLOW),
}


def verify(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The credential; - is standard input.")
    ],
    *,
    receipt: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Its receipt. Default: FILE.receipt.json."),
    ] = None,
    node: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask this node; any member's will do.")
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Check offline against this trust file."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a credential with its receipt. The file itself is never sent anywhere.

    With --node, digest and receipt are sent, and the node says what it finds on the chain. With
    --trust, everything that the receipt carries is checked on this machine, without a network.

    Exit code: 0 accept, 1 reject, 3 try again later, 4 a person has to look.
    """
    if (node is None) == (trust is None):
        raise ConfigurationError("give either --node to ask a node, or --trust to check offline")
    data = read_credential(file)
    found = _receipt(file, receipt)
    report = _asked(node, data, found) if node is not None else _offline(trust, data, found)
    if as_json:
        output.json_line(report)
    else:
        _show(report)
    code = _EXIT_CODES.get(str(report.get("outcome")))
    if code is None:
        raise NodeProtocolError("the node's report has no outcome that is known here")
    raise typer.Exit(code)


def _receipt(file: str, receipt: Path | None) -> object:
    """Read the receipt as strict JSON; what is wrong inside is for the report."""
    from testamur.credentials import strict_json  # noqa: PLC0415
    from testamur.errors import ReceiptFormatError  # noqa: PLC0415

    path = receipt or receipt_path(Path(file))
    try:
        data = read_credential(path)
    except UnreadableFileError as exc:
        if receipt is not None or file == "-":
            raise
        raise ReceiptMissingError(f"there is no receipt {path}") from exc
    try:
        return strict_json.parse(data)
    except CredentialError as exc:
        raise ReceiptFormatError(f"{path} is not a receipt: {exc}") from exc


def _asked(node: str, data: bytes, receipt: object) -> dict[str, Any]:
    from testamur.cli.node_client import NodeClient  # noqa: PLC0415 (slow to import)
    from testamur.ledger.verification import present_file  # noqa: PLC0415

    presented = present_file(data, receipt)
    if isinstance(presented, CredentialError):
        raise presented
    with NodeClient(node) as client:
        return dict(client.verify(presented.profile, presented.digest, receipt))


def _offline(trust: Path | None, data: bytes, receipt: object) -> dict[str, Any]:
    from testamur.ledger.trust import parse_trust  # noqa: PLC0415
    from testamur.ledger.verification import present_file, verify  # noqa: PLC0415

    pinned = parse_trust(read_credential(trust or Path()))
    presented = present_file(data, receipt)
    return verify(receipt=receipt, presented=presented, trust=pinned, view=None).to_json()


def _show(report: dict[str, Any]) -> None:
    """Print a report for people: the sentence, then each check, then what it does not prove."""
    outcome = str(report.get("outcome"))
    colour = {"accept": Colour.GREEN, "reject": Colour.RED}.get(outcome, Colour.YELLOW)
    verdict = str(report.get("verdict")).replace("_", " ").upper()
    output.line(output.coloured(output.printable(verdict), colour, sys.stdout))
    output.line(output.printable(str(report.get("summary"))))
    network = report.get("network")
    if isinstance(network, dict) and network.get("kind") != "main":
        kind = output.printable(str(network.get("kind")))
        output.line(f"A {kind} network: this is a trial and proves nothing to others.")
    output.line("")
    checks = report.get("checks")
    for check in checks if isinstance(checks, list) else []:
        mark, shade = _MARKS.get(str(check.get("status")), ("?      ", Colour.GREY))
        name = output.printable(str(check.get("name")))
        detail = output.printable(str(check.get("detail")))
        output.line(f"  {output.coloured(mark, shade, sys.stdout)}  {name:<11} {detail}")
    output.line("")
    output.line(
        output.coloured(
            output.printable(str(report.get("does_not_prove"))), Colour.GREY, sys.stdout
        )
    )
