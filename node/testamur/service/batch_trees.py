"""Trees of batches: levels in memory for the ones asked for lately, built from verified files."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from testamur.errors import CorruptBatchError, UnknownBatchError
from testamur.ledger.receipt import BatchProof
from testamur.merkle import proofs, tree
from testamur.merkle.hashing import Hash32, leaf_hash
from testamur.storage.batch_files import BatchFiles
from testamur.storage.batch_format import parse_batch

LEAVES_KEPT = 2**19
"""Leaves of all kept trees together; about 150 bytes each."""


@dataclass(frozen=True, slots=True)
class BatchTree:
    """One batch, read, checked against its root, and hashed."""

    entries: dict[Hash32, int]
    """Position of each entry."""
    levels: tree.Levels
    """Levels of its tree."""


class BatchTrees:
    """Gives inclusion paths of entries in batches. May be used from any thread."""

    def __init__(self, files: BatchFiles, *, leaves_kept: int = LEAVES_KEPT) -> None:
        self._files = files
        self._leaves_kept = leaves_kept
        self._lock = threading.Lock()
        self._loading: dict[Hash32, threading.Lock] = {}
        self._kept: OrderedDict[Hash32, BatchTree] = OrderedDict()

    def proof(self, root: Hash32, entry: Hash32) -> BatchProof:
        """Prove ``entry`` in the batch ``root``.

        Raises:
            CorruptBatchError: the file is missing, does not give its root, or lacks the entry.
            StoreUnavailableError: it cannot be read.
        """
        found = self._get(root)
        index = found.entries.get(entry)
        if index is None:
            raise CorruptBatchError(f"batch {root.hex()} lacks an entry that the index gives it")
        return BatchProof(index, tuple(proofs.inclusion_path_in(found.levels, index)))

    def content(self, root: Hash32) -> bytes:
        """Give the file of the batch ``root``, which was checked against it.

        Raises:
            CorruptBatchError: the file is missing, or does not give its root.
            StoreUnavailableError: it cannot be read.
        """
        return b"".join(self._get(root).entries)

    def _get(self, root: Hash32) -> BatchTree:
        with self._lock:
            if root in self._kept:
                self._kept.move_to_end(root)
                return self._kept[root]
            loading = self._loading.setdefault(root, threading.Lock())
        # Building a large tree takes a second: whoever wants the same one waits for it, and
        # nobody else.
        with loading:
            with self._lock:
                if root in self._kept:
                    return self._kept[root]
            found = self._load(root)
            with self._lock:
                self._keep(root, found)
                self._loading.pop(root, None)
            return found

    def _load(self, root: Hash32) -> BatchTree:
        try:
            data = self._files.read(root)
        except UnknownBatchError as error:
            # Whoever asks has the root from the index: the batch is known, its file is lost.
            raise CorruptBatchError(f"the file of batch {root.hex()} is missing") from error
        entries = parse_batch(data)
        built = tree.levels([leaf_hash(entry) for entry in entries])
        if not built or built[-1][0] != root:
            raise CorruptBatchError(f"the file of batch {root.hex()} gives another root")
        return BatchTree({entry: index for index, entry in enumerate(entries)}, built)

    def _keep(self, root: Hash32, found: BatchTree) -> None:
        self._kept[root] = found
        while len(self._kept) > 1 and sum(len(t.entries) for t in self._kept.values()) > (
            self._leaves_kept
        ):
            self._kept.popitem(last=False)
