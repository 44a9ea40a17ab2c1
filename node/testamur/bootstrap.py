"""The one place that builds real objects and connects them."""

# Imports stand in the functions: `testamur digest` must not pay for a database and a chain.
# ruff: noqa: PLC0415

from __future__ import annotations

import secrets
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.cli import streams
from testamur.cli.app import run
from testamur.cli.rim import Rim
from testamur.errors import ChainIdentityError, ChainUnavailableError, ConfigurationError
from testamur.ledger.trust import NetworkKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import FilteringBoundLogger as BoundLogger
    from uvicorn import Server

    from testamur.chain.keys import SigningKey
    from testamur.chain.ledger_client import LedgerClient
    from testamur.config import NodeSettings
    from testamur.merkle.hashing import Hash32
    from testamur.service.loops import Stage
    from testamur.service.node import NodeService
    from testamur.storage.batch_files import BatchFiles
    from testamur.storage.interface import Store
    from testamur.storage.model import LedgerIdentity


FOLLOW_SECONDS_MAX = 60.0
"""A node that has not followed the chain for this long, and ten polls, is not ready."""


def main() -> None:
    """Run the command ``testamur`` and exit with its code."""
    streams.reopen_closed()
    sys.exit(run(sys.argv[1:], Rim(random_bytes=secrets.token_bytes, serve=_serve)))


@dataclass(frozen=True, slots=True)
class Node:
    """Everything that a running node consists of."""

    service: NodeService
    """Its verbs."""
    stages: tuple[Stage, ...]
    """What runs beside HTTP: following always; sealing and anchoring with a key."""


@contextmanager
def open_node(settings: NodeSettings, *, clock: Callable[[], float]) -> Iterator[Node]:
    """Build a node, and close its store at the end. Nothing runs yet.

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
    from testamur.service.node import NodeDescription, NodeService
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
        stages = [_following(settings, client, store, service, check)]
        key = _anchor_key(settings)
        if key is not None:
            stages.append(_sealing(settings, store, files, identity, clock))
            stages.append(_anchoring(settings, client, store, key, check=check, clock=clock))
        yield Node(service, tuple(stages))


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


def _anchor_key(settings: NodeSettings) -> SigningKey | None:
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


def _following(
    settings: NodeSettings,
    client: LedgerClient,
    store: Store,
    service: NodeService,
    check: Callable[[], None],
) -> Stage:
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


def _sealing(
    settings: NodeSettings,
    store: Store,
    files: BatchFiles,
    identity: LedgerIdentity,
    clock: Callable[[], float],
) -> Stage:
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
    return stages.sealing(sealer, clock=clock, pause_seconds=settings.poll_seconds)


def _anchoring(
    settings: NodeSettings,
    client: LedgerClient,
    store: Store,
    key: SigningKey,
    *,
    check: Callable[[], None],
    clock: Callable[[], float],
) -> Stage:
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


def _serve(config: Path | None, as_json: bool) -> int:  # noqa: FBT001 - one caller, by position
    """Run a node until SIGINT or SIGTERM; 0 then, 1 when a stage stopped it."""
    import time

    from testamur.api.app import create_app
    from testamur.api.server import make_server
    from testamur.config import load_settings
    from testamur.logs import configure_logs
    from testamur.service.loops import Loops

    server: Server | None = None

    def stop(*_signal: object) -> None:
        if server is None:  # nothing is served yet, so nobody waits for an answer
            raise SystemExit(0)
        server.should_exit = True

    # Uvicorn puts its own handlers over these, and at its end raises the signal once more for
    # them: without them the process would end there, before its loops and its store.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    settings = load_settings(config)
    log = configure_logs(sys.stderr, as_json=as_json)
    listening = _listen(settings.host, settings.port)
    with open_node(settings, clock=time.time) as node:
        server = make_server(create_app(node.service))
        loops = Loops(node.stages, on_fatal=stop)
        loops.start()
        _announce(settings, node, listening.getsockname()[1], log)
        try:
            server.run(sockets=[listening])
        finally:
            loops.stop()
    return 0 if loops.failed is None else 1


def _listen(host: str, port: int) -> socket.socket:
    """Listen before anything is announced, so that whoever reads the line can connect."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as exc:
        listening.close()
        raise ConfigurationError(f"cannot listen on {host} port {port}: {exc.strerror}") from exc
    return listening


def _announce(settings: NodeSettings, node: Node, port: int, log: BoundLogger) -> None:
    identity = node.service.about.identity
    log.info(
        "node started",
        url=f"http://{settings.host}:{port}",
        member=identity.member,
        ledger=identity.ledger_id.hex(),
        network=settings.network_name,
        kind=settings.network_kind.value,
        anchors=len(node.stages) > 1,
    )
    if settings.network_kind is not NetworkKind.MAIN:
        log.warning("this network is for trials: what is anchored here proves nothing to others")
    if settings.host not in {"127.0.0.1", "::1", "localhost"}:
        log.warning("listening beyond this machine: whoever reaches it may submit entries")
    if settings.anchor_key_file is not None:
        log.warning("the anchor key lies unencrypted in a file: use anchor_keystore for real")
