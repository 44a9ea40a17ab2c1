"""What ``testamur init`` asks the chain, so that a wrong answer is seen before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testamur.errors import ConfigurationError
from testamur.ledger.birth import Birth
from testamur.ledger.trust import Network, NetworkKind

TIMEOUT_SECONDS: Final = 10.0

_KNOWN: Final = {
    1: Network("Ethereum", NetworkKind.MAIN),
    100: Network("Gnosis", NetworkKind.MAIN),
    10200: Network("Chiado", NetworkKind.TEST),
    17000: Network("Holesky", NetworkKind.TEST),
    560048: Network("Hoodi", NetworkKind.TEST),
    11155111: Network("Sepolia", NetworkKind.TEST),
    1337: Network("embedded chain", NetworkKind.LOCAL),
    31337: Network("local chain", NetworkKind.LOCAL),
}


@dataclass(frozen=True, slots=True)
class SeenChain:
    """A chain, as its endpoint tells of it."""

    chain_id: int
    """EIP-155 chain id."""
    block: int
    """Its newest block."""


def network_of(chain_id: int | None) -> Network:
    """Propose name and kind of a chain; one that nobody knows is worth no more than a test."""
    if chain_id in _KNOWN:
        return _KNOWN[chain_id]
    return Network("a chain" if chain_id is None else f"chain {chain_id}", NetworkKind.TEST)


def look_at_chain(rpc_url: str) -> SeenChain:
    """Ask an endpoint which chain it serves.

    Raises:
        ChainUnavailableError: no answer; the message shows scheme and host alone.
    """
    from testamur.chain.client import ChainClient  # noqa: PLC0415 (slow to import)

    with ChainClient(rpc_url, timeout_seconds=TIMEOUT_SECONDS) as client:
        return SeenChain(client.chain_id(), client.block("latest").number)


def look_at_birth(rpc_url: str, contract: str, block: int) -> Birth:
    """Read the birth of a ledger: one endpoint's word, to be compared with the members'.

    Raises:
        ChainIdentityError: that block has no birth of this contract.
        ChainUnavailableError: no answer.
    """
    from testamur.chain.ledger_client import LedgerClient, read_birth  # noqa: PLC0415 (as above)

    address = bytes.fromhex(contract[2:])
    with LedgerClient(rpc_url, address, timeout_seconds=TIMEOUT_SECONDS) as client:
        return read_birth(client, block)


def anchor_key_of(rpc_url: str, contract: str, member: int) -> bytes:
    """Give the address that the ledger lets anchor for a member now, 20 bytes.

    Raises:
        ChainIdentityError: nothing there answers as a ledger does.
        ChainUnavailableError: no answer.
    """
    from testamur.chain.ledger_client import LedgerClient  # noqa: PLC0415 (as above)

    address = bytes.fromhex(contract[2:])
    with LedgerClient(rpc_url, address, timeout_seconds=TIMEOUT_SECONDS) as client:
        return client.member_at(member, client.block("latest").hash).anchor_key


def keystore_key(path: Path) -> bytes:
    """Give the address that a keystore names; raises ConfigurationError where it is none."""
    from testamur.chain.keys import keystore_address  # noqa: PLC0415 (as above)

    return keystore_address(path)


def encrypted_key(secret: bytes, password: str) -> tuple[bytes, str]:
    """Give the address of a new key, and the key as a keystore.

    Raises:
        ConfigurationError: those bytes are no key; drawing anew helps.
    """
    from testamur.chain.keys import SigningKey, new_keystore  # noqa: PLC0415 (as above)

    try:
        return SigningKey(secret).address, new_keystore(secret, password)
    except ValueError as exc:
        raise ConfigurationError("no key could be drawn; run the command again") from exc
