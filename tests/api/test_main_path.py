"""The main path over real HTTP: submit, watch, receipt, verify; at any member's node."""

from __future__ import annotations

import json
from typing import Any

import pytest

from testamur.credentials.profiles import PROFILES, detect
from testamur.ledger.receipt_json import parse_receipt
from testamur.ledger.trust import parse_trust
from tests.support.node import EXAMPLES, STATES, Committed, Consortium, HttpNode

SAMPLES = sorted(path for path in EXAMPLES.iterdir() if path.is_file())


def checks(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["status"], check["code"]) for check in report["checks"]}


def test_an_entry_goes_through_all_states_and_its_receipt_comes_with_the_anchor(
    consortium: Consortium, node: HttpNode
) -> None:
    committed = consortium.some(1)[0]
    entry = committed.entry.hex()
    assert node.submit(committed) == {"added": 1, "known": 0}
    for state in STATES:
        consortium.bring(node, committed.entry, state)
        told = node.http.get(f"/v1/entries/{entry}").json()
        assert (told["entry"], told["state"]) == (entry, state)
        anchored = state in {"anchored", "final"}
        assert (told["batch"] is None, told["record"] is None) == (state == "queued", not anchored)
        answer = node.http.get(f"/v1/receipts/{entry}")
        if anchored:
            assert answer.status_code == 200
            receipt = parse_receipt(answer.content)
            assert receipt.commitment is None
            assert (receipt.entry, receipt.record.index) == (committed.entry, told["record"])
            assert committed.salt.hex() not in answer.text
        else:
            assert answer.status_code == 202
            assert answer.headers["retry-after"] == "1"
            assert answer.json() == told
    report = node.verify(committed, node.receipt(committed))
    assert (report["outcome"], report["verdict"]) == ("accept", "verified")


def test_between_mined_and_final_the_verdict_is_pending(
    consortium: Consortium, node: HttpNode
) -> None:
    committed = consortium.some(1)[0]
    node.submit(committed)
    consortium.bring(node, committed.entry, "anchored")
    receipt = node.receipt(committed)
    report = node.verify(committed, receipt)
    assert (report["outcome"], report["verdict"]) == ("retry", "pending")
    assert report["registered_by"] is report["registered_at"] is report["carried_by"] is None
    assert checks(report)["final"] == ("unknown", "not_final")
    consortium.bring(node, committed.entry, "final")
    # The same receipt, whose head has become final since.
    assert node.verify(committed, receipt)["outcome"] == "accept"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_every_sample_is_accepted_by_digest_and_by_file(
    consortium: Consortium, sample: Any
) -> None:
    data = sample.read_bytes()
    member = next(
        (
            number
            for number, name in enumerate(("alder", "bris", "cassel"), 1)
            if name in sample.name
        )
    )
    node = consortium.nodes[member]
    committed = consortium.commit(member, data, sample.name)
    (receipt,) = consortium.register(node, committed)
    by_digest = node.verify(committed, receipt)
    assert (by_digest["outcome"], by_digest["verdict"]) == ("accept", "verified")
    assert by_digest["carried_by"] == "head"
    assert by_digest["registered_by"]["id"] == member
    assert by_digest["registered_at"] == receipt["record"]["time"]
    assert by_digest["network"] == {"name": "embedded chain", "kind": "local"}
    answer = node.http.post(
        "/v1/verify",
        files={"file": (sample.name, data), "receipt": ("r.json", json.dumps(receipt).encode())},
    )
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    by_file = answer.json()
    assert by_file["outcome"] == "accept"
    found = checks(by_file)
    named = committed.presented.issuer is not None
    assert found.pop("issuer") == (
        ("valid", "issuer_is_member") if named else ("unknown", "issuer_not_read")
    )
    assert {status for status, _ in found.values()} == {"valid"}
    changed = bytes([data[0], *data[1:-1], data[-1] ^ 1]) if len(data) > 1 else b""
    tampered = node.http.post(
        "/v1/verify",
        files={"file": (sample.name, changed), "receipt": ("r.json", json.dumps(receipt).encode())},
    )
    assert (tampered.status_code, tampered.json()["outcome"]) == (200, "reject")


def test_the_samples_are_of_all_profiles() -> None:
    assert {detect(path.read_bytes()) for path in SAMPLES} == set(PROFILES)


