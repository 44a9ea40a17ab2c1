"""An auditor reads batches, records and proofs over real HTTP, while the ledger grows."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from testamur.api.app import create_app
from testamur.bootstrap import open_node
from testamur.ledger.records import RecordKind, governance_record, parse_record
from testamur.merkle.hashing import Hash32, leaf_hash
from testamur.merkle.proofs import verify_consistency, verify_inclusion
from testamur.storage.batch_format import verified_batch
from tests.api.problems import assert_problem
from tests.support.devchain import connected
from tests.support.node import Committed, Consortium, HttpNode, served

Registered = tuple[Committed, dict[str, Any]]


def get(node: HttpNode, path: str, **query: int) -> dict[str, Any]:
    answer = node.http.get(path, params=query or None)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def hashes(values: list[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in values]


def pages(node: HttpNode, path: str, items: str) -> list[Any]:
    """Follow the links to the end; none of them is followed when the header lacks it."""
    found = []
    for _ in range(100):
        answer = node.http.get(path)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        found += told[items]
        assert ("link" in answer.headers) == (told["next"] is not None)
        if told["next"] is None:
            return found
        assert answer.headers["link"] == f'<{told["next"]}>; rel="next"'
        path = told["next"]
    raise AssertionError("no end after 100 pages")


@pytest.fixture
def root(node: HttpNode, registered: Registered) -> str:
    """Give the root of a batch whose content is known."""
    return str(get(node, f"/v1/entries/{registered[0].entry.hex()}")["batch"])


@pytest.fixture
def content(node: HttpNode, root: str) -> bytes:
    """Give that batch's file as it is on disk."""
    return (node.settings.data_dir / "batches" / root[:2] / root).read_bytes()


@pytest.mark.usefixtures("registered")
def test_every_record_is_proven_in_every_head_up_to_the_seen_one(node: HttpNode) -> None:
    head = get(node, "/v1/ledger")["final"]
    leaves = [
        leaf_hash(bytes.fromhex(record["record"]))
        for record in pages(node, "/v1/ledger/records?limit=3", "records")
    ]
    for size in range(1, head["size"] + 1):
        at = get(node, "/v1/ledger/consistency", old_size=size, size=head["size"])
        assert (at["root"], at["final"]) == (head["root"], True)
        verify_consistency(
            old_size=size,
            new_size=head["size"],
            old_root=bytes.fromhex(at["old_root"]),
            new_root=bytes.fromhex(head["root"]),
            proof=hashes(at["path"]),
        )
        index = size - 1
        told = get(node, "/v1/ledger/inclusion", index=index, size=size)
        assert (told["root"], told["leaf"]) == (at["old_root"], leaves[index].hex())
        for wanted, root in ((size, at["old_root"]), (head["size"], head["root"])):
            told = get(node, "/v1/ledger/inclusion", index=index, size=wanted)
            verify_inclusion(
                leaf_hash=leaves[index],
                index=index,
                size=wanted,
                root=bytes.fromhex(root),
                proof=hashes(told["path"]),
            )


@pytest.mark.usefixtures("registered")
def test_records_say_what_their_bytes_say(consortium: Consortium, node: HttpNode) -> None:
    records = get(node, "/v1/ledger/records")["records"]
    assert [record["index"] for record in records] == list(range(len(records)))
    birth = records[0]
    change = bytes.fromhex(birth["change"][2:])
    assert governance_record(change).leaf_hash() == consortium.ledger_id
    assert birth["block"] == consortium.deployment.block_number
    for record in records:
        parsed = parse_record(bytes.fromhex(record["record"]))
        for name in ("member", "time", "count", "status_count"):
            assert record[name] == getattr(parsed, name)
        assert record["kind"] == int(parsed.kind)
        assert record["root"] == parsed.root.hex()
        assert record["status_root"] == parsed.status_root.hex()
        assert (record["change"] is None) == (parsed.kind is not RecordKind.GOVERNANCE)
        with connected(consortium.chain.url) as web3:
            block = web3.eth.get_block(record["block"])
        assert record["block_hash"] == block["hash"].to_0x_hex()


def test_what_is_not_final_says_so(consortium: Consortium, node: HttpNode) -> None:
    committed = consortium.some(1)[0]
    node.submit(committed)
    consortium.bring(node, committed.entry, "anchored")
    ledger = get(node, "/v1/ledger")
    size, final = ledger["seen"]["size"], ledger["final"]["size"]
    assert final < size

    def said() -> list[bool]:
        told = get(node, "/v1/ledger/records", start=final - 1)
        assert (told["size"], len(told["records"])) == (size, size - final + 1)
        return [
            *(record["final"] for record in told["records"]),
            get(node, "/v1/ledger/inclusion", index=0, size=final)["final"],
            get(node, "/v1/ledger/inclusion", index=0, size=size)["final"],
            get(node, "/v1/ledger/consistency", old_size=1, size=final)["final"],
            get(node, "/v1/ledger/consistency", old_size=final, size=size)["final"],
        ]

    newest = get(node, "/v1/ledger/inclusion", index=size - 1, size=size)
    assert newest["root"] == ledger["seen"]["root"]
    pending = [False] * (size - final)
    assert said() == [True, *pending, True, False, True, False]
    consortium.bring(node, committed.entry, "final")
    assert all(said())


