"""An item's renderings are one row: its formats say the same, so together they pack into half the room."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """The table anew and empty: what feeds show is rendered when it is next asked for."""
    op.drop_table("renderings")
    op.create_table(
        "renderings",
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("made_of", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("brief_size", sa.Integer, nullable=False),
        sa.Column("whole", sa.LargeBinary, nullable=False),
        sa.Column("brief", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("item", name="pk_renderings"),
    )
