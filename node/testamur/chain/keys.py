"""Keys that sign transactions, held in this process and shown nowhere."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from testamur.errors import ConfigurationError
from testamur.merkle.hashing import Hash32

_HEX_KEY: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_SECRET_BYTES: Final = 32
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Order of the secp256k1 group (SEC 2 section 2.4.1)."""
_ADDRESS_BYTES: Final = 20
_KEYSTORE_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class UnsignedTransaction:
    """An EIP-1559 transaction before it is signed; it sends no money."""

    chain_id: int
    """EIP-155 chain id: the signature is good on no other chain."""
    nonce: int
    """The account's nonce."""
    to: bytes | None
    """Address, 20 bytes; None creates a contract."""
    data: bytes
    """The call, or the creation code."""
    gas_limit: int
    """Most gas that it may use."""
    fee_max_wei: int
    """Most that a unit of gas may cost, tip included."""
    tip_max_wei: int
    """Most of it that goes to the block's builder."""


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction as it is sent."""

    raw: bytes
    """Its bytes."""
    tx_hash: Hash32
    """Keccak-256 of them."""


class SigningKey:
    """A secp256k1 key of an Ethereum account; neither repr nor any error shows it."""

    __slots__ = ("_account",)

    def __init__(self, secret: bytes) -> None:
        # Checked here, so that no library error, which might quote the key, can come of it.
        if len(secret) != _SECRET_BYTES or not 0 < int.from_bytes(secret, "big") < _ORDER:
            raise ValueError("not a secp256k1 key: 32 bytes from 1 to the group's order")
        self._account: LocalAccount = Account.from_key(secret)

    def __repr__(self) -> str:
        return f"SigningKey(address=0x{self.address.hex()})"

    def __reduce__(self) -> str:
        raise TypeError("a signing key is not written anywhere")

    @property
    def address(self) -> bytes:
        """The account's address, 20 bytes."""
        return bytes.fromhex(self._account.address[2:])

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """Sign; the same transaction always gives the same bytes (RFC 6979)."""
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": transaction.chain_id,
                "nonce": transaction.nonce,
                "to": transaction.to if transaction.to is not None else b"",
                "value": 0,
                "data": transaction.data,
                "gas": transaction.gas_limit,
                "maxFeePerGas": transaction.fee_max_wei,
                "maxPriorityFeePerGas": transaction.tip_max_wei,
                "accessList": [],
            }
        )
        return SignedTransaction(bytes(signed.raw_transaction), Hash32(bytes(signed.hash)))


def key_from_hex(text: str, source: str) -> SigningKey:
    """Read a key from 64 hex digits, with or without 0x; for development.

    ``source`` names where the text comes from, for the error.

    Raises:
        ConfigurationError: not a key; the message never holds the text.
    """
    match = _HEX_KEY.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"{source} does not hold a key of 64 hex digits")
    return _key(bytes.fromhex(match[1]), source)


def key_from_hex_file(path: Path) -> SigningKey:
    """Read a key from a file with 64 hex digits; for development.

    Raises:
        ConfigurationError: the file cannot be read, or holds no key.
    """
    return key_from_hex(_read(path), str(path))


def key_from_keystore(path: Path, password: str) -> SigningKey:
    """Decrypt a version 3 keystore file, as Ethereum's own tools write it.

    Raises:
        ConfigurationError: it cannot be read, is none, or the password is wrong.
    """
    text = _read(path)
    try:
        secret = bytes(Account.decrypt(text, password))
    except Exception as exc:  # eth-keyfile raises ValueError, KeyError, TypeError as it meets them
        raise ConfigurationError(f"{path} is no keystore, or the password is wrong") from exc
    return _key(secret, str(path))


def new_keystore(secret: bytes, password: str) -> str:
    """Encrypt a key as a version 3 keystore, the JSON text that Ethereum's own tools read.

    ``secret`` is 32 bytes from the operating system's generator: whoever predicts them has the
    key. Takes about a second on purpose, so that a stolen file is slow to try passwords on.

    Raises:
        ValueError: not a key; the chance of that is 2^-128.
    """
    SigningKey(secret)
    return json.dumps(Account.encrypt(secret, password))


def keystore_address(path: Path) -> bytes:
    """Read the address that a version 3 keystore names, 20 bytes; its password is not needed.

    Nothing shows that the key inside is that of the address; signing shows it.

    Raises:
        ConfigurationError: it cannot be read, or is none.
    """
    text = _read(path)
    try:
        named = json.loads(text)["address"].removeprefix("0x")
        address = bytes.fromhex(named)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ConfigurationError(f"{path} is no keystore that names its address") from exc
    if len(address) != _ADDRESS_BYTES:
        raise ConfigurationError(f"{path} is no keystore that names its address")
    return address


def _key(secret: bytes, source: str) -> SigningKey:
    try:
        return SigningKey(secret)
    except ValueError as exc:
        raise ConfigurationError(f"{source} does not hold a secp256k1 key") from exc


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_KEYSTORE_BYTES_MAX + 1)
        if len(content) > _KEYSTORE_BYTES_MAX:
            raise ConfigurationError(f"{path} is too large for a key")
        return content.decode("ascii")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"the key file {path} cannot be read") from exc
