"""The ledger of entries: every article ever published, its id and its address, withdrawn ones too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    bindparam,
    cast,
    func,
    or_,
    select,
)

from syndicate.model import PUBLISHED_KINDS, Entry
from syndicate.store import articles, at_once
from syndicate.store.tables import entries, feeds, names

_DAYS = 1024  # days that are not read again


def of_issue(db: Connection, publication: str, day: date, *, withdrawn: bool = False) -> tuple[Entry, ...]:
    """Every entry of an issue, of all kinds, by the page it stands on now; withdrawn ones when asked for."""
    query = select(entries).where(entries.c.publication == publication, entries.c.date == day)
    if not withdrawn:
        query = query.where(entries.c.withdrawn.is_(None))
    found = [_entry(row) for row in db.execute(query)]
    return tuple(sorted(found, key=lambda e: (e.article.page, e.page, e.n)))


class Listed(NamedTuple):
    """An entry in a feed's window: enough to say what its rendering is made of."""

    id: str
    changed: int  # the paper's counter when it was last written
    updated: datetime
    withdrawn: datetime | None
    date: date


def in_feeds(
    db: Connection, publication: str, names: Iterable[str], *, since: datetime, least: int
) -> dict[str, tuple[Listed, ...]]:
    """The entries of live feeds, newest first, withdrawn ones too: all since then, and at least so many.

    Feeds that the registry does not know have none.
    """
    found: dict[str, tuple[Listed, ...]] = {}
    for kind, alike in groupby(sorted(names), lambda name: name.partition("-")[0]):
        asked = {"publication": publication, "kind": kind}
        newest, all_since = _in_feeds(kind, db.dialect.name)
        rows = _rows_of(db, newest, {**asked, "names": list(alike), "least": least})
        if full := [name for name, of_it in rows.items() if _may_lack(of_it, since, least)]:
            rows |= _rows_of(db, all_since, {**asked, "names": full, "since": since})
        found |= {name: tuple(_listed(*row[:-1]) for row in of_it) for name, of_it in rows.items()}
    return found


def changed_after(db: Connection, publication: str, counter: int, most: int) -> tuple[Listed, ...]:
    """The entries that were written after that change of their paper, at most so many."""
    mine = entries.c.publication == publication, entries.c.changed > counter
    return tuple(Listed(*row) for row in db.execute(select(*_LISTED).where(*mine).limit(most)))


def between(db: Connection, publication: str, feed: str, first: date, last: date) -> tuple[Listed, ...]:
    """The entries of a feed that were printed on these days, both included, newest first, withdrawn ones too."""
    named = _named(publication, feed)
    printed, _ = _between(named["kind"])
    found = _read(at_once.rows(db, printed, {**named, "first": first, "last": last}))
    return tuple(_listed(*row[:-1]) for row in found)


def days(db: Connection, publication: str, feed: str, first: date, last: date) -> tuple[date, ...]:
    """The days of these, both included, of whose issues a feed holds something."""
    named = _named(publication, feed)
    _, on_days = _between(named["kind"])
    return tuple(db.execute(on_days, {**named, "first": first, "last": last}).scalars())


def corrected(
    db: Connection, publication: str, since: datetime, until: datetime
) -> tuple[tuple[Entry, datetime], ...]:
    """What was put right or taken back after `since` and not after `until`, and when; the oldest first."""
    query = select(entries).where(
        entries.c.publication == publication,
        _of_a_published_kind(),
        entries.c.corrected > since,
        entries.c.corrected <= until,
    )
    rows = db.execute(query.order_by(entries.c.corrected, entries.c.id))
    return tuple((_entry(row), row.corrected) for row in rows)


def moments(db: Connection, publication: str, since: datetime) -> frozenset[datetime]:
    """When entries of the paper changed or were withdrawn after `since`."""
    c = entries.c
    query = select(c.updated, c.withdrawn).where(
        c.publication == publication, or_(c.updated > since, c.withdrawn > since)
    )
    return frozenset(moment for row in db.execute(query) for moment in row if moment)


