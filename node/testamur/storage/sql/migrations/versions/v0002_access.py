"""Tokens, and the operator log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
HASH = sa.LargeBinary(32)


def upgrade() -> None:
    """Make the tables; an older node's log begins with its next start."""
    op.create_table(
        "tokens",
        sa.Column("number", SERIAL, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_hash", HASH, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("quota_per_day", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("used_day", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "operator_log",
        sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("line", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "submission_counts",
        sa.Column("minute", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("actor", sa.Text, primary_key=True),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("added", sa.BigInteger, nullable=False),
        sa.Column("known", sa.BigInteger, nullable=False),
    )
    # What was sealed before is counted once; from now on sealing counts.
    op.execute(
        "INSERT INTO counters (name, value) SELECT 'sealed', "
        "COALESCE(SUM(count - padding_count), 0) FROM batches WHERE root IS NOT NULL"
    )
