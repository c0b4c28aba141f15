"""Which feeds a paper has, which of them are behind, and the months of their archives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.sql.functions import Function

from syndicate.model import PUBLISHED_KINDS, Entry, address_part
from syndicate.store.tables import entries, feed_months, feeds, names, storable

ALWAYS = ("all", "issues", "corrections")
UNARCHIVED = ("corrections",)  # ordered by another date than their months


@dataclass(frozen=True, slots=True)
class StoredFeed:
    """A feed as the registry knows it."""

    name: str
    title: str
    changed: int


@dataclass(frozen=True, slots=True)
class StoredMonth:
    """A month of a feed."""

    name: str
    month: str  # 2026-11
    changed: int


def register(db: Connection, publication: str, day: date, changed: Iterable[Entry], counter: int) -> None:
    """Put behind what an issue changed: every feed that one of these entries is or was in, and its month."""
    known = [entry for entry in changed if entry.article.kind in PUBLISHED_KINDS]
    titles = {name: title for entry in known for name, title in _feeds_of(entry).items()}
    months = {
        (name, f"{entry.date:%Y-%m}")
        for entry in known
        for name in _feeds_of(entry)
        if name not in UNARCHIVED
    }
    always = dict.fromkeys(ALWAYS[:2], "")
    _put_behind(db, publication, always | titles, months | {("issues", f"{day:%Y-%m}")}, counter)


def register_all(db: Connection, publication: str, sections: Sequence[str], counter: int) -> None:
    """Put every feed of the paper behind, with all its months: something changed that all of them show."""
    rows = db.execute(
        select(entries.c.section, entries.c.page, func.min(entries.c.date), func.max(entries.c.date))
        .where(entries.c.publication == publication, entries.c.kind.in_(_KINDS))
        .group_by(entries.c.section, entries.c.page, _month(db))
    ).all()
    titles = dict.fromkeys((*ALWAYS, *(f"section-{slug}" for slug in sections)), "")
    months: set[tuple[str, str]] = set()
    for section, page, first, _ in rows:
        for name in ("all", "issues", f"section-{section}", f"page-{page}"):
            titles.setdefault(name, "")
            months.add((name, f"{first:%Y-%m}"))
    named = db.execute(
        select(names.c.kind, names.c.part, func.min(names.c.name), func.min(entries.c.date))
        .join(entries, entries.c.id == names.c.entry)
        .where(names.c.publication == publication, entries.c.kind.in_(_KINDS))
        .group_by(names.c.kind, names.c.part, _month(db))
    )
    for kind, part, title, first in named:
        titles[f"{kind}-{part}"] = title
        months.add((f"{kind}-{part}", f"{first:%Y-%m}"))
    _put_behind(db, publication, titles, months, counter)


def of_paper(db: Connection, publication: str) -> tuple[StoredFeed, ...]:
    """Every feed there is, by name."""
    return _feeds(db, feeds.c.publication == publication)


def behind(db: Connection, publication: str) -> tuple[StoredFeed, ...]:
    """The feeds whose public files are behind."""
    return _feeds(db, feeds.c.publication == publication, feeds.c.changed > feeds.c.published)


def unsealed(db: Connection, publication: str, before: str) -> tuple[StoredMonth, ...]:
    """The months before that one whose archive pages are behind or missing, oldest first."""
    months = feed_months.c
    rows = db.execute(
        select(months.name, months.month, months.changed)
        .where(months.publication == publication, months.month < before, months.changed > months.archived)
        .order_by(months.month, months.name)
    )
    return tuple(StoredMonth(*row) for row in rows)


def month_before(db: Connection, publication: str, month: str, names: Iterable[str]) -> dict[str, str]:
    """Of these feeds, the last month with entries before that one; without those that have none."""
    months = feed_months.c
    query = select(func.max(months.month)).where(
        months.publication == publication, months.name == bindparam("of"), months.month < month
    )
    found = {name: db.execute(query, {"of": name}).scalar_one() for name in names}
    return {name: before for name, before in found.items() if before}


def mark_published(db: Connection, publication: str, done: Iterable[StoredFeed]) -> None:
    """The public files of these feeds show them as they were; a later change stays due."""
    query = (
        update(feeds)
        .where(feeds.c.publication == publication, feeds.c.name == bindparam("of"))
        .values(published=bindparam("at"))
    )
    if rows := [{"of": feed.name, "at": feed.changed} for feed in done]:
        db.execute(query, rows)


def mark_sealed(db: Connection, publication: str, done: Iterable[StoredMonth]) -> None:
    """The archive pages of these months are written."""
    months = feed_months.c
    query = (
        update(feed_months)
        .where(
            months.publication == publication,
            months.name == bindparam("of"),
            months.month == bindparam("in_month"),
        )
        .values(archived=bindparam("at"))
    )
    if rows := [{"of": one.name, "in_month": one.month, "at": one.changed} for one in done]:
        db.execute(query, rows)


def forget(db: Connection, publication: str, name: str) -> None:
    """The feed has no entries any more."""
    db.execute(delete(feeds).where(feeds.c.publication == publication, feeds.c.name == name))
    db.execute(
        delete(feed_months).where(feed_months.c.publication == publication, feed_months.c.name == name)
    )


_KINDS = [kind.value for kind in PUBLISHED_KINDS]


def _month(db: Connection) -> Function[str]:
    if db.dialect.name == "sqlite":
        return func.strftime("%Y-%m", entries.c.date)
    return func.to_char(entries.c.date, "YYYY-MM")


def _feeds_of(entry: Entry) -> dict[str, str]:
    """Every feed the entry is in, with the title of those that nothing else names."""
    article = entry.article
    found = dict.fromkeys((*ALWAYS, f"section-{entry.section}", f"page-{entry.page}"), "")
    for name in article.byline.names:
        found[f"byline-{address_part(name)}"] = storable(name)
    if article.series_name:
        found[f"series-{address_part(article.series_name)}"] = storable(article.series_name)
    return found


def _feeds(db: Connection, *wanted: object) -> tuple[StoredFeed, ...]:
    rows = db.execute(
        select(feeds.c.name, feeds.c.title, feeds.c.changed).where(and_(*wanted)).order_by(feeds.c.name)  # type: ignore[arg-type]
    )
    return tuple(StoredFeed(*row) for row in rows)


def _put_behind(
    db: Connection, publication: str, titles: dict[str, str], months: set[tuple[str, str]], counter: int
) -> None:
    known = {feed.name for feed in of_paper(db, publication)}
    changed = [
        {"of": name, "at": counter, "called": title} for name, title in titles.items() if name in known
    ]
    if changed:
        db.execute(
            update(feeds)
            .where(feeds.c.publication == publication, feeds.c.name == bindparam("of"))
            .values(changed=bindparam("at"), title=bindparam("called")),
            changed,
        )
    if added := [
        {"publication": publication, "name": name, "title": title, "changed": counter, "published": 0}
        for name, title in titles.items()
        if name not in known
    ]:
        db.execute(insert(feeds), added)
    _put_months_behind(db, publication, months, counter)


def _put_months_behind(db: Connection, publication: str, months: set[tuple[str, str]], counter: int) -> None:
    column = feed_months.c
    wanted = {month for _, month in months}
    known = {
        (row.name, row.month)
        for row in db.execute(
            select(column.name, column.month).where(
                column.publication == publication, column.month.in_(wanted)
            )
        )
    }
    if changed := [{"of": n, "in_month": m, "at": counter} for n, m in sorted(months & known)]:
        db.execute(
            update(feed_months)
            .where(
                column.publication == publication,
                column.name == bindparam("of"),
                column.month == bindparam("in_month"),
            )
            .values(changed=bindparam("at")),
            changed,
        )
    if added := [
        {"publication": publication, "name": n, "month": m, "changed": counter, "archived": 0}
        for n, m in sorted(months - known)
    ]:
        db.execute(insert(feed_months), added)
        _relink(db, publication, [(row["name"], row["month"]) for row in added], counter)


def _relink(db: Connection, publication: str, added: Sequence[tuple[object, object]], counter: int) -> None:
    """A month that came late stands between two others: the later one must name it."""
    column = feed_months.c
    for name, month in added:
        following = (
            select(func.min(column.month))
            .where(column.publication == publication, column.name == name, column.month > month)
            .scalar_subquery()
        )
        db.execute(
            update(feed_months)
            .where(column.publication == publication, column.name == name, column.month == following)
            .values(changed=counter)
        )
