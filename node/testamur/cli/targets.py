"""The ledger and the member that commitments are bound to, as a person names them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from testamur.cli.files import read_credential
from testamur.errors import ConfigurationError, NodeProtocolError, TrustFileFormatError
from testamur.merkle.hashing import Hash32

if TYPE_CHECKING:
    from testamur.cli.node_client import NodeClient
    from testamur.ledger.trust import TrustFile

NODE_VARIABLE: Final = "TESTAMUR_NODE"
"""Environment variable with the URL of the node, where ``--node`` is not given."""

TrustOption = Annotated[
    Path | None, typer.Option("--trust", metavar="FILE", help="Trust file of the ledger.")
]
MemberOption = Annotated[
    int | None, typer.Option("--member", metavar="ID", help="Id of the member that registers.")
]
NodeOption = Annotated[
    str | None,
    typer.Option(
        "--node",
        metavar="URL",
        envvar=NODE_VARIABLE,
        help="URL of the member's node, in place of --trust.",
    ),
]


def target(
    context: typer.Context, trust: Path | None, member: int | None, node: str | None
) -> tuple[Hash32, int]:
    """Give ledger id and member id, from a trust file or as a node says.

    A node that only the environment names gives way to a trust file.

    Raises:
        ConfigurationError: neither is named or both are, or there is no such member.
        TrustFileFormatError, UnreadableFileError: the trust file cannot be used.
        NodeUnavailableError, NodeProtocolError: the node did not say.
    """
    from testamur.ledger.trust import parse_trust  # noqa: PLC0415 (not needed by digest)

    if trust is not None and (node is None or named_in_environment(context, "node")):
        if member is None:
            raise ConfigurationError("--trust needs --member: the id of the member that registers")
        parsed = parse_trust(read_credential(trust))
    elif trust is None and node is not None:
        from testamur.cli.node_client import NodeClient  # noqa: PLC0415 (slow to import)

        with NodeClient(node) as client:
            parsed, own = own_trust(client)
        if member not in {None, own}:
            raise ConfigurationError(f"the node is of member {own}, not {member}")
        member = own
    else:
        raise ConfigurationError("give either --trust with --member, or --node")
    if parsed.member(member) is None:
        raise ConfigurationError(f"the trust file has no member {member}")
    return parsed.ledger_id, member


def named_in_environment(context: typer.Context, parameter: str) -> bool:
    """Whether only the environment gives a parameter, which then gives way to what is typed."""
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "ENVIRONMENT"


def trust_of(client: NodeClient) -> TrustFile:
    """Ask a node for its trust file; nobody vouches for it.

    Raises:
        NodeUnavailableError: it did not answer.
        NodeProtocolError: it gave no trust file.
    """
    from testamur.ledger.trust import parse_trust  # noqa: PLC0415 (not needed by digest)

    try:
        return parse_trust(client.trust())
    except TrustFileFormatError as exc:
        raise NodeProtocolError(f"the node gave no trust file: {exc}") from exc


def own_trust(client: NodeClient) -> tuple[TrustFile, int]:
    """Ask a node for its trust file and whose node it is; what it says must fit together.

    Raises:
        NodeUnavailableError: it did not answer.
        NodeProtocolError: it gave no trust file, or one of another ledger.
    """
    trust = trust_of(client)
    ledger_id, own = client.own_ledger()
    if ledger_id != trust.ledger_id:
        raise NodeProtocolError("the node's trust file is of another ledger than the node")
    return trust, own
