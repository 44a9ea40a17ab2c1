"""What each figure is, in plain words, and the bar that it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scripts.benchmarks.figures import Figure


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a figure, or its ratio to a peer, is to be at least or below a number."""

    text: str
    """In words."""
    peer: str | None = None
    """The ratio to this peer is meant; None: the figure itself."""
    least: float | None = None
    """To be reached."""
    below: float | None = None
    """To be stayed under."""
    stretch: bool = False
    """Hoped for rather than required."""
    entries: int = 0
    """Asked of a node with this many entries; with fewer it can be missed, but not met."""

    def judge(self, figure: Figure) -> str:
        """Say ``met``, ``not met``, or ``not judged`` where the history was too small for it."""
        value = figure.measured.value if self.peer is None else figure.ratio(self.peer)
        reached = (self.least is None or value >= self.least) and (
            self.below is None or value < self.below
        )
        if not reached:
            return "not met"
        return "met" if figure.entries >= self.entries else "not judged"


@dataclass(frozen=True, slots=True)
class Described:
    """One figure of the catalogue."""

    title: str
    """Its name for people."""
    unit: str
    """Of the figure and of its peers."""
    meaning: str
    """What is done and counted, and what the peers are."""
    bars: tuple[Bar, ...] = ()
    """What it is to reach; empty where nothing is asked."""


CATALOGUE: Final = {
    "anchor_gas": Described(
        "Gas of an anchor",
        "gas",
        "What one anchor with its status costs on the chain, on average: its record enters the "
        "ledger's tree, and now and then an anchor carries through several levels of it. The peer "
        "is the least that a contract can do and still be of use, a bare "
        "`mapping(root => uint64)` that notes when a root was first seen, with its event. Gas is "
        "counted, not timed, and the same in every run.",
        (
            Bar("below the bare mapping write", peer="bare mapping write", below=1),
            Bar("below 43,500 gas", below=43_500, stretch=True),
        ),
    ),
    "deployment_gas": Described(
        "Gas of a deployment",
        "gas",
        "What it costs to found a ledger of three members, once. The peer does nothing but keep "
        "its mapping.",
    ),
    "tree_build": Described(
        "Building a tree",
        "nodes/s",
        "A tree over leaf hashes that are in memory, with all its levels. OpenSSL's limit is how "
        "often one core could compress two blocks, as each node of an RFC 9162 tree needs, if it "
        "did nothing else. merkletools is a library that others use for the same; its reading of "
        "the leaves is not counted.",
        (Bar("at least half of OpenSSL's limit", peer="OpenSSL's limit", least=0.5),),
    ),
    "bulk_raw": Described(
        "Bulk submission, raw",
        "commitments/s",
        "The largest request that a node takes, its entries as bytes, over HTTP to a node process "
        "on SQLite; answered when all of them are durable. The bare database inserts the same "
        "rows into the same table with the same settings, in one transaction that is as durable, "
        "and does not look whether an entry was sealed before. The node only queues meanwhile; "
        "it does not seal.",
        (
            Bar("at least half of the bare database", peer="bare database", least=0.5),
            Bar("at least 50,000/s", least=50_000),
            Bar("at least 100,000/s", least=100_000, stretch=True),
        ),
    ),
    "bulk_json": Described(
        "Bulk submission, JSON",
        "commitments/s",
        "The same with the entries as a JSON array of hex, which is read strictly.",
        (
            Bar("at least half of the bare database", peer="bare database", least=0.5),
            Bar("at least 50,000/s", least=50_000),
            Bar("at least 100,000/s", least=100_000, stretch=True),
        ),
    ),
    "single_submissions": Described(
        "Single submissions",
        "requests/s",
        "Many clients at once, each of which submits one entry and waits until it is durable, to "
        "one node process. The bare framework is the same server with a route that answers the "
        "same and stores nothing. The disk's syncs are how often a second it takes 4 KiB and says "
        "that they are safe, one after the other: who commits each request by itself cannot be "
        "faster than that, who commits many at once can.",
        (Bar("at least 2,500/s", least=2500),),
    ),
    "single_p99": Described(
        "Single submissions, 99 of 100",
        "ms",
        "Within how many milliseconds 99 of 100 of those submissions were answered.",
    ),
    "receipt_p99_small": Described(
        "A receipt, small history",
        "ms",
        "Within how many milliseconds 99 of 100 receipts came, one client asking for one after "
        "the other, entries drawn from the whole history at random, which is the hardest case for "
        "whatever a node keeps in memory. The peer is the least that the same node can answer, "
        "`GET /health/live`.",
        (Bar("below 25 ms", below=25),),
    ),
    "receipt_p99_grown": Described(
        "A receipt, grown history",
        "ms",
        "The same of the same node when its history has grown, in batches of the default size.",
        (Bar("below 25 ms at 10^7 entries", below=25, entries=10**7),),
    ),
    "receipt_flatness": Described(
        "Flatness of receipts",
        "times",
        "The grown history's figure over the small one's. 1 is flat: a receipt takes as long "
        "however much there is.",
        (Bar("flat to 10^7 entries, which is taken as below 1.5", below=1.5, entries=10**7),),
    ),
    "offline_verification": Described(
        "Verifying a receipt offline",
        "microseconds",
        "From the parsed JSON of a receipt to its report, with the verifier's view of the ledger "
        "at hand and neither cosignatures nor evidence. The peer hashes messages of the same "
        "number and lengths as a verifier cannot do without.",
        (Bar("below 1,000 microseconds", below=1000),),
    ),
    "rederivation": Described(
        "Deriving the whole history again",
        "entries/s",
        "What `testamur check` does with all that a node keeps: every batch from its file to its "
        "root, every entry in the index, every record. The peer hashes the leaves of as many "
        "entries and does nothing else.",
        (Bar("at least 3,000,000/s", least=3_000_000),),
    ),
    "memory_start": Described(
        "Memory after the start",
        "MiB",
        "Resident memory of a node process that is ready and has been asked nothing. The peer is "
        "the bare framework's process.",
    ),
    "memory_grown": Described(
        "Memory with a grown history",
        "MiB",
        "Resident memory of that process when its history has grown and receipts of all of it "
        "were asked for.",
        (Bar("below 512 MiB at 10^7 entries", below=512, entries=10**7),),
    ),
    "sealing": Described(
        "Sealing the largest batch",
        "CPU s",
        "Processor time from waiting entries to a sealed batch: claimed, sorted, hashed, written, "
        "read back and hashed by a second program, moved to the index. The peer hashes the tree "
        "of the same entries once.",
    ),
}
"""All figures, in the order in which they are shown."""
