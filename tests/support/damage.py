"""Damage done to a database's file behind the back of SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def lose_page(path: Path, table: str) -> None:
    """Write ones over the first page of ``table``, as a disk may that lost a block."""
    with closing(sqlite3.connect(path)) as raw:
        size = raw.execute("PRAGMA page_size").fetchone()[0]
        wanted = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        page = raw.execute(wanted, (table,)).fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def rename_in_schema(path: Path, name: bytes, other: bytes) -> None:
    """Put ``other`` wherever ``name`` stands in the file; both have one length."""
    whole = path.read_bytes()
    if name not in whole or len(name) != len(other):
        raise ValueError("nothing can be damaged so")
    path.write_bytes(whole.replace(name, other))
