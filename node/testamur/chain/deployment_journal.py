"""One deployment, journaled: a crash at any moment leaves one ledger or none, never two."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from eth_utils.crypto import keccak

from testamur.chain import abi
from testamur.chain.client import ChainClient
from testamur.chain.deployment import finish_deployment, sign_deployment
from testamur.chain.keys import SignedTransaction, SigningKey
from testamur.credentials import strict_json
from testamur.errors import ConfigurationError, CredentialError, StoreUnavailableError
from testamur.ledger.birth import FoundingMember
from testamur.ledger.fields import Fields
from testamur.merkle.hashing import Hash32
from testamur.storage.filesystem import FileSystem, LocalFileSystem, write_durably
from testamur.storage.model import ADDRESS_BYTES

TYPE: Final = "testamur/deployment/v1"


@dataclass(frozen=True, slots=True)
class StandingLedger:
    """A ledger whose deployment is done and was checked."""

    contract: bytes
    """Its address, 20 bytes."""
    block_number: int
    """Block of the deployment."""
    ledger_id: Hash32
    """Leaf hash of record 0."""


@dataclass(frozen=True, slots=True)
class JournaledDeployment:
    """What the journal holds."""

    signed: SignedTransaction
    """The one transaction that deploys this ledger."""
    members: tuple[FoundingMember, ...]
    """Its founders."""
    standing: StandingLedger | None
    """What came of it; None while that is not known."""


class DeploymentJournal:
    """One file, in a directory that is there; whole or not there, however a write ended."""

    def __init__(self, path: Path, filesystem: FileSystem | None = None) -> None:
        self._path = path
        self._disk = filesystem if filesystem is not None else LocalFileSystem()

    def read(self) -> JournaledDeployment | None:
        """Give what was written last; None before the first time.

        Raises:
            ConfigurationError: the file is none of ours; nothing of Testamur leaves it so.
            StoreUnavailableError: it cannot be read.
        """
        try:
            content = self._disk.read(self._path)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise StoreUnavailableError("read the deployment's journal", str(exc)) from exc
        return _parse(content, str(self._path))

    def write(self, deployment: JournaledDeployment) -> None:
        """Put this in place of what was written last; durable when it returns.

        Raises:
            StoreUnavailableError: unknown which of the two is there; reading tells.
        """
        try:
            write_durably(self._disk, self._path, _serialise(deployment))
        except OSError as exc:
            raise StoreUnavailableError("write the deployment's journal", str(exc)) from exc


def deploy_once(
    client: ChainClient,
    key: SigningKey,
    journal: DeploymentJournal,
    founders: Callable[[], Sequence[FoundingMember]],
) -> StandingLedger:
    """Give the ledger of this journal, deploying it if that was not done before.

    ``founders`` is asked once in the life of the journal.

    Raises:
        DeploymentError, TransactionRejectedError, ChainUnavailableError: the deployment failed,
            or its end is not known; the next call goes on from the journal.
        ConfigurationError, StoreUnavailableError: of the journal.
    """
    found = journal.read()
    if found is None:
        members = tuple(founders())
        found = JournaledDeployment(sign_deployment(client, key, members), members, None)
        # A crash after this write leaves a transaction that was sent or not: the next start sends
        # these same bytes, which an account's nonce lets deploy once.
        journal.write(found)
    if found.standing is not None:
        return found.standing
    done = finish_deployment(client, found.signed, found.members)
    standing = StandingLedger(done.contract, done.block_number, done.ledger_id)
    # A crash before this write leaves a ledger that the journal does not know of yet: the next
    # start finds its transaction in a block, checks it again, and comes here.
    journal.write(replace(found, standing=standing))
    return standing


def _serialise(deployment: JournaledDeployment) -> bytes:
    standing = deployment.standing
    value: dict[str, object] = {
        "type": TYPE,
        "transaction": "0x" + deployment.signed.raw.hex(),
        "founders": "0x" + abi.founders(deployment.members).hex(),
    }
    if standing is not None:
        value["ledger"] = {
            "contract": "0x" + standing.contract.hex(),
            "contract_block": standing.block_number,
            "ledger_id": standing.ledger_id.hex(),
        }
    return json.dumps(value, indent=2).encode() + b"\n"


def _parse(content: bytes, name: str) -> JournaledDeployment:
    try:
        fields = Fields(strict_json.parse(content), name, ConfigurationError)
    except CredentialError as exc:
        raise ConfigurationError(f"{name} is no journal of a deployment: {exc}") from exc
    fields.constant("type", TYPE)
    raw = fields.ethereum("transaction")
    members = _founders(fields.ethereum("founders"), name)
    standing = None
    if fields.has("ledger"):
        ledger = fields.nested("ledger")
        standing = StandingLedger(
            contract=ledger.ethereum("contract", ADDRESS_BYTES),
            block_number=ledger.integer("contract_block", least=1),
            ledger_id=ledger.hash("ledger_id"),
        )
        ledger.done()
    fields.done()
    return JournaledDeployment(SignedTransaction(raw, Hash32(keccak(raw))), members, standing)


def _founders(encoded: bytes, name: str) -> tuple[FoundingMember, ...]:
    try:
        (members,) = abi.read((abi.FOUNDERS,), encoded)
    except abi.NonCanonicalError as exc:
        raise ConfigurationError(f"{name}.founders: {exc}") from exc
    return tuple(
        FoundingMember(bytes.fromhex(a[2:]), bytes.fromhex(c[2:]), w, title, domain, endpoint)
        for a, c, w, title, domain, endpoint in members
    )