def with_ids(db: Connection, ids: Sequence[str]) -> tuple[Entry, ...]:
    """These entries, in no order."""
    return tuple(_entry(row) for row in db.execute(select(entries).where(entries.c.id.in_(ids))))


def find(db: Connection, publication: str, day: date, page: int, n: int) -> Entry | None:
    """The entry of that address, also when it was withdrawn."""
    row = db.execute(
        select(entries).where(
            entries.c.publication == publication,
            entries.c.date == day,
            entries.c.page == page,
            entries.c.n == n,
        )
    ).first()
    return None if row is None else _entry(row)


def latest(
    db: Connection,
    publication: str,
    *,
    limit: int,
    since: datetime | None = None,
    section: str | None = None,
    byline: str | None = None,
    series: str | None = None,
    offset: int = 0,
) -> tuple[Entry, ...]:
    """What is published, newest first; with `since` all of that time, and at least `limit`.

    `byline` and `series` are names as in addresses (`model.address_part`).
    """
    wanted = _wanted(publication, section, byline, series)
    if since is not None:
        recent = select(func.count()).select_from(entries).where(*wanted, entries.c.published >= since)
        limit = max(limit, db.execute(recent).scalar_one())
    rows = db.execute(
        select(entries)
        .where(*wanted)
        .order_by(entries.c.published.desc(), entries.c.date.desc(), entries.c.page, entries.c.n)
        .limit(limit)
        .offset(offset)
    )
    return tuple(_entry(row) for row in rows)


def count(
    db: Connection,
    publication: str,
    *,
    section: str | None = None,
    byline: str | None = None,
    series: str | None = None,
) -> int:
    """How many entries are published."""
    wanted = _wanted(publication, section, byline, series)
    return db.execute(select(func.count()).select_from(entries).where(*wanted)).scalar_one()


def bylines(db: Connection, publication: str) -> tuple[tuple[str, str], ...]:
    """Who has written what is published: name as in addresses, and as printed."""
    return _names(db, publication, "byline")


def series(db: Connection, publication: str) -> tuple[tuple[str, str], ...]:
    """The series of what is published: name as in addresses, and as printed."""
    return _names(db, publication, "series")


def named(publication: str, kind: str, *parts: str) -> Select[Any]:
    """A query for the ids of entries with one of these names, as in addresses; `kind`: byline or series."""
    return select(names.c.entry).where(
        names.c.publication == publication, names.c.kind == kind, names.c.part.in_(parts)
    )


def _read(rows: list[list[Any]]) -> list[list[Any]]:
    """The newest first, and by id what is of one moment, as the queries below have it."""
    rows.sort(key=itemgetter(0))
    rows.sort(key=lambda row: at_once.moment(row[-1]), reverse=True)  # PostgreSQL writes it in any zone
    return rows


def _listed(id_: str, changed: int, updated: str, withdrawn: str | None, day: str) -> Listed:
    moment = at_once.moment
    return Listed(id_, changed, moment(updated), moment(withdrawn) if withdrawn else None, _day(day))


_day = lru_cache(_DAYS)(date.fromisoformat)
_LISTED = (entries.c.id, entries.c.changed, entries.c.updated, entries.c.withdrawn, entries.c.date)


def _named(publication: str, feed: str) -> dict[str, str]:
    """What a feed's name says, as the queries below ask for it."""
    kind, _, part = feed.partition("-")
    return {"publication": publication, "kind": kind, "part": part}


@cache
def _in_feeds(kind: str, dialect: str) -> tuple[Select[Any], Select[Any]]:
    """Queries for the entries of feeds of that kind, newest first: so many, and all since a moment.

    One asks for all feeds of a kind, and each feed comes as one value.
    """
    by = entries.c.corrected if kind == "corrections" else entries.c.published
    part = func.substr(feeds.c.name, len(f"{kind}-") + 1)
    query = select(*_LISTED, by).where(*_of_feed(kind, part))
    if kind in ("byline", "series"):  # by the index of names, or all that somebody ever wrote would be sorted
        by = names.c.published
        query = select(*_LISTED, by).join(names, names.c.entry == entries.c.id)
        query = query.where(_of_a_published_kind(), *_of_name(kind, part))
    query = query.order_by(by.desc(), entries.c.id).correlate(feeds)
    newest, all_since = query.limit(bindparam("least")), query.where(by >= bindparam("since"))
    return _each_feed(newest, dialect), _each_feed(all_since, dialect)


