"""A ledger on paper: founders, batches and records as the contract would append them.

Pure, so that every part of a receipt can be made, and then broken, without a chain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from testamur.credentials import commitment
from testamur.ledger.birth import Birth, FoundingMember, encode_birth
from testamur.ledger.receipt import (
    BatchProof,
    Commitment,
    LedgerHead,
    MemberProof,
    Receipt,
    RecordProof,
)
from testamur.ledger.records import Record, RecordKind, governance_record
from testamur.ledger.trust import FinalityRule, Network, NetworkKind, TrustedMember, TrustFile
from testamur.ledger.view import Head, LeafProof, LedgerView, RootProof
from testamur.merkle import proofs, tree
from testamur.merkle.hashing import EMPTY_ROOT, Hash32, leaf_hash

UNIVERSITIES = (
    ("University of Aldermere", "aldermere.example"),
    ("Universidad de Brisamar", "brisamar.example"),
    ("Cassel-Nord University", "cassel-nord.example"),
)
NOW = 1_800_003_600
"""The verifier's clock: an hour after the first heads."""

GENESIS = sha256(b"genesis").digest()
CONTRACT = sha256(b"contract").digest()[:20]


def founders() -> tuple[FoundingMember, ...]:
    """Three members whose keys are hashes of their names."""
    return tuple(
        FoundingMember(
            anchor_key=sha256(b"anchor " + domain.encode()).digest()[:20],
            control_key=sha256(b"control " + domain.encode()).digest()[:20],
            witness_key=sha256(b"witness " + domain.encode()).digest(),
            name=name,
            domain=domain,
            endpoint=f"https://testamur.{domain}",
        )
        for name, domain in UNIVERSITIES
    )


@dataclass
class PaperLedger:
    """Records in order, and the batches behind them."""

    birth: Birth = field(
        default_factory=lambda: Birth(1337, CONTRACT, sha256(b"parent").digest(), founders())
    )
    records: list[Record] = field(default_factory=list)
    batches: dict[Hash32, list[Hash32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.records.append(governance_record(self.change))

    @property
    def change(self) -> bytes:
        """Bytes of the birth."""
        return encode_birth(self.birth)

    @property
    def ledger_id(self) -> Hash32:
        """Leaf hash of record 0."""
        return self.records[0].leaf_hash()

    def anchor(
        self,
        member: int,
        entries: list[Hash32],
        *,
        time: int,
        status_count: int = 0,
        status_root: Hash32 = EMPTY_ROOT,
    ) -> int:
        """Append an anchor of ``entries`` and give its record's index."""
        ordered = sorted(entries)
        root = tree.root([leaf_hash(entry) for entry in ordered])
        self.batches[root] = ordered
        self.records.append(
            Record(RecordKind.ANCHOR, member, time, len(ordered), root, status_count, status_root)
        )
        return len(self.records) - 1

    def leaves(self, size: int | None = None) -> list[Hash32]:
        """Leaf hashes of the first ``size`` records."""
        return [record.leaf_hash() for record in self.records[:size]]

    def head(self, size: int | None = None) -> Head:
        """Give the head at ``size`` records, each in a block of its own."""
        size = len(self.records) if size is None else size
        return Head(size, tree.root(self.leaves(size)), block=size, time=1_800_000_000 + size)

    def entry(self, member: int, salt: bytes, digest: bytes, profile: str) -> Hash32:
        """Give the commitment of a credential in this ledger."""
        return commitment.entry(
            ledger_id=self.ledger_id, member=member, profile=profile, salt=salt, digest=digest
        )

    def receipt(
        self, index: int, entry: Hash32, made: Commitment | None, *, size: int | None = None
    ) -> Receipt:
        """Give the receipt of ``entry`` in the batch of record ``index``, at ``size`` records."""
        record = self.records[index]
        entries = self.batches[record.root]
        leaves = self.leaves(size)
        position = entries.index(entry)
        return Receipt(
            commitment=made,
            entry=entry,
            batch=BatchProof(
                position,
                tuple(proofs.inclusion_path([leaf_hash(one) for one in entries], position)),
            ),
            record=RecordProof(index, tuple(proofs.inclusion_path(leaves, index)), record),
            member=MemberProof(0, tuple(proofs.inclusion_path(leaves, 0)), self.change),
            ledger=LedgerHead(
                self.birth.chain_id,
                GENESIS,
                self.birth.contract,
                self.ledger_id,
                len(leaves),
                tree.root(leaves),
            ),
        )

    def view(self, receipt: Receipt, *, final: int | None = None) -> LedgerView:
        """Show what the chain has of the ledger while the first ``final`` records are final."""
        final_head, seen = self.head(final), self.head()
        index = receipt.record.index
        holds = final_head if index < final_head.size else seen
        at_index, at_size, size = None, None, receipt.ledger.size
        if index < holds.size:
            path = proofs.inclusion_path(self.leaves(holds.size), index)
            at_index = LeafProof(self.records[index].leaf_hash(), tuple(path))
        if size <= final_head.size:
            path = proofs.consistency_path(self.leaves(final_head.size), size)
            at_size = RootProof(tree.root(self.leaves(size)), tuple(path))
        newest = self._newest(receipt, final_head.size)
        return LedgerView(final_head, seen, at_index, at_size, newest)

    def _newest(self, receipt: Receipt, size: int) -> RecordProof | None:
        member = receipt.record.record.member
        for index in range(size - 1, 0, -1):
            if self.records[index].member == member:
                path = proofs.inclusion_path(self.leaves(size), index)
                return RecordProof(index, tuple(path), self.records[index])
        return None

    def trust(self) -> TrustFile:
        """Give the trust file of a verifier who knows this consortium."""
        return TrustFile(
            network=Network("paper", NetworkKind.LOCAL),
            chain_id=self.birth.chain_id,
            genesis=GENESIS,
            contract=self.birth.contract,
            ledger_id=self.ledger_id,
            finality=FinalityRule(depth=None),
            threshold=2,
            members=tuple(
                TrustedMember(number, founder.name, founder.domain, founder.witness_key)
                for number, founder in enumerate(self.birth.members, start=1)
            ),
        )
