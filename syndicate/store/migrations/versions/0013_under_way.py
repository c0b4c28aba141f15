"""Of deliveries, those under way have indexes, and the many that were sent are in none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Small indexes for one large: each letter is written three times less."""
    op.drop_index("ix_deliveries_state_attempts_not_before_id", table_name="deliveries")
    _index("due", ["attempts", "not_before", "id"], "state = 'due'")
    _index("claim", ["claim"], "claim IS NOT NULL")
    _index("doubtful", ["id"], "state = 'doubtful'")


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(
        f"ix_deliveries_{name}",
        "deliveries",
        columns,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
