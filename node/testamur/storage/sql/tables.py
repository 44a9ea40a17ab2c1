"""The tables, as the newest migration leaves them (a test compares the two).

An entry stands in ``queue`` until its batch is sealed, then in ``entries``: the queue stays small
and is written in the order of arrival, and the large index takes whole sorted batches.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA: Final = MetaData()

# SQLite numbers rows by itself only where the type is spelled INTEGER.
SERIAL: Final = BigInteger().with_variant(Integer, "sqlite")
HASH: Final = LargeBinary(32)

identity: Final = Table(
    "identity",
    METADATA,
    Column("only", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis", HASH, nullable=False),
    Column("contract", LargeBinary(20), nullable=False),
    Column("ledger_id", HASH, nullable=False),
    Column("member", BigInteger, nullable=False),
)

counters: Final = Table(
    "counters",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

batches: Final = Table(
    "batches",
    METADATA,
    Column("number", SERIAL, primary_key=True),
    Column("claimed_at", BigInteger, nullable=False),
    # These three are NULL while the row is a claim that is not sealed yet.
    Column("root", HASH, unique=True),
    Column("count", BigInteger),
    Column("sealed_at", BigInteger),
    Column("padding_count", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    sqlite_autoincrement=True,  # a number is never used again
)
Index("batches_state", batches.c.state, batches.c.number)

queue: Final = Table(
    "queue",
    METADATA,
    Column("position", SERIAL, primary_key=True),
    Column("entry", HASH, nullable=False, unique=True),
    Column("submitted_at", BigInteger, nullable=False),
    Column("claim", ForeignKey("batches.number")),
    sqlite_autoincrement=True,
)

entries: Final = Table(
    "entries",
    METADATA,
    Column("entry", HASH, primary_key=True),
    Column("submitted_at", BigInteger, nullable=False),
    Column("batch", ForeignKey("batches.number"), nullable=False),
    sqlite_with_rowid=False,  # one tree instead of two, a third of the space
)

padding: Final = Table(
    "padding",
    METADATA,
    Column("entry", HASH, primary_key=True),
    Column("salt", HASH, nullable=False),
    Column("batch", ForeignKey("batches.number"), nullable=False),
    sqlite_with_rowid=False,
)
Index("padding_batch", padding.c.batch)

# The batches of other members that this node keeps. Which record anchored one is not copied here:
# a reorganisation may move it, and the records say so.
replicas: Final = Table(
    "replicas",
    METADATA,
    Column("number", SERIAL, primary_key=True),
    Column("member", BigInteger, nullable=False),
    Column("root", HASH, nullable=False),
    Column("count", BigInteger, nullable=False),
    UniqueConstraint("root", "member", name="replicas_root"),
    sqlite_autoincrement=True,
)

# Several replicas may hold one entry: anyone can anchor a copy of a commitment that he saw.
replica_entries: Final = Table(
    "replica_entries",
    METADATA,
    Column("entry", HASH, primary_key=True),
    Column("replica", ForeignKey("replicas.number"), primary_key=True),
    sqlite_with_rowid=False,
)

anchor_transactions: Final = Table(
    "anchor_transactions",
    METADATA,
    Column("number", SERIAL, primary_key=True),
    Column("tx_hash", HASH, nullable=False, unique=True),
    Column("sequence", BigInteger, nullable=False),
    Column("root", HASH, nullable=False),
    Column("status_count", BigInteger, nullable=False),
    Column("status_root", HASH, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("anchor_transactions_state", anchor_transactions.c.state)
Index("anchor_transactions_sequence", anchor_transactions.c.sequence)
Index("anchor_transactions_root", anchor_transactions.c.root)

blocks: Final = Table(
    "blocks",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", HASH, nullable=False),
    Column("parent_hash", HASH, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
)

records: Final = Table(
    "records",
    METADATA,
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("record", LargeBinary(93), nullable=False),
    Column("block_number", ForeignKey("blocks.number"), nullable=False),
    Column("block_hash", HASH, nullable=False),
    Column("tx_hash", HASH, nullable=False),
    Column("transaction_index", BigInteger, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Column("change", LargeBinary),
    # Copies of what stands in ``record``, to be searched.
    Column("kind", Integer, nullable=False),
    Column("member", BigInteger, nullable=False),
    Column("root", HASH, nullable=False),
)
Index("records_block", records.c.block_number)
Index("records_root", records.c.root, records.c.member)
Index("records_member", records.c.member, records.c.kind, records.c.root)

finalized: Final = Table(
    "finalized",
    METADATA,
    Column("only", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("number", BigInteger, nullable=False),
    Column("hash", HASH, nullable=False),
    Column("parent_hash", HASH, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
)

tokens: Final = Table(
    "tokens",
    METADATA,
    Column("number", SERIAL, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("secret_hash", HASH, nullable=False),
    Column("scopes", Text, nullable=False),  # parted by spaces
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("quota_per_day", BigInteger),
    Column("revoked_at", BigInteger),
    # New entries submitted on the day that began this many days after 1970-01-01 (UTC).
    Column("used_day", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

operator_log: Final = Table(
    "operator_log",
    METADATA,
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    # The line as it was hashed: its bytes are what counts, so they are not made anew.
    Column("line", LargeBinary, nullable=False),
)

# Submissions of minutes that have no line in the operator log yet.
submission_counts: Final = Table(
    "submission_counts",
    METADATA,
    Column("minute", BigInteger, primary_key=True, autoincrement=False),  # Unix seconds // 60
    Column("actor", Text, primary_key=True),  # canonical JSON, as in a line
    Column("requests", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("known", BigInteger, nullable=False),
)
