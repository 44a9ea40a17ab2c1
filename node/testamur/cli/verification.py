"""``testamur verify``: a credential and its receipt, asked of a node or checked offline."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from testamur.cli import output
from testamur.cli.credentials import AsJson
from testamur.cli.files import STANDARD_INPUT, read_credential
from testamur.cli.output import Colour, ExitCode, failed
from testamur.cli.registered import RECEIPT_BYTES_MAX, receipt_path
from testamur.cli.rim import rim_of
from testamur.errors import (
    ConfigurationError,
    CredentialError,
    NodeProtocolError,
    ReceiptFormatError,
    TestamurError,
)

if TYPE_CHECKING:
    from testamur.ledger.trust import TrustFile

ReportOf: TypeAlias = Callable[[bytes, object], dict[str, Any]]
"""Gives the report on a credential and its receipt, as decoded JSON."""

_EXIT_CODES = {
    "accept": ExitCode.OK,
    "reject": ExitCode.REJECT,
    "retry": ExitCode.RETRY,
    "review": ExitCode.REVIEW,
}
_WORST_FIRST = (ExitCode.USAGE, ExitCode.REJECT, ExitCode.RETRY, ExitCode.REVIEW)
_MARKS = {
    "valid": ("ok     ", Colour.GREEN),
    "invalid": ("FAILED ", Colour.RED),
    "unknown": ("unknown", Colour.YELLOW),
}


def verify(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Credentials; - is standard input."),
    ],
    *,
    receipt: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The receipt of one file. Default: FILE.receipt.json."),
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
    """Verify credentials with their receipts. The files themselves are never sent anywhere.

    With --node, digest and receipt are sent, and the node says what it finds on the chain. With
    --trust, everything that the receipt carries is checked on this machine, without a network.

    Exit code: 0 accept, 1 reject, 3 try again later, 4 a person has to look; of several files,
    the first of 2, 1, 3, 4 that any of them has.
    """
    if (node is None) == (trust is None):
        raise ConfigurationError("give either --node to ask a node, or --trust to check offline")
    if receipt is not None and len(files) > 1:
        raise ConfigurationError("--receipt goes with one file")
    codes = set()
    with _source(node, trust, rim_of(context).clock) as report_of:
        for file in files:
            try:
                data = read_credential(file)
                report = report_of(data, _receipt(file, receipt))
                code = _exit_code(report)
            except TestamurError as exc:
                codes.add(failed(file, exc, as_json=as_json))
                continue
            if as_json:
                output.json_line({"file": file} | report | {"file": file})  # whatever a node says
            else:
                _show(report, title=file if len(files) > 1 else None)
            codes.add(code)
    raise typer.Exit(next((code for code in _WORST_FIRST if code in codes), ExitCode.OK))


@contextmanager
def _source(node: str | None, trust: Path | None, clock: Callable[[], float]) -> Iterator[ReportOf]:
    """Open what gives the reports: a node, or this machine alone."""
    from testamur.ledger.locating import receipt_needed  # noqa: PLC0415
    from testamur.ledger.trust import parse_trust  # noqa: PLC0415 (slow to import)
    from testamur.ledger.verification import verify  # noqa: PLC0415
    from testamur.ledger.view import Presented, present_file  # noqa: PLC0415

    def offline(told: TrustFile, data: bytes, receipt: object) -> dict[str, Any]:
        if receipt is None:
            return receipt_needed(told.network).to_json()
        presented = present_file(data, receipt)
        now = int(clock())
        return verify(
            receipt=receipt, presented=presented, trust=told, view=None, now=now
        ).to_json()

    if node is None:
        yield partial(offline, parse_trust(read_credential(trust or Path())))
        return
    from testamur.cli.node_client import NodeClient  # noqa: PLC0415

    with NodeClient(node) as client:

        def asked(data: bytes, receipt: object) -> dict[str, Any]:
            presented = None if receipt is None else present_file(data, receipt)
            if isinstance(presented, Presented):
                return dict(client.verify(presented, receipt))
            # There is no digest to ask about; what that means is said without the chain.
            return offline(parse_trust(client.trust()), data, receipt)

        yield asked


def _exit_code(report: dict[str, Any]) -> ExitCode:
    code = _EXIT_CODES.get(str(report.get("outcome")))
    if code is None:
        raise NodeProtocolError("the node's report has no outcome that is known here")
    return code


def _receipt(file: str, receipt: Path | None) -> object:
    """Read the receipt as strict JSON; None where the credential came without one.

    What is wrong inside is for the report.
    """
    from testamur.credentials import strict_json  # noqa: PLC0415

    path = receipt or receipt_path(Path(file))
    if receipt is None and (file == STANDARD_INPUT or not path.exists()):
        return None
    try:
        return strict_json.parse(read_credential(path), bytes_max=RECEIPT_BYTES_MAX)
    except CredentialError as exc:
        raise ReceiptFormatError(f"{path} is not a receipt: {exc}") from exc


def _show(report: dict[str, Any], *, title: str | None) -> None:
    """Print a report for people: the sentence, then each check, then what it does not prove."""
    if title is not None:
        output.line(f"--- {output.printable(title)}")
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
        if not isinstance(check, dict):  # a node may say anything
            continue
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
