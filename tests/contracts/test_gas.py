"""What an anchor costs, beside a contract that only notes when a root was seen. Deterministic."""

from __future__ import annotations

from pathlib import Path

import pytest

from testamur.merkle.hashing import EMPTY_ROOT
from tests.support.deployed_ledger import LEDGER, DeployedLedger, digest
from tests.support.gas import anchor_gas, deployment_gas

GAS_LIMIT = 250_000
README = Path(__file__).parent.parent.parent / "contracts" / "README.md"


@pytest.mark.slow  # 1,088 anchors; how many carries they have is what the mean is about
def test_an_anchor_costs_less_than_a_bare_mapping_write_on_average() -> None:
    anchor, mapping = anchor_gas()
    assert anchor < mapping
    # The documents' figures are these, so that a change of them is seen and explained.
    assert f"anchor {anchor:,.0f}, bare mapping write {mapping:,.0f}" in README.read_text()


def test_deployment_costs_what_the_documents_say() -> None:
    assert f"deployment with three founders {deployment_gas():,}" in README.read_text()


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
