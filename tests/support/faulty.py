"""A store and file systems that fail where they are told to; stricter than real ones."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testamur.errors import StoreUnavailableError
from testamur.storage.filesystem import FileSystem
from testamur.storage.interface import Store


class Fault:
    """One step that fails while armed: before it does anything, or after it did everything."""

    def __init__(self, step: str, *, kept: bool, error: int = errno.EIO) -> None:
        self.step = step
        self.kept = kept
        self.error = error
        self.armed = True
        self.met = 0


class FaultyStore:
    """A store whose method ``fault.step`` fails, lost or kept; the other methods pass through."""

    def __init__(self, store: Store, fault: Fault) -> None:
        self._store = store
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name != self._fault.step:
            return method

        def failing(*arguments: Any, **named: Any) -> Any:
            fault = self._fault
            if not fault.armed:
                return method(*arguments, **named)
            fault.met += 1
            if fault.kept:
                method(*arguments, **named)
            raise StoreUnavailableError(name, "injected")

        return failing


class FaultyFileSystem:
    """A file system whose call ``fault.step`` fails, lost or kept."""

    def __init__(self, disk: FileSystem, fault: Fault) -> None:
        self._disk = disk
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._disk, name)
        if name != self._fault.step:
            return call

        def failing(*arguments: Any) -> Any:
            fault = self._fault
            if not fault.armed:
                return call(*arguments)
            fault.met += 1
            if fault.kept:
                call(*arguments)
            elif name == "create":  # a lost write leaves a part, as a full disk does
                path, data = arguments
                call(path, data[: len(data) // 2 + 1])
            raise OSError(fault.error, "injected")

        return failing


class VolatileFileSystem:
    """A disk in memory that keeps, at a loss of power, what was synced and nothing else.

    ``calls`` counts the steps done; after ``power_fails_after`` of them every call fails, until
    :meth:`power_returns` leaves what was durable.
    """

    def __init__(self, root: Path) -> None:
        self._lock = threading.Lock()
        self._content: dict[int, bytes] = {}
        self._durable_content: dict[int, bytes] = {}
        self._names: dict[Path, int | None] = {root: None}
        self._durable_names: dict[Path, int | None] = {root: None}
        self._next = 1
        self.calls = 0
        self.power_fails_after: int | None = None

    def power_returns(self) -> None:
        """Forget everything that was not synced; a file without its content has length 0."""
        self.power_fails_after = None
        self._content = dict(self._durable_content)
        self._names = {
            path: inode
            for path, inode in self._durable_names.items()
            if path.parent in self._durable_names or len(path.parts) == 1
        }

    def make_directory(self, path: Path) -> bool:
        """See the protocol."""
        self._step()
        if path in self._names:
            return False
        self._names[path] = None
        return True

    def create(self, path: Path, data: bytes) -> None:
        """See the protocol."""
        self._step()
        self._names[path] = self._next
        self._content[self._next] = data
        self._next += 1

    def sync(self, path: Path) -> None:
        """See the protocol."""
        self._step()
        inode = self._inode(path)
        self._durable_content[inode] = self._content[inode]

    def rename(self, source: Path, target: Path) -> None:
        """See the protocol."""
        self._step()
        self._names[target] = self._inode(source)
        del self._names[source]

    def sync_directory(self, path: Path) -> None:
        """See the protocol."""
        self._step()
        kept = {name: i for name, i in self._durable_names.items() if name.parent != path}
        now = {name: i for name, i in self._names.items() if name.parent == path}
        self._durable_names = {**kept, **now}

    def read(self, path: Path) -> bytes:
        """See the protocol."""
        return self._content.get(self._inode(path), b"")

    def read_range(self, path: Path, start: int, length: int) -> bytes:
        """See the protocol."""
        return self.read(path)[start : start + length]

    def size(self, path: Path) -> int:
        """See the protocol."""
        return len(self.read(path))

    def names(self, path: Path) -> Iterator[str]:
        """See the protocol."""
        return iter(sorted(name.name for name in self._names if name.parent == path))

    def _inode(self, path: Path) -> int:
        inode = self._names.get(path)
        if inode is None:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
        return inode

    def _step(self) -> None:
        with self._lock:
            if self.power_fails_after is not None and self.calls >= self.power_fails_after:
                raise OSError(errno.EIO, "no power")
            self.calls += 1
