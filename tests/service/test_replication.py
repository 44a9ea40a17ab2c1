"""Three real nodes over HTTP: any of them proves any entry, also while its member is down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from testamur.storage import integrity
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.sql.store import open_store
from tests.support.located import PDF_TEMPLATE, located
from tests.support.node import Committed, Consortium, HttpNode, founded

pytestmark = pytest.mark.slow  # three nodes and a chain for each test

NODES = (1, 2, 3)


class Running:
    """A consortium whose nodes are stopped and started one by one."""

    def __init__(self, consortium: Consortium, stack: ExitStack) -> None:
        self.consortium = consortium
        self._stack = stack
        self._open: dict[int, ExitStack] = {}

    def start(self, member: int, **given: Any) -> HttpNode:
        opened = self._stack.enter_context(ExitStack())
        self._open[member] = opened
        node = opened.enter_context(self.consortium.serving(member, **given))
        node.step("following")
        return node

    def stop(self, member: int) -> None:
        self._open.pop(member).close()

    def catch_up(self, *members: int) -> None:
        """Have nodes follow, and pull what they can."""
        for member in members:
            node = self.consortium.nodes[member]
            node.step("following")
            (replicating,) = [one for one in node.node.stages if one.name == "replicating"]
            while replicating.step():
                pass

    def check(self) -> None:
        """Stop everything, and derive all that was stored again."""
        for member in list(self._open):
            self.stop(member)
        for member in NODES:
            data = self.consortium.directory / f"node-{member}" / "data"
            with open_store(data) as store:
                assert integrity.check(store, LocalBatchFiles(data / "batches")).problems == ()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with founded(tmp_path) as consortium, ExitStack() as stack:
        running = Running(consortium, stack)
        for member in NODES:
            running.start(member)
        yield running
        running.check()


def verdict_of(node: HttpNode, committed: Committed, member: int) -> dict[str, Any]:
    """Ask as whoever has the file and its locator alone."""
    body = {
        "profile": committed.profile,
        "digest": committed.digest.hex(),
        "member": member,
        "salt": committed.salt.hex(),
    }
    answer = node.http.post("/v1/verify", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def held(node: HttpNode, member: int) -> tuple[int, int]:
    members = node.http.get("/v1/members").json()["members"]
    return members[member - 1]["batches_held"], members[member - 1]["batches_anchored"]


def test_any_node_proves_an_entry_while_its_members_node_is_stopped(running: Running) -> None:
    consortium = running.consortium
    first, second, third = (consortium.nodes[member] for member in NODES)
    committed, other = consortium.some(1, 2)
    consortium.register(first, committed)
    running.catch_up(2)
    running.stop(1)
    running.catch_up(3)  # from member 2, whose node is the only one to have it
    for node in (second, third):
        assert held(node, 1) == (1, 1)
        report = verdict_of(node, committed, 1)
        assert (report["outcome"], report["verdict"]) == ("accept", "verified")
        assert report["registered_by"]["id"] == 1
        receipt = node.receipt(committed)
        assert node.verify(committed, receipt)["verdict"] == "verified"
        told = node.http.get(f"/v1/entries/{committed.entry.hex()}").json()
        assert (told["member"], told["state"], told["submitted_at"]) == (1, "final", None)
        # What stands in no batch of a member is known, because all of them are here.
        assert verdict_of(node, other, 1)["verdict"] == "not_found"


def test_a_replica_is_served_as_its_member_would(running: Running) -> None:
    consortium = running.consortium
    first, second, _ = (consortium.nodes[member] for member in NODES)
    committed = consortium.some(1)[0]
    consortium.register(first, committed)
    own = first.http.get("/v1/batches").json()["batches"][0]
    path = f"/v1/batches/{own['root']}"
    assert second.http.get(path).status_code == 404
    running.catch_up(2)
    told = second.http.get(path).json()
    same = {name: own[name] for name in ("member", "root", "count", "state", "record")}
    assert told == same | {"number": None, "sealed_at": None}
    answers = [node.http.get(f"{path}/entries") for node in (first, second)]
    assert answers[0].content == answers[1].content
    assert answers[0].headers["etag"] == answers[1].headers["etag"]
    # The list stays that of the node's own member.
    assert second.http.get("/v1/batches").json() == {"batches": [], "next": None}


def test_what_is_not_final_yet_is_pulled_and_called_pending(running: Running) -> None:
    consortium = running.consortium
    first, second, _ = (consortium.nodes[member] for member in NODES)
    committed = consortium.some(1)[0]
    first.submit(committed)
    assert verdict_of(second, committed, 1)["verdict"] == "not_found"
    consortium.bring(first, committed.entry, "anchored")
    second.step("following")
    report = verdict_of(second, committed, 1)
    assert (report["outcome"], report["checks"][0]["code"]) == ("retry", "batches_not_held")
    assert "lacks a batch" in report["summary"]
    running.catch_up(2)
    assert verdict_of(second, committed, 1)["verdict"] == "pending"
    assert second.state(committed.entry) == "anchored"
    consortium.finalize()
    running.catch_up(2)
    assert second.state(committed.entry) == "final"
    assert verdict_of(second, committed, 1)["verdict"] == "verified"


@pytest.mark.parametrize("first_to_anchor", [1, 2], ids=["after it", "before it"])
def test_a_copied_commitment_does_not_shadow_the_original(
    running: Running, first_to_anchor: int
) -> None:
    consortium = running.consortium
    committed = consortium.some(1)[0]
    for member in (first_to_anchor, 3 - first_to_anchor):
        # Member 2 anchors what it saw, among others, as its own.
        consortium.register(consortium.nodes[member], committed, *consortium.some(member))
    running.catch_up(1, 2, 3)
    for node in consortium.nodes.values():
        report = verdict_of(node, committed, 1)
        assert (report["verdict"], report["registered_by"]["id"]) == ("verified", 1)
        # Of member 2 this credential would be another entry, and there is none.
        assert verdict_of(node, committed, 2)["verdict"] == "not_found"
    told = consortium.nodes[3].http.get(f"/v1/entries/{committed.entry.hex()}").json()
    assert told["member"] == first_to_anchor


def test_a_node_that_was_away_catches_up_and_goes_on_where_it_was(running: Running) -> None:
    consortium = running.consortium
    first = consortium.nodes[1]
    before, meanwhile = consortium.some(1, 2)
    consortium.register(first, before)
    running.catch_up(2)
    running.stop(2)
    consortium.register(first, meanwhile)
    second = running.start(2)
    assert held(second, 1) == (1, 2)
    assert verdict_of(second, before, 1)["verdict"] == "verified"
    running.catch_up(2)
    assert held(second, 1) == (2, 2)
    assert verdict_of(second, meanwhile, 1)["verdict"] == "verified"


def test_a_node_without_an_anchor_key_replicates_too(running: Running) -> None:
    consortium = running.consortium
    running.stop(3)
    third = running.start(3, anchor_key_file=None)
    assert [stage.name for stage in third.node.stages] == ["following", "replicating"]
    committed = consortium.some(1)[0]
    consortium.register(consortium.nodes[1], committed)
    running.catch_up(3)
    assert verdict_of(third, committed, 1)["verdict"] == "verified"


def test_a_member_that_lost_its_disk_gets_its_batches_back_from_the_others(
    running: Running, tmp_path: Path
) -> None:
    consortium = running.consortium
    committed = consortium.some(1)[0]
    consortium.register(consortium.nodes[1], committed)
    running.catch_up(2)
    running.stop(1)
    first = running.start(1, data_dir=tmp_path / "new disk")
    report = verdict_of(first, committed, 1)
    assert (report["outcome"], report["checks"][0]["code"]) == ("retry", "batches_not_held")
    running.catch_up(1)
    assert verdict_of(first, committed, 1)["verdict"] == "verified"
    assert first.state(committed.entry) == "final"
    # Whoever does not know what is left submits all of it again.
    first.submit(committed, *consortium.some(1))
    assert verdict_of(first, committed, 1)["verdict"] == "verified"
    first.step("sealing")
    assert verdict_of(first, committed, 1)["verdict"] == "verified"


def test_without_the_setting_no_private_endpoint_is_asked(running: Running) -> None:
    consortium = running.consortium
    committed = consortium.some(1)[0]
    consortium.register(consortium.nodes[1], committed)
    running.stop(2)
    second = running.start(2, allowed_private_endpoints=())
    running.catch_up(2)
    assert held(second, 1) == (0, 1)


def test_the_file_alone_gets_a_verdict_from_any_node(running: Running) -> None:
    consortium = running.consortium
    committed, _ = located(consortium.ledger_id, 1, PDF_TEMPLATE, seed="any node")
    consortium.register(consortium.nodes[1], committed)
    running.catch_up(2, 3)
    running.stop(1)
    for member in (2, 3):
        files = {"file": ("diploma.pdf", committed.data)}
        report = consortium.nodes[member].http.post("/v1/verify", files=files).json()
        assert (report["outcome"], report["registered_by"]["id"]) == ("accept", 1)
