"""Whatever is sent, the answer is clear: a problem with a stable code, and nothing is stored."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from testamur.api.requests import ENTRIES_MAX, SUBMISSION_BYTES_MAX
from tests.api.problems import assert_problem
from tests.support.node import EXAMPLES, Committed, Consortium, HttpNode

Registered = tuple[Committed, dict[str, Any]]
JSON = {"Content-Type": "application/json"}
OCTETS = {"Content-Type": "application/octet-stream"}
GOOD = "e3" * 32


@pytest.fixture(autouse=True)
def _nothing_is_stored(node: HttpNode) -> Iterator[None]:
    before = node.http.get("/v1/ledger").json()["queued"]
    yield
    assert node.http.get("/v1/ledger").json()["queued"] == before


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="no entries"),
        pytest.param(b'["zz' + b"0" * 62 + b'"]', id="not hex"),
        pytest.param(json.dumps([GOOD.upper()]).encode(), id="upper case"),
        pytest.param(json.dumps([GOOD[2:]]).encode(), id="31 bytes"),
        pytest.param(json.dumps([GOOD + "00"]).encode(), id="33 bytes"),
        pytest.param(json.dumps(["0x" + GOOD]).encode(), id="0x"),
        pytest.param(json.dumps([" " + GOOD]).encode(), id="white space"),
        pytest.param(json.dumps([GOOD + "\n"]).encode(), id="line feed"),
        pytest.param(json.dumps([GOOD, None]).encode(), id="null among good ones"),
        pytest.param(json.dumps([int(GOOD, 16) % 2**53]).encode(), id="a number"),
        pytest.param(json.dumps(GOOD).encode(), id="no array"),
        pytest.param(json.dumps({"entries": [GOOD]}).encode(), id="an object"),
        pytest.param(b'{"entries": [], "entries": []}', id="duplicate keys"),
        pytest.param(b"[" * 5000 + b"]" * 5000, id="5,000 deep"),
        pytest.param(b'{"a":' * 5000 + b"1" + b"}" * 5000, id="5,000 deep objects"),
        pytest.param(b"[NaN]", id="NaN"),
        pytest.param(b"[Infinity]", id="Infinity"),
        pytest.param(b"[1e400]", id="too large a number"),
        pytest.param(b"[" + b"9" * 5000 + b"]", id="5,000 digits"),
        pytest.param(f'["{GOOD}"'.encode(), id="truncated JSON"),
        pytest.param(f'["{GOOD}"] x'.encode(), id="trailing garbage"),
        pytest.param(f'["{GOOD}",]'.encode(), id="trailing comma"),
        pytest.param(b"\xef\xbb\xbf" + f'["{GOOD}"]'.encode(), id="byte order mark"),
        pytest.param(f'["{GOOD}"]'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'["\xff"]', id="not UTF-8"),
        pytest.param(b'["\\ud800"]', id="lone surrogate"),
    ],
)
def test_a_submission_of_another_form_is_refused(node: HttpNode, body: bytes) -> None:
    answer = node.http.post("/v1/entries", content=body, headers=JSON)
    assert_problem(answer, 400, "request_format")


@pytest.mark.parametrize("length", [0, 1, 31, 33, 63, 65])
def test_raw_bytes_that_are_not_whole_entries_are_refused(node: HttpNode, length: int) -> None:
    answer = node.http.post("/v1/entries", content=b"\xe3" * length, headers=OCTETS)
    assert_problem(answer, 400, "request_format")


def test_too_many_entries_are_refused_as_a_whole(node: HttpNode) -> None:
    count = ENTRIES_MAX + 1
    raw = b"".join(number.to_bytes(32, "big") for number in range(count))
    answer = node.http.post("/v1/entries", content=raw, headers=OCTETS)
    assert_problem(answer, 413, "too_many_entries", advice=True)
    answer = node.http.post("/v1/entries", json=[GOOD] * count)
    assert_problem(answer, 413, "too_many_entries", advice=True)


def test_a_body_over_the_limit_is_refused_before_it_is_read(node: HttpNode) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(SUBMISSION_BYTES_MAX // 2**20 + 1):
            yield b" " * 2**20

    answer = node.http.post("/v1/entries", content=b"".join(endless()), headers=OCTETS)
    assert_problem(answer, 413, "request_too_large", advice=True)
    # And without a Content-Length, in chunks.
    answer = node.http.post("/v1/entries", content=endless(), headers=OCTETS)
    assert_problem(answer, 413, "request_too_large", advice=True)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", "", "ß"])
def test_another_content_type_is_refused(node: HttpNode, kind: str) -> None:
    answer = node.http.post(
        "/v1/entries", content=b"\xe3" * 32, headers=[(b"Content-Type", kind.encode())]
    )
    assert_problem(answer, 415, "unsupported_media_type")
    if kind != "multipart/form-data":
        answer = node.http.post(
            "/v1/verify", content=b"{}", headers=[(b"Content-Type", kind.encode())]
        )
        assert_problem(answer, 415, "unsupported_media_type")


def test_a_content_type_may_have_parameters_and_capitals(node: HttpNode) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    answer = node.http.post("/v1/entries", content=b"[]", headers=headers)
    assert_problem(answer, 400, "request_format")


@pytest.mark.parametrize("path", ["/v1/entries", "/v1/verify"])
def test_a_body_that_is_cut_off_stores_nothing(
    node: HttpNode, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = urlsplit(node.url)
    assert url.hostname is not None
    assert url.port is not None
    with socket.create_connection((url.hostname, url.port), timeout=10) as raw:
        raw.sendall(
            f"POST {path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 64\r\n"
            "Content-Type: application/octet-stream\r\n\r\n".encode()
            + b"\xe3" * 32
        )
        raw.shutdown(socket.SHUT_WR)
        told = raw.makefile("rb").read()
    assert b"HTTP/1.1 2" not in told
    assert b"HTTP/1.1 5" not in told
    assert b"Traceback" not in told
    assert_problem(node.http.get("/v1/entries/" + "e3" * 32), 404, "unknown_entry", advice=True)
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("folder", ["entries", "receipts"])
@pytest.mark.parametrize(
    "entry",
    [
        GOOD[1:], GOOD + "0", GOOD[2:], GOOD.upper(), "0x" + GOOD, GOOD + "%0A", "<entry>",
        "g" * 64, "%00" * 64, "é" * 64, "e" * 999,
    ],
)  # fmt: skip
def test_a_malformed_entry_in_a_path_is_refused(node: HttpNode, folder: str, entry: str) -> None:
    answer = node.http.get(f"/v1/{folder}/{entry}")
    assert_problem(answer, 400, "request_format")
    assert entry not in answer.text


@pytest.mark.parametrize("folder", ["entries", "receipts"])
def test_an_entry_unknown_to_the_node_is_not_found(node: HttpNode, folder: str) -> None:
    answer = node.http.get(f"/v1/{folder}/{'07' * 32}")
    assert_problem(answer, 404, "unknown_entry", advice=True)


@pytest.mark.parametrize(
    "path", ["/verify", "/v1", "/v2/entries", "/v1/entries/", "/v1/x", "/.env"]
)
def test_an_unknown_path_is_not_found(node: HttpNode, path: str) -> None:
    answer = node.http.get(path, follow_redirects=False)
    if answer.status_code != 307:  # a slash too many
        assert answer.status_code in {404, 405}
        assert_problem(
            answer,
            answer.status_code,
            "no_such_resource" if answer.status_code == 404 else "method_not_allowed",
        )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/entries"),
        ("DELETE", f"/v1/entries/{GOOD}"),
        ("PUT", "/v1/verify"),
        ("POST", "/v1/ledger"),
        ("PATCH", "/health/live"),
    ],
)
def test_a_wrong_method_is_refused_and_the_right_one_named(
    node: HttpNode, method: str, path: str
) -> None:
    answer = node.http.request(method, path)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


# --- verify: the request ------------------------------------------------------------------------


def body(registered: Registered, **given: Any) -> dict[str, Any]:
    committed, receipt = registered
    asked = {"profile": committed.profile, "digest": committed.digest.hex(), "receipt": receipt}
    return {name: value for name, value in (asked | given).items() if value is not ...}


@pytest.mark.parametrize(
    "given",
    [
        {"profile": ...},
        {"digest": ...},
        {"receipt": ...},
        {"profile": "md5"},
        {"profile": "padding"},
        {"profile": 1},
        {"profile": "x" * 100_000},
        {"digest": "00" * 31},
        {"digest": "00" * 33},
        {"digest": "AA" * 32},
        {"digest": None},
        {"salt": "00" * 32},
        {"x" * 100_000: 1},
    ],
    ids=lambda given: str(given)[:40],
)
def test_a_verification_of_another_form_is_refused(
    node: HttpNode, registered: Registered, given: dict[str, Any]
) -> None:
    answer = node.http.post("/v1/verify", json=body(registered, **given))
    assert_problem(answer, 400, "request_format")


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b'"x"', b"{", b"[" * 5000, b'{"receipt":' * 5000, b'{"a":1,"a":1}'],
)
def test_a_verification_that_is_no_strict_json_object_is_refused(
    node: HttpNode, raw: bytes
) -> None:
    answer = node.http.post("/v1/verify", content=raw, headers=JSON)
    assert_problem(answer, 400, "request_format")


def parts(registered: Registered, **given: Any) -> list[tuple[str, Any]]:
    committed, receipt = registered
    files: dict[str, Any] = {"file": committed.data, "receipt": json.dumps(receipt).encode()}
    return [(name, data) for name, data in (files | given).items() if data is not ...]


@pytest.mark.parametrize(
    "change",
    [
        lambda given: [given[1]],
        lambda _: [],
        lambda given: [*given, given[0]],
        lambda given: [*given, given[1]],
        lambda given: [given[0], given[0]],
        lambda given: [*given, ("salt", b"x")],
        lambda given: [("File", given[0][1]), given[1]],
        lambda given: [("n" * 100_000, given[0][1]), given[1]],
        lambda given: [given[0], ("receipt", b"")],
        lambda given: [given[0], ("receipt", b"{" * 5000)],
        lambda given: [given[0], ("receipt", b"%PDF-1.7")],
        lambda given: [given[0], ("receipt", b'{"type":1,"type":1}')],
    ],
    ids=[
        "no file", "nothing", "two files", "two receipts", "file for receipt",
        "one too many", "other case", "huge name", "empty receipt", "deep receipt", "PDF receipt",
        "duplicate keys",
    ],
)  # fmt: skip
@pytest.mark.parametrize("as_files", [True, False])
def test_a_form_with_other_parts_is_refused(
    node: HttpNode, registered: Registered, change: Any, *, as_files: bool
) -> None:
    given = change(parts(registered))
    named = [(name, ("a.json" if as_files else None, data)) for name, data in given]
    if named:
        answer = node.http.post("/v1/verify", files=named)
    else:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = node.http.post("/v1/verify", content=b"--x--\r\n", headers=headers)
    assert_problem(answer, 400, "request_format")


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("multipart/form-data", b"--x--\r\n"),
        ("multipart/form-data; boundary=", b"--x--\r\n"),
        ("multipart/form-data; boundary=" + "x" * 71, b"--x--\r\n"),
        ('multipart/form-data; boundary="a\\"b"', b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"garbage"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=file"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: b\r\n" * 50_000 + b"\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A" * 2**20 + b": b\r\n\r\n--x--\r\n"),
    ],
    ids=range(10),
)
def test_a_form_that_cannot_be_read_is_refused(node: HttpNode, kind: str, raw: bytes) -> None:
    answer = node.http.post("/v1/verify", content=raw, headers={"Content-Type": kind})
    assert_problem(answer, 400, "request_format")


@pytest.mark.parametrize(
    "charset", ["undefined", "unicode_escape", "utf-16", "utf-7", "idna", "base64", "\xff", "ascii"]
)
def test_a_charset_neither_alters_a_credential_nor_breaks_the_node(
    consortium: Consortium, node: HttpNode, charset: str
) -> None:
    committed = consortium.commit(1, b"%PDF-1.7 \xff\xfe\x00 \\ud800 caf\xc3\xa9", "a.pdf")
    (receipt,) = consortium.register(node, committed)
    raw = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part
        for part in ((b"file", committed.data), (b"receipt", json.dumps(receipt).encode()))
    )
    kind = b"multipart/form-data; boundary=x; charset=" + charset.encode("latin-1")
    answer = node.http.post(
        "/v1/verify", content=raw + b"--x--\r\n", headers=[(b"Content-Type", kind)]
    )
    assert answer.status_code == 200, answer.text
    assert {c["name"]: c["status"] for c in answer.json()["checks"]}["credential"] == "valid"


def test_an_upload_of_any_size_never_touches_the_disk(
    node: HttpNode, registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever asks for a temporary file now gets an error.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    _, receipt = registered
    large = b"%PDF-1.7 " + b"x" * (3 * 2**20)
    files = {"file": ("a.pdf", large), "receipt": ("r.json", json.dumps(receipt).encode())}
    answer = node.http.post("/v1/verify", files=files)
    assert answer.status_code == 200, answer.text
    assert answer.json()["verdict"] == "invalid"


# --- verify: the content, which is for the report -----------------------------------------------


def failing(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(c["name"], c["code"]) for c in report["checks"] if c["status"] == "invalid"]


@pytest.mark.parametrize(
    ("path", "value", "check"),
    [
        (("ledger", "chain_id"), 1, ("receipt", "other_chain")),
        (("ledger", "genesis"), "0x" + "00" * 32, ("receipt", "other_chain")),
        (("ledger", "contract"), "0x" + "00" * 20, ("receipt", "other_contract")),
        (("ledger", "ledger_id"), "00" * 32, ("receipt", "other_ledger")),
        (("surprise",), 1, ("receipt", "receipt_format")),
        (("batch", "surprise"), 1, ("receipt", "receipt_format")),
        (("commitment",), ..., ("credential", "commitment_missing")),
    ],
)
def test_a_receipt_for_something_else_is_rejected_by_name(
    node: HttpNode,
    registered: Registered,
    path: tuple[str, ...],
    value: Any,
    check: tuple[str, str],
) -> None:
    committed, receipt = registered
    changed = json.loads(json.dumps(receipt))
    target = changed
    for name in path[:-1]:
        target = target[name]
    if value is ...:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    report = node.verify(committed, changed)
    assert (report["outcome"], report["verdict"]) == ("reject", "invalid")
    assert failing(report) == [check]


def test_a_receipt_for_another_credential_is_rejected(
    consortium: Consortium, node: HttpNode, registered: Registered
) -> None:
    _, receipt = registered
    report = node.verify(consortium.some(1)[0], receipt)
    assert report["outcome"] == "reject"
    assert failing(report) == [("credential", "other_credential")]
    assert report["registered_by"] is None


@pytest.mark.parametrize("where", ["batch", "record", "member"])
@pytest.mark.parametrize("change", [lambda p: p[:-1], lambda p: [*p, p[0]], lambda _: []])
def test_a_proof_too_long_or_too_short_is_rejected(
    node: HttpNode, registered: Registered, where: str, change: Any
) -> None:
    committed, receipt = registered
    assert receipt[where]["path"]
    changed = receipt | {where: receipt[where] | {"path": change(receipt[where]["path"])}}
    report = node.verify(committed, changed)
    assert report["outcome"] == "reject"
    assert failing(report) == [(where, f"{where}_proof_length")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unparsable_credential"),
        (b"{", "unparsable_credential"),
        (b'{"a":1,"a":1}', "duplicate_key"),
        (b"[" * 5000, "nesting_too_deep"),
        (b"[NaN]", "number_out_of_range"),
        (b"\x00\xff" * 100, "unparsable_credential"),
    ],
)
def test_an_unparsable_credential_is_an_invalid_check(
    node: HttpNode, registered: Registered, data: bytes, code: str
) -> None:
    _, receipt = registered
    files = {"file": ("a.json", data), "receipt": ("r.json", json.dumps(receipt).encode())}
    answer = node.http.post("/v1/verify", files=files)
    assert answer.status_code == 200
    assert answer.json()["outcome"] == "reject"
    assert failing(answer.json()) == [("credential", code)]


@pytest.mark.parametrize("receipt", [None, [], {}, "x", 1, {"type": "testamur/receipt/v2"}])
def test_what_is_no_receipt_is_rejected_with_its_code(
    node: HttpNode, registered: Registered, receipt: Any
) -> None:
    committed, _ = registered
    report = node.verify(committed, receipt)
    assert report["outcome"] == "reject"
    assert failing(report) == [("receipt", "receipt_format")]


def test_each_sample_with_a_receipt_of_another_one_is_rejected(
    node: HttpNode, registered: Registered
) -> None:
    _, receipt = registered
    for path in sorted(EXAMPLES.iterdir()):
        files = {
            "file": (path.name, path.read_bytes()),
            "receipt": ("r.json", json.dumps(receipt).encode()),
        }
        answer = node.http.post("/v1/verify", files=files)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "reject")
