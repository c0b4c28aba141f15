"""Alembic's entry: the connection comes from store.migrate(), which also owns the transaction."""

from __future__ import annotations

from alembic import context

from syndicate.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
