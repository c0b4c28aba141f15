"""What is published can be searched: the entries stored so far, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from syndicate.model import PUBLISHED_KINDS
from syndicate.store import articles, search
from syndicate.store.tables import Moment, searchable

revision = "0003"
down_revision = "0002"

AT_ONCE = 200  # articles held in memory

_ENTRIES = sa.table(
    "entries",
    *(sa.column(name) for name in ("id", "publication", "section", "kind", "article", "withdrawn")),
    sa.column("published", Moment),
)

# The index keeps no text of its own: it reads it in `searchable` (FTS5, "external content tables").
_INDEX = """
CREATE VIRTUAL TABLE searchable_words USING fts5(
    grams, content='searchable', content_rowid='number', tokenize='ascii', columnsize=0
)"""
_ADDED = """
CREATE TRIGGER searchable_added AFTER INSERT ON searchable BEGIN
    INSERT INTO searchable_words (rowid, grams) VALUES (new.number, new.grams);
END"""
_REMOVED = """
CREATE TRIGGER searchable_removed AFTER DELETE ON searchable BEGIN
    INSERT INTO searchable_words (searchable_words, rowid, grams) VALUES ('delete', old.number, old.grams);
END"""


def upgrade() -> None:
    """The table of what can be searched, its index, and every entry that is published."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "searchable",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("publication", sa.Text, nullable=False),
        sa.Column("section", sa.Text, nullable=False),
        sa.Column("published", sa.DateTime(timezone=True), nullable=False),
        sa.Column("grams", sa.Text if sqlite else TSVECTOR, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_searchable"),
        sa.ForeignKeyConstraint(["entry"], ["entries.id"], name="fk_searchable_entry"),
    )
    op.create_index("ix_searchable_entry", "searchable", ["entry"])
    listed = ["publication", "published", "entry", "section"]
    op.create_index(f"ix_searchable_{'_'.join(listed)}", "searchable", listed)
    op.create_index(
        "ix_searchable_grams",
        "searchable",
        ["grams"],
        postgresql_using="gin",
        sqlite_where=sa.text("number IS NULL"),  # never: SQLite has its own index below
    )
    if sqlite:
        for statement in (_INDEX, _ADDED, _REMOVED):
            op.execute(statement)
    for id_, publication, section, published, article in _published(op.get_bind()):
        if rows := search.rows(id_, publication, section, published, articles.loads(article)):
            op.get_bind().execute(sa.insert(searchable), rows)


def _published(db: sa.Connection) -> Iterator[tuple[Any, ...]]:
    known = _ENTRIES.c
    query = (
        sa.select(known.id, known.publication, known.section, known.published, known.article)
        .where(known.withdrawn.is_(None), known.kind.in_([k.value for k in PUBLISHED_KINDS]))
        .order_by(known.id)
        .limit(AT_ONCE)
    )
    rows = db.execute(query).all()
    while rows:
        yield from map(tuple, rows)
        rows = db.execute(query.where(known.id > rows[-1].id)).all()
