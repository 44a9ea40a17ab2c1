"""Replicas: batches of other members, and the entries in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
HASH = sa.LargeBinary(32)


def upgrade() -> None:
    """Make the two tables, and the index by which a member's anchors are counted."""
    op.create_table(
        "replicas",
        sa.Column("number", SERIAL, primary_key=True),
        sa.Column("member", sa.BigInteger, nullable=False),
        sa.Column("root", HASH, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("root", "member", name="replicas_root"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "replica_entries",
        sa.Column("entry", HASH, primary_key=True),
        sa.Column("replica", SERIAL, sa.ForeignKey("replicas.number"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("records_member", "records", ["member", "kind", "root"])
