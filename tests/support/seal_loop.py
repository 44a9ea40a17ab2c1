"""A process that submits and seals until it is killed; run by the test that kills it.

Arguments: the data directory, and a name that makes this round's entries. Each line on standard
output says that the submission of that number was acknowledged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from testamur.batching.policy import SealingLimits
from testamur.batching.sealing import Sealer
from testamur.merkle.hashing import Hash32
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.sql.store import open_store
from tests.support.stored import some_entries

ENTRIES_EACH = 7


def fresh_padding() -> tuple[Hash32, Hash32]:
    """Give a salt and an entry that no round has seen."""
    return Hash32(os.urandom(32)), Hash32(os.urandom(32))


def main(directory: Path, name: str) -> None:
    """Submit, say so, seal, for ever."""
    limits = SealingLimits(batch_entries_max=20, seal_at_count=1, floor=16)
    with open_store(directory) as store:
        files = LocalBatchFiles(directory / "batches")
        sealer = Sealer(store, files, limits=limits, make_padding=fresh_padding)
        number = 0
        while True:
            store.add_entries(some_entries(ENTRIES_EACH, f"{name} {number}"), submitted_at=number)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()
            sealer.seal_once(number)
            number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
