"""``testamur log``: who did what at a node, after the chain of lines was followed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testamur.cli import output
from testamur.cli.bearer import InsecureHttp, TokenFile
from testamur.cli.credentials import AsJson
from testamur.cli.data_directory import opened_store
from testamur.cli.output import Colour, ExitCode
from testamur.cli.targets import NODE_VARIABLE
from testamur.cli.tokens import DataDir, asked_node
from testamur.errors import ConfigurationError, OperatorLogError

if TYPE_CHECKING:
    from testamur.ledger.operator_log import LogLine
    from testamur.merkle.hashing import Hash32
    from testamur.storage.interface import Store

PAGE_LINES = 1000

Node = Annotated[
    str | None,
    typer.Option(
        "--node",
        metavar="URL",
        envvar=NODE_VARIABLE,
        help="URL of a running node; needs a token with the scope audit.",
    ),
]


def log(
    *,
    data_dir: DataDir = None,
    node: Node = None,
    token_file: TokenFile = None,
    insecure_http: InsecureHttp = False,
    as_json: AsJson = False,
) -> None:
    """Print a node's operator log: who did what, when; never an entry. Each line is checked.

    Note the newest hash elsewhere: that lines were cut off at the end shows only by it. A page of
    docs/formats says what the lines mean. Exit code: 0 every line follows the one before, 1 one
    does not.
    """
    from testamur.ledger.operator_log import follow  # noqa: PLC0415 (not needed by --help)

    count, newest = 0, None
    try:
        with _opened(data_dir, node, token_file, insecure_http=insecure_http) as (start, lines):
            for line in follow(lines, start):
                count, newest = count + 1, line.hash()
                _show(line, newest, as_json=as_json)
    except OperatorLogError as exc:
        if as_json:
            output.json_line({"index": count, "error": output.error_json(exc)})
        output.error(exc)
        output.note(f"The {count} lines before it are whole.")
        raise typer.Exit(ExitCode.REJECT) from exc
    if newest is None:
        output.note("The log is empty: this node has not started since it keeps one.")
    else:
        output.note(
            f"{count} lines, each bound to the one before. Newest hash, to be noted elsewhere: "
            f"{newest.hex()}"
        )


@contextmanager
def _opened(
    data_dir: Path | None, node: str | None, token_file: Path | None, *, insecure_http: bool
) -> Iterator[tuple[Hash32, Iterator[LogLine]]]:
    """Give what the first line must name as the one before it, and the lines."""
    from testamur.ledger.operator_log import origin  # noqa: PLC0415 (as above)

    if data_dir is not None:
        with opened_store(data_dir) as store:
            identity = store.identity()
            if identity is None:
                raise ConfigurationError(f"the node of {data_dir} has never started")
            yield origin(identity.ledger_id, identity.member), _lines_of(store)
        return
    with asked_node(node, token_file, insecure_http=insecure_http) as client:
        yield origin(*client.own_ledger()), client.log_lines()


def _lines_of(store: Store) -> Iterator[LogLine]:
    start = 0
    while page := store.log_lines(start=start, limit=PAGE_LINES):
        yield from page
        start = page[-1].index + 1


def _show(line: LogLine, digest: Hash32, *, as_json: bool) -> None:
    if as_json:
        output.json_line(line.to_json() | {"hash": digest.hex()})
        return
    act = line.act
    when = datetime.fromtimestamp(act.time, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    who = act.actor.kind if act.actor.id is None else f"{act.actor.name} ({act.actor.id})"
    told = ", ".join(f"{name} {_plain(value)}" for name, value in act.details.items())
    index = output.coloured(f"{line.index:>6}", Colour.GREY, sys.stdout)
    output.line(f"{index}  {when}  {output.printable(who)}  {act.name}  {output.printable(told)}")


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return "+".join(value) or "none"
    return "none" if value is None else str(value)
