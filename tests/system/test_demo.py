"""The demo as a process: its exit code is its verdict, and nothing of it is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
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
        # With a proxy set that leads nowhere, as within many a university: nothing needs one.
        env=environment({"TMPDIR": str(temporary), "http_proxy": "http://127.0.0.1:9"}),
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


@contextmanager
def running_demo(place: Path, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """Start a demo as ``nohup scripts/demo >log 2>&1 &`` does; the log is beside ``place``."""
    with place.with_suffix(".log").open("wb") as log:
        in_background = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
        process = subprocess.Popen(
            [*in_background, *command("demo", "--dir", place, *arguments)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(),
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def children(pid: int) -> list[int]:
    """List the processes that process ``pid`` started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            status = path.read_text()
        except OSError:  # it ended just now
            continue
        if f"\nPPid:\t{pid}\n" in status:
            found.append(int(path.parent.name))
    return found


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet has."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_demo_that_is_told_to_stop_takes_its_processes_with_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    place = tmp_path / "here"
    with running_demo(place, "--no-serve") as process:
        wait_until(lambda: len(processes_naming(f"{place}/node-")) == 3, 60)
        process.send_signal(number)
        assert process.wait(60) == 128 + number
    assert processes_naming(str(place)) == []
    log = place.with_suffix(".log").read_text()
    assert "stopped before the end" in log
    assert "Traceback" not in log
    assert "all is well" not in log


def test_a_demo_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    place = tmp_path / "here"
    with running_demo(place) as process:
        wait_until(lambda: len(processes_naming(f"{place}/node-")) == 3, 60)
        started = children(process.pid)
        assert len(started) >= 4
        process.kill()
        process.wait()
        wait_until(lambda: all(map(is_gone, started)), 10)


def test_a_demo_that_serves_says_where_and_ends_well_when_told_to(tmp_path: Path) -> None:
    place = tmp_path / "here"
    log = place.with_suffix(".log")
    with running_demo(place) as process:
        wait_until(lambda: "files and logs" in log.read_text(), 120)
        (url,) = re.findall(r"(http\S+)/openapi\.json", log.read_text())
        assert httpx.get(f"{url}/health/ready").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert log.read_text().count("all is well") == 3
    assert processes_naming(str(place)) == []


def test_a_place_that_exists_is_not_written_into(tmp_path: Path) -> None:
    done = demo("--dir", tmp_path, temporary=tmp_path)
    assert done.returncode == 2
    assert "[demo_failed]" in done.stderr
    assert list(tmp_path.iterdir()) == []
