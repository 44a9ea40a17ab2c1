"""Credentials that were committed: the file, its sidecar, and its receipt, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testamur.cli.disk import Disk
from testamur.cli.files import read_credential
from testamur.cli.sidecars import read_sidecar
from testamur.credentials import sidecar
from testamur.credentials.sidecar import Sidecar
from testamur.errors import SidecarMissingError
from testamur.merkle.hashing import Hash32

RECEIPT_SUFFIX: Final = ".receipt.json"

BUNDLE_SUFFIX: Final = ".testamur.zip"
"""As in testamur.ledger.bundle, which takes longer to import than most commands run."""

MADE_SUFFIXES: Final = (sidecar.SUFFIX, RECEIPT_SUFFIX, BUNDLE_SUFFIX)
"""What commands make beside a credential, and is none."""

RECEIPT_BYTES_MAX: Final = 4 * 1024 * 1024
"""As in testamur.ledger.receipt_json, which takes longer to import than most commands run."""


@dataclass(frozen=True, slots=True)
class Registered:
    """One committed credential."""

    path: Path
    """The credential's file."""
    sidecar: Sidecar
    """How its entry was made."""

    @property
    def receipt_path(self) -> Path:
        """Where its receipt is kept."""
        return receipt_path(self.path)

    @property
    def bundle_path(self) -> Path:
        """Where its bundle goes."""
        return self.path.with_name(self.path.name + BUNDLE_SUFFIX)


def receipt_path(credential: Path) -> Path:
    """Where the receipt of a credential is kept: beside it."""
    return credential.with_name(credential.name + RECEIPT_SUFFIX)


def find_registered(path: Path, *, ledger_id: Hash32, member: int, disk: Disk) -> Registered:
    """Read the sidecar of ``path`` for this ledger and member, and check that it fits the file.

    Raises:
        SidecarMissingError: the file was not committed for this ledger and member.
        SidecarFormatError, SidecarStorageError: the sidecar is damaged or cannot be read.
        CredentialChangedError: the file is not the one that was committed.
        UnreadableFileError: the file itself cannot be read.
    """
    found = read_sidecar(path, read_credential(path), ledger_id=ledger_id, member=member, disk=disk)
    if found is None:
        raise SidecarMissingError("it was not committed for the ledger and member of this node")
    return Registered(path, found)
