"""What happened to articles, in order: what relay bots and robots are told from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """The log of events; what was printed before it began is in it as new, in print order; what was taken back, as withdrawn after it."""
    op.create_table(
        "relay_events",
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("section", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_relay_events"),
        sa.ForeignKeyConstraint(["entry"], ["entries.id"], name="fk_relay_events_entry"),
        sa.CheckConstraint("kind IN ('new', 'corrected', 'moved', 'withdrawn')", name="ck_relay_events_kind"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_relay_events_publication_seq", "relay_events", ["publication", "seq"])
    op.create_index("ix_relay_events_entry_seq", "relay_events", ["entry", "seq"])
    op.execute(
        "INSERT INTO relay_events (publication, entry, kind, section, at)"
        " SELECT publication, id, 'new', section, published FROM entries"
        " WHERE kind IN ('article', 'photo') ORDER BY date, page, n"
    )
    op.execute(
        "INSERT INTO relay_events (publication, entry, kind, section, at)"
        " SELECT publication, id, 'withdrawn', section, withdrawn FROM entries"
        " WHERE kind IN ('article', 'photo') AND withdrawn IS NOT NULL ORDER BY withdrawn, id"
    )
