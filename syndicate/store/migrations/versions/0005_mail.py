"""What subscribers choose, what comes back, and deliveries that are claimed in batches."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_KEPT = "id, digest, subscription, attempts, not_before, touched, message_id, error"


def upgrade() -> None:
    """Choices and rhythms; digests that a person may hold; bounces, suppressions, clicks."""
    _subscriptions()
    # SQLite cannot change a constraint, and refuses to drop a table that another one refers to.
    op.execute(f"CREATE TABLE deliveries_before AS SELECT {_KEPT}, state FROM deliveries")  # noqa: S608  # our own words
    op.drop_table("deliveries")
    _digests()
    _deliveries()
    sqlite = op.get_bind().dialect.name == "sqlite"
    at = "instr(mailbox, '@')" if sqlite else "position('@' in mailbox)"
    op.execute(
        f"INSERT INTO deliveries ({_KEPT}, state, domain) SELECT {_KEPT},"  # noqa: S608  # our own words
        " CASE state WHEN 'handed' THEN 'doubtful' ELSE state END,"
        f" (SELECT substr(mailbox, {at} + 1) FROM subscriptions"
        " WHERE subscriptions.id = deliveries_before.subscription) FROM deliveries_before"
    )
    op.drop_table("deliveries_before")
    if not sqlite:
        op.execute(
            "SELECT setval(pg_get_serial_sequence('deliveries', 'id'),"
            " COALESCE((SELECT max(id) FROM deliveries), 0) + 1, false)"
        )
    _coming_back()


def _moment(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _subscriptions() -> None:
    for column in (
        sa.Column("bylines", sa.Text, nullable=False, server_default="[]"),
        sa.Column("series", sa.Text, nullable=False, server_default="[]"),
        sa.Column("words", sa.Text, nullable=False, server_default="[]"),
        sa.Column("weekly_day", sa.Integer),
        sa.Column("hour", sa.Integer),
        sa.Column("zone", sa.Text),
        sa.Column("why", sa.Text),
        _moment("paused_until"),
        sa.Column("source", sa.Text, nullable=False, server_default="site"),
        sa.Column("moving", sa.Text),
        sa.Column("letters", sa.Integer, nullable=False, server_default="0"),
    ):
        op.add_column("subscriptions", column)


def _digests() -> None:
    with op.batch_alter_table("digests", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("part", sa.Text, nullable=False, server_default=""))
        table.add_column(sa.Column("held", sa.Text))
        table.drop_constraint("uq_digests_publication_rhythm_last", type_="unique")
        table.create_unique_constraint(
            "uq_digests_publication_rhythm_last_part", ["publication", "rhythm", "last", "part"]
        )
        table.create_check_constraint("ck_digests_held", "held IN ('paused', 'cancelled')")


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("digest", sa.Integer, nullable=False),
        sa.Column("subscription", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _moment("not_before", nullable=False),
        _moment("touched", nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("claim", sa.Text),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["digest"], ["digests.id"], name="fk_deliveries_digest"),
        sa.ForeignKeyConstraint(["subscription"], ["subscriptions.id"], name="fk_deliveries_subscription"),
        sa.UniqueConstraint("digest", "subscription", name="uq_deliveries_digest_subscription"),
        sa.UniqueConstraint("message_id", name="uq_deliveries_message_id"),
        sa.CheckConstraint(
            "state IN ('due', 'claimed', 'sent', 'failed', 'doubtful', 'bounced', 'void')",
            name="ck_deliveries_state",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_state_not_before", "deliveries", ["state", "not_before"])
    op.create_index("ix_deliveries_subscription", "deliveries", ["subscription"])


def _coming_back() -> None:
    op.create_table(
        "bounces",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("delivery", sa.Integer),
        sa.Column("subscription", sa.Integer),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text),
        sa.Column("said", sa.Text, nullable=False),
        _moment("at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bounces"),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name="fk_bounces_delivery"),
        sa.ForeignKeyConstraint(["subscription"], ["subscriptions.id"], name="fk_bounces_subscription"),
        sa.UniqueConstraint("report", name="uq_bounces_report"),
        sa.CheckConstraint("kind IN ('hard', 'soft', 'complaint')", name="ck_bounces_kind"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_bounces_subscription_at", "bounces", ["subscription", "at"])
    op.create_index("ix_bounces_delivery", "bounces", ["delivery"])
    op.create_table(
        "suppressions",
        sa.Column("mailbox", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        _moment("since", nullable=False),
        sa.PrimaryKeyConstraint("mailbox", name="pk_suppressions"),
        sa.CheckConstraint("reason IN ('bounced', 'complained', 'operator')", name="ck_suppressions_reason"),
    )
    op.create_table(
        "clicks",
        sa.Column("digest", sa.Integer, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("digest", "entry", name="pk_clicks"),
        sa.ForeignKeyConstraint(["digest"], ["digests.id"], name="fk_clicks_digest"),
        sa.ForeignKeyConstraint(["entry"], ["entries.id"], name="fk_clicks_entry"),
    )
