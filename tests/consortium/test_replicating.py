"""Pulling batches: what is believed, whom it is asked from, and what a crash or a liar leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from testamur.consortium.backoff import FIRST_SECONDS
from testamur.consortium.fetching import BatchFetcher
from testamur.consortium.replicating import ENTRIES_MAX, Replicator
from testamur.errors import (
    CorruptBatchError,
    NotFollowedYetError,
    StoreUnavailableError,
    UnknownEntryError,
)
from testamur.ledger.birth import Birth, encode_birth
from testamur.ledger.records import governance_record
from testamur.merkle.hashing import Hash32
from testamur.storage import integrity
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.batch_format import batch_root, encode_batch
from testamur.storage.filesystem import LocalFileSystem
from testamur.storage.interface import Store
from testamur.storage.model import FollowedBlock, FollowedRecord, LedgerIdentity
from testamur.storage.sql.store import open_store
from tests.support.canned_server import CannedServer, reply
from tests.support.faulty import Fault, FaultyFileSystem, FaultyStore
from tests.support.node import founders, reserved_ports
from tests.support.stored import anchor_in, block, digest, some_entries

pytestmark = pytest.mark.slow  # members that answer wrongly, one after the other

OWN, FIRST, SECOND = 3, 1, 2


def batch(name: str, count: int = 4) -> tuple[Hash32, bytes]:
    """Give the root and the file of a batch that ``name`` names."""
    entries = sorted(some_entries(count, name))
    return batch_root(entries), encode_batch(entries)


def path_of(root: Hash32) -> str:
    return f"/v1/batches/{root.hex()}/entries"


@dataclass
class World:
    """The store of member 3, the ports of all nodes, and a clock that stands still."""

    directory: Path
    ports: tuple[int, ...]
    birth: Birth
    now: float = 0.0
    _blocks: int = 1
    _opened: ExitStack = field(default_factory=ExitStack)

    @property
    def identity(self) -> LedgerIdentity:
        ledger_id = self.birth.ledger_id()
        return LedgerIdentity(1337, digest("genesis"), bytes(20), ledger_id, OWN)

    def found(self) -> None:
        """Open the store and put the birth into block 1."""
        self.store: Store = self._opened.enter_context(open_store(self.directory / "data"))
        self.files = LocalBatchFiles(self.directory / "data" / "batches")
        self.store.bind_identity(self.identity)
        change = encode_birth(self.birth)
        place = block(1)
        record = governance_record(change).encode()
        self.store.append_block(place, [self._followed(place, record, change)])
        self.replicator = self.started()

    def close(self) -> None:
        self._opened.close()

    def started(
        self, store: Store | None = None, files: LocalBatchFiles | None = None
    ) -> Replicator:
        """Give a replicator that remembers nothing, as after a restart."""
        fetcher = BatchFetcher(
            allowed_private=frozenset(f"127.0.0.1:{port}" for port in self.ports),
            monotonic=lambda: self.now,
        )
        return Replicator(
            store or self.store,
            files or self.files,
            fetcher.fetch,
            self.identity,
            monotonic=lambda: self.now,
        )

    def anchor(self, member: int, root: Hash32, count: int = 4) -> None:
        """Append the record of an anchor in a block of its own."""
        self._blocks += 1
        place = block(self._blocks)
        record = anchor_in(place, self.store.size(), root=root, count=count, member=member)
        self.store.append_block(place, [record])

    def node(self, member: int, answers: dict[str, bytes]) -> CannedServer:
        """Give a node of ``member`` that answers this."""
        return CannedServer(answers, port=self.ports[member - 1])

    def settle(self, replicator: Replicator | None = None) -> None:
        """Step through one round."""
        for _ in range(100):
            if not (replicator or self.replicator).step():
                return
        raise AssertionError("no end of a round after 100 steps")

    def held(self) -> list[tuple[int, Hash32]]:
        """Name the replicas, and check everything that is stored."""
        report = integrity.check(self.store, self.files)
        assert report.problems == ()
        return [(replica.member, replica.root) for replica in self.store.replicas()]

    @staticmethod
    def _followed(place: FollowedBlock, record: bytes, change: bytes) -> FollowedRecord:
        return FollowedRecord(0, record, place.number, place.hash, digest("birth"), 0, 0, change)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with made(tmp_path) as world:
        world.found()
        yield world


@contextmanager
def made(directory: Path) -> Iterator[World]:
    with reserved_ports(3) as ports:
        endpoints = [f"http://127.0.0.1:{port}" for port in ports]
        birth = Birth(1337, bytes(20), bytes(32), tuple(founders(endpoints)))
        world = World(directory, ports, birth)
        try:
            yield world
        finally:
            world.close()


def test_every_batch_is_pulled_from_the_node_of_its_member(world: World) -> None:
    batches = {name: batch(name) for name in ("a", "b", "c")}
    for member, name in ((FIRST, "a"), (SECOND, "b"), (FIRST, "c")):
        world.anchor(member, batches[name][0])
    of_first = {path_of(root): reply(data) for root, data in (batches["a"], batches["c"])}
    of_second = {path_of(batches["b"][0]): reply(batches["b"][1])}
    with world.node(FIRST, of_first) as first, world.node(SECOND, of_second) as second:
        world.settle()
        world.settle()
        assert (first.asked, second.asked) == (list(of_first), list(of_second))
    assert world.held() == [
        (FIRST, batches["a"][0]),
        (SECOND, batches["b"][0]),
        (FIRST, batches["c"][0]),
    ]
    assert world.store.find_replica(some_entries(1, "b")[0]).member == SECOND


def test_before_the_birth_there_is_nobody_to_ask(tmp_path: Path) -> None:
    with (
        made(tmp_path) as world,
        open_store(tmp_path / "empty") as store,
        pytest.raises(NotFollowedYetError),
    ):
        world.started(store, LocalBatchFiles(tmp_path / "files")).step()


def test_where_the_member_is_down_any_other_node_will_do(world: World) -> None:
    root, data = batch("a")
    world.anchor(FIRST, root)
    with world.node(SECOND, {path_of(root): reply(data)}), capture_logs() as logs:
        world.settle()
    assert world.held() == [(FIRST, root)]
    assert [line["event"] for line in logs] == ["member not reached", "batch replicated"]
    assert logs[1]["source"] == SECOND


def test_ours_is_fetched_back_after_the_loss_of_a_disk(world: World) -> None:
    root, data = batch("ours")
    world.anchor(OWN, root)
    with world.node(SECOND, {path_of(root): reply(data)}):
        world.settle()
    assert world.held() == [(OWN, root)]


GOOD_ROOT, GOOD = batch("good")
OTHER = batch("other")[1]
DESCENDING = b"".join(reversed([GOOD[start : start + 32] for start in range(0, len(GOOD), 32)]))
LIES = {
    "other entries": reply(OTHER),
    "one bit": reply(GOOD[:-1] + bytes([GOOD[-1] ^ 1])),
    "truncated": reply(GOOD[:-32]),
    "too long": reply(GOOD + bytes(32)),
    "unsorted": reply(DESCENDING),
    "an entry twice": reply(GOOD[:32] + GOOD[:96]),
    "compressed": reply(GOOD, "200 OK", "Content-Encoding: gzip"),
    "redirect": reply(GOOD, "302 Found", "Location: /elsewhere"),
    "error": reply(b"{}", "500 Internal Server Error"),
    "nothing": reply(b""),
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_a_wrong_answer_is_refused_told_once_and_holds_up_nothing(world: World, lie: str) -> None:
    fine_root, fine = batch("fine")
    world.anchor(FIRST, GOOD_ROOT)
    world.anchor(FIRST, fine_root)
    lying = {
        path_of(GOOD_ROOT): LIES[lie],
        path_of(fine_root): reply(fine),
        "/elsewhere": reply(GOOD),
    }
    with world.node(FIRST, lying) as first, capture_logs() as logs:
        with world.node(SECOND, {path_of(GOOD_ROOT): reply(b"", "404 Not Found")}):
            for _ in range(3):
                world.settle()
                world.now += FIRST_SECONDS * 4
        assert "/elsewhere" not in first.asked
    assert first.asked.count(path_of(GOOD_ROOT)) > 1
    assert world.held() == [(FIRST, fine_root)]
    assert GOOD_ROOT not in set(world.files.roots())
    (refused,) = [line for line in logs if line["event"] == "wrong batch refused"]
    assert (refused["member"], refused["batch"]) == (FIRST, GOOD_ROOT.hex())
    assert [line["event"] for line in logs].count("batch not obtained") == 1
    for entry in some_entries(4, "good"):
        assert entry.hex() not in str(logs)
        with pytest.raises(UnknownEntryError):
            world.store.find_replica(entry)


def test_a_node_that_lied_is_asked_after_and_the_truth_is_taken_from_another(world: World) -> None:
    world.anchor(FIRST, GOOD_ROOT)
    with (
        world.node(FIRST, {path_of(GOOD_ROOT): reply(OTHER)}),
        world.node(SECOND, {path_of(GOOD_ROOT): reply(GOOD)}),
    ):
        world.settle()
    assert world.held() == [(FIRST, GOOD_ROOT)]


def test_a_count_that_the_root_does_not_have_is_never_held(world: World) -> None:
    world.anchor(FIRST, GOOD_ROOT, count=3)
    with world.node(FIRST, {path_of(GOOD_ROOT): reply(GOOD)}):
        world.settle()
    assert world.held() == []
    # Nor where the file of that root is here already, from an honest anchor.
    world.anchor(SECOND, GOOD_ROOT)
    with world.node(SECOND, {path_of(GOOD_ROOT): reply(GOOD)}):
        for _ in range(3):
            world.now += FIRST_SECONDS * 8
            world.settle()
    assert world.held() == [(SECOND, GOOD_ROOT)]
    assert world.store.replication(FIRST).lacking == 1


def test_what_no_memory_holds_is_not_asked_for(world: World) -> None:
    world.anchor(FIRST, GOOD_ROOT, count=ENTRIES_MAX + 1)
    with world.node(FIRST, {path_of(GOOD_ROOT): reply(GOOD)}) as first, capture_logs() as logs:
        world.settle()
        assert first.asked == []
    assert [line["too_large"] for line in logs] == [True]


def test_a_copied_batch_is_taken_from_the_disk_and_takes_nothing_from_the_first(
    world: World,
) -> None:
    world.anchor(FIRST, GOOD_ROOT)
    world.anchor(SECOND, GOOD_ROOT)
    with world.node(FIRST, {path_of(GOOD_ROOT): reply(GOOD)}) as first:
        world.settle()
        assert first.asked == [path_of(GOOD_ROOT)]
    assert world.held() == [(FIRST, GOOD_ROOT), (SECOND, GOOD_ROOT)]
    assert world.store.find_replica(some_entries(1, "good")[0]).member == FIRST


def test_a_node_that_is_down_is_left_alone_and_tried_again(world: World) -> None:
    roots = [batch(name)[0] for name in ("a", "b")]
    for root in roots:
        world.anchor(FIRST, root)
    with world.node(
        SECOND, {path_of(root): reply(b"", "404 Not Found") for root in roots}
    ) as other:
        with capture_logs() as logs:
            world.settle()
            world.settle()
        assert other.asked == [path_of(root) for root in roots]
    # The first batch found the node down, so that the second did not wait for it again.
    assert [line["event"] for line in logs] == ["member not reached"] + ["batch not obtained"] * 2
    answers = {path_of(root): reply(data) for root, data in map(batch, ("a", "b"))}
    with world.node(FIRST, answers) as first, capture_logs() as logs:
        world.settle()
        assert first.asked == []
        world.now += FIRST_SECONDS
        world.settle()
    assert world.held() == [(FIRST, root) for root in roots]
    assert [line["event"] for line in logs] == [
        "member reached again",
        "batch replicated",
        "batch replicated",
    ]


def test_where_no_node_can_be_asked_batches_stay_due(world: World) -> None:
    root, data = batch("a")
    world.anchor(FIRST, root)
    world.settle()  # both are down
    later, more = batch("b")
    world.anchor(FIRST, later)
    world.settle()  # both are left alone, so that nothing is said of the second batch
    world.now += FIRST_SECONDS
    with world.node(FIRST, {path_of(root): reply(data), path_of(later): reply(more)}):
        world.settle()
    assert world.held() == [(FIRST, root), (FIRST, later)]


def test_a_reorganisation_below_what_was_whole_is_looked_at_again(world: World) -> None:
    names = ("a", "b", "c")
    answers = {path_of(root): reply(data) for root, data in map(batch, names)}
    for name in names[:2]:
        world.anchor(FIRST, batch(name)[0])
    with world.node(FIRST, answers):
        world.settle()
        world.store.rewind(2)
        world.anchor(FIRST, batch("c")[0])
        world.anchor(FIRST, batch("b")[0])
        world.settle()
    assert {root for _, root in world.held()} == {batch(name)[0] for name in names}


def test_an_endpoint_that_is_refused_holds_up_nobody(tmp_path: Path) -> None:
    with made(tmp_path) as world:
        members = list(world.birth.members)
        members[FIRST - 1] = founders(["http://169.254.169.254", "", ""])[0]
        world.birth = Birth(1337, bytes(20), bytes(32), tuple(members))
        world.found()
        (one, _), (two, more) = batch("a"), batch("b")
        world.anchor(FIRST, one)
        world.anchor(SECOND, two)
        answers = {path_of(one): reply(b"", "404 Not Found"), path_of(two): reply(more)}
        with world.node(SECOND, answers), capture_logs() as logs:
            world.settle()
        assert world.held() == [(SECOND, two)]
        assert (logs[0]["event"], logs[0]["code"]) == ("member not reached", "endpoint_refused")


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("step", ["create", "sync", "rename", "sync_directory"])
def test_a_failed_write_of_the_file_is_settled_by_a_restart(
    world: World,
    step: str,
    kept: bool,  # noqa: FBT001
) -> None:
    world.anchor(FIRST, GOOD_ROOT)
    disk = FaultyFileSystem(LocalFileSystem(), Fault(step, kept=kept))
    faulty = LocalBatchFiles(world.directory / "data" / "batches", disk)
    with world.node(FIRST, {path_of(GOOD_ROOT): reply(GOOD)}):
        with pytest.raises(StoreUnavailableError):
            world.started(files=faulty).step()
        assert world.held() == []
        world.settle(world.started())
    assert world.held() == [(FIRST, GOOD_ROOT)]


@pytest.mark.parametrize("kept", [False, True], ids=["lost", "kept"])
def test_a_failed_write_of_the_index_is_settled_without_asking_again(
    world: World,
    kept: bool,  # noqa: FBT001
) -> None:
    world.anchor(FIRST, GOOD_ROOT)
    faulty: Store = FaultyStore(world.store, Fault("add_replica", kept=kept))  # type: ignore[assignment]
    with world.node(FIRST, {path_of(GOOD_ROOT): reply(GOOD)}) as first:
        with pytest.raises(StoreUnavailableError):
            world.started(store=faulty).step()
        assert world.held() == ([(FIRST, GOOD_ROOT)] if kept else [])
        world.settle(world.started())
        assert first.asked == [path_of(GOOD_ROOT)]
    assert world.held() == [(FIRST, GOOD_ROOT)]


def test_a_disk_that_gives_back_something_else_stops_the_node(world: World) -> None:
    class Flipping(LocalFileSystem):
        def create(self, path: Path, data: bytes) -> None:
            super().create(path, data[:-1] + bytes([data[-1] ^ 1]))

    world.anchor(FIRST, GOOD_ROOT)
    flipping = LocalBatchFiles(world.directory / "data" / "batches", Flipping())
    with world.node(FIRST, {path_of(GOOD_ROOT): reply(GOOD)}):
        with pytest.raises(CorruptBatchError):
            world.started(files=flipping).step()
        assert world.held() == []
        world.settle(world.started())
    assert world.held() == [(FIRST, GOOD_ROOT)]
