"""Selective disclosure (RFC 9901): which claims a presentation shows beside the signed payload.

A disclosure travels outside what the issuer signed; the payload holds only its hash. So one that
no hash stands for is text that anyone may have written, and a credential with it is refused.
Nothing is believed here: that the payload is the registered one is the digest's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256, sha384, sha512
from types import MappingProxyType
from typing import Final

from testamur.credentials import base64url, strict_json
from testamur.credentials.strict_json import JsonValue
from testamur.errors import (
    CredentialTooLargeError,
    NestingTooDeepError,
    UnmatchedDisclosureError,
    UnparsableCredentialError,
)

ALGORITHMS: Final = MappingProxyType({"sha-256": sha256, "sha-384": sha384, "sha-512": sha512})
"""What ``_sd_alg`` may name (RFC 9901 section 4.1.1)."""

DISCLOSURES_MAX: Final = 10_000
"""Disclosures in one presentation: this bounds the time that hashing them takes."""

_DIGESTS: Final = "_sd"
_ELEMENT: Final = "..."
_ALGORITHM: Final = "_sd_alg"
_OF_PROPERTY: Final = 3  # salt, name, value
_OF_ELEMENT: Final = 2  # salt, value


def disclose(payload: dict[str, JsonValue], disclosures: Sequence[str]) -> dict[str, JsonValue]:
    """Return ``payload`` with the values that ``disclosures`` add; both are from anyone.

    ``payload`` is that of the issuer-signed JWT, read strictly; it is used up. Every disclosure
    must be referenced by its hash, in an ``_sd`` list or as ``{"...": hash}`` in an array, in
    the payload or in the value of a disclosure that is itself referenced (RFC 9901 section 7.1).

    Raises:
        UnmatchedDisclosureError: no hash stands for a disclosure.
        UnparsableCredentialError: a disclosure or a reference that is not of the form of RFC
            9901, the same one twice, a claim that is there already, or an unknown ``_sd_alg``.
        CredentialTooLargeError: more than :data:`DISCLOSURES_MAX`.
        NestingTooDeepError: with what is disclosed, deeper than a document may be.
        CredentialError: as :func:`strict_json.parse`, of a disclosure.
    """
    open_ = _Disclosures(disclosures, payload.pop(_ALGORITHM, "sha-256"))
    # A list of work and not recursion: disclosures nest as deep as their sender likes.
    work: list[tuple[JsonValue, int]] = [(payload, 1)]
    while work:
        value, depth = work.pop()
        if isinstance(value, dict):
            _disclose_properties(value, open_)
            inner: Iterable[JsonValue] = value.values()
        elif isinstance(value, list):
            value[:] = _disclosed_elements(value, open_)
            inner = value
        else:
            continue
        if depth > strict_json.DEPTH_MAX:
            raise NestingTooDeepError(f"nested deeper than {strict_json.DEPTH_MAX} levels")
        work.extend((one, depth + 1) for one in inner)
    open_.check_all_taken()
    return payload


class _Disclosures:
    """The disclosures of one presentation, by their hashes, until each is taken."""

    def __init__(self, disclosures: Sequence[str], algorithm: JsonValue) -> None:
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise UnparsableCredentialError(f"_sd_alg of the SD-JWT is none of {known}")
        if len(disclosures) > DISCLOSURES_MAX:
            raise CredentialTooLargeError(
                f"{len(disclosures)} disclosures, the limit is {DISCLOSURES_MAX}"
            )
        if len(set(disclosures)) != len(disclosures):
            raise UnparsableCredentialError("a disclosure of the SD-JWT stands twice")
        hashed = ALGORITHMS[algorithm]
        self._open = {
            base64url.encode(hashed(text.encode("utf-8")).digest()): text for text in disclosures
        }
        self._seen: set[str] = set()

    def take(self, reference: JsonValue, length: int) -> list[JsonValue] | None:
        """Give the items of the disclosure that ``reference`` stands for; None: not shown."""
        if not isinstance(reference, str):
            raise UnparsableCredentialError("a hash in the SD-JWT is not a string")
        if reference in self._seen:
            raise UnparsableCredentialError("the SD-JWT refers to one disclosure twice")
        self._seen.add(reference)
        text = self._open.pop(reference, None)
        if text is None:
            return None  # withheld, or a decoy
        items = strict_json.parse(base64url.decode(text, "a disclosure of the SD-JWT"))
        if not isinstance(items, list) or len(items) != length:
            raise UnparsableCredentialError(
                f"a disclosure of the SD-JWT is not the list of {length} items that it should be"
            )
        return items

    def check_all_taken(self) -> None:
        if self._open:
            raise UnmatchedDisclosureError(
                f"{len(self._open)} of the disclosures presented are not of this credential"
            )


def _disclose_properties(found: dict[str, JsonValue], open_: _Disclosures) -> None:
    if _ELEMENT in found:
        raise UnparsableCredentialError('"..." in the SD-JWT stands where no array element can')
    references = found.pop(_DIGESTS, [])
    if not isinstance(references, list):
        raise UnparsableCredentialError("_sd in the SD-JWT is not a list")
    for reference in references:
        items = open_.take(reference, _OF_PROPERTY)
        if items is None:
            continue
        _, name, value = items
        if not isinstance(name, str) or name in {_DIGESTS, _ELEMENT}:
            raise UnparsableCredentialError("a disclosure of the SD-JWT has no name for its claim")
        if name in found:
            raise UnparsableCredentialError(f"the SD-JWT discloses {name[:60]!a}, already there")
        found[name] = value


def _disclosed_elements(found: list[JsonValue], open_: _Disclosures) -> list[JsonValue]:
    kept: list[JsonValue] = []
    for element in found:
        if not isinstance(element, dict) or _ELEMENT not in element:
            kept.append(element)
            continue
        if len(element) > 1:
            raise UnparsableCredentialError('an array element of the SD-JWT has more than "..."')
        items = open_.take(element[_ELEMENT], _OF_ELEMENT)
        if items is not None:
            kept.append(items[1])
    return kept
