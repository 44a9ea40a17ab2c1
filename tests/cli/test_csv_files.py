"""CSV files that no spreadsheet runs, and from which everything can be read back."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from testamur.cli import csv_files, reservation
from testamur.cli.disk import Disk
from testamur.cli.issue_list import OWN_COLUMNS, IssueList, Item
from testamur.cli.issued import Issue, IssuedFile
from testamur.cli.reservation import Reserved
from testamur.credentials.sidecar import Sidecar
from testamur.errors import ConfigurationError, UnreadableFileError
from testamur.merkle.hashing import Hash32
from tests.support.documents import blocks, page

PAGE = page("docs/formats/csv-files.md")
RUN = re.compile(r"[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001


def meant(cell: str) -> str:
    """Read a cell as the page says."""
    return cell.removeprefix("'")


def bytes_meant(cell: str) -> bytes:
    """Read the name of a file as the page says."""
    parts = re.split(r"(\\\\|\\x[0-9a-f]{2})", meant(cell))
    return b"".join(
        bytes.fromhex(part[2:])
        if part.startswith("\\x")
        else part.replace("\\\\", "\\").encode("utf-8")
        for part in parts
    )


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
@example([["=1", "a\r\nb"], ["'", ""]])
def test_every_cell_is_read_back_and_none_is_run(rows: list[list[str]]) -> None:
    data = csv_files.encode(("a", "b"), rows)
    text = data.decode("utf-8", "surrogatepass")
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert read[0] == ["a", "b"]
    assert [[meant(cell) for cell in row] for row in read[1:]] == rows
    assert not [cell for row in read for cell in row if RUN.match(cell)]


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
@example(b"\xff\\x41\n,\"'")
def test_every_file_name_is_one_line_of_utf_8_and_is_read_back(name: bytes) -> None:
    cell = csv_files.safe(csv_files.file_name(os.fsdecode(name)))
    assert cell.isascii() or cell.encode("utf-8")
    assert not re.search(r"[\x00-\x1f\x7f]", cell)
    assert bytes_meant(cell) == name
    (line,) = csv_files.encode((cell,), []).split(b"\r\n")[:-1]
    assert line.decode("utf-8")


@pytest.mark.parametrize(
    ("data", "columns", "rows"),
    [
        (b"path\r\na.pdf\r\n", ("path",), (("a.pdf",),)),
        (b"path,name\na,b", ("path", "name"), (("a", "b"),)),
        (b"\xef\xbb\xbfpath;name\r\na;b,c\r\n\r\n", ("path", "name"), (("a", "b,c"),)),
        (b'path,name\n"a,""b""\nc",\n', ("path", "name"), (('a,"b"\nc', ""),)),
        (b"path\n", ("path",), ()),
    ],
)
def test_lists_of_any_spreadsheet_are_read(
    data: bytes, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]
) -> None:
    assert csv_files.decode(data) == csv_files.Table(columns, rows)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"a,a\n1,2\n",
        b"a,b\n1\n",
        b"a,b\n1,2,3\n",
        b"path\n\xff\n",
        b'path\n"a\n',
        b'path\n"a"b\n',
        b"path\n" + b"a" * 200_000 + b"\n",
        b"\0" * (csv_files.BYTES_MAX + 1),
    ],
    ids=range(10),
)
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(ConfigurationError, match="list"):
        csv_files.decode(data)


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    (block,) = blocks(PAGE, "json")
    return dict(json.loads(block))


def test_the_cells_on_the_page_are_written_so(shown: dict[str, Any]) -> None:
    for cell, written in shown["cells"]:
        assert csv_files.encode((cell,), []).decode() == f"{written}\r\n"
        (read,) = next(csv.reader([written]))
        assert meant(read) == cell
    for name, written in shown["file_names_hex"]:
        raw = bytes.fromhex(name)
        assert csv_files.safe(csv_files.file_name(os.fsdecode(raw))) == written
        assert bytes_meant(written) == raw


def test_the_reserved_locator_on_the_page_is_written_so(
    shown: dict[str, Any], tmp_path: Path
) -> None:
    text = json.loads(blocks(page("docs/formats/locator.md"), "json")[0])["locator"]
    link = f"https://verify.example/#{text}"
    one = Reserved(1, text, link, tmp_path / "codes" / "1.png")
    assert reservation.list_of([one], tmp_path).decode() == shown["reserved"]
    columns = re.findall(
        r"^\| `(\w+)` \|", PAGE.split("## Reserved")[1].split("##")[0], re.MULTILINE
    )
    assert tuple(columns) == reservation.COLUMNS


def test_the_issued_csv_on_the_page_is_written_so(shown: dict[str, Any], tmp_path: Path) -> None:
    names, kept = ("diplomas/a.pdf", "diplomas/b.pdf"), (("4711",), ("-",))
    items = tuple(
        Item(tmp_path / name, name, tmp_path / f"{name}.testamur.zip", cells, None)
        for name, cells in zip(names, kept, strict=True)
    )
    listed = IssueList(items, ("student",), tmp_path / "issued.csv")
    done, failed = (Issue(item) for item in items)
    done.sidecar = Sidecar(
        ledger_id=Hash32(bytes(32)),
        member=1,
        profile="bytes-sha256",
        salt=Hash32(bytes(32)),
        digest=Hash32(b"\xd1" * 32),
        entry=Hash32(b"\xe3" * 32),
    )
    done.state, done.batch, done.time = "final", Hash32(b"\xb5" * 32), 1795519200
    failed.error = UnreadableFileError("it is not there")
    IssuedFile(listed, (done, failed), Disk()).write()
    assert (tmp_path / "issued.csv").read_bytes().decode() == shown["issued"]
    section = PAGE.split("## issued.csv")[1].split("##")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == OWN_COLUMNS
