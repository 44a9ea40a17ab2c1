"""``testamur digest``: works alone, goes on after a bad file, says what to do."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from testamur.credentials import profiles
from tests.cli.running import Run

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "credentials"
EXPECTED = {
    "aldermere-certificate.pdf": "bytes-sha256",
    "aldermere-open-badge.json": "jcs-sha256",
    "brisamar-sealed-elm.jsonld": "jws-json-sha256",
    "cassel-nord-vc.jwt": "jwt-sha256",
}


def test_our_examples_take_the_four_profiles(testamur: Run) -> None:
    result = testamur("digest", "--json", *sorted(EXAMPLES.iterdir()))
    assert result.code == 0
    assert {Path(row["file"]).name: row["profile"] for row in result.rows} == EXPECTED
    for row in result.rows:
        data = Path(row["file"]).read_bytes()
        assert row["digest"] == profiles.digest(data, row["profile"]).hex()


def test_the_line_for_people_has_profile_digest_and_name(testamur: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(b"%PDF-1.4")
    result = testamur("digest", file)
    assert result.out.split() == ["bytes-sha256", sha256(b"%PDF-1.4").hexdigest(), str(file)]
    assert result.err == ""


def test_standard_input_is_read(testamur: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b'{"b":1.0,"a":2}'))
    monkeypatch.setattr(sys, "stdin", stream)
    result = testamur("digest", "-", "--json")
    assert result.rows[0]["digest"] == sha256(b'{"a":2,"b":1}').hexdigest()


def test_a_named_profile_overrides_detection(testamur: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b'{"a":1,"a":1}')
    assert testamur("digest", file).code == 2
    result = testamur("digest", file, "--profile", "bytes-sha256", "--json")
    assert result.code == 0
    assert result.rows[0]["digest"] == sha256(b'{"a":1,"a":1}').hexdigest()


def test_a_bad_file_is_reported_with_advice_and_the_others_go_on(
    testamur: Run, tmp_path: Path
) -> None:
    bad, good, deep = tmp_path / "bad.json", tmp_path / "good.json", tmp_path / "deep.json"
    bad.write_bytes(b'{"a":1,"a":2}')
    good.write_bytes(b"{}")
    deep.write_bytes(b"[" * 5000)
    missing = tmp_path / "missing"
    result = testamur("digest", bad, missing, good, deep, tmp_path)
    assert result.code == 2
    assert len(result.out.splitlines()) == 1
    assert "[duplicate_key]" in result.err
    assert "[nesting_too_deep]" in result.err
    assert result.err.count("[unreadable_file]") == 2
    assert "--profile" in result.err
    assert "Traceback" not in result.err
    rows = testamur("digest", "--json", bad, missing, good).rows
    assert [row.get("error", {}).get("code") for row in rows] == [
        "duplicate_key",
        "unreadable_file",
        None,
    ]


def test_foreign_file_names_do_not_reach_the_terminal_raw(testamur: Run, tmp_path: Path) -> None:
    name = os.fsdecode(b"\x1b[31mred\xff.txt")
    (tmp_path / name).write_bytes(b"x")
    result = testamur("digest", tmp_path / name, tmp_path / (name + "missing"))
    assert result.code == 2
    assert "\x1b" not in result.out + result.err


def test_an_unknown_profile_and_wrong_usage_end_with_code_2(testamur: Run) -> None:
    result = testamur("digest", "-", "--profile", "sha256")
    assert (result.code, "jws-json-sha256" in result.err) == (2, True)
    assert testamur("digest").code == 2
    assert testamur("digest", "--nonsense", "x").code == 2
    assert testamur("nonsense").code == 2


def test_help_and_version_are_no_errors(testamur: Run) -> None:
    assert "digest" in testamur("--help").out
    assert testamur("--version").out.startswith("testamur ")
    for command in ("digest", "commit"):
        result = testamur(command, "--help")
        assert (result.code, "--json" in result.out) == (0, True)


HEAVY = ("web3", "eth", "eth_account", "sqlalchemy", "fastapi", "httpx", "rich", "cryptography")


def test_digest_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"{}")
    program = (
        "import sys; from testamur import bootstrap\n"
        f"sys.argv[1:] = ['digest', {str(file)!r}]\n"
        "try: bootstrap.main()\n"
        "except SystemExit as exit: assert not exit.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    # Nothing but the interpreter's own search path: no configuration, no home, no network.
    node = Path(profiles.__file__).resolve().parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(node), "PATH": ""},
        cwd=tmp_path,
    )
    digest, loaded = ended.stdout.splitlines()
    assert digest.split()[:2] == ["jcs-sha256", sha256(b"{}").hexdigest()]
    assert loaded == "[]"


def test_a_reader_that_goes_away_is_no_stack_trace(tmp_path: Path) -> None:
    files = []
    for number in range(2000):
        file = tmp_path / f"{number}.txt"
        file.write_bytes(b"x")
        files.append(str(file))
    program = "from testamur.bootstrap import main; main()"
    node = Path(profiles.__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program, "digest", *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(node)},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_the_examples_are_what_their_generator_writes(tmp_path: Path) -> None:
    generator = EXAMPLES.parents[1] / "scripts" / "examples"
    subprocess.run([sys.executable, generator, tmp_path], check=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in EXAMPLES.iterdir()}
