"""Record 0: what it is made of, and what a constructor refuses."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from eth_abi import encode

from testamur.chain.artifacts import load_ledger_artifact
from testamur.merkle.hashing import leaf_hash
from tests.support.deployed_ledger import (
    BIRTH_TYPES,
    LEDGER,
    DeployedLedger,
    Founder,
    founder,
)
from tests.support.evm import CHAIN_ID, Evm, RevertError

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "formats" / "contract.md"
ZERO = bytes(20)
A, B, C = (bytes([n]) * 20 for n in (0xA1, 0xB2, 0xC3))


@pytest.fixture(scope="module")
def ledger() -> DeployedLedger:
    return DeployedLedger()


def birth_change(ledger: DeployedLedger) -> bytes:
    members = [tuple(member) for member in ledger.founders]
    values = (CHAIN_ID, ledger.address, ledger.birth_block_parent, members)
    return encode(BIRTH_TYPES, values)


def test_birth_announces_chain_contract_parent_block_and_all_fields_of_the_founders(
    ledger: DeployedLedger,
) -> None:
    (log,) = ledger.deployment.logs
    assert log.name == "Governed"
    assert log.values == {"index": 0, "change": birth_change(ledger)}


def test_birth_record_is_zero_but_for_the_hash_of_the_change(ledger: DeployedLedger) -> None:
    root = sha256(birth_change(ledger)).digest()
    assert ledger.records[0] == bytes(21) + root + bytes(40)


def test_ledger_id_is_the_head_of_the_newborn_ledger(ledger: DeployedLedger) -> None:
    ledger_id = leaf_hash(bytes(21) + sha256(birth_change(ledger)).digest() + bytes(40))
    assert ledger.call("head") == (1, ledger_id)


def test_founders_have_the_ids_from_one_in_the_order_given(ledger: DeployedLedger) -> None:
    assert ledger.call("memberCount") == (3,)
    for number, member in enumerate(ledger.founders, start=1):
        standing = ("0x" + member.anchor_key.hex(), True, 0, 0)
        assert ledger.call("member", number) == standing


@pytest.mark.parametrize("unknown", [0, 4, 2**32 - 1])
def test_an_id_that_was_never_given_has_no_standing(ledger: DeployedLedger, unknown: int) -> None:
    assert ledger.call("member", unknown) == ("0x" + "00" * 20, False, 0, 0)


def test_two_ledgers_with_the_same_founders_have_different_ids() -> None:
    evm = Evm()
    bytecode = load_ledger_artifact().bytecode
    founders = [founder(1, evm.addresses[0])]
    first = evm.deploy(LEDGER, bytecode, founders).contract
    second = evm.deploy(LEDGER, bytecode, founders).contract
    assert evm.call(LEDGER, first, "head") != evm.call(LEDGER, second, "head")


def with_keys(*pairs: tuple[bytes, bytes]) -> list[Founder]:
    return [
        founder(i, b"")._replace(anchor_key=hot, control_key=cold)
        for i, (hot, cold) in enumerate(pairs, start=1)
    ]


REFUSED = {
    "no members": ([], "NoMembers", ()),
    "zero anchor key": (with_keys((ZERO, B)), "ZeroKey", (1,)),
    "zero control key": (with_keys((A, B), (C, ZERO)), "ZeroKey", (2,)),
    "shared anchor key": (
        with_keys((A, B), (C, C), (A, A)),
        "SharedKey",
        (1, 3, "0x" + A.hex()),
    ),
    "shared control key": (
        with_keys((A, A), (B, C), (C, C)),
        "SharedKey",
        (2, 3, "0x" + C.hex()),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_constructor_refuses(case: str) -> None:
    founders, name, arguments = REFUSED[case]
    with pytest.raises(RevertError) as caught:
        Evm().deploy(LEDGER, load_ledger_artifact().bytecode, founders)
    assert (caught.value.name, caught.value.arguments) == (name, arguments)


def test_one_member_may_use_a_key_that_another_uses_for_something_else() -> None:
    evm = Evm()
    founders = with_keys((A, B), (B, A), (C, C))
    ledger = evm.deploy(LEDGER, load_ledger_artifact().bytecode, founders).contract
    assert evm.call(LEDGER, ledger, "memberCount") == (3,)


def test_worked_example_of_the_documents_holds() -> None:
    example = json.loads(DOCUMENT.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0])
    members = [
        (
            member["anchor_key"],
            member["control_key"],
            bytes.fromhex(member["witness_key"]),
            member["name"],
            member["domain"],
            member["endpoint"],
        )
        for member in example["members"]
    ]
    parent = bytes.fromhex(example["parent_block_hash"][2:])
    change = encode(BIRTH_TYPES, (example["chain_id"], example["contract"], parent, members))
    assert "0x" + change.hex() == example["change"]
    assert (bytes(21) + sha256(change).digest() + bytes(40)).hex() == example["record"]
    assert leaf_hash(bytes.fromhex(example["record"])).hex() == example["ledger_id"]


def test_worked_example_is_what_the_contract_does() -> None:
    # The test chain is deterministic, so the same deployment gives the document's bytes.
    example = DOCUMENT.read_text(encoding="utf-8")
    born = DeployedLedger(founders=1)
    assert f'"ledger_id": "{leaf_hash(born.records[0]).hex()}"' in example
