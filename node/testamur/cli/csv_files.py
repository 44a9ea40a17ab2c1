"""CSV files for people with spreadsheets and for programs. docs/formats/csv-files.md.

Pure. A spreadsheet runs a cell that begins like a formula, and the names of files, which anyone
may have chosen, end up in cells: so such a cell is written with an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testamur.errors import ConfigurationError

BYTES_MAX: Final = 64 * 1024 * 1024
"""The largest list that is read: room for several 100,000 lines."""

_FORMULA: Final = ("=", "+", "-", "@", "'", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file: every row has as many cells as there are columns."""

    columns: tuple[str, ...]
    """Their names, all different."""
    rows: tuple[tuple[str, ...], ...]
    """Cells as they stand in the file, in its order."""


def safe(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run, and before an apostrophe.

    Whoever reads the cell takes one apostrophe away where it begins with one.
    """
    return "'" + text if text.startswith(_FORMULA) else text


def file_name(path: Path | str) -> str:
    r"""Write a path of the file system in one line of UTF-8.

    Control characters and bytes that are no UTF-8 become ``\xHH``, a backslash two.
    """
    return _UNSAFE.sub(_escape, os.fspath(path))


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return "\\\\" if char == "\\" else f"\\x{ord(char) & 0xFF:02x}"


def encode(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Write a table: RFC 4180, UTF-8 without a byte order mark, every cell :func:`safe`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in (columns, *rows):
        writer.writerow([safe(cell) for cell in row])
    return text.getvalue().encode("utf-8", "surrogateescape")


def decode(data: bytes) -> Table:
    """Read a table that anyone made, with commas or, as some spreadsheets write, semicolons.

    Cells are taken as they stand.

    Raises:
        ConfigurationError: not UTF-8, not CSV, too large, without a line of names, with a name
            twice, or with a row that has another number of cells.
    """
    if len(data) > BYTES_MAX:
        raise ConfigurationError(f"the list has more than {BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ConfigurationError("the list is not UTF-8: save it as CSV UTF-8") from exc
    first = text.partition("\n")[0]
    delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns, *rows = [tuple(row) for row in reader if row] or [()]
    except csv.Error as exc:
        raise ConfigurationError(f"line {reader.line_num} of the list is no CSV: {exc}") from exc
    if not columns or len(set(columns)) != len(columns):
        raise ConfigurationError("the first line of the list has to name its columns, each once")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise ConfigurationError(
                f"row {number} of the list has {len(row)} cells, not {len(columns)}"
            )
    return Table(columns, tuple(rows))
