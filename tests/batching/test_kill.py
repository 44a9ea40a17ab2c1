"""kill -9 of a process that submits and seals, at a moment nobody chose."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from testamur.batching.policy import SealingLimits
from testamur.batching.sealing import Sealer
from testamur.storage import integrity
from testamur.storage.batch_files import LocalBatchFiles
from testamur.storage.sql.store import open_store
from tests.support.seal_loop import ENTRIES_EACH, fresh_padding
from tests.support.stored import some_entries

ROOT = Path(__file__).parents[2]
ROUNDS = 4


def acknowledged_until_killed(directory: Path, name: str, lines: int) -> int:
    """Run the loop, kill it after some acknowledgements, and count all that it gave."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "node"), str(ROOT)])}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.seal_loop", str(directory), name],
        stdout=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        count = 0
        for _ in range(lines):
            assert process.stdout.readline() == b"%d\n" % count
            count += 1
        process.kill()
        # What it said between the last line read and its end counts, too; half a line does not.
        return count + process.stdout.read().count(b"\n")


@pytest.mark.slow  # four real processes start, work and are killed
@pytest.mark.parametrize("seed", [1, 2])
def test_every_acknowledged_entry_survives_kill_9(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)  # noqa: S311 - a seed that can be replayed is the point
    promised = []
    for number in range(ROUNDS):
        name = f"round {number}"
        count = acknowledged_until_killed(tmp_path, name, chosen.randint(1, 12))
        for submission in range(count):
            promised += some_entries(ENTRIES_EACH, f"{name} {submission}")
        files = LocalBatchFiles(tmp_path / "batches")
        with open_store(tmp_path) as store:
            assert integrity.check(store, files).problems == ()
            for entry in promised:
                assert store.find_entry(entry)
    with open_store(tmp_path) as store:
        sealer = Sealer(store, files, limits=SealingLimits(), make_padding=fresh_padding)
        while sealer.seal_once(10**9, force=True) is not None:
            pass
        assert integrity.check(store, files).problems == ()
        assert len(store.batches_of(promised)) == len(promised)
