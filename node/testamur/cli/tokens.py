"""``testamur token``: who may write to a node; on its data directory, or over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from testamur.cli import output
from testamur.cli.bearer import InsecureHttp, TokenFile, given_token
from testamur.cli.credentials import AsJson
from testamur.cli.data_directory import opened_store
from testamur.cli.rim import rim_of
from testamur.cli.targets import NODE_VARIABLE
from testamur.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from testamur.cli.token_client import TokenClient
    from testamur.service.access import NewToken, TokenRequest
    from testamur.storage.interface import Store
    from testamur.storage.tokens import Token

app = typer.Typer(
    name="token",
    help="Make, list and revoke the tokens with which others write to your node.",
    no_args_is_help=True,
)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Data directory of a node that is stopped."),
]
Node = Annotated[
    str | None,
    typer.Option(
        "--node",
        metavar="URL",
        envvar=NODE_VARIABLE,
        help="URL of a running node; needs a token with the scope admin.",
    ),
]


class Registry(Protocol):
    """Where tokens are kept: here, or at a node that is asked."""

    def create(self, wanted: TokenRequest) -> NewToken:
        """Make a token."""
        ...

    def tokens(self) -> Sequence[Token]:
        """List all."""
        ...

    def revoke(self, named: str) -> Token:
        """Revoke one, by id or name."""
        ...


@app.command()
def create(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="What people call it: 'LMS', 'Registrar'.")],
    scope: Annotated[
        list[str],
        typer.Option(
            help="submit, status:own, status:any, audit or admin; may be given several times."
        ),
    ],
    expires: Annotated[
        str, typer.Option(metavar="DAYS", help="Such as 90d; 'never' has to be written out.")
    ] = "365d",
    quota_per_day: Annotated[
        int | None, typer.Option(metavar="N", help="New entries a day, UTC. Default: any number.")
    ] = None,
    data_dir: DataDir = None,
    node: Node = None,
    token_file: TokenFile = None,
    insecure_http: InsecureHttp = False,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, this once: the node keeps a hash of it."""
    from testamur.service.access import TokenRequest, expires_days  # noqa: PLC0415

    wanted = TokenRequest(name, scope, expires_days(expires), quota_per_day)
    with _registry(context, data_dir, node, token_file, insecure_http=insecure_http) as registry:
        made = registry.create(wanted)
    if as_json:
        output.json_line(made.token.to_json() | {"token": made.text})
        return
    output.line(made.text)
    output.note(
        f"{_sentence(made.token)}\nIt is shown this once. Keep it like a password; if it is lost, "
        f"revoke it and make another."
    )


@app.command("list")
def list_tokens(
    context: typer.Context,
    *,
    data_dir: DataDir = None,
    node: Node = None,
    token_file: TokenFile = None,
    insecure_http: InsecureHttp = False,
    as_json: AsJson = False,
) -> None:
    """List all tokens, revoked and expired ones included; never their secret part."""
    with _registry(context, data_dir, node, token_file, insecure_http=insecure_http) as registry:
        found = registry.tokens()
    for token in found:
        if as_json:
            output.json_line(token.to_json())
        else:
            output.line(_sentence(token))
    output.note(f"{len(found)} tokens.")


@app.command()
def revoke(
    context: typer.Context,
    named: Annotated[str, typer.Argument(metavar="NAME|ID", show_default=False)],
    *,
    data_dir: DataDir = None,
    node: Node = None,
    token_file: TokenFile = None,
    insecure_http: InsecureHttp = False,
    as_json: AsJson = False,
) -> None:
    """Revoke a token: nothing that arrives after this takes it."""
    with _registry(context, data_dir, node, token_file, insecure_http=insecure_http) as registry:
        token = registry.revoke(named)
    if as_json:
        output.json_line(token.to_json())
    else:
        output.line(_sentence(token))


@contextmanager
def _registry(
    context: typer.Context,
    data_dir: Path | None,
    node: str | None,
    token_file: Path | None,
    *,
    insecure_http: bool,
) -> Iterator[Registry]:
    """Open what ``--data-dir`` or ``--node`` names; the directory counts over a variable."""
    if data_dir is not None:
        with opened_store(data_dir) as store:
            yield _Local(store, rim_of(context).random_bytes)
        return
    with asked_node(node, token_file, insecure_http=insecure_http) as client:
        yield client


def asked_node(node: str | None, token_file: Path | None, *, insecure_http: bool) -> TokenClient:
    """Address the running node that ``--node`` names.

    Raises:
        ConfigurationError: none is named, or there is no token where one is named.
    """
    from testamur.cli.token_client import TokenClient  # noqa: PLC0415 (slow to import)

    if node is None:
        raise ConfigurationError(
            "give --data-dir of a node that is stopped, or --node of one that is running"
        )
    return TokenClient(node, token=given_token(token_file), insecure_http=insecure_http)


class _Local:
    """Tokens in a store that this command has to itself."""

    def __init__(self, store: Store, random_bytes: Callable[[int], bytes]) -> None:
        from testamur.service.access import Access  # noqa: PLC0415 (slow to import)

        self._access = Access(store, clock=time.time, random_bytes=random_bytes)

    def create(self, wanted: TokenRequest) -> NewToken:
        from testamur.ledger.operator_log import COMMAND_LINE  # noqa: PLC0415

        return self._access.create(wanted, by=COMMAND_LINE)

    def tokens(self) -> Sequence[Token]:
        return self._access.tokens()

    def revoke(self, named: str) -> Token:
        from testamur.ledger.operator_log import COMMAND_LINE  # noqa: PLC0415

        return self._access.revoke(named, by=COMMAND_LINE)


def _sentence(token: Token) -> str:
    """Describe a token on one line."""
    if token.revoked_at is not None:
        until = f"revoked {_day(token.revoked_at)}"
    elif token.expires_at is None:
        until = "never expires"
    elif token.expires_at <= time.time():
        until = f"expired {_day(token.expires_at)}"
    else:
        until = f"until {_day(token.expires_at)}"
    quota = "" if token.quota_per_day is None else f", {token.quota_per_day} new entries a day"
    return f"{token.id}  {output.printable(token.name)}: {', '.join(token.scopes)}; {until}{quota}"


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
