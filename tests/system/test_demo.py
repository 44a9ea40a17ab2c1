"""The demo as a process: its exit code is its verdict, and nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import command, environment
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow  # five processes and a chain that comes to finality


def processes_naming(text: str) -> list[str]:
    """List processes of this machine whose command line names ``text``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:  # it ended just now
            continue
        if text in line and str(os.getpid()) != path.parent.name:
            found.append(line)
    return found


def demo(*arguments: object, temporary: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("demo", "--no-serve", *arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env=environment({"TMPDIR": str(temporary)}),
    )


def test_the_demo_holds_and_leaves_nothing(tmp_path: Path) -> None:
    done = demo(temporary=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "expectations held" in done.stdout
    assert "✗" not in done.stdout
    for role in ("registrar", "student", "employer", "auditor"):
        assert f"The {role}" in done.stdout
    assert done.stderr.count("all is well") == 3
    assert list(tmp_path.iterdir()) == []
    assert processes_naming(str(tmp_path)) == []


def test_without_credentials_the_demo_says_so_and_keeps_its_logs(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "tmp").mkdir()
    done = demo("--credentials", tmp_path / "empty", temporary=tmp_path / "tmp")
    assert done.returncode not in {0, 3}
    assert "no sample credentials" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    (kept,) = (tmp_path / "tmp").iterdir()
    assert str(kept) in done.stderr
    assert processes_naming(str(tmp_path / "tmp")) == []


def test_a_demo_that_is_told_to_stop_takes_its_processes_with_it(tmp_path: Path) -> None:
    place = tmp_path / "here"
    process = subprocess.Popen(
        command("demo", "--no-serve", "--dir", place),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    try:
        wait_until(lambda: len(processes_naming(f"{place}/node-")) == 3, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) != 0
    finally:
        process.kill()
        process.wait()
    assert processes_naming(str(place)) == []


def test_a_place_that_exists_is_not_written_into(tmp_path: Path) -> None:
    done = demo("--dir", tmp_path, temporary=tmp_path)
    assert done.returncode == 2
    assert "[demo_failed]" in done.stderr
    assert list(tmp_path.iterdir()) == []