def _each_feed(query: Select[Any], dialect: str) -> Select[Any]:
    mine = (
        feeds.c.publication == bindparam("publication"),
        feeds.c.name.in_(bindparam("names", expanding=True)),
    )
    return select(feeds.c.name, at_once.whole(query, dialect).scalar_subquery()).where(*mine)


def _rows_of(db: Connection, query: Select[Any], asked: dict[str, Any]) -> dict[str, list[list[Any]]]:
    return {name: _read(rows or []) for name, rows in db.execute(query, asked)}


def _may_lack(rows: list[list[Any]], since: datetime, least: int) -> bool:
    """Whether there may be more of that time."""
    return len(rows) == least and at_once.moment(rows[-1][-1]) >= since


@cache
def _between(kind: str) -> tuple[Select[Any], Select[Any]]:
    """Queries for the entries of feeds of that kind that were printed on some days, and for these days."""
    days: tuple[BindParameter[date], BindParameter[date]] = bindparam("first"), bindparam("last")
    part: BindParameter[str] = bindparam("part")
    printed = *_of_feed(kind, part), entries.c.date.between(*days)
    on_days = select(entries.c.date).where(*printed).distinct().order_by(entries.c.date)
    return select(*_LISTED, entries.c.published).where(*printed), on_days


def _of_feed(kind: str, part: ColumnElement[str]) -> list[ColumnElement[bool]]:
    """What a feed of that kind holds; its publication is asked for. `part`: of its name, behind the kind."""
    wanted = [_of_a_published_kind()]
    publication: BindParameter[str] = bindparam("publication")
    if kind in ("byline", "series"):
        return [*wanted, entries.c.id.in_(select(names.c.entry).where(*_of_name(kind, part)))]
    wanted.append(entries.c.publication == publication)
    if kind == "section":
        wanted.append(entries.c.section == part)
    elif kind == "page":
        wanted.append(entries.c.page == cast(part, Integer))
    elif kind == "corrections":
        wanted.append(entries.c.corrected.is_not(None))
    return wanted


def _of_name(kind: str, part: ColumnElement[str]) -> list[ColumnElement[bool]]:
    publication: BindParameter[str] = bindparam("publication")
    return [names.c.publication == publication, names.c.kind == kind, names.c.part == part]


def _of_a_published_kind() -> ColumnElement[bool]:
    # Sooner asked than IN, whose text is made anew each time.
    return or_(*(entries.c.kind == kind.value for kind in PUBLISHED_KINDS))


def _published() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return entries.c.withdrawn.is_(None), _of_a_published_kind()


def _wanted(
    publication: str, section: str | None, byline: str | None, of_series: str | None
) -> list[ColumnElement[bool]]:
    wanted = list(_published())
    if section is not None:
        wanted.append(entries.c.section == section)
    asked = [(kind, part) for kind, part in (("byline", byline), ("series", of_series)) if part is not None]
    for kind, part in asked:
        wanted.append(entries.c.id.in_(named(publication, kind, part)))
    if not asked:  # else SQLite would walk the whole paper, newest first, for somebody's three articles
        wanted.append(entries.c.publication == publication)
    return wanted


def _names(db: Connection, publication: str, kind: str) -> tuple[tuple[str, str], ...]:
    rows = db.execute(
        select(names.c.part, func.min(names.c.name))
        .join(entries, entries.c.id == names.c.entry)
        .where(names.c.publication == publication, names.c.kind == kind, *_published())
        .group_by(names.c.part)
    )
    return tuple(sorted((part, name) for part, name in rows))  # here: each database sorts Han its own way


def _entry(row: Row[Any]) -> Entry:
    values = dict(row._mapping)
    del values["kind"], values["corrected"], values["changed"]  # columns for the queries
    return Entry(**values | {"article": articles.loads(row.article)})
