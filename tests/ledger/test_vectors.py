"""The vectors of tests/vectors/ledger: what reads, what verifies, and what must do neither."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from testamur.errors import FormatError
from testamur.ledger.birth import encode_birth, parse_birth
from testamur.ledger.presenting import present_file
from testamur.ledger.receipt import RecordProof
from testamur.ledger.receipt_json import parse_receipt, serialise_receipt
from testamur.ledger.records import parse_record
from testamur.ledger.trust import parse_trust, serialise_trust
from testamur.ledger.verification import verify
from testamur.ledger.view import Head, LeafProof, LedgerView, RootProof
from testamur.merkle.hashing import Hash32
from tests.support.paper_ledger import NOW
from tests.support.vector_files import files

if TYPE_CHECKING:
    from collections.abc import Callable

    from testamur.ledger.report import Report

ROOT: Final = Path(__file__).parents[2]
VECTORS: Final = ROOT / "tests" / "vectors" / "ledger"
GOOD: Final[dict[str, Any]] = json.loads((VECTORS / "index.json").read_bytes())
BROKEN: Final[dict[str, Any]] = json.loads((VECTORS / "broken" / "index.json").read_bytes())

READERS: Final[dict[str, Callable[[bytes], object]]] = {
    "record": lambda data: parse_record(_from_hex(data)),
    "birth": lambda data: parse_birth(_from_hex(data)),
    "trust": parse_trust,
    "receipt": parse_receipt,
}
WRITERS: Final[dict[str, Callable[[Any], bytes]]] = {
    "record": lambda record: _hex(record.encode()),
    "birth": lambda birth: _hex(encode_birth(birth)),
    "trust": serialise_trust,
    "receipt": serialise_receipt,
}


def _from_hex(data: bytes) -> bytes:
    return bytes.fromhex(data.decode())


def _hex(data: bytes) -> bytes:
    return data.hex().encode() + b"\n"


def _hash(text: str) -> Hash32:
    return Hash32(bytes.fromhex(text))


def _path(value: list[str]) -> tuple[Hash32, ...]:
    return tuple(map(_hash, value))


def _head(value: dict[str, Any]) -> Head:
    return Head(value["size"], _hash(value["root"]), value["block"], value["time"])


def _view(name: str | None) -> LedgerView | None:
    if name is None:
        return None
    value = json.loads((VECTORS / name).read_bytes())
    newest = value["newest"]
    return LedgerView(
        final=_head(value["final"]),
        seen=_head(value["seen"]),
        at_index=None
        if value["at_index"] is None
        else LeafProof(_hash(value["at_index"]["leaf"]), _path(value["at_index"]["path"])),
        at_size=None
        if value["at_size"] is None
        else RootProof(_hash(value["at_size"]["root"]), _path(value["at_size"]["path"])),
        newest=None
        if newest is None
        else RecordProof(
            newest["index"],
            _path(newest["path"]),
            parse_record(bytes.fromhex(newest["record"])),
        ),
    )


def _verify(line: dict[str, Any]) -> Report:
    receipt = json.loads((VECTORS / line["receipt"]).read_bytes())
    return verify(
        receipt=receipt,
        presented=present_file((VECTORS / line["credential"]).read_bytes(), receipt),
        trust=parse_trust((VECTORS / line["trust"]).read_bytes()),
        view=_view(line["view"]),
        now=NOW,
    )


def _name(line: dict[str, Any]) -> str:
    if "file" in line:
        return str(line["file"])
    others = ("receipt", "credential", "trust", "view")
    usual = {"receipt.json", "credential.json", "trust.json", "view.json"}
    return " ".join(str(line[one]) for one in others if line[one] not in usual) or "all as usual"


@pytest.mark.parametrize("line", GOOD["reading"], ids=_name)
def test_a_good_file_reads_and_is_written_the_same(line: dict[str, Any]) -> None:
    data = (VECTORS / line["file"]).read_bytes()
    assert WRITERS[line["format"]](READERS[line["format"]](data)) == data


@pytest.mark.parametrize("line", BROKEN["reading"], ids=_name)
def test_a_broken_file_is_refused_with_its_code(line: dict[str, Any]) -> None:
    with pytest.raises(FormatError) as refused:
        READERS[line["format"]]((VECTORS / "broken" / line["file"]).read_bytes())
    assert refused.value.code == line["error"]
    assert line["stops"]


@pytest.mark.parametrize("line", [*GOOD["verification"], *BROKEN["verification"]], ids=_name)
def test_a_verification_ends_as_the_index_says(line: dict[str, Any]) -> None:
    report = _verify(line)
    assert report.verdict == line["verdict"], report.checks
    check = line.get("check")
    if check is None:
        assert report.verdict == "verified"
        return
    # The decisive check: the first that is invalid, or, where none is, the one named.
    invalid = [one for one in report.checks if one.status == "invalid"]
    found = invalid[0] if invalid else next(c for c in report.checks if c.name == check["name"])
    assert (found.name, found.status, found.code) == tuple(check.values())


def test_at_least_half_of_the_vectors_are_broken() -> None:
    for part in ("reading", "verification"):
        assert len(BROKEN[part]) >= len(GOOD[part])
    for kind in READERS:
        good = [line for line in GOOD["reading"] if line["format"] == kind]
        assert len([line for line in BROKEN["reading"] if line["format"] == kind]) >= len(good)


def test_every_file_is_used_by_a_line_of_an_index() -> None:
    lines = [*GOOD["verification"], *BROKEN["verification"]]
    used = {line[one] for line in lines for one in ("receipt", "credential", "trust", "view")}
    used |= {line["file"] for line in GOOD["reading"]}
    used |= {f"broken/{line['file']}" for line in BROKEN["reading"]}
    present = {path.relative_to(VECTORS).as_posix() for path in VECTORS.rglob("*.*")}
    documentation = {
        "index.json",
        "broken/index.json",
        ".gitattributes",
        "birth.json",
        "report.json",
    }
    assert present - documentation == used - {None}


def test_generated_files_are_those_that_are_checked_in() -> None:
    """``scripts/vectors`` writes them anew."""
    made = files()
    for name, content in made.items():
        assert (ROOT / name).read_bytes() == content, f"{name}: run scripts/vectors"
    folders = (ROOT / "tests" / "vectors" / kind for kind in ("merkle", "ledger"))
    present = {
        path.relative_to(ROOT).as_posix() for folder in folders for path in folder.rglob("*.*")
    }
    stale = {name for name in present - set(made) if not name.endswith(".gitattributes")}
    assert not stale
