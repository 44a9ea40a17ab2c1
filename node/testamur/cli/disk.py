"""The disk operations that a durable, never overwriting write consists of, and reading."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_NO_LINKS: Final = frozenset(
    {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
)
"""What file systems without hard links (FAT, some network shares) answer to ``link``."""

_NO_LOCKS: Final = frozenset(
    {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EINVAL}
)
"""What file systems without locks answer to ``flock`` of a directory."""

TEMPORARY_PREFIX: Final = ".testamur-"


class Disk:
    """Files of the operating system. Every method raises ``OSError`` and nothing else.

    To write durably: :meth:`write_temporary`, :meth:`publish` or :meth:`replace`,
    :meth:`sync_directory`, in that order. Safe for threads and for other processes doing the same.
    """

    def read(self, path: Path, bytes_max: int) -> bytes:
        """Return the first ``bytes_max`` bytes; a caller that asks for one more sees excess."""
        with path.open("rb") as file:
            return file.read(bytes_max)

    def write_temporary(self, directory: Path, data: bytes) -> Path:
        """Write a new file, readable by its owner alone; its content is durable on return."""
        descriptor, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, suffix=".tmp", dir=directory)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                _write_and_sync(file.fileno(), data)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        # A crash here leaves a hidden temporary file that nothing reads; it may be deleted.
        return temporary

    def publish(self, temporary: Path, target: Path) -> None:
        """Give a temporary file its name, whole or not at all, and never over another file.

        ``FileExistsError`` when the name is taken. The temporary name is gone either way.
        """
        try:
            self.link(temporary, target)
        except OSError as exc:
            if exc.errno not in _NO_LINKS:
                raise
            _create_exclusively(target, temporary.read_bytes())
        finally:
            temporary.unlink(missing_ok=True)
        # A crash here may lose the name, never a part of the content: run the command again.

    def replace(self, temporary: Path, target: Path) -> None:
        """Give a temporary file its name, whole or not at all, in place of what has it now.

        The temporary name is gone either way.
        """
        try:
            temporary.replace(target)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def link(self, existing: Path, target: Path) -> None:
        """Give a file a second name; file systems without hard links refuse."""
        target.hardlink_to(existing)

    def make_directory(self, directory: Path) -> None:
        """Make a directory, and what is above it, where missing; durable on return."""
        if directory.is_dir():
            return
        self.make_directory(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)
        self.sync_directory(directory.parent)
        # A crash here leaves an empty directory: the same call finds it.

    def make_temporary_directory(self, parent: Path) -> Path:
        """Make a new directory for files of :meth:`create`, open to its owner alone."""
        return Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, suffix=".tmp", dir=parent))

    def create(self, target: Path, data: bytes) -> None:
        """Write a new file in a temporary directory, readable by its owner alone.

        Content is durable on return, the name after :meth:`sync_directory`. ``FileExistsError``
        when the name is taken.
        """
        _create_exclusively(target, data)

    def publish_directory(self, temporary: Path, target: Path) -> None:
        """Give a temporary directory its name, whole or not at all, never over a file.

        Only an empty directory is replaced. The temporary name stays where it failed; see
        :meth:`discard`.
        """
        temporary.rename(target)

    def discard(self, temporary: Path) -> None:
        """Remove what is left of a temporary file or directory, as far as that is possible."""
        with suppress(OSError):
            if temporary.is_dir():
                shutil.rmtree(temporary)
            else:
                temporary.unlink(missing_ok=True)

    @contextmanager
    def alone_in(self, directory: Path) -> Iterator[None]:
        """Keep others who call this out of a directory; ``BlockingIOError`` where one is in.

        Nothing is left behind, however the process ends: the lock goes with it. Where a file
        system has no such locks (some network shares), nobody is kept out.
        """
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                if exc.errno not in _NO_LOCKS:
                    raise
            yield
        finally:
            os.close(descriptor)

    def sync_directory(self, directory: Path) -> None:
        """Make the names in a directory durable."""
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _create_exclusively(target: Path, data: bytes) -> None:
    # Without links there is no way to publish a finished file that cannot overwrite. A crash in
    # here leaves a part of a file, which is then refused as damaged, before its entry was shown.
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _write_and_sync(descriptor, data)
    except OSError:
        target.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _write_and_sync(descriptor: int, data: bytes) -> None:
    remaining = memoryview(data)
    while remaining:
        remaining = remaining[os.write(descriptor, remaining) :]
    os.fsync(descriptor)
