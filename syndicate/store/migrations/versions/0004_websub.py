"""The hub's subscriptions, and what is to be delivered to them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The tables of WebSub."""
    _subscriptions()
    _deliveries()


def _moment(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _subscriptions() -> None:
    op.create_table(
        "hub_subscriptions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("callback", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("secret", sa.Text),
        _moment("expires"),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("wish", sa.Text),
        sa.Column("wish_topic", sa.Text),
        sa.Column("wish_secret", sa.Text),
        sa.Column("wish_lease", sa.Integer),
        sa.Column("wish_attempts", sa.Integer, nullable=False),
        _moment("wish_after"),
        sa.Column("challenge", sa.Text),
        _moment("asked"),
        sa.PrimaryKeyConstraint("id", name="pk_hub_subscriptions"),
        sa.UniqueConstraint("topic", "callback", name="uq_hub_subscriptions_topic_callback"),
        sa.CheckConstraint("wish IN ('subscribe', 'unsubscribe')", name="ck_hub_subscriptions_wish"),
        sqlite_autoincrement=True,
    )
    for column in ("host", "wish_after", "asked", "expires"):
        op.create_index(f"ix_hub_subscriptions_{column}", "hub_subscriptions", [column])


def _deliveries() -> None:
    op.create_table(
        "hub_deliveries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("subscription", sa.Integer),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _moment("not_before", nullable=False),
        sa.Column("claim", sa.Text),
        _moment("touched", nullable=False),
        sa.Column("again", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hub_deliveries"),
        sa.UniqueConstraint("subscription", name="uq_hub_deliveries_subscription"),
        sa.ForeignKeyConstraint(
            ["subscription"],
            ["hub_subscriptions.id"],
            name="fk_hub_deliveries_subscription",
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_hub_deliveries_notice",
        "hub_deliveries",
        ["topic"],
        unique=True,
        sqlite_where=sa.text("subscription IS NULL"),
        postgresql_where=sa.text("subscription IS NULL"),
    )
    op.create_index("ix_hub_deliveries_not_before", "hub_deliveries", ["not_before"])
