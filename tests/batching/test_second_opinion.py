"""merkletools derives the root that our own tree derives."""

from __future__ import annotations

import pytest

from testamur.batching.second_opinion import root_of_file
from testamur.errors import ReadBackError
from testamur.storage.batch_format import batch_root, encode_batch
from tests.support.stored import some_entries


@pytest.mark.parametrize("count", [*range(1, 34), 100, 1023])
def test_both_derivations_agree(count: int) -> None:
    entries = sorted(some_entries(count))
    assert root_of_file(encode_batch(entries)) == batch_root(entries)


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33)])
def test_what_is_no_batch_file_has_no_root(data: bytes) -> None:
    with pytest.raises(ReadBackError):
        root_of_file(data)
