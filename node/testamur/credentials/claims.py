"""What a credential says of its issuer; read for comparison, believed in nothing.

Only names are compared here. That the issuer's own signature is good is a separate question,
which Testamur does not answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from testamur.credentials import base64url, strict_json
from testamur.errors import CredentialError

_TOKEN_BYTES_MAX = 4 * 1024 * 1024
_JWT_PARTS = 3


@dataclass(frozen=True, slots=True)
class IssuerClaim:
    """The issuer as the credential names it."""

    ids: tuple[str, ...]
    """Identifiers: URLs, DIDs, other URIs."""
    names: tuple[str, ...]
    """Names, in whatever languages the credential has."""

    @property
    def label(self) -> str:
        """One name for people, at most 120 characters."""
        return (self.names or self.ids or ("nobody",))[0][:120]

    def matches(self, *, name: str, domain: str, declared: Iterable[str]) -> bool:
        """Whether this is the member: by its name, its domain, or an issuer that it declared."""
        wanted = {_fold(name), *map(_fold, declared)}
        if any(_fold(given) in wanted for given in (*self.ids, *self.names)):
            return True
        return any(_within(_host(given), domain) for given in self.ids)


def issuer(data: bytes, profile: str) -> IssuerClaim | None:
    """Read the issuer out of a credential that has passed ``profile``; None where it has none.

    ``data`` is untrusted. A PDF or image (``bytes-sha256``) is not read.
    """
    try:
        document = _document(data, profile)
    except (CredentialError, UnicodeDecodeError):
        return None
    if not isinstance(document, Mapping):
        return None
    inner = document.get("vc")
    sources = [document, inner] if isinstance(inner, Mapping) else [document]
    ids: list[str] = []
    names: list[str] = []
    for source in sources:
        if isinstance(source.get("iss"), str):
            ids.append(source["iss"])
        _collect(source.get("issuer"), ids, names)
    return IssuerClaim(tuple(ids), tuple(names)) if ids or names else None


def _document(data: bytes, profile: str) -> object:
    if profile == "jcs-sha256":
        return strict_json.parse(data, bytes_max=_TOKEN_BYTES_MAX)
    if profile == "jws-json-sha256":
        envelope = strict_json.parse(data, bytes_max=_TOKEN_BYTES_MAX)
        payload = envelope.get("payload") if isinstance(envelope, Mapping) else None
        if not isinstance(payload, str):
            return None
        raw = (
            payload.encode()
            if payload.lstrip().startswith("{")
            else base64url.decode(payload, "the payload")
        )
        return strict_json.parse(raw, bytes_max=_TOKEN_BYTES_MAX)
    if profile == "jwt-sha256":
        parts = data.strip().split(b"~")[0].split(b".")
        if len(parts) != _JWT_PARTS:
            return None
        return strict_json.parse(
            base64url.decode(parts[1].decode(), "the payload"), bytes_max=_TOKEN_BYTES_MAX
        )
    return None


def _collect(value: object, ids: list[str], names: list[str]) -> None:
    if isinstance(value, str):
        ids.append(value)
    elif isinstance(value, Mapping):
        if isinstance(value.get("id"), str):
            ids.append(value["id"])
        for key in ("name", "legalName", "prefLabel"):
            _collect_names(value.get(key), names)
    elif isinstance(value, list):
        for item in value[:16]:
            _collect(item, ids, names)


def _collect_names(value: object, names: list[str]) -> None:
    """Take a plain string or a language map, as Open Badges and ELM write names."""
    if isinstance(value, str):
        names.append(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            _collect_names(item, names)
    elif isinstance(value, list):
        for item in value[:16]:
            _collect_names(item, names)


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()


def _host(identifier: str) -> str:
    """Give the domain of a URL or of a ``did:web``; empty for anything else."""
    if identifier.startswith("did:web:"):
        return identifier.removeprefix("did:web:").split(":")[0].split("%3A")[0].lower()
    try:
        return urlsplit(identifier).hostname or ""
    except ValueError:
        return ""


def _within(host: str, domain: str) -> bool:
    return bool(host) and (host == domain.lower() or host.endswith("." + domain.lower()))
