"""Who is in the ledger, and what this node would have a verifier pin, by its birth record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from testamur.ledger.birth import FoundingMember, parse_birth
from testamur.ledger.trust import FinalityRule, Network, TrustedMember, TrustFile
from testamur.storage.birth import birth_change
from testamur.storage.interface import ChainView
from testamur.storage.model import LedgerIdentity


@dataclass(frozen=True, slots=True)
class NodeDescription:
    """What a node says of itself."""

    identity: LedgerIdentity
    """Which ledger, and which member runs the node."""
    network: Network
    """Name and kind of the chain."""
    finality: FinalityRule
    """Which heads count as final."""
    version: str
    """Of the software."""


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """A member as the ledger knows it."""

    id: int
    """Member id."""
    profile: FoundingMember
    """Keys, name, domain and endpoint."""
    since_record: int
    """Index of the governance record that says so."""


class Membership:
    """Reads the members from the followed ledger. May be used from any thread.

    What was read once is kept: nothing else has the hash that is the ledger's id.
    """

    def __init__(self, store: ChainView, about: NodeDescription) -> None:
        self._store = store
        self._about = about

    def members(self) -> tuple[MemberEntry, ...]:
        """List the members, as the followed ledger has them.

        Raises:
            NotFollowedYetError: the chain was not followed to the ledger's birth yet.
        """
        return self._members

    def trust(self) -> TrustFile:
        """Give this node's view as a trust file, labelled as such.

        Raises:
            NotFollowedYetError: the chain was not followed to the ledger's birth yet.
        """
        return self._trust_with(
            tuple(
                TrustedMember(m.id, m.profile.name, m.profile.domain, m.profile.witness_key)
                for m in self.members()
            )
        )

    def trust_without_members(self) -> TrustFile:
        """Give as much of :meth:`trust` as is known before the chain was followed."""
        return self._trust_with(())

    def birth_change(self) -> bytes:
        """Give the ABI bytes of record 0.

        Raises:
            NotFollowedYetError: the chain was not followed to the ledger's birth yet.
            StoreIdentityError: the store has another record there.
        """
        return self._birth_change

    @cached_property
    def _birth_change(self) -> bytes:
        return birth_change(self._store, self._about.identity.ledger_id)

    @cached_property
    def _members(self) -> tuple[MemberEntry, ...]:
        birth = parse_birth(self._birth_change)
        return tuple(
            MemberEntry(number, member, since_record=0)
            for number, member in enumerate(birth.members, start=1)
        )

    def _trust_with(self, members: tuple[TrustedMember, ...]) -> TrustFile:
        identity = self._about.identity
        return TrustFile(
            network=self._about.network,
            chain_id=identity.chain_id,
            genesis=identity.genesis,
            contract=identity.contract,
            ledger_id=identity.ledger_id,
            finality=self._about.finality,
            threshold=len(members) // 2 + 1,
            members=members,
            source=(
                f"the view of the node of member {identity.member}; nobody vouches for it: "
                "compare it with another member's before you rely on it"
            ),
        )
