"""What one request, one page or one client may cost the node, and what it may not do."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from testamur.api import requests, server, verify_requests
from testamur.cli.node_client import NodeClient
from testamur.credentials import claims
from tests.support.node import Committed, HttpNode

PAGE = {"Origin": "https://somewhere.example"}


def preflight(node: HttpNode, path: str, method: str) -> Any:
    asked = {
        **PAGE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type",
    }
    return node.http.options(path, headers=asked)


@pytest.mark.parametrize(("path", "method"), [("/v1/verify", "POST"), ("/v1/ledger", "GET")])
def test_any_page_may_read_and_verify(node: HttpNode, path: str, method: str) -> None:
    answer = preflight(node, path, method)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert node.http.get("/v1/ledger", headers=PAGE).headers["access-control-allow-origin"] == "*"


def test_no_page_may_submit(node: HttpNode) -> None:
    answer = preflight(node, "/v1/entries", "POST")
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers
    # What a page can send without asking first is not taken.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        sent = node.http.post(
            "/v1/entries",
            content=b'["' + b"ab" * 32 + b'"]',
            headers={**PAGE, "Content-Type": kind},
        )
        assert (sent.status_code, sent.json()["code"]) == (415, "unsupported_media_type")
        assert "access-control-allow-origin" not in sent.headers


def test_json_that_would_cost_much_memory_is_refused_by_its_size(
    node: HttpNode, registered: tuple[Committed, dict[str, Any]]
) -> None:
    costly = b"[" + b"[]," * (verify_requests.JSON_BYTES_MAX // 3) + b"[]]"
    answer = node.http.post(
        "/v1/verify", content=costly, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")
    committed, _ = registered
    answer = node.http.post(
        "/v1/verify", files={"file": committed.data, "receipt": ("receipt.json", costly)}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "request_format")
    answer = node.http.post(
        "/v1/entries",
        content=b"[" + b"[]," * (requests.SUBMISSION_BYTES_MAX // 3) + b"[]]",
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


def test_a_request_head_without_end_is_cut_off(node: HttpNode) -> None:
    where = urlsplit(node.url)
    sent = 0
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: node\r\n")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 100 * server.HEAD_BYTES_MAX:
                connection.sendall(b"X-More: " + b"a" * 8000 + b"\r\n")
                sent += 8010
    # A good deal may lie in the sockets' buffers, but not that much.
    assert sent < 100 * server.HEAD_BYTES_MAX
    assert node.http.get("/health/live").status_code == 200


def test_a_long_body_after_a_short_head_is_no_long_head(node: HttpNode) -> None:
    entries = json.dumps([f"{number:064x}" for number in range(1, 4000)])
    assert len(entries) > 2 * server.HEAD_BYTES_MAX
    answer = node.http.post(
        "/v1/entries", content=entries, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 202


@pytest.mark.parametrize("length", ["²", "1_0", "+5", "-1", "9" * 40])
def test_a_content_length_is_decimal_digits(node: HttpNode, length: str) -> None:
    where = urlsplit(node.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        head = f"POST /v1/entries HTTP/1.1\r\nHost: node\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(head.encode())
        status = connection.recv(64).split(b" ")[1]
    assert status in {b"400", b"413"}


def test_the_issuer_may_be_compared_without_the_file(
    node: HttpNode, registered: tuple[Committed, dict[str, Any]]
) -> None:
    committed, receipt = registered
    asked = {
        "profile": committed.profile,
        "digest": committed.digest.hex(),
        "receipt": receipt,
    }
    own, foreign = ["University of Aldermere"], ["University of Elsewhere"]
    for issuers, verdict in (
        ([{"names": [own]}], "verified"),
        ([{"id": "urn:x:1", "names": [own]}], "verified"),
        ([{"names": [own + foreign]}], "verified"),
        ([{"names": [foreign]}], "verified_with_warnings"),
        ([{"names": [own, foreign]}], "verified_with_warnings"),
        ([{"names": [own]}, {"names": [foreign]}], "verified_with_warnings"),
        ([{"id": "did:web:elsewhere.example", "names": [own]}], "verified_with_warnings"),
        ([{}], "verified_with_warnings"),
    ):
        report = node.http.post("/v1/verify", json={**asked, "issuers": issuers}).json()
        assert report["verdict"] == verdict
    for wrong in ([], {}, [1], [{"names": [[]]}], [{"names": [[""]]}], [{"names": ["x"]}],
                  [{"id": ""}], [{"id": 1}], [{"name": [["x"]]}], [{}] * 41):  # fmt: skip
        answer = node.http.post("/v1/verify", json={**asked, "issuers": wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "request_format")


@pytest.mark.parametrize(
    ("document", "verdict"),
    [
        ({"issuer": {"id": "urn:x:1", "name": {"en": "University of Aldermere", "es": "U"}}}, ""),
        ({"issuer": {"name": ["University of Aldermere", "Elsewhere"]}}, "_with_warnings"),
        ({"issuer": {"name": ["University of Aldermere"] * 41}}, "_with_warnings"),
        ({"issuer": {"name": ["University of Aldermere", "x" * 2000]}}, "_with_warnings"),
        ({"issuer": {"id": "", "name": "University of Aldermere"}}, "_with_warnings"),
        ({"issuer": ["https://aldermere.example/"] + [{}] * 50}, "_with_warnings"),
    ],
)
def test_the_command_line_hides_no_issuer_from_the_node(
    node: HttpNode,
    registered: tuple[Committed, dict[str, Any]],
    document: dict[str, Any],
    verdict: str,
) -> None:
    committed, receipt = registered
    claim = claims.issuer(json.dumps(document).encode(), "jcs-sha256")
    presented = replace(committed.presented, issuer=claim)
    with NodeClient(str(node.http.base_url).rstrip("/")) as client:
        assert client.verify(presented, receipt)["verdict"] == f"verified{verdict}"
