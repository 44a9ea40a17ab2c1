"""Tokens and the operator log of a running node, asked for over HTTP with a token."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Final

from testamur.cli.node_client import NodeClient, Reply
from testamur.credentials import strict_json
from testamur.errors import CredentialError, NodeProtocolError, OperatorLogError
from testamur.ledger.fields import Fields
from testamur.ledger.operator_log import LogLine, parse_line
from testamur.service.access import LINES_MAX, PREFIX, NewToken, TokenRequest, find_named
from testamur.storage.tokens import SCOPES, Token

TOKENS_MAX: Final = 100_000
_PATH: Final = "/v1/tokens"


class TokenClient(NodeClient):
    """A node whose tokens are managed, and whose operator log is read."""

    def create(self, wanted: TokenRequest) -> NewToken:
        """Have a token made.

        Raises:
            NodeRefusedError, NodeUnavailableError, NodeProtocolError: as of the base.
        """
        days = wanted.expires_days
        body: dict[str, object] = {
            "name": wanted.name,
            "scopes": list(wanted.scopes),
            "expires": "never" if days is None else f"{days}d",
        }
        if wanted.quota_per_day is not None:
            body["quota_per_day"] = wanted.quota_per_day
        reply = self.request(
            "POST",
            _PATH,
            content=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            expected=(HTTPStatus.CREATED,),
            authorised=True,
        )
        fields = Fields(_parsed(reply), "the node's answer", NodeProtocolError)
        text = fields.text("token")
        if not text.startswith(PREFIX):
            raise NodeProtocolError("the node gave no token")
        return NewToken(_token(fields), text)

    def tokens(self) -> Sequence[Token]:
        """List all tokens.

        Raises:
            NodeRefusedError, NodeUnavailableError, NodeProtocolError: as of the base.
        """
        reply = self.request("GET", _PATH, authorised=True)
        fields = Fields(_parsed(reply), "the node's answer", NodeProtocolError)
        items = fields.items("tokens", count_max=TOKENS_MAX)
        return [_token(Fields(item, "a token", NodeProtocolError)) for item in items]

    def revoke(self, named: str) -> Token:
        """Revoke a token by its id, or by the name of one that is in force.

        Raises:
            UnknownTokenError: there is none.
            NodeRefusedError, NodeUnavailableError, NodeProtocolError: as of the base.
        """
        found = find_named(self.tokens(), named)
        reply = self.request("DELETE", f"{_PATH}/{found.id}", authorised=True)
        return _token(Fields(_parsed(reply), "the node's answer", NodeProtocolError))

    def log_lines(self) -> Iterator[LogLine]:
        """Give all lines of the operator log, unverified.

        Raises:
            NodeRefusedError, NodeUnavailableError, NodeProtocolError: as of the base.
        """
        start = 0
        while True:
            path = f"/v1/operator-log?start={start}&limit={LINES_MAX}"
            reply = self.request("GET", path, authorised=True)
            fields = Fields(_parsed(reply), "the node's answer", NodeProtocolError)
            items = fields.items("lines", count_max=LINES_MAX)
            if not items:
                return
            try:
                yield from (parse_line(item) for item in items)
            except OperatorLogError as exc:
                raise NodeProtocolError(f"the node gave no operator log: {exc}") from exc
            start += len(items)


def _parsed(reply: Reply) -> object:
    try:
        return strict_json.parse_object(reply.body)
    except CredentialError as exc:
        raise NodeProtocolError(f"the node answered no strict JSON: {exc}") from exc


def _token(fields: Fields) -> Token:
    """Read a token that a node describes; its id becomes a part of a path, so it is plain."""
    held = fields.texts("scopes", count_max=len(SCOPES))
    token_id = fields.text("id", length_min=1, length_max=64)
    if not token_id.isascii() or not token_id.isalnum():
        raise fields.fault("id", "is not letters and digits")
    return Token(
        id=token_id,
        name=fields.text("name", length_min=1, length_max=64),
        scopes=tuple(scope for scope in SCOPES if scope in held),
        created_at=fields.integer("created_at"),
        expires_at=_optional(fields, "expires_at"),
        quota_per_day=_optional(fields, "quota_per_day"),
        revoked_at=_optional(fields, "revoked_at"),
    )


def _optional(fields: Fields, name: str) -> int | None:
    value = fields.take(name)
    if value is None:
        return None
    return Fields({name: value}, "a token", NodeProtocolError).integer(name)
