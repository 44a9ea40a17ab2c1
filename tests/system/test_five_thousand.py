"""Five thousand certificates issued by a process that is killed again and again, and goes on."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from testamur.credentials import sidecar
from testamur.ledger.bundle import parse_bundle
from testamur.ledger.presenting import present_file
from testamur.ledger.receipt_json import parse_receipt, receipt_to_json
from testamur.ledger.report import Outcome
from tests.support.node import Consortium
from tests.support.processes import command, environment, node_process, run
from tests.support.waiting import wait_until

COUNT = 5000
ROUND_SECONDS = 240

pytestmark = pytest.mark.slow  # 5,000 files, each durable three times


def certificates(folder: Path) -> None:
    """Write as many small files as a faculty issues in a year; no two are alike."""
    folder.mkdir()
    for number in range(COUNT):
        text = f"%PDF-1.7\n% certificate {number}\n".encode()
        (folder / f"certificate-{number:05}.pdf").write_bytes(text + bytes(1000))


def ending_in(folder: Path, suffix: str) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.endswith(suffix)]


def states(folder: Path) -> Counter[str]:
    """Count the states in issued.csv; whenever it is read, it is whole."""
    path = folder / "issued.csv"
    if not path.exists():
        return Counter()
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline=""), strict=True))
    assert len(rows) == COUNT
    return Counter(row["state"] for row in rows)


def issue(folder: Path, url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command("issue", folder, "--node", url, "--seal-now"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )


def killed_when(folder: Path, url: str, reached: Callable[[], bool]) -> bool:
    """Run until ``reached()``, then kill -9; say whether it was still running."""
    process = issue(folder, url)
    try:
        wait_until(lambda: reached() or process.poll() is not None, ROUND_SECONDS)
    finally:
        process.kill()
        process.wait()
    return process.returncode < 0


def test_killed_anywhere_it_goes_on_and_every_bundle_verifies(
    consortium: Consortium, tmp_path: Path
) -> None:
    folder = tmp_path / "certificates"
    certificates(folder)
    moments: list[Callable[[], bool]] = [
        lambda: len(ending_in(folder, sidecar.SUFFIX)) > COUNT // 3,
        lambda: len(ending_in(folder, sidecar.SUFFIX)) > COUNT * 2 // 3,
        lambda: states(folder)["queued"] == COUNT,
        lambda: len(ending_in(folder, ".testamur.zip")) > COUNT // 4,
        lambda: len(ending_in(folder, ".testamur.zip")) > COUNT * 3 // 4,
    ]
    kept: dict[Path, bytes] = {}
    with node_process(consortium.write_config(1, seal_after_seconds=600)) as node:
        wait_until(node.ready, 30)
        killed = 0
        for reached in moments:
            killed += killed_when(folder, node.url, reached)
            for suffix in (sidecar.SUFFIX, ".testamur.zip"):
                kept |= {path: path.read_bytes() for path in ending_in(folder, suffix)}
        assert killed >= 3
        assert issue(folder, node.url).wait(ROUND_SECONDS) == 0
        assert states(folder) == {"final": COUNT}
        # What was made once was never made again.
        assert {path: path.read_bytes() for path in kept} == kept
        assert_a_sample_verifies_by_command(folder, node.url)
        assert node.stop() == 0
    made = [sidecar.parse(path.read_bytes()) for path in ending_in(folder, sidecar.SUFFIX)]
    assert len({one.salt for one in made}) == len({one.entry for one in made}) == COUNT
    checked = json.loads(
        run("check", "--data-dir", consortium.settings(1).data_dir, "--json").stdout
    )
    assert checked["clean"] is True
    assert checked["entries"] == COUNT
    assert_every_bundle_verifies(consortium, folder)


def assert_a_sample_verifies_by_command(folder: Path, url: str) -> None:
    for number in (0, COUNT // 2, COUNT - 1):
        path = folder / f"certificate-{number:05}.pdf.testamur.zip"
        with zipfile.ZipFile(path) as opened:
            assert opened.testzip() is None
        done = run("verify", path, "--node", url)
        assert done.returncode == 0, done.stdout


def assert_every_bundle_verifies(consortium: Consortium, folder: Path) -> None:
    with consortium.serving(1) as node:
        node.step("following")
        service = node.node.service
        moment = service.moment()
        for path in ending_in(folder, ".testamur.zip"):
            bundle = parse_bundle(path.read_bytes())
            assert bundle.credential == (folder / bundle.name).read_bytes()
            receipt = receipt_to_json(parse_receipt(bundle.receipt_bytes))
            report = service.verify(receipt, present_file(bundle.credential, receipt), moment)
            assert report.outcome is Outcome.ACCEPT, report.summary
        assert len(ending_in(folder, ".testamur.zip")) == COUNT
