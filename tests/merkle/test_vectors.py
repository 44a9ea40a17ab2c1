"""The vectors of tests/vectors/merkle through the product's verifiers, and half of them broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from testamur.errors import MerkleError, RootMismatchError
from testamur.merkle import hashing, proofs, tree

if TYPE_CHECKING:
    from collections.abc import Callable

VECTORS: Final = Path(__file__).parents[1] / "vectors" / "merkle"
FILES: Final = sorted(VECTORS.glob("*/*.json"))


def run_tree(case: dict[str, Any]) -> None:
    entries = [bytes.fromhex(entry) for entry in case["entries"]]
    computed = tree.root([hashing.leaf_hash(entry) for entry in entries])
    expected = bytes.fromhex(case["root"])
    if computed != expected:
        raise RootMismatchError(expected=expected, computed=computed)


def run_inclusion(case: dict[str, Any]) -> None:
    proofs.verify_inclusion(
        leaf_hash=bytes.fromhex(case["leaf_hash"]),
        index=case["index"],
        size=case["size"],
        proof=[bytes.fromhex(step) for step in case["proof"]],
        root=bytes.fromhex(case["root"]),
    )


def run_consistency(case: dict[str, Any]) -> None:
    proofs.verify_consistency(
        old_size=case["old_size"],
        new_size=case["new_size"],
        old_root=bytes.fromhex(case["old_root"]),
        new_root=bytes.fromhex(case["new_root"]),
        proof=[bytes.fromhex(step) for step in case["proof"]],
    )


RUNNERS: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "tree": run_tree,
    "inclusion": run_inclusion,
    "consistency": run_consistency,
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_vector_is_accepted_or_refused_with_its_code(path: Path) -> None:
    case = json.loads(path.read_bytes())
    run, error = RUNNERS[path.parent.name], case.pop("error", None)
    if error is None:
        run(case)
        return
    with pytest.raises(MerkleError) as refused:
        run(case)
    assert refused.value.code == error


@pytest.mark.parametrize("folder", sorted(RUNNERS))
def test_at_least_half_of_the_vectors_are_broken(folder: str) -> None:
    cases = [json.loads(path.read_bytes()) for path in FILES if path.parent.name == folder]
    assert len(cases) <= 2 * sum("error" in case for case in cases)
