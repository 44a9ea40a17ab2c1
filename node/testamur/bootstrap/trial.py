"""A whole node for a trial, where no chain is configured: embedded chain, ledger, one member.

The chain runs in threads of the node's own process: nothing of it outlives the process, however
that ends. Everything is kept in the data directory, so that the next start goes on from there.
"""

# Imports stand in the functions: `testamur digest` must not pay for a database and a chain.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from testamur.errors import ConfigurationError, StoreUnavailableError

if TYPE_CHECKING:
    from testamur.chain.deployment_journal import StandingLedger
    from testamur.chain.devchain.chain import DevChain
    from testamur.chain.devchain.server import DevchainServer
    from testamur.chain.keys import SigningKey
    from testamur.config import NodeSettings
    from testamur.ledger.birth import FoundingMember
    from testamur.service.loops import Stage

CHAIN_DIRECTORY: Final = "embedded-chain"
"""Where in the data directory the chain is kept; ``testamur devchain --data-dir`` takes it."""

JOURNAL_NAME: Final = "deployment.json"
"""The journal of the ledger's deployment, beside the chain."""

CHAIN_PORT: Final = 8545
"""Where Ethereum's tools look for a chain on their own machine; a free one where it is taken."""

WATCH_SECONDS: Final = 1.0

_SETTLED: Final[Mapping[str, object]] = {
    "member": 1,
    "network_name": "embedded chain",
    "network_kind": "local",
    # Known once the chain runs and the ledger stands.
    "rpc_url": "http://127.0.0.1",
    "contract": "0x" + 20 * "00",
    "contract_block": 1,
}
_DEPLOYER, _ANCHOR, _CONTROL = range(3)
_WITNESS_KEY_BYTES: Final = 32
_RPC_TIMEOUT_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What a node on the embedded chain is built from."""

    settings: NodeSettings
    """All of its settings, with the chain's address and the ledger's."""
    key: SigningKey
    """The member's anchor key, which everybody knows."""
    watch: Stage
    """Ends the node when its chain has failed."""


def trial_settings(
    given: Mapping[str, object], *, environment: Mapping[str, str], home: Path
) -> NodeSettings:
    """Complete what was given for a node on the embedded chain; its addresses are yet to come.

    The data directory is ``testamur`` where programs keep a user's data (XDG base directory
    specification: ``$XDG_DATA_HOME``, or ``~/.local/share``).

    Raises:
        ConfigurationError: a setting is wrong.
    """
    from testamur.config import TRIAL_DEFAULTS, build_settings

    base = Path(environment.get("XDG_DATA_HOME", ""))
    if not base.is_absolute():  # the specification: such a value is to be ignored
        base = home / ".local" / "share"
    return build_settings({"data_dir": base / "testamur", **TRIAL_DEFAULTS, **given, **_SETTLED})


@contextmanager
def open_trial(
    settings: NodeSettings,
    *,
    clock: Callable[[], float],
    random_bytes: Callable[[int], bytes],
) -> Iterator[Trial]:
    """Run the embedded chain of a data directory until the end of the block, with its ledger.

    ``settings`` come from :func:`trial_settings`. The first time the ledger is deployed; a crash
    in the middle is repaired by the next call.

    Raises:
        StoreLockedError: another process runs the node of this directory.
        StoreUnavailableError: the directory cannot be used.
        ConfigurationError: it is the directory of another node, or is damaged.
    """
    from testamur.chain.devchain.accounts import ACCOUNTS
    from testamur.chain.devchain.chain import DevChain
    from testamur.chain.keys import key_from_hex

    place = settings.data_dir / CHAIN_DIRECTORY
    _refuse_another_nodes(settings.data_dir)
    _make_private(settings.data_dir, place)
    with ExitStack() as stack:
        chain = stack.enter_context(closing(DevChain(data_dir=place, clock=clock)))
        server = _serve(chain)
        stack.callback(server.stop)
        server.start()
        ledger = _ledger(server.url, place, random_bytes)
        reached = {
            "rpc_url": server.url,
            "contract": "0x" + ledger.contract.hex(),
            "contract_block": ledger.block_number,
            "ledger_id": ledger.ledger_id.hex(),
        }
        key = key_from_hex(ACCOUNTS[_ANCHOR].private_key, "the embedded chain")
        yield Trial(_with(settings, reached), key, _watch(chain, server))


