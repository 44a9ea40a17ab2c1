"""What may be deployed: only a ledger whose founders every trust file can name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testamur.chain.client import ChainClient
from testamur.chain.deployment import deploy
from testamur.errors import DeploymentError
from testamur.ledger.trust import (
    FinalityRule,
    Network,
    NetworkKind,
    TrustedMember,
    TrustFile,
    parse_trust,
    serialise_trust,
)
from tests.support.devchain import RunningDevchain
from tests.support.member_node import TIMEOUT_SECONDS, founding_members, key_of


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "n" * 1025},
        {"domain": ""},
        {"domain": "d" * 254},
        {"endpoint": "e" * 1025},
    ],
)
def test_a_founder_that_no_trust_file_can_name_is_refused_before_anything_is_sent(
    wrong: dict[str, Any],
) -> None:
    first, *others = founding_members()
    (what,) = wrong
    with (
        ChainClient("http://127.0.0.1:9", timeout_seconds=1) as client,
        pytest.raises(DeploymentError, match=f"the {what} of founder 3 has not"),
    ):
        deploy(client, key_of(0), [*others, replace(first, **wrong)])


def test_founders_with_one_witness_key_or_too_many_are_refused() -> None:
    first, second, _ = founding_members()
    with ChainClient("http://127.0.0.1:9", timeout_seconds=1) as client:
        with pytest.raises(DeploymentError, match="same witness key"):
            deploy(client, key_of(0), [first, replace(second, witness_key=first.witness_key)])
        with pytest.raises(DeploymentError, match="at most 10000 founders"):
            deploy(client, key_of(0), [first] * 10_001)


def test_the_longest_founders_are_deployed_and_stand_in_a_trust_file_that_parses(
    devchain: RunningDevchain,
) -> None:
    longest = {"name": "é" * 1024, "domain": "d" * 253, "endpoint": "e" * 1024}
    with ChainClient(devchain.url, timeout_seconds=TIMEOUT_SECONDS) as client:
        members = [replace(member, **longest) for member in founding_members()]
        deployment = deploy(client, key_of(0), members)
        trust = TrustFile(
            network=Network("embedded chain", NetworkKind.LOCAL),
            chain_id=client.chain_id(),
            genesis=client.genesis(),
            contract=deployment.contract,
            ledger_id=deployment.ledger_id,
            finality=FinalityRule(depth=None),
            threshold=2,
            members=tuple(
                TrustedMember(number, member.name, member.domain, member.witness_key)
                for number, member in enumerate(deployment.birth.members, start=1)
            ),
        )
    assert parse_trust(serialise_trust(trust)) == trust
