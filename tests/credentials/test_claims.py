"""An issuer is the member only if everything that names it can be, and people see all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.credentials import base64url, claims, profiles
from testamur.credentials.claims import IssuerClaim
from tests.credentials.test_sd_jwt import disclosure, presentation, reference, token
from tests.credentials.test_strict_json import DOCUMENTS

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "credentials"
ALDERMERE = "University of Aldermere"
OXFORD = "University of Oxford"


def read(document: Any) -> IssuerClaim | None:
    return claims.issuer(json.dumps(document).encode(), profiles.JCS)


def is_member(found: IssuerClaim | None, declared: tuple[str, ...] = ()) -> bool:
    assert found is not None
    return found.matches(name=ALDERMERE, domain="aldermere.example", declared=declared)


@pytest.mark.parametrize(
    ("file", "name", "domain"),
    [
        ("aldermere-open-badge.json", ALDERMERE, "aldermere.example"),
        ("brisamar-sealed-elm.jsonld", "Universidad de Brisamar", "brisamar.example"),
        ("brisamar-sealed-elm.jsonld", "University of Brisamar", "brisamar.example"),
        ("cassel-nord-vc.jwt", "Cassel-Nord University", "cassel-nord.example"),
        ("cassel-nord-vc.jwt", "Another name", "cassel-nord.example"),
    ],
)
def test_the_issuers_of_the_examples_are_the_members(file: str, name: str, domain: str) -> None:
    data = (EXAMPLES / file).read_bytes()
    found = claims.issuer(data, profiles.detect(data))
    assert found is not None
    assert found.matches(name=name, domain=domain, declared=())
    assert not found.matches(name=OXFORD, domain="oxford.example", declared=())


@pytest.mark.parametrize(
    "issuer",
    [
        "https://aldermere.example",
        "HTTPS://Registry.ALDERMERE.example:8443/issuers/1?a=b#c",
        "did:web:aldermere.example%3A8443:issuers:1#key",
        "aldermere.example",
        ALDERMERE,
        {"id": "https://aldermere.example/1", "name": "Lifelong Learning"},
        {"id": "urn:epass:org:1", "legalName": {"es": "Universidad", "en": ALDERMERE}},
        {"id": "did:ebsi:z1", "legalName": {"es": ["Universidad"], "en": [ALDERMERE]}},
        {"id": "did:key:z1", "name": ALDERMERE, "prefLabel": {"en": ALDERMERE, "es": "U. de A."}},
        {"name": [ALDERMERE, "university of aldermere"]},
        ["https://aldermere.example/1", {"name": ALDERMERE}],
    ],
)
def test_these_are_the_member(issuer: object) -> None:
    assert is_member(read({"issuer": issuer}))


@pytest.mark.parametrize(
    "issuer",
    [
        {"name": [OXFORD, ALDERMERE]},
        {"name": [ALDERMERE, OXFORD]},
        {"name": ALDERMERE, "legalName": OXFORD},
        {"name": {"en": [ALDERMERE, OXFORD]}},
        {"name": {"en": {"a": OXFORD}, "es": ALDERMERE}},
        {"name": [{"en": ALDERMERE}, {"en": OXFORD}]},
        {"name": {"en": ALDERMERE, "es": ""}},
        {"name": [ALDERMERE, " "]},
        {"id": "https://oxford.example", "name": ALDERMERE},
        {"id": "did:web:oxford.example", "name": ALDERMERE},
        {"id": "//oxford.example/", "name": ALDERMERE},
        {"id": "oxford.example/issuers", "name": ALDERMERE},
        {"id": "", "name": ALDERMERE},
        {"id": ["https://oxford.example"], "name": ALDERMERE},
        {"id": OXFORD, "name": ALDERMERE},
        ["https://oxford.example", "https://aldermere.example/"],
        ["https://aldermere.example/", {"id": "urn:x:1", "name": OXFORD}],
        [{"name": ALDERMERE}, {"name": OXFORD}],
        ["https://aldermere.example/"] * 20 + ["https://oxford.example"],
        "https://x@aldermere.example/",
        "https://oxford.example@aldermere.example/",
        "https://aldermere.example@oxford.example/",
        "https://oxford.example\\.aldermere.example/",
        "https://oxford.exa\tmple/.aldermere.example",
        "https:aldermere.example",
        "https://[aldermere.example/",
        "did:web:aldermere.example@oxford.example",
        "did:web:x@aldermere.example",
        "did:web:oxford.example%2Faldermere.example",
        "did:web:oxford.example:aldermere.example",
        "https://notaldermere.example",
        "https://aldermere.example.oxford.example",
        "urn:epass:org:1",
        {"id": "did:ebsi:z1"},
    ],
)
def test_these_are_not(issuer: object) -> None:
    assert not is_member(read({"issuer": issuer}))


def test_what_stands_in_different_places_must_agree() -> None:
    oxford, own = "https://oxford.example", "https://aldermere.example"
    assert not is_member(read({"issuer": oxford, "iss": own}))
    assert not is_member(read({"issuer": own, "iss": oxford}))
    assert not is_member(read({"issuer": own, "iss": [oxford]}))
    assert not is_member(read({"iss": own, "vc": {"issuer": {"id": oxford}}}))
    assert is_member(read({"iss": own, "issuer": {"id": f"{own}/1"}}))
    # One identifier twice is one issuer: the names at either place are its names.
    named = {"id": "did:ebsi:z1", "name": ALDERMERE}
    assert is_member(read({"iss": "did:ebsi:z1", "vc": {"issuer": named}}))
    assert not is_member(read({"iss": "did:ebsi:z2", "issuer": named}))


def test_a_declared_identifier_or_name_is_the_member() -> None:
    seal = read({"issuer": {"id": "did:ebsi:z1", "name": "National seal"}})
    assert is_member(seal, ("did:ebsi:z1",))
    assert is_member(seal, ("National Seal",))
    assert is_member(read({"issuer": "https://seal.example"}), ("https://seal.example",))
    assert not is_member(read({"issuer": "https://a@seal.example"}), ("https://a@seal.example",))
    assert not is_member(
        read({"issuer": ["did:ebsi:z1", "https://oxford.example"]}), ("did:ebsi:z1",)
    )


@pytest.mark.parametrize(
    "issuer",
    [
        {"name": [ALDERMERE] + [f"Part {number}" for number in range(50)]},
        {"name": {"en": ALDERMERE, **{f"x-{number}": f"Part {number}" for number in range(50)}}},
        {"name": {"en": ALDERMERE, "es": "x" * 300 + OXFORD}},
        {"id": "https://aldermere.example/" + "x" * 300},
    ],
)
def test_what_cannot_be_shown_whole_is_not_the_member(issuer: object) -> None:
    found = read({"issuer": issuer})
    assert found is not None
    assert not is_member(found)
    assert len(found.label) < claims.SHOWN_MAX * (claims.CHARACTERS_MAX + 4)


def test_the_label_shows_every_name_and_identifier_once() -> None:
    found = read({"issuer": [{"id": "urn:x:1", "name": [ALDERMERE, OXFORD]}, "urn:x:1", "urn:x:2"]})
    assert found is not None
    assert found.label == f"{ALDERMERE}, {OXFORD} (urn:x:1, urn:x:2)"
    many = read({"issuer": {"name": [f"n{number}" for number in range(43)]}})
    assert many is not None
    assert many.label.endswith("n39 and 3 more")
    empty = read({"issuer": {"name": " "}})
    assert empty is not None
    assert empty.label == '""'


@pytest.mark.parametrize(
    "document", [{}, {"issuer": None}, {"issuer": {}}, {"issuer": []}, {"vc": 1}, {"issuer": 5}, []]
)
def test_a_credential_without_an_issuer_has_none(document: object) -> None:
    assert read(document) is None
    assert claims.issuer(b"%PDF", profiles.BYTES) is None
    assert claims.issuer(b"not a JWT", profiles.JWT) is None


def test_an_issuer_that_is_disclosed_counts() -> None:
    own, hidden = "https://aldermere.example", disclosure("salt", "iss", "https://oxford.example")
    payload = {"issuer": own, "_sd": [reference(hidden)]}
    assert is_member(claims.issuer(presentation(payload), profiles.JWT))
    assert not is_member(claims.issuer(presentation(payload, hidden), profiles.JWT))
    assert is_member(claims.issuer(token({"iss": own}).encode(), profiles.JWT))
    sealed = {"protected": base64url.encode(b'{"alg":"ES256"}'), "signature": "AAAA",
              "payload": base64url.encode(json.dumps(payload).encode())}  # fmt: skip
    for header, expected in [({}, True), ({"disclosures": [hidden]}, False)]:
        data = json.dumps({**sealed, "header": header}).encode()
        assert is_member(claims.issuer(data, profiles.JWS_JSON)) is expected


@given(DOCUMENTS, DOCUMENTS, st.sampled_from(["issuer", "iss", "vc"]))
def test_nothing_that_is_named_makes_the_reader_fail(one: object, two: object, key: str) -> None:
    found = read({key: one, "issuer": {"id": two, "name": one, "legalName": two}})
    if found is not None:
        is_member(found)
        assert found.label
