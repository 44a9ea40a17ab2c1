"""``testamur verify``: a credential with its receipt or locator, asked of a node or offline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from testamur.cli import output, reports
from testamur.cli.credentials import AsJson
from testamur.cli.files import STANDARD_INPUT, read_credential, read_file
from testamur.cli.output import failed
from testamur.cli.patience import Patience
from testamur.cli.registered import RECEIPT_BYTES_MAX, receipt_path
from testamur.cli.rim import Rim, rim_of
from testamur.cli.targets import NODE_VARIABLE, named_in_environment, trust_of
from testamur.credentials.locator import parse_link
from testamur.errors import (
    ConfigurationError,
    CredentialError,
    TestamurError,
    UnreadableFileError,
)

if TYPE_CHECKING:
    from testamur.cli.node_client import NodeClient
    from testamur.credentials.locator import Locator
    from testamur.ledger.presenting import Shown
    from testamur.ledger.trust import TrustFile

ReportOf: TypeAlias = "Callable[[Shown], dict[str, Any]]"
"""Gives the report on what a person has, as decoded JSON."""


def verify(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Credentials or bundles; - is standard input."),
    ],
    *,
    receipt: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The receipt of one file. Default: FILE.receipt.json."),
    ] = None,
    locator: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The locator of one file, or the link of its QR code."),
    ] = None,
    node: Annotated[
        str | None,
        typer.Option(
            metavar="URL", envvar=NODE_VARIABLE, help="Ask this node; any member's will do."
        ),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Check offline against this trust file."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify credentials. The files themselves are never sent anywhere.

    A FILE is a bundle, a credential with its receipt beside it, or a credential with a locator in
    it. With --node, its digest is sent with the receipt, or with what the locator says, and the
    node says what it finds on the chain. With --trust, everything that the receipt carries is
    checked on this machine, without a network; a locator alone leads nowhere there.

    Exit code: 0 accept, 1 reject, 2 a file or an option is wrong, 3 try again later, 4 a person
    has to look; of several files, the first of 2, 1, 3, 4 that any of them has.
    """
    if trust is not None and named_in_environment(context, "node"):
        node = None
    if (node is None) == (trust is None):
        raise ConfigurationError("give either --node to ask a node, or --trust to check offline")
    if len(files) > 1 and (receipt is not None or locator is not None):
        raise ConfigurationError("--receipt and --locator go with one file")
    given = None if locator is None else parse_link(locator)
    codes = set()
    with _source(node, trust, rim_of(context)) as report_of:
        for file in files:
            try:
                report = report_of(_shown(file, receipt, given))
                code = reports.exit_code(report)
            except TestamurError as exc:
                codes.add(failed(file, exc, as_json=as_json))
                continue
            if as_json:
                output.json_line({"file": file} | report | {"file": file})  # whatever a node says
            else:
                reports.show(report, title=file if len(files) > 1 else None)
            codes.add(code)
    raise typer.Exit(output.worst(codes))


@contextmanager
def _source(node: str | None, trust: Path | None, rim: Rim) -> Iterator[ReportOf]:
    """Open what gives the reports: a node, or this machine alone."""
    from testamur.cli.node_client import NodeClient  # noqa: PLC0415 (slow to import)
    from testamur.ledger.trust import parse_trust  # noqa: PLC0415 (slow to import)

    if node is None:
        yield partial(_offline, parse_trust(read_credential(trust or Path())), rim.clock)
        return
    with NodeClient(node) as client:
        ask = partial(_asked, client, cache(partial(trust_of, client)), rim.clock)
        patience = Patience(rim.sleep, only_too_often=True)
        yield lambda shown: patience.repeat(partial(ask, shown))


def _offline(trust: TrustFile, clock: Callable[[], float], shown: Shown) -> dict[str, Any]:
    """Report what this machine can check alone."""
    from testamur.ledger import locating  # noqa: PLC0415 (slow to import)
    from testamur.ledger.presenting import WithReceipt  # noqa: PLC0415
    from testamur.ledger.report import Report  # noqa: PLC0415
    from testamur.ledger.verification import verify  # noqa: PLC0415

    if isinstance(shown, WithReceipt):
        report = verify(
            receipt=shown.receipt,
            presented=shown.presented,
            trust=trust,
            view=None,
            now=int(clock()),
        )
        return report.to_json()
    sought = locating.sought(shown.presented, trust)
    return (sought if isinstance(sought, Report) else locating.node_needed(trust.network)).to_json()


def _asked(
    client: NodeClient,
    trust: Callable[[], TrustFile],
    clock: Callable[[], float],
    shown: Shown,
) -> dict[str, Any]:
    """Report what a node finds; where there is nothing to ask it about, what that means here."""
    from testamur.ledger import locating  # noqa: PLC0415 (slow to import)
    from testamur.ledger.presenting import WithReceipt  # noqa: PLC0415
    from testamur.ledger.report import Report  # noqa: PLC0415
    from testamur.ledger.view import Presented  # noqa: PLC0415

    if isinstance(shown, WithReceipt):
        if not isinstance(shown.presented, Presented):
            return _offline(trust(), clock, shown)
        if isinstance(shown.presented.locator, CredentialError):
            # A node that has the digest alone is not told, so its report cannot warn of it.
            output.note(f"warning: the receipt was used, and {shown.presented.locator}")
        return dict(client.verify(shown.presented, shown.receipt))
    # The locator names a ledger, and the node is asked only if it is of that one.
    sought = locating.sought(shown.presented, trust())
    if isinstance(sought, Report):
        return sought.to_json()
    return dict(client.verify_located(sought.presented, sought.member, sought.commitment.salt))


def _shown(file: str, receipt: Path | None, given: Locator | None) -> Shown:
    """Read a file and, if there is one, the receipt that belongs to it."""
    from testamur.ledger import bundle  # noqa: PLC0415 (slow to import)
    from testamur.ledger.presenting import read_shown  # noqa: PLC0415

    data = read_file(file, bytes_max=bundle.BYTES_MAX)
    path = receipt or receipt_path(Path(file))
    if receipt is None and (file == STANDARD_INPUT or not path.exists()):
        return read_shown(data, given=given)
    return read_shown(data, receipt=_receipt(path), given=given)


def _receipt(path: Path) -> bytes:
    # The line that is printed begins with the credential's name, and it is not that one.
    try:
        return read_file(path, bytes_max=RECEIPT_BYTES_MAX)
    except UnreadableFileError as exc:
        raise UnreadableFileError(f"its receipt {path} {exc}") from exc
