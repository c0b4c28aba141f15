"""Which feeds there are and which of them are behind; what an entry looks like in each format."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The tables of feeds and renderings; every paper is to be published anew."""
    _feeds()
    _renderings()
    op.add_column("entries", sa.Column("corrected", sa.DateTime(timezone=True)))
    op.create_index("ix_entries_publication_page_published", "entries", ["publication", "page", "published"])
    op.create_index("ix_entries_publication_corrected", "entries", ["publication", "corrected"])
    op.add_column("publications", sa.Column("made_of", sa.Text))
    op.execute("UPDATE publications SET changed = changed + 1")


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("published", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("publication", "name", name="pk_feeds"),
    )
    op.create_table(
        "feed_months",
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("month", sa.Text, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("archived", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("publication", "name", "month", name="pk_feed_months"),
    )


def _renderings() -> None:
    op.create_table(
        "renderings",
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("made_of", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("brief_size", sa.Integer, nullable=False),
        sa.Column("whole", sa.LargeBinary, nullable=False),
        sa.Column("brief", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("item", "form", name="pk_renderings"),
    )