def test_pages_stay_right_while_the_ledger_grows(consortium: Consortium, node: HttpNode) -> None:
    for _ in range(2):
        consortium.register(node, *consortium.some(1))
    for path, items, key in (
        ("/v1/batches?limit=1", "batches", "number"),
        ("/v1/ledger/records?limit=1", "records", "index"),
    ):
        found: list[Any] = []
        following: str | None = path
        while following is not None:
            told = get(node, following)
            assert len(told[items]) == 1
            found += told[items]
            following = told["next"]
            if len(found) in {1, 2}:
                consortium.register(node, *consortium.some(1))
        keys = [one[key] for one in found]
        assert keys == sorted(set(keys))
        whole = get(node, path.replace("limit=1", "limit=1000"))
        assert whole["next"] is None
        assert whole[items] == found


def test_a_reader_at_the_end_goes_on_when_there_is_more(
    consortium: Consortium, node: HttpNode
) -> None:
    consortium.register(node, *consortium.some(1))
    size = get(node, "/v1/ledger")["seen"]["size"]
    last = pages(node, "/v1/batches?limit=1000", "batches")[-1]
    assert get(node, "/v1/ledger/records", start=size)["records"] == []
    assert get(node, "/v1/batches", after=last["number"]) == {"batches": [], "next": None}
    consortium.register(node, *consortium.some(1))
    (record,) = get(node, "/v1/ledger/records", start=size)["records"]
    (batch,) = get(node, "/v1/batches", after=last["number"])["batches"]
    assert (batch["root"], batch["record"]) == (record["root"], record["index"])


def test_a_batch_is_shown_in_every_state(consortium: Consortium, node: HttpNode) -> None:
    committed = consortium.some(1)[0]
    node.submit(committed)
    for state in ("sealed", "submitted", "anchored", "final"):
        consortium.bring(node, committed.entry, state)
        told = get(node, f"/v1/entries/{committed.entry.hex()}")
        batch = get(node, f"/v1/batches/{told['batch']}")
        assert (batch["state"], batch["record"]) == (state, told["record"])
        assert batch == pages(node, "/v1/batches", "batches")[-1]
        entries = node.http.get(f"/v1/batches/{told['batch']}/entries").content
        assert len(entries) == 32 * batch["count"]


def test_entries_are_the_batch_file_and_may_be_kept_for_ever(
    node: HttpNode, registered: Registered, root: str, content: bytes
) -> None:
    answer = node.http.get(f"/v1/batches/{root}/entries")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["etag"] == f'"{root}"'
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["accept-ranges"] == "bytes"
    assert registered[0].entry in verified_batch(answer.content, Hash32(bytes.fromhex(root)))


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ('"{root}"', 304),
        ('W/"{root}"', 304),
        ('"other", "{root}"', 304),
        ("*", 304),
        ('"other"', 200),
        ("{root}", 200),
        ("", 200),
    ],
)
def test_what_the_reader_has_is_not_sent_again(
    node: HttpNode, root: str, content: bytes, told: str, status: int
) -> None:
    answer = node.http.get(
        f"/v1/batches/{root}/entries", headers={"If-None-Match": told.replace("{root}", root)}
    )
    assert answer.status_code == status
    assert answer.headers["etag"] == f'"{root}"'
    assert answer.headers["cache-control"].endswith("immutable")
    assert answer.content == (b"" if status == 304 else content)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=32-63", slice(32, 64)),
        ("bytes=32-", slice(32, None)),
        ("bytes=-32", slice(-32, None)),
        ("bytes=-999999", slice(None)),
        ("bytes=500-999999", slice(500, None)),
    ],
)
def test_a_range_of_bytes_is_given(
    node: HttpNode, root: str, content: bytes, asked: str, part: slice
) -> None:
    path = f"/v1/batches/{root}/entries"
    start, end, _ = part.indices(len(content))
    for condition in ({}, {"If-Range": f'"{root}"'}):
        answer = node.http.get(path, headers={"Range": asked, **condition})
        assert (answer.status_code, answer.content) == (206, content[part])
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(content)}"
        assert answer.headers["etag"] == f'"{root}"'
    for condition in ('"other"', f'W/"{root}"', "Mon, 01 Jan 2035 00:00:00 GMT"):
        answer = node.http.get(path, headers={"Range": asked, "If-Range": condition})
        assert (answer.status_code, answer.content) == (200, content)


