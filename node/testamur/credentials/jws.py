"""JWS in JSON serialisation (RFC 7515 section 7.2), as JAdES e-seals use it: its signing input.

The file of such a seal is not a stable artefact: archive timestamps are added to its
unprotected header for years (ETSI TS 119 182-1, ``etsiU``). What the seal signs is stable, and
that is what the digest binds. Everything else in the file is outside the digest, so nothing may
stand there but what RFC 7515 puts there; an SD-JWT in this form keeps its disclosures there (RFC
9901 section 8), which must therefore be the issuer's.
"""

from __future__ import annotations

from typing import Final

from testamur.credentials import base64url, jwt, sd_jwt, strict_json
from testamur.credentials.strict_json import JsonValue
from testamur.errors import SeveralSignaturesError, UnparsableCredentialError

CRITICAL_NAMES: Final = frozenset(
    {"b64", "sigT", "x5t#o", "sigX5ts", "srCms", "sigPl", "srAts", "adoTst", "sigPId"}
)
"""Critical header parameters whose effect on the signing input is known.

``b64`` (RFC 7797) changes it and is honoured; the others (ETSI TS 119 182-1 section 5.2) only
describe the signature. Any other name might change the signing input, as ``b64`` did, and is
therefore refused. So is ``sigD``, which says that the payload is kept elsewhere.
"""

_SIGNATURE_MEMBERS: Final = frozenset({"protected", "header", "signature"})


def is_jws(document: dict[str, JsonValue]) -> bool:
    """Tell whether an object claims to be a JWS: a payload and a signature, by their names."""
    return "payload" in document and ("signature" in document or "signatures" in document)


def signing_input(data: bytes) -> bytes:
    """Return ``protected "." payload``: what the one signature in ``data`` signs.

    ``data`` is a general or flattened serialisation, from anyone. The signature itself is not
    verified. With ``b64: false`` the payload is the UTF-8 of the JSON string (RFC 7797 section
    5.2); otherwise it must be canonical base64url.

    Raises:
        SeveralSignaturesError: more than one signature, hence more than one signing input.
        UnparsableCredentialError: a member that RFC 7515 does not define (it would stand
            outside the digest), no protected header, no payload, an unknown critical name.
        UnmatchedDisclosureError: a disclosure that the payload does not refer to.
        CredentialError: as :func:`strict_json.parse`, of the file or its protected header; as
            :func:`sd_jwt.disclose`, of the payload, where there are disclosures.
    """
    signed, payload, disclosures = _read(data)
    if disclosures:
        sd_jwt.disclose(strict_json.parse_object(payload), disclosures)
    return signed


def claims(data: bytes) -> dict[str, JsonValue]:
    """Return the payload with what disclosures add to it, as a reader is shown it.

    Raises:
        CredentialError: as :func:`signing_input`, and where the payload is not a JSON object.
    """
    _, payload, disclosures = _read(data)
    document = strict_json.parse_object(payload)
    return sd_jwt.disclose(document, disclosures) if disclosures else document


def payload(data: bytes) -> bytes:
    """Return the payload as it was signed, whatever it is; disclosures are not looked at.

    Raises:
        CredentialError: as :func:`signing_input`.
    """
    return _read(data)[1]


def _read(data: bytes) -> tuple[bytes, bytes, list[str]]:
    """Split into the signing input, the payload as it was signed, and the disclosures."""
    document = strict_json.parse_object(data)
    payload = document.pop("payload", None)
    if not isinstance(payload, str) or not payload:
        raise UnparsableCredentialError("the JWS has no payload: detached ones are not supported")
    signature = _the_signature(document)
    protected = signature.get("protected")
    if not isinstance(protected, str) or not protected:
        raise UnparsableCredentialError("the JWS has no protected header")
    value = signature.get("signature")
    if not isinstance(value, str) or not base64url.decode(value, "the signature"):
        raise UnparsableCredentialError("the JWS has no signature")
    header = strict_json.parse_object(base64url.decode(protected, "the protected header"))
    encoded = _payload_is_encoded(header)
    disclosures = _check_unprotected(signature.get("header", {}), header)
    signed = payload.encode("utf-8")
    content = base64url.decode(payload, "the payload") if encoded else signed
    return protected.encode("ascii") + b"." + signed, content, disclosures


