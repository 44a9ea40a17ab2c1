"""The OpenAPI document describes what the node really does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from testamur.ledger.operator_log import COMMAND_LINE
from testamur.service.access import TokenRequest
from tests.support.node import Committed, HttpNode

VERBS = {"get", "post", "delete"}


@pytest.fixture(scope="module")
def document(node: HttpNode) -> dict[str, Any]:
    answer = node.http.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def test_the_document_is_well_formed(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"]
    assert document["info"]["version"]
    for reference in references(document):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert target
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, verb, operation in operations(document):
        assert verb in VERBS, path
        assert operation["summary"]
        declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        assert all(each["description"] for each in operation["responses"].values())


def test_the_document_has_the_paths_of_this_version_and_no_other(document: dict[str, Any]) -> None:
    assert {(verb, path) for path, verb, _ in operations(document)} == {
        ("post", "/v1/entries"),
        ("get", "/v1/entries/{entry}"),
        ("get", "/v1/receipts/{entry}"),
        ("post", "/v1/receipts"),
        ("post", "/v1/verify"),
        ("get", "/v1/batches"),
        ("post", "/v1/batches"),
        ("get", "/v1/batches/{root}"),
        ("get", "/v1/batches/{root}/entries"),
        ("get", "/v1/ledger"),
        ("get", "/v1/ledger/records"),
        ("get", "/v1/ledger/inclusion"),
        ("get", "/v1/ledger/consistency"),
        ("get", "/v1/members"),
        ("get", "/v1/trust"),
        ("get", "/v1/tokens"),
        ("post", "/v1/tokens"),
        ("delete", "/v1/tokens/{token_id}"),
        ("get", "/v1/operator-log"),
        ("get", "/health/live"),
        ("get", "/health/ready"),
    }


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        assert "422" not in operation["responses"], path
        for status, answer in operation["responses"].items():
            problem = status == "default" or int(status) >= 400
            if problem and path != "/health/ready":
                (kind,) = answer["content"]
                assert kind == "application/problem+json", (path, status)
                schema = answer["content"][kind]["schema"]
                assert {"code", "detail", "status"} <= set(schema["required"])


def test_bodies_are_documented(document: dict[str, Any]) -> None:
    for path in ("/v1/entries", "/v1/receipts"):
        submitted = document["paths"][path]["post"]["requestBody"]["content"]
        assert set(submitted) == {"application/json", "application/octet-stream"}
    verified = document["paths"]["/v1/verify"]["post"]["requestBody"]["content"]
    assert set(verified) == {"application/json", "application/x-ndjson", "multipart/form-data"}
    assert all(form["examples"] for form in verified.values())


def test_answers_have_exactly_the_documented_fields(
    document: dict[str, Any], node: HttpNode, registered: tuple[Committed, dict[str, Any]]
) -> None:
    entry = registered[0].entry.hex()
    wanted = TokenRequest("test of the document", ["audit", "admin"])
    made = node.node.service.access.create(wanted, by=COMMAND_LINE)
    root = node.http.get(f"/v1/entries/{entry}").json()["batch"]
    needed = {
        "/v1/ledger/inclusion": {"index": 1, "size": 2},
        "/v1/ledger/consistency": {"old_size": 1, "size": 2},
    }
    for path, operation in ((p, o) for p, v, o in operations(document) if v == "get"):
        schema = operation["responses"]["200"].get("content", {}).get("application/json", {})
        reference = schema.get("schema", {}).get("$ref")
        if reference is None:
            continue
        named = document["components"]["schemas"][reference.rpartition("/")[2]]
        answer = node.http.get(
            path.replace("{entry}", entry).replace("{root}", root),
            params=needed.get(path),
            headers={"Authorization": f"Bearer {made.text}"},
        )
        assert answer.status_code == 200
        assert set(answer.json()) == set(named["properties"]), path
