"""How the command ends where the world is broken: never with a code that is a verdict."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from testamur.cli import credentials
from tests.cli.running import Run, runner
from tests.support.node import EXAMPLES
from tests.support.processes import command, environment

SAMPLE = EXAMPLES / "aldermere-open-badge.json"
FULL = Path("/dev/full")


def run_with(
    redirection: str, *arguments: object, given: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run one command with a shell's redirection."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command(*arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        env=environment(given),
    )


@pytest.mark.parametrize(
    "arguments",
    [("digest", SAMPLE), ("digest", "--json", SAMPLE), ("digest", "--json", "/none"), ("--help",)],
)
@pytest.mark.skipif(not FULL.exists(), reason="/dev/full is Linux's")
def test_a_full_disk_behind_the_output_is_no_verdict(arguments: tuple[object, ...]) -> None:
    done = run_with(">/dev/full", *arguments)
    assert done.returncode == 74
    assert b"cannot be written: No space left" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="/dev/full is Linux's")
def test_remarks_that_cannot_be_written_change_nothing() -> None:
    done = run_with("2>/dev/full", "digest", "/none", SAMPLE)
    assert done.returncode == 2
    assert b"aldermere-open-badge.json" in done.stdout
    assert run_with("2>&-", "digest", SAMPLE).returncode == 0


@pytest.mark.parametrize(
    "arguments", [("digest", SAMPLE), ("digest", "--json", SAMPLE), ("--help",)]
)
def test_a_closed_output_is_no_verdict(arguments: tuple[object, ...]) -> None:
    done = run_with(">&-", *arguments)
    assert done.returncode == 74
    assert b"cannot be written: Bad file descriptor" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_closed_input_is_an_unreadable_file() -> None:
    done = run_with("<&-", "digest", "-")
    assert done.returncode == 2
    assert b"[unreadable_file]" in done.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("digest", *[SAMPLE] * 2000)])
def test_a_reader_that_had_enough_is_no_verdict(arguments: tuple[object, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        env=environment(),
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def test_a_mistake_of_ours_is_no_verdict(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(_name: object) -> bytes:
        raise ZeroDivisionError("oops \x1b")

    monkeypatch.setattr(credentials, "read_credential", mistaken)
    run: Run = runner(capsys)
    done = run("digest", SAMPLE)
    assert done.code == 70
    assert r"ZeroDivisionError: oops \x1b" in done.err
    assert "Traceback" not in done.err
    monkeypatch.setenv("TESTAMUR_TRACEBACK", "1")
    assert "Traceback" in run("digest", SAMPLE).err


@pytest.mark.parametrize("module", ["typer", "testamur.cli.app", "testamur.merkle.hashing"])
def test_an_interruption_while_modules_are_loaded_leaves_no_trace(
    tmp_path: Path, module: str
) -> None:
    # A hook tells when the module is being loaded, and goes on when its input ends.
    (tmp_path / "sitecustomize.py").write_text(
        f"""
import sys
class Hook:
    def find_spec(self, name, *_):
        if name == {module!r}:
            print("loading", flush=True)
            sys.stdin.read()
sys.meta_path.insert(0, Hook())
"""
    )
    process = subprocess.Popen(
        command("digest", SAMPLE),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({"PYTHONPATH": f"{tmp_path}:{environment()['PYTHONPATH']}"}),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"loading\n"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode in {-signal.SIGINT, 130}
    assert told == b""


def test_an_interruption_while_input_is_read_leaves_no_trace(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "slow")
    process = subprocess.Popen(
        command("digest", tmp_path / "slow"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    with (tmp_path / "slow").open("wb"):  # it comes this far when the command opens it, too
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (130, b"")
