"""A section that has another slug now: everything that is stored under the old one."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from syndicate.store.tables import entries, feeds, relay_events, searchable, subscriptions


def rename(db: Connection, publication: str, old: str, new: str, counter: int) -> None:
    """Entries, their search and history, and what subscribers chose; the old feed is behind, and will be gone."""
    moved = update(entries).where(entries.c.publication == publication, entries.c.section == old)
    db.execute(moved.values(section=new, changed=counter))
    for table in (searchable, relay_events):
        there = update(table).where(table.c.publication == publication, table.c.section == old)
        db.execute(there.values(section=new))
    mine = feeds.c.publication == publication, feeds.c.name == f"section-{old}"
    db.execute(update(feeds).where(*mine).values(changed=counter))
    _choose(db, publication, old, new)


def _choose(db: Connection, publication: str, old: str, new: str) -> None:
    column = subscriptions.c
    rows = db.execute(select(column.id, column.sections).where(column.publication == publication))
    chosen = [
        {"key": row.id, "now": tuple(dict.fromkeys(new if slug == old else slug for slug in row.sections))}
        for row in rows
        if old in row.sections
    ]
    if chosen:
        query = update(subscriptions).where(column.id == bindparam("key"))
        db.execute(query.values(sections=bindparam("now")), chosen)