def _refuse_another_nodes(data_dir: Path) -> None:
    """Refuse a directory that has a node, but no embedded chain: its settings were forgotten."""
    from testamur.storage.sql.database import DATABASE_NAME

    if (data_dir / DATABASE_NAME).exists() and not _journal_path(data_dir).exists():
        raise ConfigurationError(
            f"{data_dir} belongs to a node of another chain: give its settings (--config FILE), or "
            "another directory (--data-dir DIR)"
        )


def _journal_path(data_dir: Path) -> Path:
    return data_dir / CHAIN_DIRECTORY / JOURNAL_NAME


def _make_private(*directories: Path) -> None:
    from testamur.storage.filesystem import LocalFileSystem

    disk = LocalFileSystem()
    try:
        directories[0].parent.mkdir(parents=True, exist_ok=True)
        for directory in directories:
            # Synced even where it was there before: an earlier start may have made it and
            # stopped. A crash here leaves an empty directory, which the next start takes.
            disk.make_directory(directory)
            disk.sync_directory(directory.parent)
    except OSError as exc:
        raise StoreUnavailableError("make the data directory", str(exc)) from exc


def _serve(chain: DevChain) -> DevchainServer:
    from testamur.chain.devchain.server import DevchainServer

    try:
        return DevchainServer(chain, port=CHAIN_PORT)
    except ConfigurationError:
        return DevchainServer(chain, port=0)


def _ledger(url: str, place: Path, random_bytes: Callable[[int], bytes]) -> StandingLedger:
    from testamur.chain.client import ChainClient
    from testamur.chain.deployment_journal import DeploymentJournal, deploy_once
    from testamur.chain.devchain.accounts import ACCOUNTS
    from testamur.chain.keys import key_from_hex

    key = key_from_hex(ACCOUNTS[_DEPLOYER].private_key, "the embedded chain")
    with ChainClient(url, timeout_seconds=_RPC_TIMEOUT_SECONDS) as client:

        def founders() -> list[FoundingMember]:
            if client.transaction_count(key.address, pending=True):
                raise ConfigurationError(
                    f"the chain in {place} was used, and {JOURNAL_NAME} beside it is missing: put "
                    "it back, or begin anew with another directory (--data-dir DIR)"
                )
            return [_founder(random_bytes)]

        return deploy_once(client, key, DeploymentJournal(place / JOURNAL_NAME), founders)


def _founder(random_bytes: Callable[[int], bytes]) -> FoundingMember:
    from testamur.chain.devchain.accounts import ACCOUNTS
    from testamur.ledger.birth import FoundingMember

    return FoundingMember(
        anchor_key=bytes.fromhex(ACCOUNTS[_ANCHOR].address[2:]),
        control_key=bytes.fromhex(ACCOUNTS[_CONTROL].address[2:]),
        # Every embedded chain begins with the same block. Drawn by chance, this alone gives each
        # trial a ledger id of its own, so that a receipt of another one is foreign, not forged.
        witness_key=random_bytes(_WITNESS_KEY_BYTES),
        name="Trial University",
        domain="trial.example",
        endpoint="",
    )


def _with(settings: NodeSettings, reached: Mapping[str, object]) -> NodeSettings:
    from testamur.config import build_settings

    return build_settings({**settings.model_dump(exclude_unset=True), **reached})


def _watch(chain: DevChain, server: DevchainServer) -> Stage:
    from testamur.service.loops import Stage

    def step() -> bool:
        if server.failed is not None:
            raise server.failed
        chain.check()
        return False

    return Stage("embedded chain", step, WATCH_SECONDS)
