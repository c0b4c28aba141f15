"""What publishing asks of each issue is found in indexes: entries as feeds list them, and pages that are behind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_BEHIND = sa.text("changed > archived")


def upgrade() -> None:
    """Two indexes; the second holds a few rows."""
    op.create_index("ix_entries_listed", "entries", ["id", "kind", "changed", "updated", "withdrawn", "date"])
    op.create_index(
        "ix_feed_months_behind",
        "feed_months",
        ["publication", "month"],
        sqlite_where=_BEHIND,
        postgresql_where=_BEHIND,
    )
