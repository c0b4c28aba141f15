"""Issues with their pages, the ledger of entries, subscriptions and deliveries."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Every table of the first version."""
    _print()
    _ledger()
    _mail()


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _print() -> None:
    op.create_table(
        "publications",
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("published", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("slug", name="pk_publications"),
    )
    op.create_table(
        "issues",
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("number", sa.BigInteger),
        sa.Column("weekday", sa.Text),
        sa.Column("lunar_date", sa.Text),
        sa.Column("page_count", sa.BigInteger),
        sa.Column("publisher", sa.Text),
        sa.Column("warnings", sa.Text, nullable=False),
        _moment("added"),
        _moment("updated"),
        sa.PrimaryKeyConstraint("publication", "date", name="pk_issues"),
    )
    op.create_table(
        "pages",
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("page", sa.Integer, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("text", sa.LargeBinary),
        sa.PrimaryKeyConstraint("publication", "date", "page", name="pk_pages"),
        sa.ForeignKeyConstraint(
            ["publication", "date"], ["issues.publication", "issues.date"], name="fk_pages_publication_date"
        ),
    )


def _ledger() -> None:
    op.create_table(
        "entries",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("page", sa.Integer, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("section", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("article", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        _moment("published"),
        _moment("updated"),
        _moment("withdrawn", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
        sa.UniqueConstraint("publication", "date", "page", "n", name="uq_entries_publication_date_page_n"),
        sa.ForeignKeyConstraint(
            ["publication", "date"], ["issues.publication", "issues.date"], name="fk_entries_publication_date"
        ),
    )
    op.create_index("ix_entries_publication_published", "entries", ["publication", "published"])
    op.create_index(
        "ix_entries_publication_section_published", "entries", ["publication", "section", "published"]
    )
    op.create_table(
        "names",
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("publication", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("entry", "kind", "part", name="pk_names"),
        sa.ForeignKeyConstraint(["entry"], ["entries.id"], name="fk_names_entry"),
        sa.CheckConstraint("kind IN ('byline', 'series')", name="ck_names_kind"),
    )
    op.create_index("ix_names_publication_kind_part", "names", ["publication", "kind", "part"])


def _mail() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("mailbox", sa.Text, nullable=False),
        sa.Column("sections", sa.Text, nullable=False),
        sa.Column("rhythm", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        _moment("created"),
        _moment("confirmed", nullable=True),
        _moment("ended", nullable=True),
        _moment("ask_after", nullable=True),
        _moment("asked", nullable=True),
        sa.Column("asks", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint("publication", "mailbox", name="uq_subscriptions_publication_mailbox"),
        sa.CheckConstraint("state IN ('pending', 'confirmed', 'ended')", name="ck_subscriptions_state"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscriptions_state_ask_after", "subscriptions", ["state", "ask_after"])
    op.create_table(
        "digests",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("rhythm", sa.Text, nullable=False),
        sa.Column("first", sa.Date, nullable=False),
        sa.Column("last", sa.Date, nullable=False),
        _moment("planned"),
        sa.PrimaryKeyConstraint("id", name="pk_digests"),
        sa.UniqueConstraint("publication", "rhythm", "last", name="uq_digests_publication_rhythm_last"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("digest", sa.Integer, nullable=False),
        sa.Column("subscription", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _moment("not_before"),
        _moment("touched"),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("digest", "subscription", name="uq_deliveries_digest_subscription"),
        sa.UniqueConstraint("message_id", name="uq_deliveries_message_id"),
        sa.ForeignKeyConstraint(["digest"], ["digests.id"], name="fk_deliveries_digest"),
        sa.ForeignKeyConstraint(["subscription"], ["subscriptions.id"], name="fk_deliveries_subscription"),
        sa.CheckConstraint(
            "state IN ('due', 'claimed', 'handed', 'sent', 'failed', 'doubtful')", name="ck_deliveries_state"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_state_not_before", "deliveries", ["state", "not_before"])
    op.create_index("ix_deliveries_subscription", "deliveries", ["subscription"])
