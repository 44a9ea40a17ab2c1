"""Logs speak to an operator, and never of what was submitted or verified."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from testamur.logs import configure_logs

SECRET = "5a17" * 16


class Terminal(io.StringIO):
    """A stream that calls itself a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _fail_with(salt: str) -> None:
    if len(salt) == len(SECRET):
        raise ValueError("a mistake of ours")


def _log_failures(stream: io.StringIO) -> str:
    log = configure_logs(stream)
    try:
        _fail_with(SECRET)
    except ValueError as exc:
        log.error("unexpected error", kind="ValueError", exc_info=exc)  # noqa: TRY400
        logging.getLogger("uvicorn.error").exception("of a library")
    return stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_stack_trace_in_the_log_shows_no_variables(stream: type[io.StringIO]) -> None:
    text = _log_failures(stream())
    assert text.count("a mistake of ours") >= 2
    assert "_fail_with" in text
    assert SECRET not in text


def test_off_a_terminal_each_line_is_one_json_object() -> None:
    lines = [json.loads(line) for line in _log_failures(io.StringIO()).splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("unexpected error", "error"),
        ("of a library", "error"),
    ]
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_on_a_terminal_json_has_to_be_asked_for() -> None:
    plain, asked = Terminal(), Terminal()
    configure_logs(plain).info("node started", member=1)
    assert "node started" in plain.getvalue()
    with pytest.raises(json.JSONDecodeError):
        json.loads(plain.getvalue())
    configure_logs(asked, as_json=True).info("node started", member=1)
    assert json.loads(asked.getvalue())["member"] == 1


def test_libraries_are_heard_from_warnings_up() -> None:
    stream = io.StringIO()
    configure_logs(stream)
    logging.getLogger("httpx").info("GET http://node/v1/entries/%s", SECRET)
    logging.getLogger("uvicorn.access").info("GET /v1/entries/%s", SECRET)
    assert stream.getvalue() == ""
