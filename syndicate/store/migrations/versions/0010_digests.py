"""Digests whose deliveries are written lot by lot, when each was wanted, domains that rest."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """What digests, deliveries, subscriptions know besides; an index of what is due; domains that rest; tallies."""
    for column in (
        _moment("opens"),
        sa.Column("reached", sa.Integer),
        sa.Column("said", sa.Text),
        _moment("resumed"),
    ):
        op.add_column("digests", column)
    op.add_column("deliveries", _moment("opens"))
    op.add_column("subscriptions", sa.Column("moves", sa.Integer, nullable=False, server_default="0"))
    op.add_column("subscriptions", _moment("move_asked"))
    op.drop_index("ix_deliveries_state_not_before", "deliveries")
    op.create_index(
        "ix_deliveries_state_attempts_not_before_id", "deliveries", ["state", "attempts", "not_before", "id"]
    )
    op.create_table(
        "resting",
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("rest", sa.Float, nullable=False),
        _moment("until", nullable=False),
        sa.PrimaryKeyConstraint("domain", name="pk_resting"),
    )
    op.create_table(
        "tallies",
        sa.Column("digest", sa.Integer, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("digest", "what", name="pk_tallies"),
        sa.ForeignKeyConstraint(["digest"], ["digests.id"], name="fk_tallies_digest"),
    )


def _moment(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
