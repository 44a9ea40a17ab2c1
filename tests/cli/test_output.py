"""What reaches the terminal, and which exit code an error has."""

from __future__ import annotations

import io
import re
import sys

import pytest

from testamur import errors
from testamur.cli import output
from testamur.cli.output import Colour, ExitCode


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UnparsableCredentialError("x"), ExitCode.USAGE),
        (errors.SidecarFormatError("x"), ExitCode.USAGE),
        (errors.ConfigurationError("x"), ExitCode.USAGE),
        (errors.TrustFileFormatError("x"), ExitCode.USAGE),
        (errors.VerificationError("entry_in_batch", "x"), ExitCode.REJECT),
        (errors.NodeUnavailableError("x"), ExitCode.RETRY),
        (errors.ChainUnavailableError("x"), ExitCode.RETRY),
        (errors.StoreUnavailableError("append", "x"), ExitCode.RETRY),
        (errors.SidecarStorageError("x"), ExitCode.RETRY),
    ],
)
def test_exit_codes(error: errors.TestamurError, code: ExitCode) -> None:
    assert output.exit_code(error) == code


def test_printable_text_stays_and_everything_else_is_escaped() -> None:
    assert output.printable("Zoë Núñez 学位") == "Zoë Núñez 学位"
    assert output.printable("a\x1b[2J\n\udcff\u202eb") == r"a\x1b[2J\n\udcff\u202eb"


def test_colours_only_on_a_terminal_and_not_against_no_color(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert output.coloured("x", Colour.RED, io.StringIO()) == "x"
    assert output.coloured("x", Colour.RED, Terminal()) == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert output.coloured("x", Colour.RED, Terminal()) == "x"


def test_a_terminal_that_is_not_utf_8_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    output.line("Zoë")
    sys.stdout.flush()
    assert raw.getvalue() == b"Zo\\xeb\n"


def test_an_error_comes_with_its_code_and_advice(capsys: pytest.CaptureFixture[str]) -> None:
    output.error(errors.NodeUnavailableError("no \x1banswer"), about="a\nb")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        r"error: a\nb: no \x1banswer [node_unavailable]",
        "       Check the node's URL, or ask another member's node.",
    ]


@pytest.mark.parametrize("total", [1, 100])
def test_no_bar_where_there_is_no_terminal(total: int, capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("hashing", total) as step:
        step()
    assert capsys.readouterr() == ("", "")


def test_a_bar_for_long_work_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, results = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", results)
    with output.progress("hashing", 100) as step:
        for _ in range(100):
            step()
        output.line("a result")
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "hashing" in shown
    assert "100/100" in shown
    assert results.getvalue() == "a result\n"
