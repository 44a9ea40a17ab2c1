"""Contracts that only tests use, as `scripts/contracts` compiled them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, NamedTuple

from tests.support.evm import Interface

FOLDER: Final = Path(__file__).parent.parent / "contracts"


class Compiled(NamedTuple):
    """One of them."""

    interface: Interface
    """For calls and events."""
    bytecode: bytes
    """Creation code."""


def compiled(name: str) -> Compiled:
    """Read one artifact of tests/contracts."""
    artifact = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Compiled(Interface(artifact["abi"]), bytes.fromhex(artifact["bytecode"][2:]))
