"""Whose articles the relay's feeds of names ever held, and pictures that an Official Account has already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """What stands under a name now stood there from its first event on, as far as is known."""
    op.create_table(
        "relay_names",
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("publication", "feed", "entry", name="pk_relay_names"),
        sa.ForeignKeyConstraint(["entry"], ["entries.id"], name="fk_relay_names_entry"),
    )
    op.create_index("ix_relay_names_entry", "relay_names", ["entry"])
    op.execute(
        "INSERT INTO relay_names (publication, feed, entry, seq)"
        " SELECT names.publication, names.kind || '-' || names.part, names.entry, MIN(relay_events.seq)"
        " FROM names JOIN relay_events ON relay_events.entry = names.entry"
        " GROUP BY names.publication, names.kind, names.part, names.entry"
    )
    op.create_table(
        "account_pictures",
        sa.Column("appid", sa.Text, nullable=False),
        sa.Column("picture", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("appid", "picture", name="pk_account_pictures"),
    )
