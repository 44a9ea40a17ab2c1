"""One consortium for all tests over HTTP; each registers credentials of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.node import Committed, Consortium, HttpNode, three_nodes


@pytest.fixture(scope="session")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with three_nodes(tmp_path_factory.mktemp("consortium")) as consortium:
        yield consortium


@pytest.fixture(scope="session")
def node(consortium: Consortium) -> HttpNode:
    """Give the node of member 1."""
    return consortium.nodes[1]


@pytest.fixture(scope="session")
def registered(consortium: Consortium, node: HttpNode) -> tuple[Committed, dict[str, Any]]:
    """Give a final credential of member 1 with its receipt, commitment filled in.

    Two batches lie before it and one after, so that its paths have steps on both sides.
    """
    for _ in range(2):
        consortium.register(node, *consortium.some(1, 2))
    committed = consortium.some(1)[0]
    consortium.register(node, committed, *consortium.some(1, 4))
    consortium.register(consortium.nodes[2], *consortium.some(2))
    node.step("following")
    return committed, node.receipt(committed)
