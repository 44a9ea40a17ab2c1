"""The four profiles on real credentials, and the choice between them."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.credentials import base64url, profiles, strict_json
from testamur.errors import (
    CredentialError,
    CredentialTooLargeError,
    DuplicateKeyError,
    UnknownProfileError,
    UnparsableCredentialError,
)
from tests.credentials.test_strict_json import DOCUMENTS, TEXTS
from tests.support.samples import require_samples, sample, sample_files

SEALED = "elm/Sample-MC-Annex1-signed.jsonld"
UNSEALED = "elm/Sample-MC-Annex1-unsigned.jsonld"


def test_there_are_four_profiles() -> None:
    assert list(profiles.PROFILES) == [
        "jcs-sha256",
        "jws-json-sha256",
        "jwt-sha256",
        "bytes-sha256",
    ]
    assert all(rule.name == name for name, rule in profiles.PROFILES.items())


def test_the_samples_are_there() -> None:
    require_samples()
    assert len(sample_files()) > 40


@pytest.mark.parametrize("path", sample_files(), ids=lambda path: path.name)
def test_every_sample_takes_a_profile(path: object) -> None:
    data = sample(str(path))
    profile = profiles.detect(data)
    assert len(profiles.digest(data, profile)) == 32
    document = data.lstrip()[:1] == b"{"
    assert (profile == profiles.BYTES) != document


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_canonical_form_is_that_of_rfc_8785(name: str) -> None:
    given_, expected = sample(f"jcs/{name}.input.json"), sample(f"jcs/{name}.output.json")
    assert profiles.canonical(strict_json.parse(given_)) == expected
    if name != "arrays":
        assert profiles.digest(given_, profiles.JCS) == sha256(expected).digest()


@pytest.mark.parametrize(
    ("signed", "document_hash"),
    [
        ("eddsa-jcs-2022-signedJCS.json", "eddsa-jcs-2022-docHashJCS.txt"),
        (
            "ecdsa-jcs-2019-p256-signedJCSECDSAP256.json",
            "ecdsa-jcs-2019-p256-docHashJCSECDSAP256.txt",
        ),
    ],
)
def test_digest_is_the_document_hash_of_the_w3c(signed: str, document_hash: str) -> None:
    digest = profiles.digest(sample(f"w3c/{signed}"), profiles.JCS)
    assert digest.hex() == sample(f"w3c/{document_hash}").decode().strip()


def test_a_real_seal_is_detected_and_differs_from_its_unsealed_document() -> None:
    sealed, unsealed = sample(SEALED), sample(UNSEALED)
    assert profiles.detect(sealed) == profiles.JWS_JSON
    assert profiles.detect(unsealed) == profiles.JCS
    assert profiles.digest(sealed, profiles.JWS_JSON) != profiles.digest(unsealed, profiles.JCS)


def test_a_real_seal_keeps_its_digest_when_an_archive_timestamp_is_added() -> None:
    sealed = sample(SEALED)
    document = json.loads(sealed)
    document["signatures"][0]["header"]["etsiU"].append("bmV3")
    altered = json.dumps(document).encode()
    digest = profiles.digest(sealed, profiles.JWS_JSON)
    assert profiles.digest(altered, profiles.JWS_JSON) == digest
    document["payload"] = document["payload"].replace("a", "b", 1)
    changed = json.dumps(document).encode()
    assert profiles.digest(changed, profiles.JWS_JSON) != digest


def test_a_key_with_a_greek_letter_is_bound_like_any_other() -> None:
    data = sample("elm/credential-sample.jsonld").decode()
    key = "eIDAS\N{GREEK CAPITAL LETTER IOTA}dentifier"
    assert key in data
    latin = data.replace(key, "eIDASIdentifier")
    assert profiles.digest(data.encode(), profiles.JCS) != profiles.digest(
        latin.encode(), profiles.JCS
    )


@pytest.mark.parametrize(
    ("data", "profile"),
    [
        (b"", "bytes-sha256"),
        (b"%PDF-1.7\n", "bytes-sha256"),
        (b"\x89PNG\r\n\x1a\n", "bytes-sha256"),
        (b"plain text", "bytes-sha256"),
        (b'"a JSON string"', "bytes-sha256"),
        (b"[1, 2]", "bytes-sha256"),
        (b"eyebrow.raised.twice", "bytes-sha256"),
        (b"eyebrows are not JWTs", "bytes-sha256"),
        (b' \n{"a": 1}', "jcs-sha256"),
        (b'{"payload": 1}', "jcs-sha256"),
        (b"eyJh\n", "bytes-sha256"),
    ],
)
def test_detection(data: bytes, profile: str) -> None:
    assert profiles.detect(data) == profile
    assert profiles.digest(data, profile)


HEADER = base64url.encode(b'{"alg":"EdDSA"}').encode()


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1,}',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-16-be"),
        b"[1, 2",
        b"{\\rtf1}",
        b'{"payload": "YQ", "signature": "AA"}',
        b'{"payload": {}, "signatures": []}',
        HEADER + b".YQ=.AA",
        HEADER + b".YQ.",
        HEADER + b".YQ\n.AA",
        HEADER + b"==.YQ.AA",
        base64url.encode(b'{"typ":"JWT"}').encode() + b".YQ.AA",
        base64url.encode(b"{broken").encode() + b".YQ.AA",
    ],
)
def test_what_looks_like_json_or_a_jwt_but_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(UnparsableCredentialError):
        profiles.detect(data)
    assert profiles.digest(data, "bytes-sha256") == sha256(data).digest()


def test_detection_refuses_a_repeated_key() -> None:
    with pytest.raises(DuplicateKeyError):
        profiles.detect(b'{"a":1,"a":2}')


@pytest.mark.parametrize("profile", profiles.PROFILES)
def test_every_profile_has_a_size_limit(profile: str) -> None:
    limit = profiles.PROFILES[profile].bytes_max
    with pytest.raises(CredentialTooLargeError):
        profiles.digest(bytes(limit + 1), profile)


def test_detection_does_not_take_a_huge_json_file_for_opaque_bytes() -> None:
    with pytest.raises(CredentialTooLargeError):
        profiles.detect(b"{" + b" " * strict_json.BYTES_MAX)


def test_an_unknown_profile_is_named_with_those_that_exist() -> None:
    with pytest.raises(UnknownProfileError, match="jws-json-sha256"):
        profiles.digest(b"", "sha256")


@given(st.dictionaries(TEXTS.filter(lambda key: key != "proof"), DOCUMENTS, max_size=6), DOCUMENTS)
def test_spelling_and_proof_do_not_change_the_digest(
    document: dict[str, object], proof: object
) -> None:
    digest = profiles.digest(json.dumps(document).encode(), profiles.JCS)
    reordered = {"proof": proof, **dict(reversed(document.items()))}
    respelt = json.dumps(reordered, ensure_ascii=False, indent=3).encode()
    assert profiles.digest(respelt, profiles.JCS) == digest


@given(st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=6), st.data())
def test_any_other_text_changes_the_digest(document: dict[str, str], data: st.DataObject) -> None:
    document.pop("proof", None)
    document["fixed"] = "value"
    key = data.draw(st.sampled_from(sorted(document)))
    other = data.draw(TEXTS.filter(lambda text: text != document[key]))
    changed = {**document, key: other}
    assert profiles.digest(json.dumps(document).encode(), profiles.JCS) != profiles.digest(
        json.dumps(changed).encode(), profiles.JCS
    )


@given(st.binary(max_size=300))
def test_canonical_form_parses_to_itself(data: bytes) -> None:
    text = json.dumps({"a": data.decode("latin-1")}).encode()
    once = profiles.canonical(strict_json.parse(text))
    assert profiles.canonical(strict_json.parse(once)) == once


@given(st.binary(max_size=60))
def test_base64url_has_one_spelling(data: bytes) -> None:
    text = base64url.encode(data)
    assert base64url.decode(text, "it") == data


@given(st.text(st.sampled_from("AQgwZ-_+/=\n"), max_size=9))
def test_base64url_accepts_only_what_it_writes(text: str) -> None:
    try:
        decoded = base64url.decode(text, "it")
    except UnparsableCredentialError:
        return
    assert base64url.encode(decoded) == text


@given(st.sampled_from(sorted(profiles.PROFILES)), st.binary(max_size=100))
def test_any_bytes_give_a_digest_or_a_credential_error(profile: str, data: bytes) -> None:
    try:
        assert len(profiles.digest(data, profile)) == 32
        profiles.digest(data, profiles.detect(data))
    except CredentialError:
        return


@given(
    st.text(st.sampled_from('{}"payload signatures:,[]protected.eyJ~='), max_size=80),
)
def test_detection_never_fails_otherwise(text: str) -> None:
    try:
        profile = profiles.detect(text.encode())
    except CredentialError:
        return
    assert profiles.digest(text.encode(), profile)