@pytest.mark.parametrize("asked", ["bytes={size}-", "bytes={size}-{size}", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(
    node: HttpNode, root: str, content: bytes, asked: str
) -> None:
    size = str(len(content))
    answer = node.http.get(
        f"/v1/batches/{root}/entries", headers={"Range": asked.replace("{size}", size)}
    )
    assert_problem(answer, 416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{size}"
    assert "cache-control" not in answer.headers


@pytest.mark.parametrize(
    "asked", ["bytes=0-0,2-3", "bytes=5-2", "bytes=-", "bytes=a-b", "items=0-1", "bytes=+1-2"]
)
def test_a_range_of_another_form_is_answered_with_the_whole(
    node: HttpNode, root: str, content: bytes, asked: str
) -> None:
    answer = node.http.get(f"/v1/batches/{root}/entries", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, content)


@pytest.mark.parametrize("path", ["", "/entries"])
def test_an_unknown_batch_is_not_found(node: HttpNode, path: str) -> None:
    for headers in ({}, {"If-None-Match": "*"}):
        answer = node.http.get(f"/v1/batches/{'00' * 32}{path}", headers=headers)
        assert_problem(answer, 404, "unknown_batch", advice=True)
    for wrong in ("00", "AB" * 32, "zz" * 32, "00" * 33):
        assert_problem(node.http.get(f"/v1/batches/{wrong}{path}"), 400, "request_format")


def test_a_lost_or_damaged_file_is_the_nodes_fault(consortium: Consortium, node: HttpNode) -> None:
    committed = consortium.some(1)[0]
    node.submit(committed)
    consortium.bring(node, committed.entry, "sealed")
    root = get(node, f"/v1/entries/{committed.entry.hex()}")["batch"]
    path = node.settings.data_dir / "batches" / root[:2] / root
    whole = path.read_bytes()
    path.unlink()
    for damaged in (None, whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-32]):
        if damaged is not None:
            path.write_bytes(damaged)
        answer = node.http.get(f"/v1/batches/{root}/entries")
        assert_problem(answer, 500, "corrupt_batch", advice=True)
        assert "etag" not in answer.headers
    path.write_bytes(whole)
    assert node.http.get(f"/v1/batches/{root}/entries").content == whole
    consortium.bring(node, committed.entry, "final")


LISTS = ("/v1/batches", "/v1/ledger/records")
PROOFS = {"/v1/ledger/inclusion": "index=0&size=", "/v1/ledger/consistency": "old_size=1&size="}
NOT_NUMBERS = ("", "-1", "+1", "01", "1.0", "1e1", "0x1", "%201", "1_0", "\u0661", "9" * 17, "a")


@pytest.mark.parametrize("path", LISTS)
def test_a_limit_outside_its_range_is_refused(node: HttpNode, path: str) -> None:
    for limit in ("0", "1001", "9" * 15):
        assert_problem(node.http.get(f"{path}?limit={limit}"), 400, "out_of_range", advice=True)
    for limit in ("1", "1000"):
        assert node.http.get(f"{path}?limit={limit}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [f"{path}?limit=" for path in LISTS] + [f"{path}?{query}" for path, query in PROOFS.items()],
)
def test_what_is_no_number_is_refused(node: HttpNode, path: str) -> None:
    for text in NOT_NUMBERS:
        assert_problem(node.http.get(path + text), 400, "request_format")
    assert_problem(node.http.get(f"{path}1&unknown=1"), 400, "request_format")
    name = path.rpartition("?")[2].rpartition("&")[2]
    assert_problem(node.http.get(f"{path}1&{name}1"), 400, "request_format")


def test_proofs_and_records_beyond_the_ledger_are_refused(node: HttpNode) -> None:
    size = get(node, "/v1/ledger")["seen"]["size"]
    for wrong in (
        f"inclusion?index={size}&size={size}",
        f"inclusion?index=0&size={size + 1}",
        "inclusion?index=0&size=0",
        f"consistency?old_size=0&size={size}",
        f"consistency?old_size={size}&size={size - 1}",
        f"consistency?old_size=1&size={size + 1}",
        f"records?start={size + 1}",
        f"records?start={2**53 - 1}",
        "records?start=9999999999999999",
    ):
        answer = node.http.get(f"/v1/ledger/{wrong}")
        assert_problem(answer, 400, "out_of_range", advice=True)
    for short in ("inclusion", "inclusion?index=0", "inclusion?size=1", "consistency?size=1"):
        assert_problem(node.http.get(f"/v1/ledger/{short}"), 400, "request_format")


def test_a_node_that_has_followed_nothing_yet_says_so(consortium: Consortium) -> None:
    settings = consortium.settings(1, data_dir=consortium.directory / "fresh")
    with (
        open_node(settings, clock=time.time) as fresh,
        served(create_app(fresh.service)) as url,
        httpx.Client(base_url=url) as http,
    ):
        for path in ("records", "inclusion?index=0&size=1", "consistency?old_size=1&size=1"):
            answer = http.get(f"/v1/ledger/{path}")
            assert_problem(answer, 503, "not_followed_yet", advice=True)
        assert http.get("/v1/batches").json() == {"batches": [], "next": None}
