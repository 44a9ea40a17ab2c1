"""What a credential says of its issuer; read for comparison, believed in nothing.

Only names are compared here. That the issuer's own signature is good is a separate question,
which Testamur does not answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from testamur.credentials import jws, jwt, strict_json
from testamur.errors import CredentialError

SHOWN_MAX: Final = 40
"""Names and identifiers in a label: the 24 languages of the EU, and some."""

CHARACTERS_MAX: Final = 200
"""Characters of each in a label."""

_HOST: Final = re.compile(r"[\w.-]+")
_DID_WEB: Final = re.compile(r"did:web:([^:/?#%]+)(?:%3[Aa][0-9]+)?(?:[:/?#].*)?")
_UNPRINTED: Final = re.compile(r"[\s\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer, as the credential names it."""

    id: str | None
    """Identifier: a URL, a DID, another URI; None where there is none."""
    names: tuple[tuple[str, ...], ...]
    """Each name, in whatever languages the credential has it: one text for each language."""

    def matches(self, *, domain: str, wanted: frozenset[str]) -> bool:
        """Whether the identifier or, where it cannot be compared, every name is the member's."""
        if self.id is not None:
            known = _compare(self.id, domain, wanted)
            if known is not None:
                return known
        # Translations are of one name, so one of them is enough. An empty one is no translation.
        return bool(self.names) and all(
            any(_fold(text) in wanted for text in name) and all(map(_fold, name))
            for name in self.names
        )


@dataclass(frozen=True, slots=True)
class IssuerClaim:
    """All that the credential names as its issuer, wherever it does."""

    issuers: tuple[Issuer, ...]
    """At least one; no two have the same identifier."""

    @property
    def label(self) -> str:
        """All names and, in brackets, identifiers, each once: for people.

        At most :data:`SHOWN_MAX` of them, with :data:`CHARACTERS_MAX` characters each.
        """
        names, ids = self._shown()
        shown, left = [*names, *ids][:SHOWN_MAX], len(names) + len(ids) - SHOWN_MAX
        cut = [
            text if len(text) <= CHARACTERS_MAX else f"{text[:CHARACTERS_MAX]}…" for text in shown
        ]
        names, ids = cut[: len(names)], cut[len(names) :]
        label = ", ".join(names)
        if ids:
            label = f"{label} ({', '.join(ids)})" if label else ", ".join(ids)
        return f"{label} and {left} more" if left > 0 else label

    def matches(self, *, name: str, domain: str, declared: Iterable[str]) -> bool:
        """Whether this is the member: by its domain, its name, or an issuer that it declared.

        Everything that can be compared has to be the member's, so that nobody else can be named
        beside it. What :attr:`label` would not show whole never matches.
        """
        names, ids = self._shown()
        if len(names) + len(ids) > SHOWN_MAX:
            return False
        if any(len(text) > CHARACTERS_MAX for text in (*names, *ids)):
            return False
        wanted = frozenset(map(_fold, (name, *declared)))
        return all(issuer.matches(domain=domain, wanted=wanted) for issuer in self.issuers)

    def _shown(self) -> tuple[list[str], list[str]]:
        names = (text for issuer in self.issuers for name in issuer.names for text in name)
        ids = (issuer.id for issuer in self.issuers if issuer.id is not None)
        return _distinct(names), _distinct(ids)


def issuer(data: bytes, profile: str) -> IssuerClaim | None:
    """Read the issuer out of a credential that has passed ``profile``; None where it has none.

    ``data`` is untrusted. A PDF or image (``bytes-sha256``) is not read. Read are ``issuer`` and
    ``iss``, at the top and in ``vc``, as a string, an object or a list of these, after what an
    SD-JWT discloses was put in.
    """
    try:
        document = _document(data, profile)
    except CredentialError:
        return None
    if document is None:
        return None
    inner = document.get("vc")
    found: list[Issuer] = []
    for source in (document, inner):
        if isinstance(source, Mapping):
            for key in ("issuer", "iss"):
                _collect(source.get(key), found)
    if not any(one.names or one.id is not None for one in found):
        return None
    return IssuerClaim(_merged(found))


def _document(data: bytes, profile: str) -> Mapping[str, object] | None:
    if profile == "jcs-sha256":
        return strict_json.parse_object(data)
    if profile == "jws-json-sha256":
        return jws.claims(data)
    if profile == "jwt-sha256":
        return jwt.claims(data)
    return None


def _collect(value: object, found: list[Issuer]) -> None:
    if isinstance(value, str):
        found.append(Issuer(value, ()))
    elif isinstance(value, Mapping):
        given = value.get("id")
        names: list[tuple[str, ...]] = []
        for key in ("name", "legalName", "prefLabel"):
            _collect_names(value.get(key), names)
        # An identifier that is no string is one that cannot be the member's: empty.
        identifier = given if isinstance(given, str) or given is None else ""
        found.append(Issuer(identifier, tuple(names)))
    elif isinstance(value, list):
        for item in value:
            _collect(item, found)


def _collect_names(value: object, names: list[tuple[str, ...]]) -> None:
    """Take a plain string or a language map, as Open Badges and ELM write names.

    The texts of a map are translations of one name if each language has one; in any other
    arrangement every text is a name of its own.
    """
    if isinstance(value, str):
        names.append((value,))
    elif isinstance(value, Mapping):
        items = [_only(item) for item in value.values()]
        texts = tuple(item for item in items if isinstance(item, str))
        if texts and len(texts) == len(items):
            names.append(texts)
            return
        for item in items:
            _collect_names(item, names)
    elif isinstance(value, list):
        for item in value:
            _collect_names(item, names)


def _only(value: object) -> object:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _merged(found: list[Issuer]) -> tuple[Issuer, ...]:
    """Make one of those with the same identifier: ``iss`` and ``issuer`` of a JWT usually have."""
    by_id: dict[str, dict[tuple[str, ...], None]] = {}
    unidentified = []
    for one in found:
        if one.id is None:
            unidentified.append(one)
        else:
            by_id.setdefault(one.id, {}).update(dict.fromkeys(one.names))
    return (*(Issuer(given, tuple(names)) for given, names in by_id.items()), *unidentified)


def _compare(identifier: str, domain: str, wanted: frozenset[str]) -> bool | None:
    """Whether an identifier is the member's; None where that cannot be told from it."""
    try:
        url = urlsplit(identifier)
        host = url.hostname or ""
    except ValueError:
        return False
    if "@" in url.netloc:
        return False  # reads as one host and leads to another, even if it was declared
    if _fold(identifier) in wanted:
        return True
    if not identifier or _UNPRINTED.search(identifier):
        # Readers drop such characters, or take "\\" for "/": the host is not the one seen here.
        return False
    if identifier.lower().startswith("did:web:"):
        match = _DID_WEB.fullmatch(identifier)
        host = match.group(1) if match else ""
    elif not url.scheme and not url.netloc and "." in identifier:
        host = identifier.partition("/")[0]  # a domain and perhaps a path, as people write them
    elif url.scheme not in {"http", "https"} and not url.netloc:
        return None
    return _within(host, domain)


def _within(host: str, domain: str) -> bool:
    host, domain = host.lower(), domain.lower()
    return bool(_HOST.fullmatch(host)) and (host == domain or host.endswith(f".{domain}"))


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()


def _distinct(texts: Iterable[str]) -> list[str]:
    """Each text once, in order, with its white space made plain."""
    return list(dict.fromkeys(" ".join(text.split()) or '""' for text in texts))
