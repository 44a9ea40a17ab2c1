"""kill -9 of a node at a moment nobody chose: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import json
import random
import threading
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from testamur.ledger.records import parse_record
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.batch_format import parse_batch
from testamur.storage.sql.store import open_store
from tests.support.node import Consortium
from tests.support.processes import node_process, run
from tests.support.waiting import wait_until

FINAL_SECONDS = 60


def submit_until_it_dies(url: str, name: str, acknowledged: list[str]) -> None:
    """Submit three entries at a time, one request after the other, and note what was answered."""
    with httpx.Client(base_url=url, timeout=10) as http:
        for number in range(100_000):
            entries = [sha256(f"{name} {number} {n}".encode()).hexdigest() for n in range(3)]
            try:
                answer = http.post("/v1/entries", json=entries)
            except httpx.TransportError:
                return  # whether these were taken is unknown, and nobody was told
            assert answer.status_code == 202
            acknowledged += entries


def wait_until_final(url: str, entries: list[str]) -> None:
    waiting = list(entries)
    with httpx.Client(base_url=url, timeout=10) as http:

        def all_final() -> bool:
            while waiting and http.get(f"/v1/entries/{waiting[-1]}").json()["state"] == "final":
                waiting.pop()
            return not waiting

        wait_until(all_final, FINAL_SECONDS)


def assert_final_exactly_once(data_dir: Path, acknowledged: list[str]) -> None:
    files = LocalBatchFiles(data_dir / "batches")
    with open_store(data_dir) as store:
        anchored = [parse_record(r.record).root for r in store.records(1, store.size())]
    assert len(anchored) == len(set(anchored))
    entries = [entry.hex() for root in anchored for entry in parse_batch(files.read(root))]
    assert len(entries) == len(set(entries))
    assert set(acknowledged) <= set(entries)


@pytest.mark.slow  # a real node is killed and started several times
@pytest.mark.parametrize("seed", [1, 2])
def test_every_acknowledged_entry_becomes_final_exactly_once(
    consortium: Consortium, seed: int
) -> None:
    chosen = random.Random(seed)  # noqa: S311 - a seed that can be replayed is the point
    config = consortium.write_config(1)
    acknowledged: list[str] = []
    for number in range(3):
        with node_process(config) as node:
            submitter = threading.Thread(
                target=submit_until_it_dies, args=(node.url, f"{seed} {number}", acknowledged)
            )
            submitter.start()
            # Somewhere between two submissions, in sealing, signing, sending or following.
            wanted = len(acknowledged) + chosen.randint(1, 60)
            wait_until(lambda wanted=wanted: len(acknowledged) >= wanted, 30)  # type: ignore[misc]
            threading.Event().wait(chosen.random() / 5)
            node.process.kill()
            submitter.join(30)
            assert not submitter.is_alive()
    with node_process(config) as node:
        wait_until_final(node.url, acknowledged)
        assert node.stop() == 0
    data_dir = consortium.settings(1).data_dir
    checked = run("check", "--data-dir", data_dir, "--json")
    assert checked.returncode == 0, checked.stdout
    assert json.loads(checked.stdout)["clean"] is True
    assert_final_exactly_once(data_dir, acknowledged)
