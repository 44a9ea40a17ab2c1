"""A consortium whose chain comes to finality by itself, for nodes that are processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.devchain import FAST_BLOCKS_SECONDS
from tests.support.node import Consortium, founded


@pytest.fixture
def consortium(tmp_path: Path) -> Iterator[Consortium]:
    with founded(tmp_path, block_interval=FAST_BLOCKS_SECONDS) as consortium:
        yield consortium