def _the_signature(document: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Take the one signature object out of ``document``, which has lost its payload already."""
    if "signatures" not in document:
        signature = document
    else:
        signatures = document.pop("signatures")
        if document:
            raise UnparsableCredentialError(_unknown_member(document))
        if not isinstance(signatures, list) or not signatures:
            raise UnparsableCredentialError("the JWS has no list of signatures")
        if len(signatures) > 1:
            raise SeveralSignaturesError(f"the JWS has {len(signatures)} signatures, not one")
        (only,) = signatures
        if not isinstance(only, dict):
            raise UnparsableCredentialError("the signature of the JWS is not an object")
        signature = only
    if signature.keys() - _SIGNATURE_MEMBERS:
        raise UnparsableCredentialError(_unknown_member(signature))
    return signature


def _unknown_member(found: dict[str, JsonValue]) -> str:
    unknown = sorted(found.keys() - _SIGNATURE_MEMBERS) or sorted(found)
    return f"the JWS has a member {unknown[0][:60]!a} that its digest would not cover"


def _payload_is_encoded(header: dict[str, JsonValue]) -> bool:
    """Whether the payload is base64url, after checking what the protected header demands."""
    if not isinstance(header.get("alg"), str):
        raise UnparsableCredentialError("the protected header names no algorithm")
    if "sigD" in header:
        raise UnparsableCredentialError("the payload is kept elsewhere (sigD)")
    critical = header.get("crit", [])
    if "crit" in header:
        _check_critical(critical, header)
    b64 = header.get("b64", True)
    if not isinstance(b64, bool):
        raise UnparsableCredentialError("b64 in the protected header is neither true nor false")
    if "b64" in header and (not isinstance(critical, list) or "b64" not in critical):
        # RFC 7797 section 6: readers that do not know b64 would sign something else.
        raise UnparsableCredentialError("b64 is used but not named in crit")
    return b64


def _check_critical(critical: JsonValue, header: dict[str, JsonValue]) -> None:
    """RFC 7515 section 4.1.11."""
    if not isinstance(critical, list) or not critical:
        raise UnparsableCredentialError("crit is not a list of names")
    seen = set()
    for name in critical:
        if not isinstance(name, str) or name in seen or name not in header:
            raise UnparsableCredentialError("crit names something twice, or that is not there")
        if name not in CRITICAL_NAMES:
            raise UnparsableCredentialError(f"unknown critical parameter {name[:60]!a}")
        seen.add(name)


def _check_unprotected(unprotected: JsonValue, header: dict[str, JsonValue]) -> list[str]:
    """RFC 7515 section 7.2.1: disjoint from the protected one; nothing that steers the input.

    Returns the disclosures in it (RFC 9901 section 8.1), unchecked.
    """
    if not isinstance(unprotected, dict):
        raise UnparsableCredentialError("the unprotected header is not an object")
    if unprotected.keys() & header.keys():
        raise UnparsableCredentialError("the unprotected header repeats the protected one")
    if unprotected.keys() & {"crit", "b64", "sigD"}:
        raise UnparsableCredentialError("crit, b64 or sigD stand outside the protected header")
    if "kb_jwt" in unprotected:
        key_binding = unprotected["kb_jwt"]
        if not isinstance(key_binding, str):
            raise UnparsableCredentialError("the key-binding JWT is not a string")
        jwt.check_key_binding(key_binding)
    disclosures = unprotected.get("disclosures", [])
    if not isinstance(disclosures, list):
        raise UnparsableCredentialError("the disclosures are not a list")
    texts = [one for one in disclosures if isinstance(one, str)]
    if len(texts) != len(disclosures):
        raise UnparsableCredentialError("a disclosure is not a string")
    return texts
