"""Which credentials are to be issued: the files of a folder, or those that a list names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from testamur.cli import csv_files
from testamur.cli.registered import MADE_SUFFIXES
from testamur.errors import BundleNameError, ConfigurationError, TestamurError
from testamur.ledger import bundle

ISSUED_NAME: Final = "issued.csv"
PATH_COLUMN: Final = "path"
OWN_COLUMNS: Final = (
    PATH_COLUMN,
    *("digest", "entry", "state", "batch", "time", "bundle", "error"),
)
"""Columns of issued.csv, before those that are kept from a list."""


@dataclass(frozen=True, slots=True)
class Item:
    """One credential that is to be issued."""

    path: Path
    """Its file."""
    name: str
    """How it was named: from the folder, or as in the list."""
    bundle: Path
    """Where its bundle goes."""
    kept: tuple[str, ...]
    """Cells of the list's other columns."""
    fault: TestamurError | None
    """Why it cannot be issued, as far as its name tells."""


@dataclass(frozen=True, slots=True)
class IssueList:
    """All of them, in order."""

    items: tuple[Item, ...]
    """At least one."""
    columns: tuple[str, ...]
    """Names of the list's other columns."""
    issued: Path
    """Where issued.csv goes."""


def from_folder(folder: Path, *, out: Path | None, recursive: bool) -> IssueList:
    """List the files of a folder by name, without hidden ones and those that commands made.

    Raises:
        ConfigurationError: it cannot be read, or there is nothing in it.
    """
    try:
        names = sorted(_names(folder, out, recursive=recursive), key=os.fsencode)
    except OSError as exc:
        raise ConfigurationError(f"{folder} cannot be read: {exc.strerror}") from exc
    if not names:
        raise ConfigurationError(f"there is no file to issue in {folder}")
    target = out or folder
    places = [(name, folder / name, target / name) for name in names]
    return IssueList(
        tuple(_items(places, [()] * len(places))), columns=(), issued=target / ISSUED_NAME
    )


def from_list(file: Path, *, out: Path | None) -> IssueList:
    """Read a list whose column ``path`` names the files, from the folder that the list is in.

    Raises:
        ConfigurationError: it cannot be read, has no column ``path``, names no file, or has a
            column with the name of one of ours.
    """
    try:
        with file.open("rb") as opened:
            table = csv_files.decode(opened.read(csv_files.BYTES_MAX + 1))
    except OSError as exc:
        raise ConfigurationError(f"{file} cannot be read: {exc.strerror}") from exc
    if PATH_COLUMN not in table.columns:
        raise ConfigurationError(f"the list has no column {PATH_COLUMN!a}")
    columns = tuple(name for name in table.columns if name != PATH_COLUMN)
    if clash := sorted(set(columns) & set(OWN_COLUMNS)):
        raise ConfigurationError(
            f"the list has a column {clash[0]!a}, which {ISSUED_NAME} has, too: rename it"
        )
    if not table.rows:
        raise ConfigurationError("the list names no file")
    issued = (out or file.parent) / ISSUED_NAME
    if file.name == ISSUED_NAME and out is None:
        raise ConfigurationError(f"the list would be written over: give it a name but {file.name}")
    column = table.columns.index(PATH_COLUMN)
    places = [_listed(row[column], file.parent, out) for row in table.rows]
    kept = [row[:column] + row[column + 1 :] for row in table.rows]
    return IssueList(tuple(_items(places, kept)), columns, issued)


def _names(folder: Path, out: Path | None, *, recursive: bool, below: str = "") -> Iterator[str]:
    with os.scandir(folder / below) as found:
        for one in found:
            name = f"{below}{one.name}"
            if one.name.startswith("."):
                continue
            if one.is_file():
                if not one.name.endswith(MADE_SUFFIXES) and one.name != ISSUED_NAME:
                    yield name
            elif (
                recursive
                and one.is_dir(follow_symlinks=False)
                and (out is None or not _is_same(folder / name, out))
            ):
                yield from _names(folder, out, recursive=True, below=f"{name}/")


def _is_same(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)


def _listed(name: str, folder: Path, out: Path | None) -> tuple[str, Path, Path]:
    """Give name, file, and place of the bundle; a folder above the list's is not made anew."""
    path = folder / name
    if out is None:
        return name, path, path
    pure = PurePath(name)
    inside = not pure.is_absolute() and ".." not in pure.parts
    return name, path, out / pure if inside else out / pure.name


def _items(
    places: Iterable[tuple[str, Path, Path]], kept: Sequence[tuple[str, ...]]
) -> Iterator[Item]:
    taken: dict[Path, tuple[int, str]] = {}
    for number, ((name, path, target), cells) in enumerate(zip(places, kept, strict=True)):
        fault: TestamurError | None = None
        place = target.with_name(bundle.file_name(target.name)) if target.name else target
        first, namesake = taken.setdefault(place, (number, name))
        if not name or not target.name:
            fault = ConfigurationError("the list names no file here")
        elif "\0" in name:
            fault = ConfigurationError("no file has a zero byte in its path")
        elif path.name.endswith(MADE_SUFFIXES) or path.name == ISSUED_NAME:
            fault = ConfigurationError("it is no credential: a command made it")
        elif first != number:
            fault = ConfigurationError(f"its bundle would have the name of that of {namesake!a}")
        else:
            try:
                # Before it is registered: without a bundle, nobody could hand it out.
                bundle.check_name(path.name)
            except BundleNameError as exc:
                fault = exc
        yield Item(path, name, place, cells, fault)
