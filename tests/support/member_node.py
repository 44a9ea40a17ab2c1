"""The chain side of one member's node, small enough to be killed and started in a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from testamur.chain.anchoring import Anchorer, AnchorProgress
from testamur.chain.client import ChainClient
from testamur.chain.deployment import Deployment, deploy
from testamur.chain.devchain.accounts import ACCOUNTS
from testamur.chain.following import Follower
from testamur.chain.keys import SigningKey, key_from_hex
from testamur.chain.ledger_client import LedgerClient
from testamur.ledger.birth import FoundingMember
from testamur.ledger.trust import FinalityRule
from testamur.merkle import tree
from testamur.merkle.hashing import Hash32, leaf_hash
from testamur.storage.model import BATCH_STATES, BatchState, LedgerIdentity
from testamur.storage.sql.store import SqlStore, open_store
from tests.support.waiting import wait_until

TIMEOUT_SECONDS = 10.0
FEE_CAP_WEI = 100 * 10**9
MEMBERS = 3


def key_of(member: int) -> SigningKey:
    """Give the anchor key of a member: a funded account of the embedded chain (and of anvil)."""
    return key_from_hex(ACCOUNTS[member].private_key, "test")


def founding_members() -> list[FoundingMember]:
    """Give three members, the anchor keys being those of :func:`key_of`."""
    return [
        FoundingMember(
            anchor_key=key_of(number).address,
            control_key=key_from_hex(ACCOUNTS[number + 5].private_key, "test").address,
            witness_key=sha256(b"witness %d" % number).digest(),
            name=f"University {number}",
            domain=f"u{number}.example",
            endpoint=f"https://node.u{number}.example",
        )
        for number in range(1, MEMBERS + 1)
    ]


@dataclass(frozen=True, slots=True)
class LedgerOnChain:
    """A deployed ledger, and how to reach it."""

    url: str
    deployment: Deployment
    chain_id: int
    genesis: Hash32

    def identity(self, member: int) -> LedgerIdentity:
        """Give what the store of ``member`` is bound to."""
        return LedgerIdentity(
            chain_id=self.chain_id,
            genesis=self.genesis,
            contract=self.deployment.contract,
            ledger_id=self.deployment.ledger_id,
            member=member,
        )

    @contextmanager
    def client(self, url: str | None = None) -> Iterator[LedgerClient]:
        """Give a client, over another endpoint than the chain's own if ``url`` says so."""
        contract = self.deployment.contract
        with LedgerClient(url or self.url, contract, timeout_seconds=TIMEOUT_SECONDS) as client:
            yield client


def deployed_ledger(url: str) -> LedgerOnChain:
    """Deploy a ledger with three members, paid for by account 0."""
    with ChainClient(url, timeout_seconds=TIMEOUT_SECONDS) as client:
        deployment = deploy(client, key_of(0), founding_members())
        return LedgerOnChain(url, deployment, client.chain_id(), client.genesis())


class MemberNode:
    """Store, follower and anchorer of one member. Leaving it is as good as killing it.

    Nothing is written at the end, and the store is durable before each call returns; opening the
    same ``directory`` again is the restart.
    """

    def __init__(
        self,
        ledger: LedgerOnChain,
        member: int,
        directory: Path,
        *,
        url: str | None = None,
        finality: FinalityRule | None = None,
        range_max: int = 2000,
        fee_cap_wei: int = FEE_CAP_WEI,
    ) -> None:
        self.member = member
        self.now = 1_800_000_000.0
        self.client = LedgerClient(
            url or ledger.url, ledger.deployment.contract, timeout_seconds=TIMEOUT_SECONDS
        )
        self.store: SqlStore = open_store(directory)
        self.store.bind_identity(ledger.identity(member))
        self.follower = Follower(
            self.client,
            self.store,
            finality=finality or FinalityRule(depth=None),
            deployed_at_block=ledger.deployment.block_number,
            range_max=range_max,
        )
        self.anchorer = Anchorer(
            self.client,
            self.store,
            key_of(member),
            member,
            fee_cap_wei=fee_cap_wei,
            clock=lambda: self.now,
        )

    def close(self) -> None:
        """Let go of store and connections."""
        self.store.close()
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def seal(self, name: str, count: int = 3) -> Hash32:
        """Put a batch of ``count`` entries into the store as sealed; give its root."""
        entries = sorted(Hash32(sha256(f"{name} {n}".encode()).digest()) for n in range(count))
        self.store.add_entries(entries, submitted_at=1)
        claim = self.store.claim(limit=count, now=2)
        assert claim is not None
        root = tree.root([leaf_hash(entry) for entry in entries])
        self.store.seal(claim.number, root=root, count=count, sealed_at=3)
        return root

    def turn(self) -> AnchorProgress:
        """Follow once and anchor once, as the node's loop does."""
        self.follower.poll_once()
        return self.anchorer.step()

    def turn_until(self, root: Hash32, state: BatchState, timeout_seconds: float = 20) -> None:
        """Take turns until the batch is in ``state``, or beyond."""
        wanted = BATCH_STATES.index(state)

        def arrived() -> bool:
            self.turn()
            return BATCH_STATES.index(self.store.batch(root).state) >= wanted

        wait_until(arrived, timeout_seconds)

    def anchored_with(self) -> list[int]:
        """Give the sequences of all journaled transactions, in their order."""
        return [each.transaction.sequence for each in self.store.anchor_transactions()]
