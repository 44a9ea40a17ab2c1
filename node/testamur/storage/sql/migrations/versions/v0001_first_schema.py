"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
HASH = sa.LargeBinary(32)


def upgrade() -> None:
    """Make every table."""
    _make_node_tables()
    _make_batch_tables()
    _make_anchor_tables()
    _make_chain_tables()


def _make_node_tables() -> None:
    op.create_table(
        "identity",
        sa.Column("only", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("genesis", HASH, nullable=False),
        sa.Column("contract", sa.LargeBinary(20), nullable=False),
        sa.Column("ledger_id", HASH, nullable=False),
        sa.Column("member", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )


def _make_batch_tables() -> None:
    op.create_table(
        "batches",
        sa.Column("number", SERIAL, primary_key=True),
        sa.Column("claimed_at", sa.BigInteger, nullable=False),
        sa.Column("root", HASH, unique=True),
        sa.Column("count", sa.BigInteger),
        sa.Column("sealed_at", sa.BigInteger),
        sa.Column("padding_count", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("batches_state", "batches", ["state", "number"])
    op.create_table(
        "queue",
        sa.Column("position", SERIAL, primary_key=True),
        sa.Column("entry", HASH, nullable=False, unique=True),
        sa.Column("submitted_at", sa.BigInteger, nullable=False),
        sa.Column("claim", SERIAL, sa.ForeignKey("batches.number")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "entries",
        sa.Column("entry", HASH, primary_key=True),
        sa.Column("submitted_at", sa.BigInteger, nullable=False),
        sa.Column("batch", SERIAL, sa.ForeignKey("batches.number"), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "padding",
        sa.Column("entry", HASH, primary_key=True),
        sa.Column("salt", HASH, nullable=False),
        sa.Column("batch", SERIAL, sa.ForeignKey("batches.number"), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("padding_batch", "padding", ["batch"])


def _make_anchor_tables() -> None:
    op.create_table(
        "anchor_transactions",
        sa.Column("number", SERIAL, primary_key=True),
        sa.Column("tx_hash", HASH, nullable=False, unique=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("root", HASH, nullable=False),
        sa.Column("status_count", sa.BigInteger, nullable=False),
        sa.Column("status_root", HASH, nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("signed_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    for column in ("state", "sequence", "root"):
        op.create_index(f"anchor_transactions_{column}", "anchor_transactions", [column])


def _make_chain_tables() -> None:
    op.create_table(
        "blocks",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", HASH, nullable=False),
        sa.Column("parent_hash", HASH, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "records",
        sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record", sa.LargeBinary(93), nullable=False),
        sa.Column("block_number", sa.BigInteger, sa.ForeignKey("blocks.number"), nullable=False),
        sa.Column("block_hash", HASH, nullable=False),
        sa.Column("tx_hash", HASH, nullable=False),
        sa.Column("transaction_index", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.BigInteger, nullable=False),
        sa.Column("change", sa.LargeBinary),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("member", sa.BigInteger, nullable=False),
        sa.Column("root", HASH, nullable=False),
    )
    op.create_index("records_block", "records", ["block_number"])
    op.create_index("records_root", "records", ["root", "member"])
    op.create_table(
        "finalized",
        sa.Column("only", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", HASH, nullable=False),
        sa.Column("parent_hash", HASH, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
    )
