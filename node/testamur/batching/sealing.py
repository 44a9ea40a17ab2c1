"""From the queue to a sealed batch, in steps that a crash may interrupt anywhere.

(1) claim entries; (2) store padding with its salts; (3) sort and hash; (4) write the file,
durably, under its root; (5) read everything back, the file from the disk and the entries from the
database, and hash on a separate path; (6) commit the batch as sealed.

A claim with its padding fixes the batch: whatever step was interrupted, starting over leads to
the same root and the same file. Recovery is therefore the normal path, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from testamur.batching.policy import SealingLimits, padding_count, should_seal
from testamur.batching.second_opinion import root_of_file
from testamur.errors import ReadBackError
from testamur.merkle.hashing import Hash32
from testamur.storage.batch_files import BatchFiles
from testamur.storage.batch_format import batch_root, encode_batch
from testamur.storage.interface import Batches, Submissions
from testamur.storage.model import Batch, Claim, Padding

MakePadding = Callable[[], tuple[Hash32, Hash32]]
"""Gives (salt, entry): a fresh salt and its commitment under profile ``padding``."""


class SealingStore(Submissions, Batches, Protocol):
    """The part of a store that sealing works on."""


class Sealer:
    """Seals one batch at a time. One thread calls it; anybody may submit meanwhile."""

    def __init__(
        self,
        store: SealingStore,
        files: BatchFiles,
        *,
        limits: SealingLimits,
        make_padding: MakePadding,
    ) -> None:
        self._store = store
        self._files = files
        self._limits = limits
        self._make_padding = make_padding

    def seal_once(self, now: int, *, force: bool = False) -> Batch | None:
        """Seal one batch if it is time; None if it is not.

        ``now`` is in Unix seconds. With ``force``, whatever waits is sealed now. A batch that was
        begun before is finished in any case. After an error the same call is repeated, at once
        or by the next process.

        Raises:
            StoreUnavailableError: database or disk failed; nothing is lost.
            ReadBackError: what was written is not what was meant. Nothing was sealed; the
                operator has to look at the machine's memory and disk.
        """
        claim = self._store.unfinished_claim() or self._new_claim(now, force=force)
        if claim is None:
            return None
        claim = self._padded(claim)
        entries = _entries_of(claim)
        root = batch_root(entries)
        self._files.put(root, encode_batch(entries))
        # The file is durable, and nobody counts on it yet: see LocalBatchFiles.put.
        self._read_back(claim.number, root)
        return self._store.seal(claim.number, root=root, count=len(entries), sealed_at=now)

    def _new_claim(self, now: int, *, force: bool) -> Claim | None:
        if not force and not should_seal(self._store.queue(), now, self._limits):
            return None
        return self._store.claim(limit=self._limits.batch_entries_max, now=now)

    def _padded(self, claim: Claim) -> Claim:
        missing = padding_count(len(claim.entries), self._limits)
        if claim.padding or not missing:
            # Padding stored before an interruption stays, even if the floor was changed since.
            return claim
        made = [self._make_padding() for _ in range(missing)]
        padding = [Padding(entry=entry, salt=salt) for salt, entry in made]
        if len({*claim.entries, *(pad.entry for pad in padding)}) != len(claim.entries) + missing:
            raise ValueError("make_padding gives the same entry twice")
        return self._store.pad(claim.number, padding)

    def _read_back(self, number: int, root: Hash32) -> None:
        # A bit that flips in memory between hashing and writing, or between the database and
        # hashing, has retired two transparency logs. So both ends are read again.
        data = self._files.read(root)
        derived = root_of_file(data)
        if derived != root:
            raise ReadBackError(f"the file of batch {root.hex()} reads back as {derived.hex()}")
        claim = self._store.unfinished_claim()
        if claim is None or claim.number != number or b"".join(_entries_of(claim)) != data:
            raise ReadBackError(f"the file of batch {root.hex()} does not hold what was claimed")


def _entries_of(claim: Claim) -> list[Hash32]:
    return sorted([*claim.entries, *(pad.entry for pad in claim.padding)])
