"""How much a node takes, over real HTTP: quotas, a full queue, a low disk, and who did what."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from testamur.ledger.operator_log import COMMAND_LINE, follow, origin, parse_line
from testamur.service.access import TokenRequest
from tests.api.problems import assert_problem
from tests.support.node import Consortium, HttpNode, founded

pytestmark = pytest.mark.slow  # a node of its own for each test


class Clock:
    """What the node takes for the time; moved by hand."""

    now = 20_000 * 86_400 + 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fresh(tmp_path: Any, clock: Clock) -> Iterator[Consortium]:
    with founded(tmp_path) as consortium:
        consortium.clock = clock
        yield consortium


def bearer(node: HttpNode, *scopes: str, name: str = "LMS", **given: Any) -> dict[str, str]:
    wanted = TokenRequest(name, scopes, **given)
    made = node.node.service.access.create(wanted, by=COMMAND_LINE)
    return {"Authorization": f"Bearer {made.text}"}


def entries(consortium: Consortium, count: int) -> list[str]:
    return [one.entry.hex() for one in consortium.some(1, count)]


def queued(node: HttpNode) -> int:
    return int(node.http.get("/v1/ledger").json()["queued"])


def test_a_quota_is_kept_over_a_restart_and_refuses_whole_submissions(
    fresh: Consortium, clock: Clock
) -> None:
    with fresh.serving(1, open_submission=False) as node:
        node.step("following")
        lms = bearer(node, "submit", quota_per_day=5)
        first = entries(fresh, 4)
        assert node.http.post("/v1/entries", json=first, headers=lms).status_code == 202
        answer = node.http.post("/v1/entries", json=entries(fresh, 2), headers=lms)
        assert_problem(answer, 429, "quota_exceeded", advice=True)
        assert answer.headers["retry-after"] == str(86_400 - 1_000)
        assert queued(node) == 4
    with fresh.serving(1, open_submission=False) as node:
        assert node.http.post("/v1/entries", json=first, headers=lms).json()["known"] == 4
        one, two = entries(fresh, 1), entries(fresh, 1)
        assert node.http.post("/v1/entries", json=one, headers=lms).status_code == 202
        assert node.http.post("/v1/entries", json=two, headers=lms).status_code == 429
        clock.now += 86_400 - 1_000
        assert node.http.post("/v1/entries", json=two, headers=lms).status_code == 202
        assert queued(node) == 6


def test_submissions_at_once_pass_neither_the_quota_nor_the_queues_limit(
    fresh: Consortium,
) -> None:
    senders, quota = 12, 3
    for limits in ({"quota_per_day": quota}, {}):
        queue_max = 10**6 if limits else 2 * quota
        with fresh.serving(1, open_submission=False, queue_entries_max=queue_max) as node:
            node.step("following")
            lms = bearer(node, "submit", name=f"LMS {queue_max}", **limits)
            before = queued(node)
            together, told = threading.Barrier(senders), list[int]()

            def send(entry: str, url: str = node.url, lms: dict[str, str] = lms) -> None:
                with httpx.Client(base_url=url, headers=lms, timeout=60) as client:
                    client.get("/health/live")  # so that all are connected
                    together.wait()  # noqa: B023 - ended within this turn of the loop
                    told.append(client.post("/v1/entries", json=[entry]).status_code)  # noqa: B023

            with ThreadPoolExecutor(senders) as pool:
                list(pool.map(send, entries(fresh, senders)))
            assert told.count(202) == quota
            assert queued(node) == before + quota


def test_a_full_queue_refuses_until_a_batch_is_sealed(fresh: Consortium) -> None:
    with fresh.serving(1, queue_entries_max=3, batch_floor=0) as node:
        node.step("following")
        waiting = entries(fresh, 3)
        assert node.http.post("/v1/entries", json=waiting).status_code == 202
        answer = node.http.post("/v1/entries", json=entries(fresh, 1))
        assert_problem(answer, 503, "queue_full", advice=True)
        assert int(answer.headers["retry-after"]) > 0
        assert queued(node) == 3
        assert node.http.post("/v1/entries", json=waiting).json() == {"added": 0, "known": 3}
        node.step("sealing")
        assert node.http.post("/v1/entries", json=entries(fresh, 3)).status_code == 202


def test_a_submission_over_the_limit_of_the_settings_is_refused_whole(fresh: Consortium) -> None:
    with fresh.serving(1, submission_entries_max=3) as node:
        many = entries(fresh, 4)
        raw = b"".join(map(bytes.fromhex, many))
        octets = {"Content-Type": "application/octet-stream"}
        for answer in (
            node.http.post("/v1/entries", json=many),
            node.http.post("/v1/entries", content=raw, headers=octets),
        ):
            assert_problem(answer, 413, "too_many_entries", advice=True)
        assert queued(node) == 0
        assert node.http.post("/v1/entries", json=many[:3]).status_code == 202
        document = node.http.get("/openapi.json").json()
        body = document["paths"]["/v1/entries"]["post"]["requestBody"]["content"]
        assert body["application/json"]["schema"]["maxItems"] == 3


def test_with_a_low_disk_nothing_is_taken_and_reads_go_on(fresh: Consortium) -> None:
    free_mib = shutil.disk_usage(fresh.directory).free // 2**20
    with fresh.serving(1, disk_free_mib_min=2 * free_mib + 1024) as node:
        node.step("following")
        answer = node.http.post("/v1/entries", json=entries(fresh, 1))
        assert_problem(answer, 503, "disk_low", advice=True)
        assert int(answer.headers["retry-after"]) > 0
        assert queued(node) == 0
        assert node.http.get("/health/ready").status_code == 200
        assert node.http.get("/v1/trust").status_code == 200
    with fresh.serving(1, disk_free_mib_min=0) as node:
        assert node.http.post("/v1/entries", json=entries(fresh, 1)).status_code == 202


def lines(node: HttpNode, headers: dict[str, str], **query: int) -> Any:
    answer = node.http.get("/v1/operator-log", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def test_the_operator_log_tells_who_did_what_and_no_entry(fresh: Consortium, clock: Clock) -> None:
    with fresh.serving(1, batch_floor=0) as node:
        node.step("following")
        lms, auditor = bearer(node, "submit"), bearer(node, "audit", name="Auditor")
        submitted = entries(fresh, 3)
        for sent in (submitted[:2], submitted):
            node.http.post("/v1/entries", json=sent, headers=lms)
        node.http.post("/v1/entries", json=submitted)
        assert lines(node, auditor)["size"] == 2
        clock.now += 60
        told = lines(node, auditor)
        who = [one["actor"].get("name", one["actor"]["kind"]) for one in told["lines"]]
        assert who == ["command line", "command line", "LMS", "anyone"]
        acts = [one["act"] for one in told["lines"]]
        assert acts == ["token_created"] * 2 + ["entries_submitted"] * 2
        counts = [one["details"] for one in told["lines"][2:]]
        assert [(one["requests"], one["added"], one["known"]) for one in counts] == [
            (2, 3, 2),
            (1, 0, 3),
        ]
        node.step("sealing")
        whole = node.http.get("/v1/operator-log", headers=auditor)
        sealed = whole.json()["lines"][-1]
        assert (sealed["act"], sealed["actor"]) == ("batch_sealed", {"kind": "node"})
        assert (sealed["details"]["entries"], sealed["details"]["padding"]) == (3, 0)
        for entry in submitted:
            assert entry not in whole.text
        parsed = [parse_line(line) for line in whole.json()["lines"]]
        identity = node.node.service.about.identity
        assert list(follow(parsed, origin(identity.ledger_id, identity.member))) == parsed
        assert whole.json()["newest"] == parsed[-1].hash().hex()


def test_whoever_has_a_batch_sealed_is_recorded_before_it_is(fresh: Consortium) -> None:
    with fresh.serving(1, seal_after_seconds=3600) as node:
        lms, auditor = bearer(node, "submit"), bearer(node, "audit", name="Auditor")
        nothing = node.http.post("/v1/batches", json={}, headers=lms)
        assert nothing.json() == {"waiting": 0}
        node.http.post("/v1/entries", json=entries(fresh, 2), headers=lms)
        assert node.http.post("/v1/batches", json={}, headers=lms).json() == {"waiting": 2}
        node.step("sealing")
        told = [(one["act"], one["details"]) for one in lines(node, auditor)["lines"][2:]]
        assert told[0] == ("seal_requested", {"waiting": 2})
        assert (told[1][0], told[1][1]["entries"]) == ("batch_sealed", 2)


def test_pages_of_the_operator_log_stay_right_while_it_grows(fresh: Consortium) -> None:
    with fresh.serving(1) as node:
        auditor = bearer(node, "audit", name="token 0")
        for number in range(1, 5):
            bearer(node, "submit", name=f"token {number}")
        first = lines(node, auditor, start=0, limit=2)
        bearer(node, "submit", name="token 5")
        second = lines(node, auditor, start=2, limit=3)
        rest = lines(node, auditor, start=5)
        names = [one["details"]["name"] for page in (first, second, rest) for one in page["lines"]]
        assert names == [f"token {number}" for number in range(6)]
        assert lines(node, auditor, start=99) == {"lines": [], "size": 6, "newest": rest["newest"]}
        for query in ("limit=0", "limit=1001", "start=-1", "start=x", "more=1"):
            answer = node.http.get(f"/v1/operator-log?{query}", headers=auditor)
            assert answer.status_code == 400


def test_a_revocation_holds_for_the_next_request(fresh: Consortium) -> None:
    with fresh.serving(1, open_submission=False) as node:
        lms = bearer(node, "submit")
        assert node.http.post("/v1/entries", json=entries(fresh, 1), headers=lms).status_code == 202
        node.node.service.access.revoke("LMS", by=COMMAND_LINE)
        answer = node.http.post("/v1/entries", json=entries(fresh, 1), headers=lms)
        assert_problem(answer, 401, "token_invalid", advice=True)
        assert queued(node) == 1
