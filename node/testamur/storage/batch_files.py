"""Batch files: content-addressed by their root, and their own index.

The interface says what any place for them has to promise (a directory here, an object store as
well); who reads a file verifies it against its root, so that the place need not be trusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from testamur.errors import (
    CorruptBatchError,
    StoreUnavailableError,
    UnknownBatchError,
    UnknownEntryError,
)
from testamur.merkle.hashing import HASH_BYTES, Hash32
from testamur.storage.filesystem import FileSystem, LocalFileSystem

PARTIAL: Final = ".partial"
"""Ending of a file that is being written."""


class BatchFiles(Protocol):
    """Where batch files are. Every method may be called from any thread."""

    def put(self, root: Hash32, data: bytes) -> None:
        """Keep ``data`` as the file of ``root``; durable, name and content, when it returns.

        All or nothing: no reader ever sees half a file. Repeating the call is always right, also
        after an error, and heals a damaged file, since only one content gives this root; that
        ``data`` does is the caller's to know.

        Raises:
            StoreUnavailableError: whether the file was kept is unknown.
        """
        ...

    def read(self, root: Hash32) -> bytes:
        """Give the file of ``root`` as it stands on disk, unverified.

        Raises:
            UnknownBatchError: there is none.
            StoreUnavailableError: it cannot be read.
        """
        ...

    def index_of(self, root: Hash32, entry: Hash32) -> int:
        """Find the leaf index of ``entry`` in the batch, by O(log n) small reads.

        Unverified: whoever makes a proof with the index verifies the proof.

        Raises:
            UnknownBatchError: there is no such file.
            UnknownEntryError: the entry is not in it.
            CorruptBatchError: the file is not whole entries.
            StoreUnavailableError: it cannot be read.
        """
        ...

    def roots(self) -> Iterator[Hash32]:
        """List the roots of all files, ascending."""
        ...


class LocalBatchFiles:
    """Batch files in a directory: ``<first two hex digits>/<root in hex>``."""

    def __init__(self, directory: Path, filesystem: FileSystem | None = None) -> None:
        self._directory = directory
        self._filesystem = filesystem if filesystem is not None else LocalFileSystem()

    def put(self, root: Hash32, data: bytes) -> None:
        """See the interface."""
        target = self._path(root)
        partial = target.with_name(target.name + PARTIAL)
        disk = self._filesystem
        with _mapped(f"write batch {root.hex()}"):
            for folder in (self._directory, target.parent):
                # Synced even where it was there before: an earlier attempt may have made it and
                # stopped. A crash here leaves an empty directory, which does no harm.
                disk.make_directory(folder)
                disk.sync_directory(folder.parent)
            disk.create(partial, data)
            # A crash here leaves a partial file that no reader looks at; the batch is not sealed
            # yet, so that sealing starts over and writes the same name anew.
            disk.sync(partial)
            # As above, but the content is durable.
            disk.rename(partial, target)
            # A crash here leaves the file under its name, or under the partial one: sealing
            # starts over either way and puts the same content in its place.
            disk.sync_directory(target.parent)
            # Durable. A crash from here on leaves a whole file for a batch that is not sealed:
            # sealing starts over, derives the same root and ends up here again.

    def read(self, root: Hash32) -> bytes:
        """See the interface."""
        with _mapped(f"read batch {root.hex()}"), _existing(root):
            return self._filesystem.read(self._path(root))

    def index_of(self, root: Hash32, entry: Hash32) -> int:
        """See the interface."""
        path, disk = self._path(root), self._filesystem
        with _mapped(f"search batch {root.hex()}"), _existing(root):
            count, rest = divmod(disk.size(path), HASH_BYTES)
            if rest:
                raise CorruptBatchError(f"the file of batch {root.hex()} is not whole entries")
            low, high = 0, count
            while low < high:
                middle = (low + high) // 2
                if disk.read_range(path, middle * HASH_BYTES, HASH_BYTES) < entry:
                    low = middle + 1
                else:
                    high = middle
            if low == count or disk.read_range(path, low * HASH_BYTES, HASH_BYTES) != entry:
                raise UnknownEntryError(f"entry {entry.hex()} is not in batch {root.hex()}")
            return low

    def roots(self) -> Iterator[Hash32]:
        """See the interface."""
        with _mapped("list batches"):
            for folder in self._filesystem.names(self._directory):
                for name in self._filesystem.names(self._directory / folder):
                    root = _root_of(folder, name)
                    if root is not None:
                        yield root

    def _path(self, root: Hash32) -> Path:
        if len(root) != HASH_BYTES:
            raise ValueError("a root has 32 bytes")
        name = root.hex()
        return self._directory / name[:2] / name


def _root_of(folder: str, name: str) -> Hash32 | None:
    try:
        root = bytes.fromhex(name)
    except ValueError:
        return None  # a partial file, or something that is not ours
    if len(root) != HASH_BYTES or root.hex() != name or name[:2] != folder:
        return None
    return Hash32(root)


@contextmanager
def _existing(root: Hash32) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise UnknownBatchError(f"no file of batch {root.hex()}") from error


@contextmanager
def _mapped(operation: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailableError(operation, str(error)) from error
