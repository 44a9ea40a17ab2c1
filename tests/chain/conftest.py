"""A ledger with three members on the embedded chain, over real HTTP, with one member's node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.devchain import RunningDevchain, running_devchain
from tests.support.member_node import LedgerOnChain, MemberNode, deployed_ledger


@pytest.fixture(scope="module")
def devchain() -> Iterator[RunningDevchain]:
    """Serve one chain for all tests of a module; each test deploys a ledger of its own."""
    with running_devchain() as running:
        yield running


@pytest.fixture
def ledger(devchain: RunningDevchain) -> LedgerOnChain:
    return deployed_ledger(devchain.url)


@pytest.fixture
def node(ledger: LedgerOnChain, tmp_path: Path) -> Iterator[MemberNode]:
    """Give the node of member 1."""
    with MemberNode(ledger, 1, tmp_path / "node") as node:
        yield node
