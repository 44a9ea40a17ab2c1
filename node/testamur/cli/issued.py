"""What became of each credential that is issued, and issued.csv, which says it to other programs.

docs/formats/csv-files.md describes the file. It is derived: what is done stands in sidecars, at
the node and in bundles, and a lost or stale issued.csv is written anew by the next run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from testamur.cli import csv_files
from testamur.cli.disk import Disk
from testamur.cli.issue_list import OWN_COLUMNS, IssueList, Item
from testamur.credentials.sidecar import Sidecar
from testamur.errors import ConfigurationError, TestamurError, UnwritableFileError
from testamur.ledger.receipt import Receipt
from testamur.merkle.hashing import Hash32


@dataclass(slots=True)
class Issue:
    """One credential on its way; changed as it goes."""

    item: Item
    """Its file, and where its bundle goes."""
    sidecar: Sidecar | None = None
    """Its commitment, once that is durable."""
    state: str = ""
    """State of its entry at the node; ``committed`` before it was submitted, empty before that."""
    batch: Hash32 | None = None
    """Root of its batch, once sealed."""
    time: int | None = None
    """Time of its anchor's block in Unix seconds, once there is a bundle."""
    error: TestamurError | None = None
    """Why it is left out from here on in this run."""

    @property
    def is_done(self) -> bool:
        """Whether its bundle is there."""
        return self.time is not None

    @property
    def waits(self) -> bool:
        """Whether it is committed and may still get its bundle in this run."""
        return self.sidecar is not None and not self.is_done and self.error is None

    @property
    def entry(self) -> Hash32:
        """Its entry; only where there is a sidecar."""
        if self.sidecar is None:  # a programming mistake
            raise TypeError("not committed yet")
        return self.sidecar.entry

    def note_bundle(self, receipt: Receipt) -> None:
        """Note that its bundle is there, with this receipt."""
        record = receipt.record.record
        self.state, self.batch, self.time = "final", record.root, record.time


class IssuedFile:
    """issued.csv: written whole, again and again, in place of what an earlier run wrote."""

    def __init__(self, listed: IssueList, issues: Sequence[Issue], disk: Disk) -> None:
        """Speak of ``issues``, made of ``listed``."""
        self._path = listed.issued
        self._columns = (*OWN_COLUMNS, *listed.columns)
        self._issues = issues
        self._disk = disk

    def check(self) -> None:
        """Check that nothing but an earlier issued.csv would be written over.

        Raises:
            ConfigurationError: a file of that name was not made by this command.
            UnwritableFileError: it cannot be read.
        """
        begin = ",".join(OWN_COLUMNS).encode("ascii")
        try:
            found = self._disk.read(self._path, len(begin))
        except FileNotFoundError:
            return
        except OSError as exc:
            raise UnwritableFileError(f"cannot read {self._path}: {exc.strerror}") from exc
        if found != begin:
            raise ConfigurationError(f"{self._path} was not made by this command: move it away")

    def write(self) -> None:
        """Write what is known now; durable on return, for its owner alone.

        A crash leaves the file as it was, or whole as it is now; the next run writes it anew.

        Raises:
            UnwritableFileError: it could not be written; which of the two is there is unknown.
        """
        folder = self._path.parent
        data = csv_files.encode(self._columns, (_cells(one, folder) for one in self._issues))
        try:
            self._disk.replace(self._disk.write_temporary(folder, data), self._path)
            self._disk.sync_directory(folder)
        except OSError as exc:
            raise UnwritableFileError(f"cannot write {self._path}: {exc.strerror}") from exc


def shown_time(seconds: int | None) -> str:
    """Write a time in ISO 8601, in UTC; nothing for None."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cells(one: Issue, folder: Path) -> tuple[str, ...]:
    made = one.sidecar
    return (
        csv_files.file_name(one.item.name),
        "" if made is None else made.digest.hex(),
        "" if made is None else made.entry.hex(),
        one.state if one.error is None or one.state else "failed",
        "" if one.batch is None else one.batch.hex(),
        shown_time(one.time),
        csv_files.file_name(os.path.relpath(one.item.bundle, folder)) if one.is_done else "",
        "" if one.error is None else one.error.code,
        *one.item.kept,
    )
