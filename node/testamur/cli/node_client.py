"""A node asked over HTTP. Whatever goes wrong is one of two errors, and nothing grows unbounded.

Nothing that a node answers is trusted here; the callers' parsers and verification decide.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

import httpx

from testamur.chain.loopback import is_plain_and_here
from testamur.credentials import strict_json
from testamur.credentials.claims import IssuerClaim
from testamur.credentials.commitment import MEMBER_MAX
from testamur.credentials.locator import Locator, serialise
from testamur.credentials.strict_json import JsonValue
from testamur.errors import (
    ConfigurationError,
    CredentialError,
    NodeBusyError,
    NodeProtocolError,
    NodeRefusedError,
    NodeUnavailableError,
    ReceiptFormatError,
    TooManyEntriesError,
    UnknownEntryError,
)
from testamur.ledger.fields import Fields
from testamur.ledger.receipt import Receipt
from testamur.ledger.receipt_json import parse_receipt
from testamur.ledger.view import Presented
from testamur.merkle.hashing import Hash32

REPLY_BYTES_MAX: Final = 4 * 1024 * 1024
"""Largest reply that is read unless the caller says otherwise."""

TIMEOUT_SECONDS: Final = 10.0
"""Longest wait for a connection, and for the next part of a reply."""

DEADLINE_SECONDS: Final = 60.0
"""Longest time for a whole reply: a node that drips bytes does not hold the command."""

ISSUERS_MAX: Final = 40
ISSUER_TEXT_MAX: Final = 1024
_PROBLEM_SHOWN_MAX: Final = 300
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_TRY_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True)
class Reply:
    """A node's answer with an expected status."""

    status: int
    """HTTP status, one of those expected."""

    body: bytes
    """At most as many bytes as the caller allowed."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a submission."""

    added: int
    """Entries that are new to the node."""

    known: int
    """Entries that it had."""