def test_submitting_again_is_harmless_at_every_state(
    consortium: Consortium, node: HttpNode
) -> None:
    one, two = consortium.some(1, 2)
    raw = one.entry + two.entry + one.entry
    octets = {"Content-Type": "application/octet-stream"}
    answer = node.http.post("/v1/entries", content=raw, headers=octets)
    assert (answer.status_code, answer.json()["added"]) == (202, 2)
    for state in STATES:
        consortium.bring(node, one.entry, state)
        assert node.submit(one, two) == {"added": 0, "known": 2}
    batch = node.http.get(f"/v1/entries/{one.entry.hex()}").json()["batch"]
    assert node.http.get(f"/v1/entries/{two.entry.hex()}").json()["batch"] == batch
    node.step()
    assert node.http.get(f"/v1/entries/{one.entry.hex()}").json()["batch"] == batch


def test_three_nodes_follow_the_same_head(
    consortium: Consortium, registered: tuple[Committed, dict[str, Any]]
) -> None:
    del registered  # it is there so that the ledger has records
    for one in consortium.nodes.values():
        one.step("following")
    told = [one.http.get("/v1/ledger").json() for one in consortium.nodes.values()]
    assert [each["member"] for each in told] == [1, 2, 3]
    assert told[0]["final"]["size"] > 3
    for name in ("ledger_id", "chain_id", "genesis", "contract", "network", "final", "seen"):
        assert told[0][name] == told[1][name] == told[2][name], name
    assert told[0]["ledger_id"] == consortium.ledger_id.hex()


def test_any_node_verifies_the_receipt_of_any_member(consortium: Consortium) -> None:
    for member, owner in consortium.nodes.items():
        committed = consortium.some(member)[0]
        (receipt,) = consortium.register(owner, committed)
        for asked in consortium.nodes.values():
            asked.step("following")
            report = asked.verify(committed, receipt)
            assert (report["outcome"], report["registered_by"]["id"]) == ("accept", member)
            if asked is not owner:
                for path in ("entries", "receipts"):
                    answer = asked.http.get(f"/v1/{path}/{committed.entry.hex()}")
                    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_entry")
                    assert answer.json()["advice"]


def test_a_node_that_has_not_followed_so_far_does_not_call_a_receipt_forged(
    consortium: Consortium, node: HttpNode
) -> None:
    committed = consortium.some(1)[0]
    (receipt,) = consortium.register(node, committed)
    report = consortium.nodes[3].verify(committed, receipt)
    assert (report["outcome"], report["verdict"]) == ("retry", "could_not_check")
    assert checks(report)["record"] == ("unknown", "not_seen")


def test_a_receipt_stays_good_while_the_ledger_grows(
    consortium: Consortium,
    node: HttpNode,
    registered: tuple[Committed, dict[str, Any]],
) -> None:
    committed, receipt = registered
    for _ in range(3):
        consortium.register(node, *consortium.some(1))
        assert node.verify(committed, receipt)["outcome"] == "accept"


def test_members_and_trust_say_what_was_deployed(consortium: Consortium, node: HttpNode) -> None:
    members = node.http.get("/v1/members").json()["members"]
    birth = consortium.deployment.birth
    assert [(m["id"], m["name"], m["domain"], m["endpoint"]) for m in members] == [
        (number, m.name, m.domain, m.endpoint) for number, m in enumerate(birth.members, 1)
    ]
    assert [bytes.fromhex(m["anchor_key"][2:]) for m in members] == [
        m.anchor_key for m in birth.members
    ]
    trust = parse_trust(node.http.get("/v1/trust").content)
    assert trust.ledger_id == consortium.ledger_id
    assert trust.contract == consortium.deployment.contract
    assert (trust.threshold, len(trust.members)) == (2, 3)
    assert trust.source is not None
    assert "member 1" in trust.source
    assert "nobody vouches" in trust.source


def test_a_healthy_node_is_live_and_ready(node: HttpNode) -> None:
    assert node.http.get("/health/live").json() == {"live": True}
    answer = node.http.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "checks": {"store": "ok", "chain": "ok", "following": "ok"},
    }


def test_reads_and_verification_are_open_to_pages_of_any_origin(node: HttpNode) -> None:
    answer = node.http.get("/v1/ledger", headers={"Origin": "https://employer.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_no_browser_guesses_what_an_answer_is(node: HttpNode) -> None:
    for path in ("/v1/ledger", "/v1/batches", "/v1/none", "/health/live", "/openapi.json", "/"):
        answer = node.http.get(path)
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"], path
