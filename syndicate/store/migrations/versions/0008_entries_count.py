"""Every entry knows at which change of its paper it was last written: its renderings are made of that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Entries that are there were written at the beginning: all are rendered once more."""
    op.add_column("entries", sa.Column("changed", sa.Integer, nullable=False, server_default="0"))
    op.create_index("ix_entries_publication_changed", "entries", ["publication", "changed"])
