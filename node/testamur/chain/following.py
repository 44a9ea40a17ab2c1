"""Following the chain: every record of the ledger into the store, checked against the head.

No log is believed on its own. Records are rebuilt from logs, put into the RFC 9162 tree, and the
tree's (size, root) is compared with ``head()`` of the contract at the same block hash: a log that
was left out, invented or altered shows there. What stands above the last comparison is taken out
again when one fails, and only what was compared is ever called final.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NoReturn

from testamur.chain.client import ChainBlock
from testamur.chain.events import LedgerEvent
from testamur.chain.ledger_client import LedgerClient, birth_of
from testamur.errors import (
    ChainDisagreementError,
    ChainIdentityError,
    ChainUnavailableError,
)
from testamur.ledger.records import RecordKind
from testamur.ledger.trust import FinalityRule
from testamur.merkle.compact import CompactRange
from testamur.merkle.hashing import leaf_hash
from testamur.storage.interface import Store
from testamur.storage.model import FollowedBlock, LedgerIdentity

RANGE_MAX_DEFAULT: Final = 2000
STATE_BLOCKS: Final = 120
"""How far back an ordinary node still knows the state of the contract (geth: 128 blocks)."""
MOVES_MAX: Final = 5
"""Polls in a row that may find the chain moving under them before that is called an outage."""
_PAGE: Final = 10_000


@dataclass(frozen=True, slots=True)
class FollowResult:
    """Where the store stands after a poll."""

    block: FollowedBlock | None
    """The block followed to; None before the contract's deployment was seen."""
    size: int
    """Records of the ledger up to there."""
    finalized: FollowedBlock | None
    """The highest block known to be final."""
    rewound_to: int | None
    """Height down to which a reorganisation took the store in this poll, if there was one."""


class _ViewMovedError(Exception):
    """The endpoint's chain was reorganised in the middle of a poll; the next poll sees the new."""


