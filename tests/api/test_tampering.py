"""Every field of a real receipt is changed, one at a time: none of them can be without notice."""

from __future__ import annotations

import copy
import json
import string
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testamur.credentials.profiles import PROFILES
from testamur.ledger.bundle import make_bundle
from tests.support.located import JSON_TEMPLATE, PDF_TEMPLATE, located
from tests.support.node import Committed, Consortium, HttpNode

pytestmark = pytest.mark.slow  # thousands of verifications

Registered = tuple[Committed, dict[str, Any]]
Path = tuple[str | int, ...]
JSON = {"Content-Type": "application/json"}
OCTETS = {"Content-Type": "application/octet-stream"}


def fields(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """List every value in a document, containers included."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from fields(inner, (*path, name))
    if isinstance(value, list):
        for position, inner in enumerate(value):
            yield from fields(inner, (*path, position))


def changed(document: dict[str, Any], path: Path, new: object) -> dict[str, Any]:
    """Copy a document with one value replaced; ``...`` takes it out."""
    result = copy.deepcopy(document)
    target: Any = result
    for step in path[:-1]:
        target = target[step]
    if new is ...:
        del target[path[-1]]
    else:
        target[path[-1]] = new
    return result


def others(value: object) -> Iterator[object]:
    """Think of other values in the place of one."""
    yield from (None, ..., [] if isinstance(value, str | int) else "")
    if isinstance(value, dict):
        yield value | {"surprise": 1}
    elif isinstance(value, list):
        yield from (value[:-1], value[1:], value[::-1], [*value, "00" * 32], [*value, *value])
    elif isinstance(value, int):
        yield from (value + 1, value + 2, value - 1, -value, 2**32, 2**53 - 1)
        yield from (str(value), value + 0.5)
    elif isinstance(value, str):
        digit = "0" if value[-1] != "0" else "1"
        yield from (value[:-1] + digit, value[:-2], value + "00", value.upper(), "0x" + value)
        yield from (value.removeprefix("0x"), " " + value, value + "\n", "0" * len(value))
        yield from (PROFILES if value in PROFILES else ())


def test_no_field_of_a_receipt_can_be_changed_and_still_be_accepted(
    node: HttpNode, registered: Registered
) -> None:
    committed, receipt = registered
    assert node.verify(committed, receipt)["outcome"] == "accept"
    tried = 0
    for path, value in fields(receipt):
        for other in others(value):
            if other == value and type(other) is type(value):
                continue
            report = node.verify(committed, changed(receipt, path, other))
            assert report["outcome"] in {"reject", "retry"}, (path, other)
            assert report["registered_by"] is None or report["verdict"] == "invalid"
            tried += 1
    assert tried > 250


def test_a_head_that_the_ledger_has_not_reached_is_not_accepted(
    consortium: Consortium, node: HttpNode
) -> None:
    """A larger size can have a path of the same shape, so that the proof alone does not tell."""
    committed = consortium.some(1)[0]
    consortium.register(node, committed)
    for _ in range(3):
        consortium.register(node, *consortium.some(1))
        receipt = node.receipt(committed)
        for more in range(1, 9):
            size = receipt["ledger"]["size"] + more
            report = node.verify(committed, changed(receipt, ("ledger", "size"), size))
            assert report["outcome"] in {"reject", "retry"}, more


def test_neither_digest_nor_profile_nor_salt_can_be_changed(
    node: HttpNode, registered: Registered
) -> None:
    committed, receipt = registered
    for bit in range(0, 256, 15):
        digest = bytearray(committed.digest)
        digest[bit // 8] ^= 1 << bit % 8
        assert node.ask(committed.profile, bytes(digest), receipt)["outcome"] == "reject"
    for profile in set(PROFILES) - {committed.profile}:
        assert node.ask(profile, committed.digest, receipt)["outcome"] == "reject"
        # Also where the receipt is made to say so.
        forged = changed(receipt, ("commitment", "profile"), profile)
        assert node.ask(profile, committed.digest, forged)["outcome"] == "reject"


@pytest.mark.parametrize("template", [PDF_TEMPLATE, JSON_TEMPLATE], ids=["PDF", "JSON"])
def test_no_byte_of_a_file_with_a_locator_can_be_changed_and_still_be_accepted(
    consortium: Consortium, node: HttpNode, template: bytes
) -> None:
    committed, locator = located(consortium.ledger_id, 1, template, seed=f"changed {template!r}")
    consortium.register(node, committed)

    def outcome(data: bytes) -> str:
        answer = node.http.post("/v1/verify", files={"file": ("a", data)})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["outcome"])

    assert outcome(committed.data) == "accept"
    for position in range(len(committed.data)):
        changed = bytearray(committed.data)
        changed[position] ^= 1
        assert outcome(bytes(changed)) != "accept", position
        if position % 5 == 0:
            del changed[position]
            assert outcome(bytes(changed)) != "accept", position
    assert outcome(committed.data + b"x") != "accept"
    # Nor what the JSON form has in its place.
    asked: dict[str, Any] = {
        "profile": committed.profile,
        "digest": committed.digest.hex(),
        "member": locator.member,
        "salt": locator.salt.hex(),
    }
    assert node.http.post("/v1/verify", json=asked).json()["outcome"] == "accept"
    for name, value in asked.items():
        for other in others(value):
            if other != value:
                answer = node.http.post("/v1/verify", json=changed_to(asked, name, other))
                refused = answer.status_code == 400
                assert refused or answer.json()["outcome"] in {"review", "retry"}, (name, other)


def changed_to(asked: dict[str, Any], name: str, value: object) -> dict[str, Any]:
    return {key: one for key, one in (asked | {name: value}).items() if one is not ...}


def test_another_entry_of_the_same_batch_does_not_do(
    consortium: Consortium, node: HttpNode
) -> None:
    """A valid proof of another entry has fooled published verifiers."""
    one, two = consortium.some(1, 2)
    mine, other = consortium.register(node, one, two)
    assert mine["record"]["root"] == other["record"]["root"]
    report = node.verify(one, other | {"commitment": mine["commitment"]})
    assert report["outcome"] == "reject"
    report = node.verify(one, mine | {"batch": other["batch"]})
    assert report["outcome"] == "reject"


# --- bodies that nobody thought of ---------------------------------------------------------------

FUZZ = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
HEX = st.text(alphabet="0123456789abcdef", min_size=62, max_size=66)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | HEX,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        "application/json",
        "application/octet-stream",
        "application/x-ndjson",
        "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=x; charset=utf-16",
        "text/plain",
    ]
)
PIECES = st.lists(
    st.sampled_from(
        [
            b"--x\r\n", b"\r\n", b"--x--\r\n", b"--", b"x", b"\xff\x00",
            b'Content-Disposition: form-data; name="file"\r\n',
            b'Content-Disposition: form-data; name="receipt"; filename="r.json"\r\n',
            b'Content-Disposition: form-data; name="locator"\r\n',
            b'Content-Disposition: form-data; name="receipt"; filename=""\r\n',
            b"PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x21\x00", b"testamur:1:",
            b"Content-Transfer-Encoding: base64\r\n", b"Content-Type: text/plain\r\n", b"{}",
        ]
    )
    | st.binary(max_size=8),
    max_size=14,
).map(b"".join)  # fmt: skip


def check_answer(answer: Any) -> None:
    """Check that an answer is one of ours, whatever was asked."""
    assert answer.status_code in {200, 202, 400, 413, 415}, answer.text
    assert "Traceback" not in answer.text
    if answer.headers["content-type"] == "application/x-ndjson":
        for line in answer.text.splitlines():
            told = json.loads(line)
            assert "outcome" in told or 400 <= told["status"] < 500
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()["code"]) <= {*string.ascii_lowercase, "_"}


@FUZZ
@given(kind=KINDS, body=st.binary(max_size=100) | PIECES | JSONS.map(json.dumps).map(str.encode))
def test_no_body_of_a_submission_breaks_the_node(node: HttpNode, kind: str, body: bytes) -> None:
    check_answer(node.http.post("/v1/entries", content=body, headers={"Content-Type": kind}))


@FUZZ
@given(kind=KINDS, body=st.binary(max_size=100) | PIECES | JSONS.map(json.dumps).map(str.encode))
def test_no_body_of_a_verification_breaks_the_node(node: HttpNode, kind: str, body: bytes) -> None:
    check_answer(node.http.post("/v1/verify", content=body, headers={"Content-Type": kind}))


LINES = st.lists(
    st.binary(max_size=40) | PIECES | JSONS.map(json.dumps).map(str.encode), max_size=6
).map(b"\n".join)


@FUZZ
@given(body=LINES)
def test_no_line_of_many_breaks_the_node(node: HttpNode, body: bytes) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    check_answer(node.http.post("/v1/verify", content=body, headers=headers))


@FUZZ
@given(
    name=st.sampled_from(["profile", "digest", "member", "salt", "issuers", "receipt", "locator"]),
    value=JSONS,
)
def test_nothing_in_a_located_form_breaks_the_node(
    node: HttpNode, registered: Registered, name: str, value: object
) -> None:
    committed, _ = registered
    asked: dict[str, object] = {
        "profile": committed.profile,
        "digest": committed.digest.hex(),
        "member": 1,
        "salt": committed.salt.hex(),
    }
    body = json.dumps(asked | {name: value}).encode("utf-8", "surrogatepass")
    answer = node.http.post("/v1/verify", content=body, headers=JSON)
    check_answer(answer)
    if answer.status_code == 200:
        assert name != "issuers" or answer.json()["outcome"] in {"accept", "review"}
        assert name == "issuers" or asked[name] == value or answer.json()["outcome"] != "accept"


@FUZZ
@given(
    file=st.binary(max_size=60) | PIECES | JSONS.map(json.dumps).map(str.encode),
    end=st.integers(0, 400),
    receipt=st.none() | st.binary(max_size=20) | JSONS.map(json.dumps).map(str.encode),
    locator=st.none() | st.binary(max_size=20),
)
def test_no_file_breaks_the_node(
    node: HttpNode, file: bytes, end: int, receipt: bytes | None, locator: bytes | None
) -> None:
    begun = make_bundle("a.json", file, receipt or b"{}")
    for data in (file, begun[: -end or None], b"testamur:1:" + file):
        parts = {"file": data, "receipt": receipt, "locator": locator}
        files = {name: (f"{name}.bin", part) for name, part in parts.items() if part is not None}
        answer = node.http.post("/v1/verify", files=files)
        check_answer(answer)
        assert answer.status_code == 400 or answer.json()["outcome"] != "accept"


@FUZZ
@given(data=st.data())
def test_nothing_in_the_place_of_a_part_of_a_receipt_breaks_the_node(
    node: HttpNode, registered: Registered, data: st.DataObject
) -> None:
    committed, receipt = registered
    path, value = data.draw(st.sampled_from(list(fields(receipt))))
    other = data.draw(JSONS)
    asked = {
        "profile": committed.profile,
        "digest": committed.digest.hex(),
        "receipt": changed(receipt, path, other),
    }
    body = json.dumps(asked).encode("utf-8", "surrogatepass")
    answer = node.http.post("/v1/verify", content=body, headers=JSON)
    assert answer.status_code in {200, 400}
    if answer.status_code == 200 and (other != value or type(other) is not type(value)):
        assert answer.json()["outcome"] in {"reject", "retry"}


@FUZZ
@given(added=st.dictionaries(st.sampled_from(["checkpoint", "status", "evidence"]), JSONS))
def test_nothing_in_an_optional_part_breaks_the_node(
    node: HttpNode, registered: Registered, added: dict[str, Any]
) -> None:
    committed, receipt = registered
    asked = {"profile": committed.profile, "digest": committed.digest.hex()}
    body = json.dumps(asked | {"receipt": receipt | added}).encode("utf-8", "surrogatepass")
    answer = node.http.post("/v1/verify", content=body, headers=JSON)
    assert answer.status_code in {200, 400}
