"""What anchors cost, beside a contract that only notes when a root was seen. Deterministic."""

from __future__ import annotations

from statistics import fmean
from typing import Final, NamedTuple

from tests.support.compiled import compiled
from tests.support.deployed_ledger import DeployedLedger, digest

FIRST: Final = 65
LAST: Final = 1088
"""Of the anchors whose mean is meant: a power of two of them, so that each depth of carry has
its share, and behind the first ones, which fill slots of the frontier for the first time."""
BLOCK_ANCHORS: Final = 8


class AnchorGas(NamedTuple):
    """Means of the same run."""

    anchor: float
    """Of an anchor with its status."""
    mapping: float
    """Of a write to a bare mapping, with its event."""


def anchor_gas(*, first: int = FIRST, last: int = LAST) -> AnchorGas:
    """Anchor ``last`` times, and give the mean from anchor ``first`` on."""
    ledger = DeployedLedger()
    bare = compiled("BareMapping")
    address = ledger.evm.deploy(bare.interface, bare.bytecode).contract
    ours, theirs = [], []
    for n in range(1, last + 1):
        root = digest(f"batch {n}")
        status = (n, digest(f"status {n}"))
        outcome = ledger.anchor(n % 3 + 1, count=2**18, root=root, status=status)
        if n >= first:
            ours.append(outcome.gas_used)
        if n % BLOCK_ANCHORS == 0:  # one in eight is enough: it hardly varies
            gas = ledger.evm.transact(bare.interface, address, "anchor", root).gas_used
            theirs.append(gas)
            ledger.evm.mine()
    return AnchorGas(fmean(ours), fmean(theirs))


def deployment_gas() -> int:
    """Give the gas of a deployment with three founders."""
    return DeployedLedger(founders=3).deployment.gas_used


def mapping_deployment_gas() -> int:
    """Give the gas of deploying the bare mapping."""
    ledger, bare = DeployedLedger(), compiled("BareMapping")
    return ledger.evm.deploy(bare.interface, bare.bytecode).gas_used
