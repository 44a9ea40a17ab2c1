"""The members are read from a birth record that is the ledger's own, in one look-up."""

from __future__ import annotations

from pathlib import Path

import pytest

from testamur.errors import NotFollowedYetError, StoreIdentityError
from testamur.ledger.trust import FinalityRule, Network, NetworkKind
from testamur.service.membership import Membership, NodeDescription
from testamur.storage.sql.store import open_store
from tests.support.counted import CountedStore
from tests.support.stored import BIRTH_CHANGE, IDENTITY, anchor_in, birth_in, block, digest

ABOUT = NodeDescription(
    IDENTITY, Network("test", NetworkKind.LOCAL), FinalityRule(depth=None), "0.0.0"
)


def test_the_birth_is_looked_up_once(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.append_block(block(1), [birth_in(block(1))])
        counted = CountedStore(store)
        membership = Membership(counted, ABOUT)  # type: ignore[arg-type]
        for _ in range(2):
            assert membership.birth_change() == BIRTH_CHANGE
    assert counted.calls == {"record": 1}


def test_before_the_birth_was_followed_it_says_so(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        membership = Membership(store, ABOUT)
        for _ in range(2):
            with pytest.raises(NotFollowedYetError, match="birth"):
                membership.birth_change()
        store.append_block(block(1), [birth_in(block(1))])
        assert membership.birth_change() == BIRTH_CHANGE  # and it is not told so for ever


def test_another_record_in_its_place_is_refused(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.append_block(block(1), [anchor_in(block(1), 0, root=digest("root"), count=1)])
        with pytest.raises(StoreIdentityError):
            Membership(store, ABOUT).birth_change()