class NodeClient:
    """Requests to one node; use it in a ``with`` statement. Not for several threads.

    Redirects are never followed: the address that a person named is the one that is asked.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        insecure_http: bool = False,
        transport: httpx.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Address the node at ``url``, such as ``https://node.aldermere.example``.

        ``token`` goes with what writes or needs rights, and with nothing else. ``insecure_http``
        lets it go unencrypted to another machine.

        Raises:
            ConfigurationError: not an http or https URL, or one with a user name, a query or a
                fragment; or the token would be readable on its way.
        """
        try:
            base = httpx.URL(url)
        except (httpx.InvalidURL, TypeError) as exc:
            raise ConfigurationError(f"the node's URL is malformed: {exc}") from exc
        if base.scheme not in {"http", "https"} or not base.host:
            raise ConfigurationError("the node's URL does not start with https:// or http://")
        if base.userinfo or base.query or base.fragment:
            raise ConfigurationError("the node's URL has a user name, a query or a fragment")
        stays_here = is_plain_and_here(url)
        if token is not None and base.scheme == "http" and not (stays_here or insecure_http):
            raise ConfigurationError(
                "the token would go over plain http, readable on its way: use the node's https "
                "URL, or, on a network that is all your own, --insecure-http"
            )
        self._base = str(base).rstrip("/")
        self._token = token
        self._monotonic = monotonic
        self._client = httpx.Client(
            transport=transport,
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
            # A proxy that the environment names would read a token that is meant to stay here.
            trust_env=not stays_here,
            # Compressed replies could grow without bound while they are unpacked.
            headers={"Accept-Encoding": "identity", "User-Agent": "testamur"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        expected: Collection[int] = (HTTPStatus.OK,),
        bytes_max: int = REPLY_BYTES_MAX,
        authorised: bool = False,
    ) -> Reply:
        """Send one request; ``path`` starts with a slash and is ours, never a node's.

        ``authorised``: with the token, where there is one.

        Raises:
            NodeBusyError: the node says after how many seconds to come back (429, 503).
            NodeUnavailableError: no answer, a broken one, or a status that says "later" (408,
                429, 5xx).
            NodeRefusedError: who asks may not (401, 403).
            NodeProtocolError: any other unexpected status, redirects included; or a reply that
                is compressed or too large.
        """
        sent = dict(headers or {})
        if authorised and self._token is not None:
            sent["Authorization"] = f"Bearer {self._token}"
        deadline = self._monotonic() + DEADLINE_SECONDS
        try:
            with self._client.stream(
                method, self._base + path, content=content, headers=sent
            ) as response:
                body = self._read(response, bytes_max, deadline)
                status = response.status_code
                later = _seconds(response.headers.get("Retry-After", ""))
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as exc:
            reason = str(exc) or type(exc).__name__
            raise NodeUnavailableError(f"no answer from {self._base}: {reason}") from exc
        if status in expected:
            return Reply(status, body)
        detail = f"{self._base}{path} answered {status}{_problem(body)}"
        if status in _REFUSED:
            raise NodeRefusedError(detail)
        if status in _BUSY and later is not None:
            too_often = status == HTTPStatus.TOO_MANY_REQUESTS
            raise NodeBusyError(detail, later, too_often=too_often)
        if status in _TRY_LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NodeUnavailableError(detail)
        raise NodeProtocolError(detail)

    def get(self, path: str, *, bytes_max: int = REPLY_BYTES_MAX) -> bytes:
        """Return the body of a GET.

        Raises:
            NodeUnavailableError, NodeProtocolError: as :meth:`request`.
        """
        return self.request("GET", path, bytes_max=bytes_max).body

    def get_object(self, path: str) -> dict[str, JsonValue]:
        """Return the JSON object that a GET gives, strictly parsed.

        Raises:
            NodeUnavailableError: as :meth:`request`.
            NodeProtocolError: as :meth:`request`, or not a strict JSON object.
        """
        return self._object_of(self.request("GET", path))

    def trust(self) -> bytes:
        """Return the node's view of the trust file, unparsed: nobody vouches for it.

        Raises:
            NodeUnavailableError, NodeProtocolError: as :meth:`request`.
        """
        return self.get("/v1/trust")

    def own_ledger(self) -> tuple[Hash32, int]:
        """Return the ledger id and the member id that this node claims.

        Raises:
            NodeUnavailableError: as :meth:`request`.
            NodeProtocolError: as :meth:`get_object`, or the answer has not both.
        """
        fields = Fields(self.get_object("/v1/ledger"), "the node's ledger", NodeProtocolError)
        return fields.hash("ledger_id"), fields.integer("member", least=1, most=MEMBER_MAX)

    def submit(self, entries: Sequence[Hash32]) -> Submitted:
        """Submit entries; they are durable at the node when this returns.

        Raises:
            NodeBusyError, NodeRefusedError: as :meth:`request`; none was taken.
            TooManyEntriesError: more than the node takes at once (413); none was taken.
            NodeUnavailableError: as :meth:`request`; whether they were taken is unknown, and
                submitting them again is harmless.
            NodeProtocolError: as :meth:`request`.
        """
        reply = self.request(
            "POST",
            "/v1/entries",
            content=b"".join(entries),
            headers={"Content-Type": "application/octet-stream"},
            expected=(HTTPStatus.ACCEPTED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
            authorised=True,
        )
        if reply.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise TooManyEntriesError(f"{self._base} does not take {len(entries)} entries at once")
        fields = Fields(self._object_of(reply), "the node's answer", NodeProtocolError)
        return Submitted(fields.integer("added"), fields.integer("known"))

    def state(self, entry: Hash32) -> str:
        """Return the state of an entry, as the node calls it.

        Raises:
            UnknownEntryError: the node was never given this entry.
            NodeUnavailableError, NodeProtocolError: as :meth:`request`; or no state.
        """
        path = f"/v1/entries/{entry.hex()}"
        reply = self.request("GET", path, expected=(HTTPStatus.OK, HTTPStatus.NOT_FOUND))
        if reply.status == HTTPStatus.NOT_FOUND:
            raise UnknownEntryError("the node was never given this entry")
        state = self._object_of(reply).get("state")
        if not isinstance(state, str):
            raise NodeProtocolError(f"{self._base}{path} answered without a state")
        return state

    def receipt(self, entry: Hash32) -> Receipt | None:
        """Return the receipt of an entry; None where it is not anchored.

        Raises:
            NodeUnavailableError, NodeProtocolError: as :meth:`request`; or no receipt.
        """
        reply = self.request(
            "GET", f"/v1/receipts/{entry.hex()}", expected=(HTTPStatus.OK, HTTPStatus.ACCEPTED)
        )
        if reply.status == HTTPStatus.ACCEPTED:
            return None
        try:
            return parse_receipt(reply.body)
        except ReceiptFormatError as exc:
            raise NodeProtocolError(f"{self._base} gave no receipt: {exc}") from exc

    def verify(self, presented: Presented, receipt: object) -> dict[str, JsonValue]:
        """Return the node's report, as it stands: whoever asks a node takes its word.

        Profile, digest, the issuer and the locator that the credential names, and the receipt are
        sent.

        Raises:
            NodeUnavailableError, NodeProtocolError: as :meth:`request`.
        """
        asked: dict[str, object] = {"receipt": receipt}
        if isinstance(presented.locator, Locator):
            asked["locator"] = serialise(presented.locator)
        return self._verify(presented, asked)

    def verify_located(
        self, presented: Presented, member: int, salt: Hash32
    ) -> dict[str, JsonValue]:
        """Return the node's report on a credential without a receipt, as :meth:`verify` does.

        Profile, digest, the issuer that the credential names, ``member`` and ``salt`` are sent; the
        caller has compared the ledger of the locator with that of the node.

        Raises:
            NodeUnavailableError, NodeProtocolError: as :meth:`request`.
        """
        return self._verify(presented, {"member": member, "salt": salt.hex()})

    def _verify(self, presented: Presented, asked: Mapping[str, object]) -> dict[str, JsonValue]:
        body = {"profile": presented.profile, "digest": presented.digest.hex()} | dict(asked)
        if presented.issuer is not None:
            body["issuers"] = issuers_asked(presented.issuer)
        return self._object_of(
            self.request(
                "POST",
                "/v1/verify",
                content=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            )
        )

    def _object_of(self, reply: Reply) -> dict[str, JsonValue]:
        try:
            return strict_json.parse_object(reply.body)
        except CredentialError as exc:
            raise NodeProtocolError(f"{self._base} answered no strict JSON: {exc}") from exc

    def _read(self, response: httpx.Response, bytes_max: int, deadline: float) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise NodeProtocolError(f"{self._base} sent a compressed reply, which was not asked")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > bytes_max:
                raise NodeProtocolError(f"{self._base} sent more than {bytes_max} bytes")
            if self._monotonic() > deadline:
                raise NodeUnavailableError(f"{self._base} was too slow to finish its reply")
        return bytes(body)


def _seconds(retry_after: str) -> int | None:
    """Read Retry-After in seconds (RFC 9110 section 10.2.3); a date is not used among nodes."""
    return int(retry_after) if re.fullmatch(r"[0-9]{1,7}", retry_after, re.ASCII) else None


def issuers_asked(claim: IssuerClaim) -> list[dict[str, object]]:
    """Write a claim as a node takes it, or, where none would, so that it is nobody's.

    A part of it could match where the whole does not, and without any of it a node would not
    warn. The label of what it does not take is too long for a name, or holds an empty one.
    """
    texts = [text for issuer in claim.issuers for name in issuer.names for text in name]
    texts += [issuer.id for issuer in claim.issuers if issuer.id is not None]
    if max(len(texts), len(claim.issuers)) > ISSUERS_MAX or not all(
        0 < len(text) <= ISSUER_TEXT_MAX for text in texts
    ):
        return [{"names": [[f"{claim.label[: ISSUER_TEXT_MAX - 1]}…"]]}]
    return [
        ({} if issuer.id is None else {"id": issuer.id}) | {"names": issuer.names}
        for issuer in claim.issuers
    ]


def _problem(body: bytes) -> str:
    """Say what a problem document (RFC 9457) says, as far as there is one."""
    try:
        problem = strict_json.parse_object(body)
    except CredentialError:
        return ""
    told = problem.get("detail") or problem.get("title")
    return f": {told[:_PROBLEM_SHOWN_MAX]}" if isinstance(told, str) else ""
