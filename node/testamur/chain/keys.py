"""Keys that sign transactions, held in this process and shown nowhere."""

from __future__ import annotations

from pathlib import Path


class SigningKey:
    """A secp256k1 key of an Ethereum account; neither repr nor any error shows it."""

    def __init__(self, secret: bytes) -> None:
        raise NotImplementedError

    @property
    def address(self) -> bytes:
        """The account's address, 20 bytes."""
        raise NotImplementedError


def key_from_hex(text: str, source: str) -> SigningKey:
    """Read a key from 64 hex digits, with or without 0x; for development.

    ``source`` names where the text comes from, for the error.

    Raises:
        ConfigurationError: not a key; the message never holds the text.
    """
    raise NotImplementedError


def key_from_hex_file(path: Path) -> SigningKey:
    """Read a key from a file with 64 hex digits; for development. Raises as :func:`key_from_hex`."""
    raise NotImplementedError


def key_from_keystore(path: Path, password: str) -> SigningKey:
    """Decrypt a version 3 keystore file, as Ethereum's own tools write it.

    Raises:
        ConfigurationError: it cannot be read, is none, or the password is wrong.
    """
    raise NotImplementedError
