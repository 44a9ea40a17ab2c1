"""A locator has one spelling, is found where the digest binds it, and never guessed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.credentials import base64url, commitment, locator, profiles
from testamur.credentials.locator import Locator
from testamur.errors import (
    CredentialError,
    ForeignLocatorError,
    HashLengthError,
    LocatorFormatError,
    LocatorProfileError,
    MemberRangeError,
    ReusedLocatorError,
    SeveralLocatorsError,
    UnknownProfileError,
    UnmatchedDisclosureError,
)
from testamur.merkle.hashing import Hash32
from tests.credentials.test_sd_jwt import HEADER, disclosure, presentation, reference, token

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats" / "locator.md").read_text("utf-8")
HASHES = st.binary(min_size=32, max_size=32).map(Hash32)
LOCATORS = st.builds(
    Locator, ledger_id=HASHES, member=st.integers(1, commitment.MEMBER_MAX), salt=HASHES
)
ONE = Locator(Hash32(b"\xab" * 32), 3, Hash32(b"\x01" * 32))
OTHER = Locator(Hash32(b"\xab" * 32), 3, Hash32(b"\x02" * 32))
TEXT, OTHER_TEXT = locator.serialise(ONE), locator.serialise(OTHER)


def sealed(payload: bytes, **header: object) -> bytes:
    """Give a flattened JWS with this payload."""
    signature = {"protected": HEADER, "signature": "AAAA", **header}
    return json.dumps({"payload": base64url.encode(payload), **signature}).encode()


def in_every_profile(text: str) -> list[tuple[bytes, str]]:
    """Files of each profile in which ``text`` stands where it is searched."""
    document = {"evidence": [{"id": f"https://verify.example/#{text}"}]}
    written = json.dumps(document).encode()
    return [
        (written, profiles.JCS),
        (json.dumps({text: 1}).encode(), profiles.JCS),
        (token(document).encode(), profiles.JWT),
        (sealed(written), profiles.JWS_JSON),
        (b"%PDF-1.4\n\xff\x00(" + text.encode() + b")\n%%EOF", profiles.BYTES),
    ]


@given(LOCATORS)
def test_a_locator_is_read_back_as_written(one: Locator) -> None:
    text = locator.serialise(one)
    assert locator.parse(text) == one
    assert 142 <= len(text) <= locator.BYTES_MAX == 151
    for data, profile in in_every_profile(text):
        assert locator.find(data, profile) == one


@given(st.text() | st.text("testamur:10af", max_size=160).map("testamur:1:".__add__))
def test_whatever_is_read_is_written_the_same(text: str) -> None:
    try:
        found = locator.parse(text)
    except LocatorFormatError:
        return
    assert locator.serialise(found) == text


@given(LOCATORS, st.data())
def test_one_altered_character_is_another_locator_or_none(
    one: Locator, data: st.DataObject
) -> None:
    text = locator.serialise(one)
    position = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters().filter(lambda new: new != text[position]))
    try:
        assert locator.parse(text[:position] + letter + text[position + 1 :]) != one
    except LocatorFormatError:
        return


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.upper(),
        TEXT.replace("ab", "AB"),
        TEXT.replace(":3:", ":03:"),
        TEXT.replace(":3:", ":+3:"),
        TEXT.replace(":3:", ":0:"),
        TEXT.replace(":3:", "::"),
        TEXT.replace(":3:", ":4294967296:"),
        TEXT.replace(":3:", ":99999999999:"),
        TEXT.replace(":3:", ":\N{ARABIC-INDIC DIGIT THREE}:"),
        TEXT.replace(":1:", ":2:", 1),
        TEXT.replace(":1:", ":01:", 1),
        TEXT.replace("testamur", "testamur "),
        TEXT[:-1],
        TEXT + "0",
        TEXT + "\n",
        " " + TEXT,
        TEXT + ":",
        TEXT[:40] + "\n" + TEXT[40:],
        TEXT[:-1] + "\ud800",
    ],
)
def test_another_spelling_is_no_locator(text: str) -> None:
    with pytest.raises(LocatorFormatError):
        locator.parse(text)


@pytest.mark.parametrize(
    "damaged",
    [
        TEXT[:-1],
        TEXT.replace(":3:", ":03:"),
        TEXT.replace(":3:", ":4294967296:"),
        TEXT.replace("ab", "AB"),
        TEXT[:40] + "\n" + TEXT[40:],
        "testamur:1:",
        f"{TEXT} testamur:1:testamur:1:",
    ],
)
def test_a_damaged_locator_is_not_passed_over(damaged: str) -> None:
    for data, profile in in_every_profile(damaged):
        with pytest.raises(LocatorFormatError):
            locator.find(data, profile)


def test_two_different_locators_are_refused_and_one_twice_is_one() -> None:
    for data, profile in in_every_profile(f"{TEXT} {OTHER_TEXT}"):
        with pytest.raises(SeveralLocatorsError):
            locator.find(data, profile)
    for data, profile in in_every_profile(TEXT + TEXT):
        assert locator.find(data, profile) == ONE
    apart = json.dumps({"a": TEXT, "b": [{"c": OTHER_TEXT}]}).encode()
    with pytest.raises(SeveralLocatorsError):
        locator.find(apart, profiles.JCS)


def test_a_credential_without_a_locator_has_none() -> None:
    for data, profile in in_every_profile("testamur: the degree; testamur:2:x"):
        assert locator.find(data, profile) is None
    assert locator.find(b"", profiles.BYTES) is None


def test_what_follows_the_salt_is_not_part_of_the_locator() -> None:
    """In a PNG a text chunk is followed at once by its checksum."""
    for after in (b"0", b"f", b"Z", b":", b"\xff"):
        data = b"tEXtComment\x00" + TEXT.encode() + after
        assert locator.find(data, profiles.BYTES) == ONE


def test_escapes_are_resolved_where_strings_are_parsed_and_only_there() -> None:
    escaped = ('{"a": "' + TEXT.replace(":", "\\u003a") + '"}').encode()
    assert locator.find(escaped, profiles.JCS) == ONE
    assert locator.find(token({"a": TEXT}).encode(), profiles.BYTES) is None
    assert locator.find(escaped, profiles.BYTES) is None


def test_what_the_digest_does_not_bind_is_not_searched() -> None:
    unbound = {"a": TEXT, "proof": {"nonce": OTHER_TEXT}, "inner": {"proof": TEXT}}
    assert locator.find(json.dumps(unbound).encode(), profiles.JCS) == ONE
    only = json.dumps({"proof": {"nonce": TEXT}}).encode()
    assert locator.find(only, profiles.JCS) is None
    inner = json.dumps({"a": TEXT, "b": {"proof": OTHER_TEXT}}).encode()
    with pytest.raises(SeveralLocatorsError):
        locator.find(inner, profiles.JCS)
    assert locator.find(sealed(b"{}", header={"note": TEXT}), profiles.JWS_JSON) is None


def test_a_locator_that_is_disclosed_is_found_and_a_withheld_one_is_not() -> None:
    hidden = disclosure("salt", "locator", TEXT)
    payload = {"_sd": [reference(hidden)]}
    assert locator.find(presentation(payload, hidden), profiles.JWT) == ONE
    assert locator.find(presentation(payload), profiles.JWT) is None
    jws = sealed(json.dumps(payload).encode(), header={"disclosures": [hidden]})
    assert locator.find(jws, profiles.JWS_JSON) == ONE
    with pytest.raises(UnmatchedDisclosureError):
        locator.find(presentation({}, hidden), profiles.JWT)


def test_a_payload_that_is_no_json_object_is_searched_as_bytes() -> None:
    for payload in (TEXT.encode(), f'["{TEXT}"]'.encode(), f'{{"a":"{TEXT}","a":1}}'.encode()):
        jwt = f"{HEADER}.{base64url.encode(payload)}.AAAA".encode()
        assert locator.find(jwt, profiles.JWT) == ONE
        assert locator.find(sealed(payload), profiles.JWS_JSON) == ONE


@given(st.binary(), st.sampled_from(sorted(profiles.PROFILES)))
def test_any_bytes_give_an_answer_or_a_credential_error(data: bytes, profile: str) -> None:
    try:
        assert locator.find(data, profile) is None
    except CredentialError:
        return


def choose(data: bytes, profile: str | None = None) -> tuple[str, Hash32 | None]:
    return locator.choose(data, profile=profile, ledger_id=ONE.ledger_id, member=ONE.member)


def test_the_salt_of_a_locator_is_chosen_and_none_without_one() -> None:
    for data, profile in in_every_profile(TEXT):
        assert choose(data) == choose(data, profile) == (profile, ONE.salt)
    assert choose(b"{}") == (profiles.JCS, None)
    assert choose(b"{}", profiles.BYTES) == (profiles.BYTES, None)
    # What no profile but the bytes takes may be committed as bytes, if there is no locator.
    assert choose(b'{"a":1,"a":2}', profiles.BYTES) == (profiles.BYTES, None)
    with pytest.raises(CredentialError):
        choose(b'{"a":1,"a":2}')


def test_with_a_locator_no_profile_but_the_detected_one_is_taken() -> None:
    for data, profile in in_every_profile(TEXT)[:4]:
        assert profile != profiles.BYTES
        with pytest.raises(LocatorProfileError, match=f"{profile} is detected"):
            choose(data, profiles.BYTES)
    # Found where the one asked for searches, or where the detected one does.
    outside = f'{{"a": 1, "proof": "{TEXT}"}}'.encode()
    escaped = json.dumps({"link": TEXT}).replace("testamur", "\\u0074estamur").encode()
    for data in (outside, escaped, f'{{"a":1,"a":"{TEXT}"}}'.encode()):
        with pytest.raises(LocatorProfileError):
            choose(data, profiles.BYTES)
    assert choose(outside) == (profiles.JCS, None)


@pytest.mark.parametrize(
    ("foreign", "what"),
    [
        (Locator(Hash32(b"\xac" * 32), 3, ONE.salt), "ledger"),
        (Locator(ONE.ledger_id, 4, ONE.salt), "member"),
    ],
)
def test_the_locator_of_another_ledger_or_member_is_refused(foreign: Locator, what: str) -> None:
    for data, _ in in_every_profile(locator.serialise(foreign)):
        with pytest.raises(ForeignLocatorError, match=f"another {what}"):
            choose(data)


def test_what_breaks_its_profile_is_refused() -> None:
    for profile in (profiles.JCS, profiles.JWT, profiles.JWS_JSON):
        with pytest.raises(CredentialError):
            locator.find(TEXT.encode(), profile)
    with pytest.raises(UnknownProfileError):
        locator.find(b"{}", "padding")


def test_no_impossible_locator_is_written() -> None:
    for member in (0, -1, 2**32):
        with pytest.raises(MemberRangeError):
            locator.serialise(Locator(ONE.ledger_id, member, ONE.salt))
    with pytest.raises(HashLengthError):
        locator.serialise(Locator(ONE.ledger_id, 1, Hash32(b"short")))


def test_the_salt_does_not_appear_in_logs() -> None:
    assert "x01" not in repr(ONE)


def test_the_examples_on_the_page_hold() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    example = json.loads(block)
    one = locator.parse(example["locator"])
    assert one.ledger_id.hex() == example["ledger_id"]
    assert (one.member, one.salt.hex()) == (example["member"], example["salt"])
    assert locator.serialise(one) == example["locator"]
    for found in example["found"]:
        assert locator.find(found["artefact"].encode(), found["profile"]) == one
        assert profiles.detect(found["artefact"].encode()) == found["profile"]
    for refused in example["refused"]:
        with pytest.raises(LocatorFormatError):
            locator.parse(refused["locator"])
    raised = (
        ForeignLocatorError,
        LocatorFormatError,
        LocatorProfileError,
        ReusedLocatorError,
        SeveralLocatorsError,
    )
    assert {kind.code for kind in raised} == set(re.findall(r"\[`([a-z_]+)`\]", PAGE))
