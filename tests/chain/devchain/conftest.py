"""A served chain that is mined by hand, and a web3 that talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from web3 import Web3

from tests.support.devchain import NEVER_SECONDS, RunningDevchain, connected, running_devchain

FIRST_SECOND = 1_800_000_000


@pytest.fixture
def devchain() -> Iterator[RunningDevchain]:
    with running_devchain(block_interval=NEVER_SECONDS, clock=lambda: FIRST_SECOND) as running:
        yield running


@pytest.fixture
def web3(devchain: RunningDevchain) -> Iterator[Web3]:
    with connected(devchain.url) as client:
        yield client
