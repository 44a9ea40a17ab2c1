"""Building each stage of a node from its settings."""

# Imports stand in the functions: `testamur digest` must not pay for a database and a chain.
# ruff: noqa: PLC0415

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from testamur.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from testamur.batching.seal_request import SealRequest
    from testamur.chain.keys import SigningKey
    from testamur.chain.ledger_client import LedgerClient
    from testamur.config import NodeSettings
    from testamur.merkle.hashing import Hash32
    from testamur.service.loops import Stage
    from testamur.service.node import NodeService
    from testamur.storage.batch_files import BatchFiles
    from testamur.storage.interface import Store
    from testamur.storage.model import LedgerIdentity


def anchor_key(settings: NodeSettings) -> SigningKey | None:
    """Give the key that anchors for the member; None: this node never anchors.

    Raises:
        ConfigurationError: the file cannot be read or holds no key, or the password is wrong.
    """
    from testamur.chain.keys import key_from_hex_file, key_from_keystore

    if settings.anchor_keystore is not None:
        if settings.anchor_keystore_password is None:
            raise ConfigurationError("anchor_keystore needs TESTAMUR_ANCHOR_KEYSTORE_PASSWORD")
        return key_from_keystore(
            settings.anchor_keystore, settings.anchor_keystore_password.get_secret_value()
        )
    if settings.anchor_key_file is not None:
        return key_from_hex_file(settings.anchor_key_file)
    return None


def following(
    settings: NodeSettings,
    client: LedgerClient,
    store: Store,
    service: NodeService,
    check: Callable[[], None],
) -> Stage:
    """Give the stage that copies the ledger's records from the chain into the store."""
    from testamur.chain.following import Follower
    from testamur.service import stages

    follower = Follower(
        client,
        store,
        finality=settings.finality,
        deployed_at_block=settings.contract_block,
    )
    return stages.following(
        follower,
        check_identity=check,
        succeeded=service.note_followed,
        pause_seconds=settings.poll_seconds,
    )


def sealing(
    settings: NodeSettings,
    store: Store,
    files: BatchFiles,
    identity: LedgerIdentity,
    *,
    requested: SealRequest,
    clock: Callable[[], float],
) -> Stage:
    """Give the stage that makes batches of waiting entries."""
    from testamur.batching.policy import SealingLimits
    from testamur.batching.sealing import Sealer
    from testamur.credentials import commitment
    from testamur.merkle.hashing import hash32
    from testamur.service import stages

    def make_padding() -> tuple[Hash32, Hash32]:
        salt = hash32(secrets.token_bytes(commitment.SALT_BYTES))
        entry = commitment.entry(
            ledger_id=identity.ledger_id,
            member=identity.member,
            profile=commitment.PADDING,
            salt=salt,
            digest=bytes(32),
        )
        return salt, entry

    limits = SealingLimits(
        seal_at_count=settings.seal_at_count,
        seal_after_seconds=settings.seal_after_seconds,
        floor=settings.batch_floor,
    )
    sealer = Sealer(store, files, limits=limits, make_padding=make_padding)
    return stages.sealing(sealer, requested, clock=clock, pause_seconds=settings.poll_seconds)


def anchoring(
    settings: NodeSettings,
    client: LedgerClient,
    store: Store,
    key: SigningKey,
    *,
    check: Callable[[], None],
    clock: Callable[[], float],
) -> Stage:
    """Give the stage that puts sealed batches on the chain."""
    from testamur.chain.anchoring import Anchorer
    from testamur.service import stages

    anchorer = Anchorer(
        client,
        store,
        key,
        settings.member,
        fee_cap_wei=settings.fee_cap_gwei * 10**9,
        clock=clock,
    )
    return stages.anchoring(anchorer, check_identity=check, pause_seconds=settings.poll_seconds)


def replicating(
    settings: NodeSettings, store: Store, files: BatchFiles, identity: LedgerIdentity
) -> Stage:
    """Give the stage that pulls the batches of other members."""
    import time

    from testamur.consortium.fetching import BatchFetcher
    from testamur.consortium.replicating import Replicator
    from testamur.service import stages

    fetcher = BatchFetcher(
        allowed_private=frozenset(settings.allowed_private_endpoints), monotonic=time.monotonic
    )
    replicator = Replicator(store, files, fetcher.fetch, identity, monotonic=time.monotonic)
    return stages.replicating(replicator, pause_seconds=settings.poll_seconds)
