"""Run the migrations on the connection, and in the transaction, that the opener hands over."""

from __future__ import annotations

from alembic import context

from testamur.storage.sql.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # The opener's transaction holds all of it: a crash in the middle leaves the old schema.
    transactional_ddl=True,
)
context.run_migrations()
