"""The trust file: what a verifier pins, and every receipt has to equal.

Anyone can deploy a ledger that names a university. What makes a ledger *the* consortium's is
that its values stand in a file which the verifier got from members that he knows.
Format: docs/formats/trust-file.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from testamur.credentials import strict_json
from testamur.errors import CredentialError, TrustFileFormatError
from testamur.ledger.fields import Fields
from testamur.merkle.hashing import Hash32

TYPE: Final = "testamur/trust/v1"
BYTES_MAX: Final = 1024 * 1024
MEMBERS_MAX: Final = 10_000
MEMBER_ID_MAX: Final = 2**32 - 1
ISSUERS_MAX: Final = 1_000
NAME_LENGTH_MAX: Final = 1024
DOMAIN_LENGTH_MAX: Final = 253
"""In characters, as a name of the DNS (RFC 1035 section 2.3.4, without length bytes)."""


class NetworkKind(StrEnum):
    """What an anchor on this chain is worth; anything but ``main`` is labelled everywhere."""

    LOCAL = "local"
    """A chain on one machine, for trials: it proves nothing to anybody else."""
    TEST = "test"
    """A public test network: it may vanish."""
    MAIN = "main"
    """A chain that the consortium relies on."""


@dataclass(frozen=True, slots=True)
class Network:
    """How the chain is called."""

    name: str
    """For people, such as ``sepolia``; never compared."""
    kind: NetworkKind
    """Local, test or main."""


@dataclass(frozen=True, slots=True)
class FinalityRule:
    """Which heads count as final."""

    depth: int | None
    """Blocks below the newest, at least 1; None: the chain's own ``finalized`` tag."""


@dataclass(frozen=True, slots=True)
class TrustedMember:
    """One member, as the verifier knows it."""

    id: int
    """Member id, at least 1; never reused."""
    name: str
    """Legal name."""
    domain: str
    """Domain that the name is known by, such as ``aldermere.example``."""
    witness_key: bytes
    """Ed25519 public key, 32 bytes, of the member's cosignatures."""
    issuers: tuple[str, ...] = ()
    """Issuer ids (URLs or DIDs) or names that the member issues under beside its own."""


@dataclass(frozen=True, slots=True)
class TrustFile:
    """A parsed trust file."""

    network: Network
    """Name and kind of the chain."""
    chain_id: int
    """EIP-155 chain id."""
    genesis: bytes
    """Hash of block 0, 32 bytes: tells apart two chains with one id."""
    contract: bytes
    """Address of the ledger contract, 20 bytes."""
    ledger_id: Hash32
    """Leaf hash of record 0."""
    finality: FinalityRule
    """Which heads count as final."""
    threshold: int
    """How many distinct members must have cosigned a checkpoint, at least 1."""
    members: tuple[TrustedMember, ...]
    """Ascending by id."""
    source: str | None = None
    """Where the file comes from when no verifier vouched for it, such as one node's view."""

    def member(self, member_id: int) -> TrustedMember | None:
        """Find a member by id; None when the file does not have it."""
        return next((member for member in self.members if member.id == member_id), None)


def parse_trust(data: bytes) -> TrustFile:
    """Parse a trust file, from anyone.

    Raises:
        TrustFileFormatError: anything but one strict JSON object of the documented form.
    """
    try:
        value = strict_json.parse(data, bytes_max=BYTES_MAX)
    except CredentialError as exc:
        raise TrustFileFormatError(f"the trust file is not strict JSON: {exc}") from exc
    fields = Fields(value, "trust file", TrustFileFormatError)
    fields.constant("type", TYPE)
    trust = TrustFile(
        network=_network(fields.nested("network")),
        chain_id=fields.integer("chain_id", least=1),
        genesis=fields.ethereum("genesis", 32),
        contract=fields.ethereum("contract", 20),
        ledger_id=fields.hash("ledger_id"),
        finality=_finality(fields.nested("finality")),
        threshold=fields.integer("threshold", least=1, most=MEMBERS_MAX),
        members=tuple(
            _member(Fields(item, f"trust file.members[{position}]", TrustFileFormatError))
            for position, item in enumerate(fields.items("members", count_max=MEMBERS_MAX))
        ),
        source=fields.text("source") if fields.has("source") else None,
    )
    fields.done()
    _check(trust)
    return trust


def serialise_trust(trust: TrustFile) -> bytes:
    """Write a trust file: indented JSON, fields in the documented order, a last line feed."""
    finality: dict[str, object] = {"rule": "finalized"}
    if trust.finality.depth is not None:
        finality = {"rule": "depth", "blocks": trust.finality.depth}
    value: dict[str, object] = {
        "type": TYPE,
        "network": {"name": trust.network.name, "kind": trust.network.kind.value},
        "chain_id": trust.chain_id,
        "genesis": "0x" + trust.genesis.hex(),
        "contract": "0x" + trust.contract.hex(),
        "ledger_id": trust.ledger_id.hex(),
        "finality": finality,
        "threshold": trust.threshold,
        "members": [_member_json(member) for member in trust.members],
    }
    if trust.source is not None:
        value["source"] = trust.source
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def _network(fields: Fields) -> Network:
    name = fields.text("name", length_max=64)
    kind = fields.text("kind")
    fields.done()
    if kind not in tuple(NetworkKind):
        raise fields.fault("kind", "is not local, test or main")
    return Network(name=name, kind=NetworkKind(kind))


def _finality(fields: Fields) -> FinalityRule:
    rule = fields.text("rule")
    if rule not in {"finalized", "depth"}:
        raise fields.fault("rule", "is not finalized or depth")
    depth = fields.integer("blocks", least=1) if rule == "depth" else None
    fields.done()
    return FinalityRule(depth=depth)


def _member(fields: Fields) -> TrustedMember:
    member_id = fields.integer("id", least=1, most=MEMBER_ID_MAX)
    name = fields.text("name", length_min=1, length_max=NAME_LENGTH_MAX)
    domain = fields.text("domain", length_min=1, length_max=DOMAIN_LENGTH_MAX)
    witness_key = fields.hash("witness_key")
    issuers: tuple[str, ...] = ()
    if fields.has("issuers"):
        issuers = fields.texts("issuers", count_max=ISSUERS_MAX)
    fields.done()
    return TrustedMember(
        id=member_id, name=name, domain=domain, witness_key=witness_key, issuers=issuers
    )


def _member_json(member: TrustedMember) -> dict[str, object]:
    value: dict[str, object] = {
        "id": member.id,
        "name": member.name,
        "domain": member.domain,
        "witness_key": member.witness_key.hex(),
    }
    if member.issuers:
        value["issuers"] = list(member.issuers)
    return value


def _check(trust: TrustFile) -> None:
    ids = [member.id for member in trust.members]
    if not ids:
        raise TrustFileFormatError("the trust file has no members")
    if ids != sorted(set(ids)):
        raise TrustFileFormatError("the members are not strictly ascending by id")
    if trust.threshold > len(ids):
        raise TrustFileFormatError("the threshold is larger than the number of members")
    keys = {member.witness_key for member in trust.members}
    if len(keys) != len(ids):
        # Two ids with one key would let one member count twice towards the threshold.
        raise TrustFileFormatError("two members have the same witness key")
