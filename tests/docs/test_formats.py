"""The pages of docs/formats: complete, linked, and their examples right.

Examples are recomputed with struct, hashlib and eth_abi alone, so that page and code cannot be
wrong in the same way.
"""

from __future__ import annotations

import ast
import json
import re
import struct
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

import pytest
from eth_abi.abi import decode, encode

from testamur import errors
from testamur.ledger import locating, operator_log, steps, verification, who
from testamur.ledger.report import OUTCOMES
from tests.support.error_table import classes
from tests.support.vector_files import EXAMPLES

ROOT: Final = Path(__file__).parents[2]
FORMATS: Final = ROOT / "docs" / "formats"
LEDGER: Final = ROOT / "tests" / "vectors" / "ledger"
PAGES: Final = sorted(FORMATS.glob("*.md"))
RECORD: Final = struct.Struct(">BIQQ32sQ32s")
Node = TypeVar("Node", bound=ast.AST)
MEMBER: Final = "(address,address,bytes32,string,string,string)"


def page(name: str) -> str:
    return (FORMATS / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """Fenced blocks of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)


def rows(name: str, columns: int) -> list[list[str]]:
    """Rows of all tables with so many columns, without their headings."""
    found: list[list[str]] = []
    lines = page(name).splitlines()
    for before, line in pairwise(lines):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        body = line.startswith("| ") and before.startswith("|") and not line.startswith("| ---")
        if body and len(cells) == columns:
            found.append(cells)
    return found


def example(name: str) -> bytes:
    """Bytes of a page's block of hex: the first word of each line."""
    (block,) = blocks(name, "hex")
    return bytes.fromhex("".join(line.split()[0] for line in block.splitlines()))


def vector(name: str) -> Any:
    return json.loads((LEDGER / name).read_bytes())


def hex_vector(name: str) -> bytes:
    return bytes.fromhex((LEDGER / name).read_text())


def h(data: bytes) -> bytes:
    return sha256(data).digest()


def leaf(entry: bytes) -> bytes:
    return h(b"\x00" + entry)


def node(left: bytes, right: bytes) -> bytes:
    return h(b"\x01" + left + right)


def test_the_index_lists_exactly_the_pages_that_exist() -> None:
    linked = re.findall(r"^\| \[[^]]+\]\(([^)]+)\)", page("README.md"), re.MULTILINE)
    assert sorted(linked) == sorted(path.name for path in PAGES if path.name != "README.md")


def test_the_index_names_exactly_the_folders_of_vectors() -> None:
    named = set(re.findall(r"`tests/vectors/(\w+)` \|", page("README.md")))
    assert named == {path.name for path in (ROOT / "tests" / "vectors").iterdir() if path.is_dir()}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (path.parent / link).exists(), link


def test_the_tree_of_the_example_is_that_of_its_vector() -> None:
    case = json.loads((ROOT / "tests/vectors/merkle/tree/size-3.json").read_bytes())
    zero, one, two = (leaf(bytes.fromhex(entry)) for entry in case["entries"])
    inner = node(zero, one)
    (block,) = blocks("merkle.md", "text")
    for value in (zero, one, two, inner, node(inner, two)):
        assert value.hex() in block
    assert node(inner, two).hex() == case["root"]


def test_the_record_is_laid_out_as_its_table_says() -> None:
    offset = 0
    for start, length, *_ in rows("record.md", 4)[:7]:
        assert int(start) == offset
        offset += int(length)
    assert offset == RECORD.size
    data = example("record.md")
    assert data == hex_vector("record-anchor.hex")
    fields = RECORD.unpack(data)
    assert fields[:4] == (1, 1, 1_700_000_100, 6)
    assert fields[5:] == (0, h(b""))
    assert f"Leaf hash: `{leaf(data).hex()}`" in page("record.md")


def test_the_birth_decodes_to_what_is_said_of_it() -> None:
    change, said = hex_vector("birth.hex"), vector("birth.json")
    assert example("birth-record.md") == change[:160]
    types = ("uint256", "address", "bytes32", f"{MEMBER}[]")
    values = decode(types, change)
    assert encode(types, values) == change
    chain_id, contract, parent, members = values
    assert (chain_id, contract) == (said["chain_id"], said["contract"])
    assert "0x" + parent.hex() == said["parent_block_hash"]
    assert [[a, c, w.hex(), *texts] for a, c, w, *texts in members] == [
        list(member.values()) for member in said["members"]
    ]
    record = bytes(21) + h(change) + bytes(40)
    assert record == hex_vector("record-birth.hex") == bytes.fromhex(said["record"])
    (block,) = [text for text in blocks("birth-record.md", "text") if "ledger_id" in text]
    assert h(change).hex() in block
    assert f"ledger_id       = {leaf(record).hex()}" in block
    assert leaf(record).hex() == said["ledger_id"]


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_file_on_a_page_is_the_vector(name: str) -> None:
    """``scripts/vectors`` writes it anew."""
    (block,) = blocks(Path(name).name, "json")
    assert block.encode() == (ROOT / EXAMPLES[name]).read_bytes(), "run scripts/vectors"


def test_the_trust_file_pins_the_birth_of_the_example() -> None:
    assert vector("trust.json")["ledger_id"] == vector("birth.json")["ledger_id"]


def test_the_receipt_verifies_by_hand() -> None:
    """Everything from the credential's text to the head, with hashlib and struct alone."""
    receipt, steps = vector("receipt.json"), []
    record, ledger = receipt["record"], receipt["ledger"]
    made, name = receipt["commitment"], receipt["commitment"]["profile"].encode()
    text = json.dumps(vector("credential.json"), sort_keys=True, separators=(",", ":"))
    steps.append(h(text.encode()))
    steps.append(
        h(
            b"testamur/v1/commitment\x00"
            + bytes.fromhex(ledger["ledger_id"])
            + struct.pack(">IB", record["member"], len(name))
            + name
            + bytes.fromhex(made["salt"])
            + steps[0]
        )
    )
    assert steps[1].hex() == receipt["entry"]
    batch, path = (
        [bytes.fromhex(one) for one in part["path"]] for part in (receipt["batch"], record)
    )
    steps.append(leaf(steps[1]))
    steps.append(node(batch[0], steps[2]))  # index 3 of 6: right, right, left
    steps.append(node(batch[1], steps[3]))
    assert receipt["batch"]["index"] == 3
    assert node(steps[4], batch[2]).hex() == record["root"]
    root, status_root = bytes.fromhex(record["root"]), bytes.fromhex(record["status_root"])
    numbers = (record["kind"], record["member"], record["time"], record["count"])
    packed = RECORD.pack(*numbers, root, record["status_count"], status_root)
    assert packed == hex_vector("record-anchor.hex")
    steps.append(leaf(packed))
    steps.append(node(steps[5], path[0]))  # index 2 of 5: left, right, left
    steps.append(node(path[1], steps[6]))
    assert (record["index"], ledger["size"]) == (2, 5)
    assert node(steps[7], path[2]).hex() == ledger["root"]
    change = bytes.fromhex(receipt["member"]["change"][2:])
    birth = leaf(bytes(21) + h(change) + bytes(40))
    assert birth.hex() == ledger["ledger_id"] == vector("trust.json")["ledger_id"]
    up = [bytes.fromhex(one) for one in receipt["member"]["path"]]
    assert node(node(node(birth, up[0]), up[1]), up[2]).hex() == ledger["root"]
    (block,) = blocks("receipt.md", "text")
    assert re.findall(r"[0-9a-f]{64}", block) == [step.hex() for step in steps]


def test_the_operator_log_of_the_example_is_followed_by_hand() -> None:
    (block,) = blocks("operator-log.md", "text")
    ledger_id = bytes.fromhex(vector("trust.json")["ledger_id"])
    assert ledger_id.hex() in page("operator-log.md")
    previous = h(b"testamur/v1/operator-log\x00" + ledger_id + struct.pack(">I", 1))
    assert block.splitlines()[0] == f"origin {previous.hex()}"
    for index, part in enumerate(block.strip().split("\n\n")[1:]):
        line, told = part.splitlines()
        read = json.loads(line)
        assert line == json.dumps(read, sort_keys=True, separators=(",", ":"))
        assert (read["index"], read["previous"]) == (index, previous.hex())
        previous = h(line.encode())
        assert told == f"hash   {previous.hex()}"


def test_the_acts_and_actors_of_the_operator_log_are_those_of_the_code() -> None:
    three = [row[0].strip("`") for row in rows("operator-log.md", 3)]
    assert three[6:] == list(operator_log.ACTS)
    two = [row[0].strip("`") for row in rows("operator-log.md", 2)]
    assert two[:4] == list(operator_log.ACTOR_KINDS)


def names_in(value: object, prefix: str = "") -> set[str]:
    """Every field of a JSON value, as the tables name it; objects by their fields alone."""
    found: set[str] = set()
    if isinstance(value, dict):
        for key, item in value.items():
            inner = names_in(item, f"{prefix}{key}.")
            found |= inner or {f"{prefix}{key}"}
    elif isinstance(value, list):
        for item in value:
            found |= names_in(item, f"{prefix.rstrip('.')}[].")
    return found


@pytest.mark.parametrize("kind", ["trust", "receipt"])
def test_every_field_of_a_file_is_on_its_page(kind: str) -> None:
    text = page("trust-file.md" if kind == "trust" else "receipt.md")
    names = names_in(vector(f"{kind}-with-options.json"))
    for name in sorted(names):
        last = name.rpartition(".")[2]
        assert any(f"`{written}`" in text for written in (name, last, f".{last}")), name
    cells = [row[0] for row in rows("trust-file.md" if kind == "trust" else "receipt.md", 4)]
    listed = {name for cell in cells for name in re.findall(r"^`([\w.\[\]]+)`$", cell)}
    optional = {"commitment", "status", "evidence", "status.record", "status.suffix"}
    lists = {"members", "status.shown", "status.shown[]"}
    assert listed - names <= optional | lists


def test_every_field_of_a_report_is_on_its_page() -> None:
    listed = [row[0].strip("`") for row in rows("report.md", 3) if row[0].startswith("`")]
    assert listed[: len(vector("report.json"))] == list(vector("report.json"))


def test_verdicts_and_outcomes_are_those_of_the_code() -> None:
    verdicts = {verdict.value: outcome.value for verdict, outcome in OUTCOMES.items()}
    listed = {
        row[0].strip("`"): row[1].strip("`")
        for row in rows("report.md", 4)
        if row[0].strip("`") in verdicts
    }
    assert listed == verdicts


CHECKS_OF: Final = {
    "history": ("record",),
    "need_view": ("record", "final", "status", "freshness"),
    "shown": ("record", "status"),
    "trusted_member": ("member", "issuer"),
}
"""Functions that serve other checks than one of their own name."""

STATUSES: Final = {"VALID": "v", "INVALID": "i", "UNKNOWN": "u"}


def codes_of_the_code() -> set[tuple[str, str, str]]:
    """Check, status and code, as the modules of verification have them written."""
    found: set[tuple[str, str, str]] = {
        ("receipt", "i", errors.ReceiptFormatError.code),
        ("member", "i", errors.BirthFormatError.code),
        ("bundle", "i", errors.BundleFormatError.code),
    }
    for error in (errors.LocatorFormatError, errors.SeveralLocatorsError):
        found |= {("locator", status, error.code) for status in ("i", "u")}
    proofs = [kind.code for kind in errors.MerkleError.__subclasses__()]
    for module in (verification, who, steps):
        for method in _nodes(module, ast.FunctionDef):
            name = method.name.lstrip("_").removeprefix("check_")
            if "check_" not in method.name and name not in CHECKS_OF:
                continue
            for one in ast.walk(method):
                for kind, code in _written(one, proofs):
                    found |= {(check, kind, code) for check in CHECKS_OF.get(name, (name,))}
    return found | set(_written_whole())


def _nodes(module: ModuleType, kind: type[Node]) -> Iterator[Node]:
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    return (one for one in ast.walk(tree) if isinstance(one, kind))


def _written_whole() -> Iterator[tuple[str, str, str]]:
    """List the checks that are written with name, status and code, for want of a receipt."""
    for call in _nodes(locating, ast.Call):
        texts = [_text(each) for each in call.args]
        called = ast.unparse(call.func)
        if called == "Check" and texts[0] is not None and texts[2] is not None:
            yield texts[0], STATUSES[ast.unparse(call.args[1]).removeprefix("Status.")], texts[2]
        if called == "_could_not_check" and texts[1] is not None:
            yield "entry", "u", texts[1]


def _written(one: ast.AST, proofs: list[str]) -> list[tuple[str, str]]:
    if isinstance(one, ast.Return) and isinstance(one.value, ast.Tuple):
        return [("v", str(_text(one.value.elts[0])))]
    if not isinstance(one, ast.Call) or not isinstance(one.func, ast.Name) or not one.args:
        return []
    text = _text(one.args[0])
    if text is None:
        return []
    if one.func.id == "proven":
        return [("i", f"{text}_{code}") for code in proofs]
    kinds = {"VerificationError": "i", "Unknown": "u"}
    return [(kinds[one.func.id], text)] if one.func.id in kinds else []


def _text(value: ast.expr) -> str | None:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def test_the_codes_of_the_checks_are_those_of_the_code() -> None:
    written = rows("report.md", 4) + [row[:3] + row[4:] for row in rows("report.md", 5)]
    listed = {
        (check, status, code)
        for checks, codes, status, _ in written
        if status in {"v", "i", "u"}
        for check in re.findall(r"`(\w+)`", checks)
        for code in re.findall(r"`(\w+)`", codes)
        if not codes.startswith("any code")
    }
    assert listed == codes_of_the_code()


def test_error_codes_are_unique_and_explained() -> None:
    codes = [kind.code for kind in classes()]
    assert len(codes) == len(set(codes))
    for kind in classes():
        assert re.fullmatch(r"[a-z0-9_]+", kind.code)
        assert (kind.__doc__ or "").split("\n")[0].endswith("."), kind
        assert f"| `{kind.code}` | `{kind.__name__}` |" in page("errors.md")


def test_every_error_stands_in_the_tree_that_is_drawn() -> None:
    drawn = re.findall(r"\b(\w+Error)\b", (errors.__doc__ or "").split("A programming mistake")[0])
    assert sorted(drawn) == sorted(kind.__name__ for kind in classes())
