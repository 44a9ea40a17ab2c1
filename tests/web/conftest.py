"""One consortium for all pages: its chain is local, its nodes are real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.node import Consortium, HttpNode, founded


@pytest.fixture(scope="session")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with founded(tmp_path_factory.mktemp("consortium")) as consortium:
        yield consortium


@pytest.fixture(scope="session")
def node(consortium: Consortium) -> Iterator[HttpNode]:
    """Give the node of member 1."""
    with consortium.serving(1) as node:
        node.step("following")
        yield node
