"""kill -9 of a node while it pulls another's batches: it goes on where it was, with whole ones."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.support.node import Consortium
from tests.support.processes import node_process, run
from tests.support.waiting import wait_until

SECONDS = 60
BATCHES = 8


def batches_of_first(url: str) -> tuple[int, int]:
    """Give how many batches of member 1 a node holds, and how many it knows of."""
    answer = httpx.get(f"{url}/v1/members", timeout=10)
    if answer.status_code != httpx.codes.OK:
        return 0, 0  # it has not followed the chain to the ledger's birth yet
    told: dict[str, Any] = answer.json()["members"][0]
    return told["batches_held"], told["batches_anchored"]


@pytest.mark.slow  # real nodes are killed and started
def test_a_node_that_is_killed_while_it_pulls_ends_up_with_everything(
    consortium: Consortium,
) -> None:
    first, second = consortium.write_config(1), consortium.write_config(2)
    entries = [sha256(f"entry {number}".encode()).hexdigest() for number in range(BATCHES)]
    with node_process(first) as issuing:
        for number, entry in enumerate(entries, start=1):
            httpx.post(f"{issuing.url}/v1/entries", json=[entry], timeout=10).raise_for_status()
            # One after the other, so that each is a batch of its own.
            wait_until(lambda n=number: batches_of_first(issuing.url)[1] >= n, SECONDS)  # type: ignore[misc]
        for wanted in (1, BATCHES // 2):
            with node_process(second) as pulling:
                wait_until(lambda n=wanted: batches_of_first(pulling.url)[0] >= n, SECONDS)  # type: ignore[misc]
                pulling.process.kill()
        with node_process(second) as pulling:
            wait_until(lambda: batches_of_first(pulling.url) == (BATCHES, BATCHES), SECONDS)
            assert pulling.stop() == 0
        assert issuing.stop() == 0
    with node_process(second) as alone, httpx.Client(base_url=alone.url, timeout=10) as http:
        for entry in entries:
            receipt = http.get(f"/v1/receipts/{entry}").json()
            assert (receipt["entry"], receipt["record"]["member"]) == (entry, 1)
        assert alone.stop() == 0
    checked = run("check", "--data-dir", consortium.settings(2).data_dir, "--json")
    assert checked.returncode == 0, checked.stdout
    assert json.loads(checked.stdout)["replicas"] == BATCHES
