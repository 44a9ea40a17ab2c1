"""The few calls to the disk that batch files need, as a seam at which tests make each one fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol


class FileSystem(Protocol):
    """What POSIX promises and no more: nothing is durable before it was synced."""

    def make_directory(self, path: Path) -> bool:
        """Make a directory, if it is missing; True if it was. Its name is not durable yet."""
        ...

    def create(self, path: Path, data: bytes) -> None:
        """Write a new file; whatever stood under the name before is gone. Not durable yet."""
        ...

    def sync(self, path: Path) -> None:
        """Wait until the file's content is on disk, and let go of the cached copy."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Give the file its name in one step, over any other of that name. Not durable yet."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Wait until the names in the directory are on disk."""
        ...

    def read(self, path: Path) -> bytes:
        """Read a whole file."""
        ...

    def read_range(self, path: Path, start: int, length: int) -> bytes:
        """Read up to ``length`` bytes from byte ``start``."""
        ...

    def size(self, path: Path) -> int:
        """Give a file's length in bytes."""
        ...

    def names(self, path: Path) -> Iterator[str]:
        """List the names in a directory, ascending; none if it is no directory."""
        ...


PARTIAL: Final = ".partial"
"""What the name of a file that is being written ends with."""


def write_durably(disk: FileSystem, path: Path, data: bytes) -> None:
    """Put a file under its name, whole, in place of what had it; durable when it returns.

    After an ``OSError`` it is unknown which of the two is there; reading tells.
    """
    partial = path.with_name(path.name + PARTIAL)
    disk.create(partial, data)
    disk.sync(partial)
    # A crash up to here leaves a partial file that no reader looks at, and what had the name
    # before: its writer does this again at the next start.
    disk.rename(partial, path)
    disk.sync_directory(path.parent)


class LocalFileSystem:
    """The machine's own file system. Errors are ``OSError``."""

    def make_directory(self, path: Path) -> bool:
        """See the protocol."""
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            return False
        return True

    def create(self, path: Path, data: bytes) -> None:
        """See the protocol."""
        # A new inode each time: after a failed fsync the old one's pages may count as clean
        # without being on disk, so that writing into it again would prove nothing.
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]

    def sync(self, path: Path) -> None:
        """See the protocol."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
            if hasattr(os, "posix_fadvise"):
                # So that reading back asks the disk, not the memory that the data came from.
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """See the protocol."""
        source.replace(target)

    def sync_directory(self, path: Path) -> None:
        """See the protocol."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, path: Path) -> bytes:
        """See the protocol."""
        return path.read_bytes()

    def read_range(self, path: Path, start: int, length: int) -> bytes:
        """See the protocol."""
        with path.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(length)

    def size(self, path: Path) -> int:
        """See the protocol."""
        return path.stat().st_size

    def names(self, path: Path) -> Iterator[str]:
        """See the protocol."""
        try:
            yield from sorted(child.name for child in path.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return
