"""Messages to robots, drafts of an Official Account, and its token."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """The ledger of pushes, and what is kept of robots and accounts."""
    _robots()
    _pushes()
    _accounts()


def _moment(name: str, *, nullable: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _robots() -> None:
    op.create_table(
        "robots",
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("robot", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("publication", "robot", name="pk_robots"),
    )


def _pushes() -> None:
    op.create_table(
        "pushes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("robot", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _moment("not_before", nullable=False),
        _moment("touched", nullable=False),
        _moment("tried"),
        sa.Column("said", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_pushes"),
        sa.UniqueConstraint(
            "publication", "robot", "kind", "seq", name="uq_pushes_publication_robot_kind_seq"
        ),
        sa.CheckConstraint(
            "kind IN ('new', 'corrected', 'withdrawn', 'draft', 'test')", name="ck_pushes_kind"
        ),
        sa.CheckConstraint(
            "state IN ('due', 'claimed', 'handed', 'pushed', 'failed', 'doubtful', 'dropped')",
            name="ck_pushes_state",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pushes_state_not_before", "pushes", ["state", "not_before"])
    op.create_index("ix_pushes_publication_robot_tried", "pushes", ["publication", "robot", "tried"])
    op.create_table(
        "push_entries",
        sa.Column("push", sa.Integer, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("push", "entry", name="pk_push_entries"),
        sa.ForeignKeyConstraint(["push"], ["pushes.id"], name="fk_push_entries_push"),
        sa.ForeignKeyConstraint(["entry"], ["entries.id"], name="fk_push_entries_entry"),
    )
    op.create_index("ix_push_entries_entry", "push_entries", ["entry"])


def _accounts() -> None:
    op.create_table(
        "account_tokens",
        sa.Column("appid", sa.Text, nullable=False),
        sa.Column("token", sa.Text),
        _moment("expires", nullable=False),
        _moment("renewing"),
        sa.PrimaryKeyConstraint("appid", name="pk_account_tokens"),
    )
    op.create_table(
        "account_covers",
        sa.Column("appid", sa.Text, nullable=False),
        sa.Column("picture", sa.Text, nullable=False),
        sa.Column("media", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("appid", "picture", name="pk_account_covers"),
    )
