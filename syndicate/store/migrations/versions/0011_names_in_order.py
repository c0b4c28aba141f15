"""Names know when their entries were published, so that a feed is read newest first, not all of ten years."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """An index of names in the order of their feeds."""
    op.add_column("names", sa.Column("published", sa.DateTime(timezone=True)))
    op.execute("UPDATE names SET published = (SELECT published FROM entries WHERE entries.id = names.entry)")
    op.drop_index("ix_names_publication_kind_part", table_name="names")
    op.create_index(
        "ix_names_publication_kind_part_published", "names", ["publication", "kind", "part", "published"]
    )
