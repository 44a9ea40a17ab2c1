"""Credentials that were committed: the file, its sidecar, and its receipt, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testamur.cli.disk import Disk
from testamur.cli.files import read_credential
from testamur.credentials import profiles, sidecar
from testamur.credentials.sidecar import Sidecar
from testamur.errors import (
    CredentialChangedError,
    CredentialError,
    SidecarFormatError,
    SidecarMissingError,
    SidecarStorageError,
)
from testamur.merkle.hashing import Hash32

RECEIPT_SUFFIX: Final = ".receipt.json"


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
    name = sidecar.file_name(path.name, ledger_id=ledger_id, member=member)
    data = read_credential(path)
    try:
        found = sidecar.parse(disk.read(path.with_name(name), sidecar.BYTES_MAX + 1))
    except FileNotFoundError as exc:
        raise SidecarMissingError(f"it has no sidecar {name}") from exc
    except OSError as exc:
        raise SidecarStorageError(f"cannot read {name}: {exc.strerror}") from exc
    if (found.ledger_id, found.member) != (ledger_id, member):
        raise SidecarFormatError(f"{name} is of another ledger or member")
    try:
        unchanged = profiles.digest(data, found.profile) == found.digest
    except CredentialError as exc:
        raise CredentialChangedError(f"it no longer parses as {found.profile}: {exc}") from exc
    if not unchanged:
        raise CredentialChangedError("it is not the file that was committed")
    return Registered(path, found)
