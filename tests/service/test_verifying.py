"""Verifying by a locator while the chain or the disk fails; and what is left of it: nothing."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from testamur.credentials.locator import Locator
from testamur.ledger.bundle import make_bundle
from testamur.ledger.report import Verdict
from testamur.merkle.hashing import Hash32
from testamur.service.verifying import Moment
from tests.support.located import PDF_TEMPLATE, located
from tests.support.lying_endpoint import LyingEndpoint, hangs_up_on, honest
from tests.support.node import Committed, Consortium, HttpNode, founded

pytestmark = pytest.mark.slow  # as in test_bulk_proving.py

NDJSON = {"Content-Type": "application/x-ndjson"}


def asked(committed: Committed, **given: object) -> dict[str, object]:
    form: dict[str, object] = {
        "profile": committed.profile,
        "digest": committed.digest.hex(),
        "member": 1,
        "salt": committed.salt.hex(),
    }
    return form | given


def ask(node: HttpNode, committed: Committed, **given: object) -> dict[str, Any]:
    answer = node.http.post("/v1/verify", json=asked(committed, **given))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def made(consortium: Consortium, seed: str) -> Committed:
    return located(consortium.ledger_id, 1, PDF_TEMPLATE, seed=seed)[0]


def test_without_the_chain_no_locator_leads_to_a_verdict(consortium: Consortium) -> None:
    with (
        LyingEndpoint(consortium.chain.url) as endpoint,
        consortium.serving(1, rpc_url=endpoint.url) as node,
    ):
        node.step()
        known, unknown, waiting = (made(consortium, seed) for seed in ("a", "b", "c"))
        consortium.register(node, known)
        node.submit(waiting)
        endpoint.lie = hangs_up_on("eth_call")
        for committed in (known, unknown):
            report = ask(node, committed)
            assert (report["outcome"], report["verdict"]) == ("retry", "could_not_check")
            assert report["registered_by"] is report["as_of"] is None
        assert report["checks"][0]["code"] == "chain_unavailable"
        # What waits here waits also without the chain.
        assert ask(node, waiting)["verdict"] == "pending"
        endpoint.lie = honest
        assert ask(node, known)["verdict"] == "verified"
        assert ask(node, unknown)["verdict"] == "not_found"


def test_a_node_that_stopped_following_says_so_where_it_finds_nothing(
    tmp_path: Path,
) -> None:
    with founded(tmp_path) as consortium:
        consortium.clock = lambda: time.time() + 8 * 24 * 3600
        with consortium.serving(1) as node:
            node.step("following")
            report = ask(node, made(consortium, "registered since"))
            assert report["verdict"] == "not_found"
            assert [check["code"] for check in report["checks"]] == ["not_found", "as_of_old"]


def test_a_node_that_has_not_seen_its_ledger_finds_nothing_missing(
    consortium: Consortium,
) -> None:
    with consortium.serving(1) as node:
        committed = made(consortium, "early")
        report = ask(node, committed)
        assert (report["verdict"], report["checks"][0]["code"]) == (
            "could_not_check",
            "not_followed_yet",
        )
        node.submit(committed)
        assert ask(node, committed)["verdict"] == "pending"


def test_the_chain_is_asked_once_for_all_lines(consortium: Consortium) -> None:
    with (
        LyingEndpoint(consortium.chain.url) as endpoint,
        consortium.serving(1, rpc_url=endpoint.url) as node,
    ):
        node.step()
        committed = made(consortium, "once")
        consortium.register(node, committed)
        endpoint.asked.clear()
        line = json.dumps(asked(committed)).encode() + b"\n"
        answer = node.http.post("/v1/verify", content=line * 50, headers=NDJSON)
        outcomes = [json.loads(one)["outcome"] for one in answer.text.splitlines()]
        assert outcomes == ["accept"] * 50
        assert endpoint.asked == ["eth_call"]


def test_what_all_lines_share_is_found_out_once(consortium: Consortium) -> None:
    with consortium.serving(1) as node:
        node.step()
        service = node.node.service
        assert service.members() is service.members()  # nor is the birth parsed again
        presented = replace(
            made(consortium, "nowhere").presented,
            locator=Locator(consortium.ledger_id, 1, Hash32(bytes(32))),
        )
        counted: list[int] = []

        def count_lacking(member: int) -> int:
            counted.append(member)
            return service.replication(member).lacking

        moment = Moment(
            service.ledger(), confirm=lambda _final, _seen: None, count_lacking=count_lacking
        )
        for _ in range(3):
            report = service.verify_without_receipt(presented, moment)
            assert report.verdict is Verdict.NOT_FOUND
        assert counted == [1]


def test_a_damaged_batch_is_the_nodes_fault_and_costs_no_other_line_its_answer(
    consortium: Consortium,
) -> None:
    committed = made(consortium, "damaged")
    with consortium.serving(1) as node:
        node.step()
        consortium.register(node, committed)
        root = node.http.get(f"/v1/entries/{committed.entry.hex()}").json()["batch"]
    (path,) = node.settings.data_dir.rglob(f"{root}*")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-32])
    with consortium.serving(1) as node, capture_logs() as logs:
        answer = node.http.post("/v1/verify", json=asked(committed))
        assert (answer.status_code, answer.json()["code"]) == (500, "corrupt_batch")
        lines = [asked(committed), asked(committed, digest="00" * 32)]
        body = "\n".join(map(json.dumps, lines))
        answer = node.http.post("/v1/verify", content=body, headers=NDJSON)
        first, second = map(json.loads, answer.text.splitlines())
        assert (first["status"], first["code"]) == (500, "corrupt_batch")
        assert second["verdict"] == "not_found"
        failures = [line for line in logs if line["event"] == "request failed"]
        assert [line["code"] for line in failures] == ["corrupt_batch"] * 2
        assert committed.entry.hex() not in str(logs)


def test_nothing_of_a_verification_is_in_a_log_or_on_the_disk(
    consortium: Consortium, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with consortium.serving(1) as node, capture_logs() as logs:
        node.step()
        committed = made(consortium, "private")
        other = made(consortium, "unregistered")
        (receipt,) = consortium.register(node, committed)
        bundle = make_bundle("a.pdf", committed.data, json.dumps(receipt).encode())
        form = asked(other)
        for sent in (
            {"json": form},
            {"json": form | {"salt": 1}},
            {"json": asked(committed)},
            {"files": {"file": other.data}},
            {"files": {"file": other.data + other.data.replace(b"testamur:1:", b"testamur:1:0")}},
            {"files": {"file": committed.data, "receipt": b"{"}},
            {"files": {"file": bundle}},
            {"files": {"file": bundle[:-1]}},
            {"content": json.dumps(form) + "\nx\n", "headers": NDJSON},
        ):
            assert node.http.post("/v1/verify", **sent).status_code in {200, 400}
        told = caplog.text + str(logs)
        for secret in (committed.salt, committed.digest, other.salt, other.digest, other.entry):
            assert secret.hex() not in told
        assert "%PDF" not in told
        kept = b"".join(
            path.read_bytes() for path in node.settings.data_dir.rglob("*") if path.is_file()
        )
        for secret in (committed.salt, committed.digest, other.salt, other.digest, other.entry):
            assert secret not in kept
            assert secret.hex().encode() not in kept
        assert committed.entry in kept  # the search would have found them
