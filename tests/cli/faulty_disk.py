"""A disk on which one step of a durable write fails."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from testamur.cli.disk import Disk


class FaultyDisk(Disk):
    """A disk on which one step fails: before it does anything, or after it did everything.

    ``spared`` is how many times the step goes well first; ``met`` counts how often it failed.
    """

    def __init__(self, step: str, *, kept: bool, code: int = errno.EIO, spared: int = 0) -> None:
        self.step, self.kept, self.code, self.spared = step, kept, code, spared
        self.broken = True
        self.met = 0

    def _around(self, step: str, *, after: bool) -> None:
        if not self.broken or step != self.step or after != self.kept:
            return
        if self.spared:
            self.spared -= 1
        else:
            self.met += 1
            raise OSError(self.code, os.strerror(self.code))

    def write_temporary(self, directory: Path, data: bytes) -> Path:
        self._around("write", after=False)
        path = super().write_temporary(directory, data)
        self._around("write", after=True)
        return path

    def publish(self, temporary: Path, target: Path) -> None:
        self._around("publish", after=False)
        super().publish(temporary, target)
        self._around("publish", after=True)

    def replace(self, temporary: Path, target: Path) -> None:
        self._around("replace", after=False)
        super().replace(temporary, target)
        self._around("replace", after=True)

    def sync_directory(self, directory: Path) -> None:
        self._around("sync", after=False)
        super().sync_directory(directory)
        self._around("sync", after=True)

    def make_temporary_directory(self, parent: Path) -> Path:
        self._around("make", after=False)
        path = super().make_temporary_directory(parent)
        self._around("make", after=True)
        return path

    def create(self, target: Path, data: bytes) -> None:
        self._around("create", after=False)
        super().create(target, data)
        self._around("create", after=True)

    def publish_directory(self, temporary: Path, target: Path) -> None:
        self._around("publish_directory", after=False)
        super().publish_directory(temporary, target)
        self._around("publish_directory", after=True)

    def read(self, path: Path, bytes_max: int) -> bytes:
        self._around("read", after=False)
        return super().read(path, bytes_max)
