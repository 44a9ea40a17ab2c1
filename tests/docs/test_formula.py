"""The code that the pages for verifiers and auditors show is right, on vectors and receipts."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any, Final

import pytest

from testamur.merkle import proofs, tree
from testamur.merkle.hashing import Hash32, leaf_hash
from tests.support.documents import blocks, page
from tests.support.optional import require
from tests.support.vectors import FOLDER, vectors

GOOD: Final = {
    name: case for name, case in vectors("credentials/commitment").items() if "entry" in case
}
FIELDS: Final = ("ledger_id", "member", "profile", "salt", "digest")
LINES_MAX: Final = 11
"""Ten, and the line that names the function."""


def shown(name: str, language: str, holding: str) -> str:
    """Give the one block of a page that holds a text."""
    (found,) = [block for block in blocks(page(name), language) if holding in block]
    return found


@pytest.mark.parametrize("name", GOOD)
def test_the_formula_in_python_gives_the_entry_of_every_vector(name: str) -> None:
    entry = defined_in(shown("docs/for-verifiers.md", "python", "def entry"), "entry")
    case = GOOD[name]
    assert entry(*(case[field] for field in FIELDS)) == case["entry"]


def test_the_formula_in_javascript_gives_the_entry_of_every_vector() -> None:
    node = shutil.which("node")
    require(node, "Node.js")
    code = shown("docs/for-verifiers.md", "js", "async function entry")
    asked = [[case[field] for field in FIELDS] for case in GOOD.values()]
    program = (
        f"globalThis.crypto ??= require('node:crypto').webcrypto;\n{code}\n"
        "Promise.all(JSON.parse(process.argv[1]).map((one) => entry(...one)))"
        ".then((all) => console.log(JSON.stringify(all)));"
    )
    command = [str(node), "--eval", program, json.dumps(asked)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == [case["entry"] for case in GOOD.values()]


@pytest.mark.parametrize(
    ("name", "language", "holding"),
    [
        ("docs/for-verifiers.md", "python", "def entry"),
        ("docs/for-verifiers.md", "js", "async function entry"),
        ("docs/for-auditors.md", "python", "def in_batch"),
    ],
)
def test_it_is_short(name: str, language: str, holding: str) -> None:
    code = shown(name, language, holding)
    body = [line for line in code.splitlines() if line and "import" not in line]
    assert len(body) <= LINES_MAX


def defined_in(code: str, name: str) -> Callable[..., object]:
    """Run a block of a page, and give the function that it defines."""
    scope: dict[str, Any] = {}
    exec(compile(code, "page", "exec"), scope)  # noqa: S102 - our own page
    function: Callable[..., object] = scope[name]
    return function


@pytest.mark.parametrize("name", ["receipt", "receipt-from-node", "receipt-batch-of-one"])
def test_merkletools_checks_the_batch_path_of_a_receipt(name: str) -> None:
    assert in_batch(json.loads((FOLDER / "ledger" / f"{name}.json").read_bytes())) is True


@pytest.mark.parametrize("count", range(1, 34))
def test_merkletools_checks_every_place_in_small_batches(count: int) -> None:
    entries = [Hash32(bytes([n]) * 32) for n in range(count)]
    levels = tree.levels([leaf_hash(entry) for entry in entries])
    for index, entry in enumerate(entries):
        path = [step.hex() for step in proofs.inclusion_path_in(levels, index)]
        record = {"count": count, "root": levels[-1][0].hex()}
        receipt = {"entry": entry.hex(), "batch": {"index": index, "path": path}, "record": record}
        assert in_batch(receipt) is True


@pytest.mark.parametrize("wrong", ["entry", "index", "path", "longer", "root"])
def test_merkletools_refuses_what_does_not_fit(wrong: str) -> None:
    receipt = json.loads((FOLDER / "ledger" / "receipt.json").read_bytes())
    if wrong == "entry":
        receipt["entry"] = "00" * 32
    elif wrong == "index":
        receipt["batch"]["index"] ^= 1
    elif wrong == "path":
        receipt["batch"]["path"].reverse()
    elif wrong == "longer":
        receipt["batch"]["path"].append("00" * 32)
    else:
        receipt["record"]["root"] = "00" * 32
    assert in_batch(receipt) is False


def in_batch(receipt: dict[str, Any]) -> object:
    """Run what the page for auditors shows."""
    code = shown("docs/for-auditors.md", "python", "MerkleTools")
    return defined_in(code, "in_batch")(receipt)
