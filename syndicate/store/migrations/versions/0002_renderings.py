"""What an entry looks like in each feed format, kept so that it is rendered once a change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The table of renderings."""
    op.create_table(
        "renderings",
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("made_of", sa.Text, nullable=False),
        sa.Column("rss", sa.LargeBinary, nullable=False),
        sa.Column("atom", sa.LargeBinary, nullable=False),
        sa.Column("json", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("entry", name="pk_renderings"),
        sa.ForeignKeyConstraint(["entry"], ["entries.id"], name="fk_renderings_entry"),
    )
