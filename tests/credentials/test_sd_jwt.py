"""Only what the issuer hashed can be disclosed, and a reader is shown all of it."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.credentials import base64url, jws, jwt, profiles, sd_jwt
from testamur.errors import (
    CredentialError,
    CredentialTooLargeError,
    NestingTooDeepError,
    UnmatchedDisclosureError,
    UnparsableCredentialError,
)
from tests.credentials.test_strict_json import DOCUMENTS, TEXTS

RFC_PROPERTY = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
RFC_PROPERTY_HASH = "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
RFC_ELEMENT = "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0"
RFC_ELEMENT_HASH = "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs"
"""Examples of RFC 9901 sections 4.2.3 and 4.2.4.2."""

HEADER = base64url.encode(b'{"alg":"ES256"}')


def disclosure(*items: object) -> str:
    return base64url.encode(json.dumps(items).encode())


def reference(text: str) -> str:
    return base64url.encode(sha256(text.encode()).digest())


def token(payload: object) -> str:
    return f"{HEADER}.{base64url.encode(json.dumps(payload).encode())}.AAAA"


def presentation(payload: object, *disclosures: str) -> bytes:
    return "~".join([token(payload), *disclosures, ""]).encode()


def test_the_examples_of_rfc_9901_are_disclosed() -> None:
    payload: dict[str, Any] = {
        "_sd_alg": "sha-256",
        "_sd": [RFC_PROPERTY_HASH],
        "nationalities": ["DE", {"...": RFC_ELEMENT_HASH}, {"...": "a decoy"}],
    }
    assert sd_jwt.disclose(payload, [RFC_PROPERTY, RFC_ELEMENT]) == {
        "family_name": "M\N{LATIN SMALL LETTER O WITH DIAERESIS}bius",
        "nationalities": ["DE", "FR"],
    }


def test_a_replaced_disclosure_is_no_spelling_of_the_registered_credential() -> None:
    genuine = disclosure("salt", "degree", "Bachelor (third class)")
    forged = disclosure("salt", "degree", "Doctor of Medicine")
    payload = {"_sd": [reference(genuine)]}
    registered = profiles.digest(presentation(payload, genuine), profiles.JWT)
    assert profiles.digest(presentation(payload), profiles.JWT) == registered
    for shown in [(forged,), (genuine, forged)]:
        with pytest.raises(UnmatchedDisclosureError):
            profiles.digest(presentation(payload, *shown), profiles.JWT)
        with pytest.raises(UnmatchedDisclosureError):
            profiles.detect(presentation(payload, *shown))


def test_what_is_disclosed_is_read_with_the_payload() -> None:
    hidden = disclosure("salt", "iss", "https://oxford.example")
    payload = {"_sd": [reference(hidden)], "issuer": "https://aldermere.example"}
    shown = {"iss": "https://oxford.example", "issuer": "https://aldermere.example"}
    assert jwt.claims(presentation(payload, hidden)) == shown
    sealed = {
        "payload": base64url.encode(json.dumps(payload).encode()),
        "protected": HEADER,
        "signature": "AAAA",
        "header": {"disclosures": [hidden]},
    }
    assert jws.claims(json.dumps(sealed).encode()) == shown


def test_disclosures_may_nest_without_a_limit_on_the_call_stack() -> None:
    chain, inner = [], reference("nothing")
    for _ in range(5000):
        chain.append(disclosure("salt", "a", {"_sd": [inner]}))
        inner = reference(chain[-1])
    with pytest.raises(NestingTooDeepError):
        sd_jwt.disclose({"_sd": [inner]}, chain)
    with pytest.raises(NestingTooDeepError):
        profiles.digest(presentation({"_sd": [inner]}, *chain), profiles.JWT)


def test_the_number_of_disclosures_is_bounded() -> None:
    many = [disclosure("salt", str(number), 1) for number in range(sd_jwt.DISCLOSURES_MAX + 1)]
    hashes = [reference(one) for one in many]
    assert len(sd_jwt.disclose({"_sd": list(hashes)}, many[1:])) == sd_jwt.DISCLOSURES_MAX
    with pytest.raises(CredentialTooLargeError):
        sd_jwt.disclose({"_sd": list(hashes)}, many)


def test_disclosures_that_only_refer_to_each_other_are_not_the_issuers() -> None:
    inner = disclosure("salt", "a", 1)
    outer = disclosure("salt", "b", {"_sd": [reference(inner)]})
    with pytest.raises(UnmatchedDisclosureError, match="2 of the disclosures"):
        sd_jwt.disclose({"a": "b"}, [inner, outer])


def test_an_empty_list_of_hashes_in_a_disclosed_value_is_disclosed_as_nothing() -> None:
    shown = disclosure("salt", "a", {"_sd": [], "b": 1})
    assert sd_jwt.disclose({"_sd": [reference(shown)]}, [shown]) == {"a": {"b": 1}}


def test_the_algorithm_of_a_disclosed_value_does_not_count() -> None:
    inner = disclosure("salt", "a", 1)
    outer = disclosure("salt", "b", {"_sd": [reference(inner)], "_sd_alg": "sha-512"})
    made = sd_jwt.disclose({"_sd": [reference(outer)]}, [inner, outer])
    assert made == {"b": {"a": 1, "_sd_alg": "sha-512"}}


def test_key_binding_is_checked_for_its_form_alone() -> None:
    shown = disclosure("salt", "a", 1)
    payload = {"_sd": [reference(shown)]}
    bound = presentation(payload, shown) + token({"nonce": 1}).encode()
    assert jwt.issuer_signed(bound) == token(payload).encode()
    for broken in ("e30.e30", "e30..AAAA", "e30.e30.AB", "e30.e30.AAAA.AAAA"):
        with pytest.raises(UnparsableCredentialError, match="key-binding JWT"):
            jwt.issuer_signed(presentation(payload, shown) + broken.encode())


@given(
    st.dictionaries(TEXTS.filter(lambda key: key not in {"_sd", "..."}), st.integers(0, 9)),
    st.data(),
)
def test_any_subset_is_disclosed_and_nothing_else(
    claims: dict[str, int], data: st.DataObject
) -> None:
    made = {disclosure("salt", name, value): name for name, value in claims.items()}
    payload = {"_sd": sorted(map(reference, made))}
    shown = data.draw(st.lists(st.sampled_from(sorted(made)), unique=True)) if made else []
    digest = profiles.digest(presentation(payload), profiles.JWT)
    assert profiles.digest(presentation(payload, *shown), profiles.JWT) == digest
    names = {made[one] for one in shown}
    assert jwt.claims(presentation(payload, *shown)) == (
        {name: claims[name] for name in names} if shown else payload
    )


@given(st.dictionaries(TEXTS, DOCUMENTS, max_size=4), DOCUMENTS)
def test_what_the_payload_does_not_refer_to_is_always_refused(
    payload: dict[str, Any], foreign: object
) -> None:
    with pytest.raises(CredentialError):
        sd_jwt.disclose(payload, [disclosure("salt", "degree", foreign)])