class _Ledger:
    """The ledger's tree as two compact ranges: at the final block, and at the followed one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._final = CompactRange()
        self.tree = CompactRange()
        """Over all records in the store."""
        final = store.finalized()
        self.reload()
        if final is not None:
            self.set_final(self.up_to(final.number))

    def reload(self) -> None:
        """Take over what the store holds above the final block."""
        self.tree = self._extend(self._final, lambda _: True)

    def up_to(self, block_number: int) -> CompactRange:
        """Give the tree as of a block that is not below the final one."""
        return self._extend(self._final, lambda number: number <= block_number)

    def set_final(self, tree: CompactRange) -> None:
        """Note the tree as of the final block: the past that never has to be hashed again."""
        self._final = tree

    def _extend(self, tree: CompactRange, wanted: Callable[[int], bool]) -> CompactRange:
        size = self._store.size()
        while tree.size < size:
            page = self._store.records(tree.size, min(tree.size + _PAGE, size))
            for record in page:
                if not wanted(record.block_number):
                    return tree
                tree = tree.append(leaf_hash(record.record))
        return tree


class Follower:
    """Copies the ledger from the chain into the store, and believes no log on its own.

    ``store`` has its identity bound. ``deployed_at_block`` is the block of the deployment, where
    following begins; ``range_max`` the most blocks asked for in one log query. One follower per
    store; it is used from one thread at a time. The first poll of a process hashes all records
    in the store, later ones only what is new.
    """

    def __init__(
        self,
        client: LedgerClient,
        store: Store,
        *,
        finality: FinalityRule,
        deployed_at_block: int,
        range_max: int = RANGE_MAX_DEFAULT,
    ) -> None:
        if range_max < 1 or deployed_at_block < 1:
            raise ValueError("range_max and deployed_at_block are at least 1")
        self._client = client
        self._store = store
        self._finality = finality
        self._deployed_at = deployed_at_block
        self._range_max = range_max
        self._ledger: _Ledger | None = None
        self._compared: FollowedBlock | None = None
        """The highest block at which this process found tree and head to be equal."""
        self._moves = 0
        """How many polls in a row ended because the endpoint's view moved."""

    def poll_once(self) -> FollowResult:
        """Follow the chain up to its newest block, rewinding first where it was reorganised.

        Safe to repeat, and to stop anywhere. Where the endpoint's own view moves during the
        poll, nothing of the moved part is kept; the next poll sees the new one.

        Raises:
            ChainUnavailableError: no answer, or none that held still for so many polls that the
                endpoint must be contradicting itself; what was followed so far stays.
            ChainIdentityError: the first event is not the birth of the store's ledger.
            ChainDisagreementError: the logs do not lead to ``head()`` at the same block, or a
                final block was replaced. What was not confirmed has been taken out again.
            StorageError: the store failed.
        """
        if self._ledger is None:
            self._ledger = _Ledger(self._store)
        ledger = self._ledger
        # Finality first: read after the newest block it could be ahead of what is followed, on a
        # chain where every block is final at once, and then nothing would ever become final.
        final = self._client.finalized(self._finality)
        latest = self._client.block("latest")
        rewound_to = None
        try:
            rewound_to = self._rewind_if_reorganised(latest, ledger)
            self._follow_to(latest, ledger)
            self._finalize(final, latest, ledger)
            self._moves = 0
        except _ViewMovedError:
            self._note_move()
        except ChainDisagreementError:
            self._forget_unconfirmed(ledger)
            raise
        except BaseException:
            # The store may hold more than the tree in memory, or less: read it anew next time.
            self._ledger = None
            raise
        return FollowResult(
            block=self._store.followed(),
            size=self._store.size(),
            finalized=self._store.finalized(),
            rewound_to=rewound_to,
        )

    def _note_move(self) -> None:
        """Bear with a chain that moves; that it never rests is for the operator to hear."""
        self._moves += 1
        if self._moves >= MOVES_MAX:
            raise ChainUnavailableError(
                f"{self._client.endpoint} shows another chain while it is read, "
                f"{self._moves} times in a row"
            )

    # --- reorganisations --------------------------------------------------------------------

    def _rewind_if_reorganised(self, latest: ChainBlock, ledger: _Ledger) -> int | None:
        """Go down to the highest block that the store and the chain share."""
        last = self._store.followed()
        if last is None:
            return None
        final = self._store.finalized()
        floor = self._deployed_at - 1 if final is None else final.number
        reorganised = False
        for block in self._followed_blocks(above=floor):
            # Above the endpoint's newest block nothing can be compared: an endpoint behind a load
            # balancer may be behind, and that alone is no reorganisation.
            if block.number > latest.number:
                continue
            if self._is_canonical(block):
                return self._rewind(block.number, ledger) if reorganised else None
            reorganised = True
        if final is not None and not self._is_canonical(final):
            if final.number > latest.number:
                raise ChainUnavailableError(
                    f"{self._client.endpoint} is behind the final block {final.number}"
                )
            raise ChainDisagreementError(
                f"{self._client.endpoint} replaced block {final.number}, which was final"
            )
        return self._rewind(floor, ledger) if reorganised else None

    def _followed_blocks(self, *, above: int) -> Iterator[FollowedBlock]:
        below: int | None = None
        while page := self._store.recent_blocks(below=below):
            for block in page:
                if block.number <= above:
                    return
                yield block
            below = page[-1].number

    def _is_canonical(self, block: FollowedBlock | ChainBlock) -> bool:
        theirs = self._client.find_block(block.number)
        return theirs is not None and theirs.hash == block.hash

    def _rewind(self, to_block_number: int, ledger: _Ledger) -> int:
        self._store.rewind(to_block_number)
        # A crash here leaves a shorter chain in the store; the next poll follows from there.
        ledger.reload()
        if self._compared is not None and self._compared.number > to_block_number:
            self._compared = None
        return to_block_number

    def _forget_unconfirmed(self, ledger: _Ledger) -> None:
        final = self._store.finalized()
        known = [block.number for block in (final, self._compared) if block is not None]
        self._rewind(max(known, default=self._deployed_at - 1), ledger)

    # --- following --------------------------------------------------------------------------

    def _follow_to(self, latest: ChainBlock, ledger: _Ledger) -> None:
        last = self._store.followed()
        start = self._deployed_at if last is None else last.number + 1
        while start <= latest.number:
            number = min(start + self._range_max - 1, latest.number)
            end = latest if number == latest.number else self._client.block(number)
            # Old state is pruned by ordinary nodes, so a long way is compared at its end only.
            compare = latest.number - number < STATE_BLOCKS
            self._follow_range(start, end, ledger, compare=compare)
            start = number + 1
        last = self._store.followed()
        if last == latest.followed() and self._compared != last:
            self._compare(latest, ledger.tree)

    def _follow_range(self, start: int, end: ChainBlock, ledger: _Ledger, *, compare: bool) -> None:
        events = self._client.events(start, end.number)
        tree = ledger.tree
        for event in events:
            if event.index != tree.size:
                self._refuse(end, f"record {event.index} was given where {tree.size} comes next")
            if event.index == 0:
                _check_birth(event, self._store.identity())
            tree = tree.append(event.record.leaf_hash())
        blocks = self._blocks_of(events, end)
        if compare:
            self._compare(end, tree)
        for block, its_events in blocks:
            # After a crash between two of these the next poll follows from the last one: each
            # block stands with all of its records or not at all.
            self._store.append_block(block.followed(), [event.followed() for event in its_events])
        ledger.tree = tree

    def _blocks_of(
        self, events: Sequence[LedgerEvent], end: ChainBlock
    ) -> list[tuple[ChainBlock, list[LedgerEvent]]]:
        """Group events by block, add the last block of the range, and check how all connect."""
        found: list[tuple[ChainBlock, list[LedgerEvent]]] = []
        for number, group in groupby(events, key=lambda event: event.block_number):
            block = end if number == end.number else self._client.block(number)
            its_events = list(group)
            for event in its_events:
                if event.block_hash != block.hash:
                    self._refuse(end, f"record {event.index} stands in another block {number}")
                anchored = event.record.kind is RecordKind.ANCHOR
                if anchored and event.record.time != block.timestamp:
                    self._refuse(end, f"record {event.index} has another time than its block")
            found.append((block, its_events))
        if not found or found[-1][0].number != end.number:
            found.append((end, []))
        before = self._store.followed()
        for block, _ in found:
            follows = before is None or block.number != before.number + 1
            if before is not None and not follows and block.parent_hash != before.hash:
                self._refuse(end, f"block {block.number} does not follow block {before.number}")
            before = block.followed()
        return found

    def _compare(self, block: ChainBlock, tree: CompactRange) -> None:
        size, root = self._client.head_at(block.hash)
        if (size, root) != (tree.size, tree.root()):
            self._refuse(
                block,
                f"the logs give {tree.size} records with root {tree.root().hex()}, "
                f"head() at block {block.number} is {size} with {root.hex()}",
            )
        self._compared = block.followed()

    def _refuse(self, block: ChainBlock, problem: str) -> NoReturn:
        """Tell a chain that moved while it was being read from one that contradicts itself."""
        if not self._is_canonical(block):
            raise _ViewMovedError
        raise ChainDisagreementError(f"{self._client.endpoint}: {problem}")

    # --- finality ---------------------------------------------------------------------------

    def _finalize(self, final: ChainBlock, latest: ChainBlock, ledger: _Ledger) -> None:
        followed, before = self._store.followed(), self._store.finalized()
        if followed is None or not self._deployed_at <= final.number <= followed.number:
            return
        if before is not None and final.number <= before.number:
            # An endpoint that is behind says nothing new; another block of the same number is
            # one that finality must not allow.
            if final.number == before.number and final.hash != before.hash:
                raise ChainDisagreementError(
                    f"{self._client.endpoint} replaced block {final.number}, which was final"
                )
            return
        ours = self._store.block_at(final.number) or final.followed()
        if not self._is_canonical(final) or ours.hash != final.hash:
            raise _ViewMovedError
        if ours != final.followed():
            self._refuse(final, f"block {final.number} was described in two ways")
        near = latest.number - final.number < STATE_BLOCKS
        if not near and (self._compared is None or self._compared.number < final.number):
            return  # a process that ended before it compared left these; a later poll will
        tree = ledger.up_to(final.number)
        if near:
            size, root = self._client.head_at(final.hash)
            if (size, root) != (tree.size, tree.root()):
                self._refuse(final, f"head() at the final block {final.number} is another one")
        self._store.set_finalized(final.followed())
        ledger.set_final(tree)


def _check_birth(event: LedgerEvent, identity: LedgerIdentity | None) -> None:
    if identity is None:
        raise RuntimeError("the store's identity is bound before anything is followed")
    born = event.record.leaf_hash()
    if event.change is None or born != identity.ledger_id:
        raise ChainIdentityError(
            f"record 0 is that of ledger {born.hex()}, not of {identity.ledger_id.hex()}"
        )
    birth = birth_of(event.change)
    if (birth.chain_id, birth.contract) != (identity.chain_id, identity.contract):
        raise ChainIdentityError("the birth names another chain or contract")
