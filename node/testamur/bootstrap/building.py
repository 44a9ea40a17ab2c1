"""Building a node from its settings: store, client, service, and the stages beside them."""

# Imports stand in the functions: `testamur digest` must not pay for a database and a chain.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from testamur.bootstrap import stages
from testamur.errors import ChainIdentityError, ChainUnavailableError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from testamur.chain.keys import SigningKey
    from testamur.chain.ledger_client import LedgerClient
    from testamur.config import NodeSettings
    from testamur.service.loops import Stage
    from testamur.service.node import NodeService
    from testamur.storage.interface import Store
    from testamur.storage.model import LedgerIdentity


FOLLOW_SECONDS_MAX = 60.0
"""A node that has not followed the chain for this long, and ten polls, is not ready."""


@dataclass(frozen=True, slots=True)
class Node:
    """Everything that a running node consists of."""

    service: NodeService
    """Its verbs."""
    stages: tuple[Stage, ...]
    """What runs beside HTTP: following always; sealing and anchoring with a key."""


@contextmanager
def open_node(
    settings: NodeSettings, *, clock: Callable[[], float], key: SigningKey | None = None
) -> Iterator[Node]:
    """Build a node, and close its store at the end. Nothing runs yet.

    ``key`` anchors for the member; None: the one that the settings name, if they name one.

    Raises:
        ChainUnavailableError: the chain does not answer a node that has not yet learned from it
            which ledger it serves.
        ChainIdentityError, StoreIdentityError: another chain, contract or ledger than the data
            directory belongs to, or than the settings name.
        StoreLockedError, StoreUnavailableError: the data directory cannot be used.
        ConfigurationError: the anchor key cannot be read, or the ledger has no such member.
    """
    from testamur import __version__
    from testamur.chain.following import STATE_BLOCKS
    from testamur.chain.ledger_client import LedgerClient, check_identity
    from testamur.service.batch_trees import BatchTrees
    from testamur.service.membership import NodeDescription
    from testamur.service.node import NodeService
    from testamur.storage.batch_files import LocalBatchFiles
    from testamur.storage.sql.store import open_store

    with (
        LedgerClient(
            settings.rpc_url.get_secret_value(),
            settings.contract_address,
            timeout_seconds=settings.rpc_timeout_seconds,
        ) as client,
        open_store(settings.data_dir) as store,
    ):
        identity = _bind(settings, client, store)
        files = LocalBatchFiles(settings.data_dir / "batches")
        service = NodeService(
            store,
            BatchTrees(files),
            client,
            about=NodeDescription(identity, settings.network, settings.finality, __version__),
            clock=clock,
            follow_seconds_max=FOLLOW_SECONDS_MAX + 10 * settings.poll_seconds,
            state_blocks=STATE_BLOCKS,
        )
        check = partial(check_identity, client, identity, deployed_at_block=settings.contract_block)
        running = [stages.following(settings, client, store, service, check)]
        key = key or stages.anchor_key(settings)
        if key is not None:
            running.append(stages.sealing(settings, store, files, identity, clock))
            running.append(stages.anchoring(settings, client, store, key, check=check, clock=clock))
        yield Node(service, tuple(running))


def _bind(settings: NodeSettings, client: LedgerClient, store: Store) -> LedgerIdentity:
    """Tie the store to the ledger: learned from the chain once, compared ever after."""
    from testamur.chain.ledger_client import check_identity, read_birth
    from testamur.storage.model import LedgerIdentity

    known = store.identity()
    learned = known is None
    if known is None:
        birth = read_birth(client, settings.contract_block)
        if not settings.member <= len(birth.members):
            raise ConfigurationError(f"the ledger has no member {settings.member}")
        known = LedgerIdentity(
            chain_id=client.chain_id(),
            genesis=client.genesis(),
            contract=settings.contract_address,
            ledger_id=birth.ledger_id(),
            member=settings.member,
        )
        if settings.expected_ledger not in {None, known.ledger_id}:
            # Nothing is stored yet, so that a corrected setting is all that it takes.
            raise ChainIdentityError(
                f"the contract was born as ledger {known.ledger_id.hex()}, "
                f"the setting ledger_id says {settings.ledger_id}"
            )
    # Compared without the chain, too: a node whose chain is down still starts and proves.
    wanted = replace(
        known,
        contract=settings.contract_address,
        ledger_id=settings.expected_ledger or known.ledger_id,
        member=settings.member,
    )
    store.bind_identity(wanted)
    if not learned:
        # Where the chain is down, the stages ask before they do anything with it.
        with suppress(ChainUnavailableError):
            check_identity(client, wanted, deployed_at_block=settings.contract_block)
    return wanted
