"""What an anchor costs, beside a contract that only notes when a root was seen. Deterministic."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from testamur.merkle.hashing import EMPTY_ROOT
from tests.support.compiled import compiled
from tests.support.deployed_ledger import LEDGER, DeployedLedger, digest

FIRST, LAST = 65, 1088
BLOCK_ANCHORS = 8
GAS_LIMIT = 250_000
README = Path(__file__).parent.parent.parent / "contracts" / "README.md"


@pytest.mark.slow  # 1,088 anchors; how many carries they have is what the mean is about
def test_an_anchor_costs_less_than_a_bare_mapping_write_on_average() -> None:
    ledger = DeployedLedger()
    bare = compiled("BareMapping")
    address = ledger.evm.deploy(bare.interface, bare.bytecode).contract
    ours, theirs = [], []
    for n in range(1, LAST + 1):
        root = digest(f"batch {n}")
        status = (n, digest(f"status {n}"))
        outcome = ledger.anchor(n % 3 + 1, count=2**18, root=root, status=status)
        if n >= FIRST:
            ours.append(outcome.gas_used)
        if n % BLOCK_ANCHORS == 0:  # one in eight is enough: it hardly varies
            gas = ledger.evm.transact(bare.interface, address, "anchor", root).gas_used
            theirs.append(gas)
            ledger.evm.mine()
    anchor, mapping = fmean(ours), fmean(theirs)
    assert anchor < mapping
    # The documents' figures are these, so that a change of them is seen and explained.
    assert f"anchor {anchor:,.0f}, bare mapping write {mapping:,.0f}" in README.read_text()


def test_deployment_costs_what_the_documents_say() -> None:
    gas = DeployedLedger(founders=3).deployment.gas_used
    assert f"deployment with three founders {gas:,}" in README.read_text()


def test_the_constant_gas_limit_suffices_for_the_most_expensive_anchor_there_can_be() -> None:
    # The record at 2^63 - 1 carries through 63 levels and writes a slot that was never used.
    ledger = DeployedLedger()
    size = 2**63 - 1
    deep = {0: size | 3 << 96, **{1 + level: level + 1 for level in range(63)}}
    root = digest("batch")
    data = LEDGER.call_data("anchor", 1, 2**32, root, 2**32, root, 0)
    sender = ledger.evm.addresses[0]
    gas = ledger.evm.call_gas(ledger.address, data, sender=sender, storage=deep)
    assert gas < GAS_LIMIT
    assert f"most expensive anchor there can be {gas:,}" in README.read_text()


def test_gas_in_an_overridden_state_is_counted_as_in_a_transaction() -> None:
    ledger = DeployedLedger()
    root = digest("batch 1")
    data = LEDGER.call_data("anchor", 1, 7, root, 0, EMPTY_ROOT, 0)
    sender = ledger.evm.addresses[0]
    counted = ledger.evm.call_gas(ledger.address, data, sender=sender, storage={})
    assert counted == ledger.anchor(1, root=root).gas_used
