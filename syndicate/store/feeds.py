"""Which feeds a paper has, which of them are behind, and the months of their archives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, insert, or_, select, update
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
    """A page of a feed's archive."""

    name: str
    month: str  # 2026-10; of the running month a day that the feed has let go: 2026-11-08
    changed: int
    sealed: bool = False  # whether it was written before


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
    _put_days_behind(db, publication, {(n, entry.date) for entry in known for n in _feeds_of(entry)}, counter)


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
    db.execute(
        update(feed_months).where(feed_months.c.publication == publication, _DAY).values(changed=counter)
    )


def of_paper(db: Connection, publication: str) -> tuple[StoredFeed, ...]:
    """Every feed there is, by name."""
    return _feeds(db, feeds.c.publication == publication)


def behind(db: Connection, publication: str) -> tuple[StoredFeed, ...]:
    """The feeds whose public files are behind."""
    return _feeds(db, feeds.c.publication == publication, feeds.c.changed > feeds.c.published)


def unsealed(db: Connection, publication: str, before: str) -> tuple[StoredMonth, ...]:
    """The months before that one whose archive pages are behind or missing, oldest first."""
    return _months(db, publication, feed_months.c.month < before, ~_DAY)


def days_behind(db: Connection, publication: str) -> tuple[StoredMonth, ...]:
    """The days that feeds have let go whose pages are behind or missing, oldest first."""
    return _months(db, publication, _DAY)


def months(db: Connection, publication: str, name: str) -> tuple[str, ...]:
    """Of a feed, the months and days that have a page or will have one, oldest first."""
    column = feed_months.c
    query = select(column.month).where(column.publication == publication, column.name == name)
    return tuple(db.execute(query.order_by(column.month)).scalars())


def month_before(db: Connection, publication: str, month: str, names: Iterable[str]) -> dict[str, str]:
    """Of these feeds, the last month or day with entries before that one; without those that have none."""
    months = feed_months.c
    latest = select(func.max(months.month)).where(
        months.publication == publication,
        months.name == feeds.c.name,
        months.month < month,
        months.month != month[:7],  # the running month has no page of its own yet
    )
    wanted = feeds.c.publication == publication, feeds.c.name.in_(list(names))
    found = db.execute(select(feeds.c.name, latest.scalar_subquery()).where(*wanted))
    return {name: before for name, before in found if before}


def add_days(db: Connection, publication: str, days: Iterable[tuple[str, date]]) -> None:
    """These feeds have let go these days: each wants a page, if it has none."""
    wanted = {(name, day.isoformat()) for name, day in days}
    new = sorted(wanted - _known(db, publication, {day for _, day in wanted}))
    _insert_months(db, publication, new, 1)


def drop_days(db: Connection, publication: str, name: str, days: Sequence[str]) -> None:
    """The pages of these days are there no longer."""
    column = feed_months.c
    db.execute(
        delete(feed_months).where(
            column.publication == publication, column.name == name, column.month.in_(days)
        )
    )


def drop_month(db: Connection, publication: str, one: StoredMonth, counter: int) -> None:
    """A page holds nothing any more: what is linked to it, the page after it or the feed itself, is behind."""
    drop_days(db, publication, one.name, [one.month])
    _relink(db, publication, [(one.name, one.month)], counter)
    mine = feeds.c.publication == publication, feeds.c.name == one.name
    db.execute(update(feeds).where(*mine).values(changed=counter))


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


def forget(db: Connection, publication: str, feed: StoredFeed) -> None:
    """The feed had no entries when it was read; one that has changed since may have some again, and stays."""
    mine = feeds.c.publication == publication, feeds.c.name == feed.name, feeds.c.changed == feed.changed
    if db.execute(delete(feeds).where(*mine)).rowcount:
        db.execute(
            delete(feed_months).where(
                feed_months.c.publication == publication, feed_months.c.name == feed.name
            )
        )


_KINDS = [kind.value for kind in PUBLISHED_KINDS]
_DAY = func.length(feed_months.c.month) > len("2026-10")


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


def _months(db: Connection, publication: str, *wanted: ColumnElement[bool]) -> tuple[StoredMonth, ...]:
    """Pages that are behind or missing, oldest first."""
    column = feed_months.c
    rows = db.execute(
        select(column.name, column.month, column.changed, column.archived > 0)
        .where(column.publication == publication, column.changed > column.archived, *wanted)
        .order_by(column.month, column.name)
    )
    return tuple(StoredMonth(name, month, changed, bool(sealed)) for name, month, changed, sealed in rows)


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
    known = _known(db, publication, {month for _, month in months})
    _touch_months(db, publication, sorted(months & known), counter)
    _insert_months(db, publication, sorted(months - known), counter)


def _put_days_behind(db: Connection, publication: str, days: set[tuple[str, date]], counter: int) -> None:
    """Those of these days that have pages."""
    wanted = {(name, day.isoformat()) for name, day in days}
    known = _known(db, publication, {day for _, day in wanted})
    _touch_months(db, publication, sorted(wanted & known), counter)


def _known(db: Connection, publication: str, months: Iterable[str]) -> set[tuple[str, str]]:
    column = feed_months.c
    query = select(column.name, column.month).where(
        column.publication == publication, column.month.in_(sorted(months))
    )
    return {(row.name, row.month) for row in db.execute(query)}


def _touch_months(db: Connection, publication: str, months: Sequence[tuple[str, str]], counter: int) -> None:
    column = feed_months.c
    mine = column.publication == publication, column.name == bindparam("of")
    if changed := [{"of": n, "in_month": m, "at": counter} for n, m in months]:
        db.execute(
            update(feed_months)
            .where(*mine, column.month == bindparam("in_month"))
            .values(changed=bindparam("at")),
            changed,
        )


def _insert_months(db: Connection, publication: str, months: Sequence[tuple[str, str]], counter: int) -> None:
    if added := [
        {"publication": publication, "name": n, "month": m, "changed": counter, "archived": 0}
        for n, m in months
    ]:
        db.execute(insert(feed_months), added)
        _relink(db, publication, months, counter)


def _relink(db: Connection, publication: str, months: Sequence[tuple[str, str]], counter: int) -> None:
    """A page came or went between two others: the later one must name another."""
    column = feed_months.c
    for name, month in months:
        mine = column.publication == publication, column.name == name, column.month > month
        following = select(func.min(column.month)).where(*mine, column.month.not_like(f"{month}-%"))
        following_month = following.where(~_DAY).scalar_subquery()
        following_day = following.where(_DAY).scalar_subquery()
        db.execute(
            update(feed_months)
            .where(*mine, or_(column.month == following_month, column.month == following_day))
            .values(changed=counter)
        )
