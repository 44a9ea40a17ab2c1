"""The compiled contract, as checked in; `scripts/contracts` writes it, nobody edits it.

Whoever runs a node needs no compiler: this file is what is deployed and what calls are encoded by.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class LedgerArtifact:
    """What the compiler made of ``contracts/Ledger.sol``."""

    abi: list[dict[str, Any]]
    """Functions, events and errors, in Ethereum's JSON form. Shared: do not alter it."""

    bytecode: bytes
    """Creation code; the ABI-encoded constructor arguments are appended to it."""

    deployed_bytecode: bytes
    """What stands at the contract's address, on every chain the same: there are no immutables."""

    compiler: str
    """Exact version of solc, with its commit."""


@cache
def load_ledger_artifact() -> LedgerArtifact:
    """Read the artifact that is part of this package; the file is trusted as the code is."""
    text = resources.files(__name__).joinpath("Ledger.json").read_text(encoding="utf-8")
    artifact = json.loads(text)
    return LedgerArtifact(
        abi=artifact["abi"],
        bytecode=bytes.fromhex(artifact["bytecode"].removeprefix("0x")),
        deployed_bytecode=bytes.fromhex(artifact["deployedBytecode"].removeprefix("0x")),
        compiler=artifact["compiler"],
    )
