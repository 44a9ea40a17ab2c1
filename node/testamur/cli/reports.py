"""Reports on the command line: shown to people, and turned into exit codes for scripts."""

from __future__ import annotations

import sys
from typing import Any, Final

from testamur.cli import output
from testamur.cli.output import Colour, ExitCode
from testamur.errors import NodeProtocolError

_EXIT_CODES: Final = {
    "accept": ExitCode.OK,
    "reject": ExitCode.REJECT,
    "retry": ExitCode.RETRY,
    "review": ExitCode.REVIEW,
}
_MARKS: Final = {
    "valid": ("ok     ", Colour.GREEN),
    "invalid": ("FAILED ", Colour.RED),
    "unknown": ("unknown", Colour.YELLOW),
}


def exit_code(report: dict[str, Any]) -> ExitCode:
    """Give the exit code for a report's outcome.

    Raises:
        NodeProtocolError: an outcome that this version does not know.
    """
    code = _EXIT_CODES.get(str(report.get("outcome")))
    if code is None:
        raise NodeProtocolError("the node's report has no outcome that is known here")
    return code


def show(report: dict[str, Any], *, title: str | None) -> None:
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
