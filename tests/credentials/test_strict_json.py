"""JSON is read in one way only, and nothing makes the reader run away."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.credentials import strict_json
from testamur.errors import (
    CredentialError,
    CredentialTooLargeError,
    NestingTooDeepError,
    NumberOutOfRangeError,
    UnparsableCredentialError,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-strict_json.INTEGER_MAX, strict_json.INTEGER_MAX)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=30,
)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"":', b'"\\"[",'])
def test_a_5000_deep_document_is_too_deep_and_no_recursion_error(opening: bytes) -> None:
    with pytest.raises((NestingTooDeepError, UnparsableCredentialError)) as caught:
        strict_json.parse(opening * 5000)
    if not opening.startswith(b'"'):
        assert isinstance(caught.value, NestingTooDeepError)


def test_depth_counts_arrays_and_objects_alike() -> None:
    assert strict_json.parse(b"[" * 128 + b"]" * 128)
    assert strict_json.parse(b'{"a":[' * 64 + b"]}" * 64)
    for document in (b"[" * 129 + b"]" * 129, b'{"a":[' * 64 + b"[]" + b"]}" * 64):
        with pytest.raises(NestingTooDeepError):
            strict_json.parse(document)


def test_breadth_is_not_depth() -> None:
    assert strict_json.parse(b"[" + b"[]," * 1000 + b"[]]") == [[]] * 1001


@pytest.mark.parametrize(
    "string",
    ['"' + "[" * 500 + '"', '"\\"' + "{" * 500 + '"', '"\\\\"', '"\\\\\\"' + "[" * 500 + '"'],
)
def test_brackets_in_strings_are_not_depth(string: str) -> None:
    assert strict_json.parse(string.encode()) == json.loads(string)


@pytest.mark.parametrize(
    "document",
    [
        b'"' * 100_001,
        b'"\\' * 100_000,
        b"[" * 100_000,
        b"]" * 100_000,
        b"\\" * 100_000,
        b"-" * 100_000,
    ],
)
def test_hostile_documents_are_refused(document: bytes) -> None:
    with pytest.raises(CredentialError):
        strict_json.parse(document)


def test_size_is_checked_first() -> None:
    exact = b'"' + b"a" * 10 + b'"'
    assert strict_json.parse(exact, bytes_max=12) == "a" * 10
    with pytest.raises(CredentialTooLargeError):
        strict_json.parse(exact, bytes_max=11)
    with pytest.raises(CredentialTooLargeError):
        strict_json.parse(b"\xff" * (strict_json.BYTES_MAX + 1))


@pytest.mark.parametrize(
    ("text", "value"),
    [("-0", 0), ("-0.0", 0.0), ("1.0", 1.0), ("1E2", 100.0), ("5e-324", 5e-324), ("0e999", 0.0)],
)
def test_numbers_that_have_one_meaning_are_read(text: str, value: float) -> None:
    assert strict_json.parse(text.encode()) == value


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "-0.1e-400", "9" * 100_000],
)
def test_numbers_without_one_meaning_are_refused(text: str) -> None:
    with pytest.raises(NumberOutOfRangeError):
        strict_json.parse(text.encode())


@given(DOCUMENTS)
def test_whatever_is_written_strictly_is_read_back(document: object) -> None:
    for ascii_only in (True, False):
        text = json.dumps(document, ensure_ascii=ascii_only)
        assert strict_json.parse(text.encode()) == document


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_credential_error(data: bytes) -> None:
    try:
        value = strict_json.parse(data)
    except CredentialError:
        return
    assert json.loads(data) == value


@given(st.text(st.sampled_from('{}[]",:\\u0041dD8e.- \n'), max_size=40))
def test_what_is_accepted_means_the_same_to_the_standard_reader(text: str) -> None:
    try:
        value = strict_json.parse(text.encode())
    except CredentialError:
        return
    assert json.loads(text) == value


def test_a_message_shows_no_more_of_a_key_than_needed() -> None:
    key = "\x1b[31m" + "k" * 1000
    document = f"[{{{json.dumps(key)}:1,{json.dumps(key)}:2}}]"
    with pytest.raises(CredentialError) as caught:
        strict_json.parse(document.encode())
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 120
