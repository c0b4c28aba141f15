"""Issues: what their mastheads said, the text of their pages, and what a revision changes in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, bindparam, delete, func, insert, select, update

from syndicate.errors import IssueError, StoreError
from syndicate.model import Entry, Issue, Publication, Revision, Source, StoredIssue, address_part
from syndicate.store import articles, feeds, relays, search
from syndicate.store.tables import entries, issues, names, pages, publications, storable


def find(db: Connection, publication: str, day: date) -> StoredIssue | None:
    """The issue of that day."""
    return _first(db, _of(publication).where(issues.c.date == day))


def newest(db: Connection, publication: str) -> StoredIssue | None:
    """The issue of the latest day."""
    return _first(db, _of(publication).order_by(issues.c.date.desc()))


def before(db: Connection, publication: str, day: date) -> StoredIssue | None:
    """The last issue before that day."""
    return _first(db, _of(publication).where(issues.c.date < day).order_by(issues.c.date.desc()))


def after(db: Connection, publication: str, day: date) -> StoredIssue | None:
    """The first issue after that day."""
    return _first(db, _of(publication).where(issues.c.date > day).order_by(issues.c.date))


def latest(db: Connection, publication: str, limit: int, offset: int = 0) -> tuple[StoredIssue, ...]:
    """Issues, newest first."""
    return _all(db, _of(publication).order_by(issues.c.date.desc()).limit(limit).offset(offset))


def between(db: Connection, publication: str, first: date, last: date) -> tuple[StoredIssue, ...]:
    """The issues of these days, both included, in order."""
    query = _of(publication).where(issues.c.date.between(first, last)).order_by(issues.c.date)
    return _all(db, query)


def count(db: Connection, publication: str) -> int:
    """How many issues are stored."""
    return db.execute(
        select(func.count()).select_from(issues).where(issues.c.publication == publication)
    ).scalar_one()


def changed(db: Connection, publication: str) -> datetime | None:
    """When anything in any issue of the paper last did."""
    query = select(func.max(issues.c.updated)).where(issues.c.publication == publication)
    last: datetime | None = db.execute(query).scalar_one()
    return last


def page_sources(db: Connection, publication: str, day: date) -> tuple[Source, ...]:
    """The text of each stored page, in page order."""
    rows = db.execute(
        select(pages.c.page, pages.c.text)
        .where(pages.c.publication == publication, pages.c.date == day, pages.c.text.is_not(None))
        .order_by(pages.c.page)
    )
    return tuple(Source(f"p{row.page}", row.text.decode("utf-8", "surrogatepass"), row.page) for row in rows)


def save(
    db: Connection,
    publication: Publication,
    issue: Issue,
    sources: Sequence[Source],
    revision: Revision,
    now: datetime,
) -> None:
    """Write what changed of an issue, its pages (one source each) and its entries; nothing when nothing did."""
    day = issue.masthead.date
    if day is None:
        raise IssueError("an issue without a date cannot be stored")
    row = _row(issue)
    paper = _pages(issue, sources)
    known = find(db, publication.slug, day)
    if known is None:
        db.execute(
            insert(issues).values(publication=publication.slug, date=day, added=now, updated=now, **row)
        )
    kept = _stored_pages(db, publication.slug, day)
    if known is not None:
        if revision.empty and paper == kept and all(getattr(known, k) == v for k, v in row.items()):
            return
        db.execute(update(issues).where(*_key(issues, publication.slug, day)).values(updated=now, **row))
    _save_pages(db, publication.slug, day, kept, paper)
    counter = count_change(db, publication.slug)
    _save_entries(db, revision, counter)
    relays.note(db, revision, now)
    touched = (
        *(new.entry for new in revision.new),
        *(entry for change in revision.changed for entry in (change.before, change.after)),
        *revision.withdrawn,
    )
    feeds.register(db, publication.slug, day, touched, counter)


def due_for_publishing(db: Connection) -> tuple[tuple[str, int], ...]:
    """Papers whose public files are behind: slug and the change counter to be reported when done."""
    rows = db.execute(
        select(publications.c.slug, publications.c.changed)
        .where(publications.c.changed > publications.c.published)
        .order_by(publications.c.slug)
    )
    return tuple((row.slug, row.changed) for row in rows)


def count_change(db: Connection, slug: str) -> int:
    """Count one more change of what is published; gives the new count."""
    mine = publications.c.slug == slug
    if not db.execute(update(publications).where(mine).values(changed=publications.c.changed + 1)).rowcount:
        db.execute(insert(publications).values(slug=slug, changed=1, published=0))
    counted: int = db.execute(select(publications.c.changed).where(mine)).scalar_one()
    return counted


def counters(db: Connection) -> dict[str, int]:
    """How often each stored paper has changed."""
    return {row.slug: row.changed for row in db.execute(select(publications.c.slug, publications.c.changed))}


def published(db: Connection, slug: str) -> int:
    """Up to which of its changes the paper's public files show it; 0 before there are any."""
    return db.execute(select(publications.c.published).where(publications.c.slug == slug)).scalar() or 0


def made_of(db: Connection, slug: str) -> str | None:
    """The configuration that the paper's public files show; None before there are any."""
    return db.execute(select(publications.c.made_of).where(publications.c.slug == slug)).scalar()


def mark_published(db: Connection, slug: str, counter: int, made_of: str) -> None:
    """The public files show the paper as it was at that count, so configured; a later change stays due."""
    db.execute(
        update(publications)
        .where(publications.c.slug == slug, publications.c.published < counter)
        .values(published=counter)
    )
    db.execute(update(publications).where(publications.c.slug == slug).values(made_of=made_of))


def _of(publication: str) -> Select[Any]:
    return select(issues).where(issues.c.publication == publication)


def _key(table: Table, publication: str, day: date) -> tuple[Any, Any]:
    return table.c.publication == publication, table.c.date == day


def _first(db: Connection, query: Select[Any]) -> StoredIssue | None:
    return next(iter(_all(db, query.limit(1))), None)


def _all(db: Connection, query: Select[Any]) -> tuple[StoredIssue, ...]:
    rows = db.execute(query).all()
    if not rows:
        return ()
    days = [row.date for row in rows]
    titles = db.execute(
        select(pages.c.date, pages.c.page, pages.c.title)
        .where(pages.c.publication == rows[0].publication, pages.c.date.between(min(days), max(days)))
        .order_by(pages.c.page)
    )
    of_day: dict[date, list[tuple[int, str | None]]] = defaultdict(list)
    for title in titles:
        of_day[title.date].append((title.page, title.title))
    return tuple(_issue(row, of_day[row.date]) for row in rows)


def _issue(row: Row[Any], titles: Iterable[tuple[int, str | None]]) -> StoredIssue:
    return StoredIssue(**row._mapping, pages=tuple(titles))


def _row(issue: Issue) -> dict[str, Any]:
    said = issue.masthead
    return {
        "number": said.number,
        "weekday": _line(said.weekday),
        "lunar_date": _line(said.lunar_date),
        "page_count": said.page_count,
        "publisher": _line(said.publisher),
        "warnings": tuple(issue.warnings),
    }


def _line(text: str | None) -> str | None:
    return None if text is None else storable(text)


PageRow = tuple[str | None, bytes | None]  # title and text


def _pages(issue: Issue, sources: Sequence[Source]) -> dict[int, PageRow]:
    titles = {page.number: _line(page.title) for page in issue.pages}
    texts: dict[int, bytes] = {}
    for source in sources:
        if source.page is None or source.page in texts:
            raise IssueError(f"{source.name}: one text for each page is wanted, got page {source.page}")
        texts[source.page] = source.text.encode("utf-8", "surrogatepass")
    return {number: (titles.get(number), texts.get(number)) for number in {*titles, *texts}}


def _stored_pages(db: Connection, publication: str, day: date) -> dict[int, PageRow]:
    rows = db.execute(select(pages.c.page, pages.c.title, pages.c.text).where(*_key(pages, publication, day)))
    return {row.page: (row.title, row.text) for row in rows}


def _save_pages(
    db: Connection, publication: str, day: date, kept: dict[int, PageRow], paper: dict[int, PageRow]
) -> None:
    key = _key(pages, publication, day)
    for page in kept.keys() - paper.keys():
        db.execute(delete(pages).where(*key, pages.c.page == page))
    for page, (title, text) in sorted(paper.items()):
        if page not in kept:
            db.execute(
                insert(pages).values(publication=publication, date=day, page=page, title=title, text=text)
            )
        elif kept[page] != (title, text):
            db.execute(update(pages).where(*key, pages.c.page == page).values(title=title, text=text))


def _save_entries(db: Connection, revision: Revision, counter: int) -> None:
    if added := [new.entry for new in revision.new]:
        db.execute(insert(entries), [_entry_row(entry) | {"changed": counter} for entry in added])
    changed = [change.after for change in revision.changed]
    if touched := (*changed, *revision.withdrawn):
        # Never id, page, n or `published`: they were promised to readers.
        free = ("section", "kind", "article", "fingerprint", "updated", "withdrawn")
        query = update(entries).where(entries.c.id == bindparam("key"))
        rows = [_entry_row(entry) for entry in touched]
        done = db.execute(
            query.values({name: bindparam(name) for name in free} | {"changed": counter}),
            [{"key": row["id"]} | {name: row[name] for name in free} for row in rows],
        )
        if done.rowcount != len(touched):
            raise StoreError("an entry to be changed is not in the ledger")
        _save_corrections(db, revision)
    if changed:
        db.execute(
            delete(names).where(names.c.entry == bindparam("key")), [{"key": entry.id} for entry in changed]
        )
    if rows := [row for entry in (*added, *changed) for row in _name_rows(entry)]:
        db.execute(insert(names), rows)
    search.index(db, (*added, *changed))
    search.forget(db, [entry.id for entry in revision.withdrawn])


def _save_corrections(db: Connection, revision: Revision) -> None:
    """When the text of an entry last changed; a move to another section is no correction."""
    said = [(c.after.id, c.after.updated) for c in revision.changed if c.after.updated != c.before.updated]
    gone = [(entry.id, entry.withdrawn) for entry in revision.withdrawn]
    if rows := [{"key": id_, "at": moment} for id_, moment in (*said, *gone)]:
        query = update(entries).where(entries.c.id == bindparam("key"))
        db.execute(query.values(corrected=bindparam("at")), rows)


def _entry_row(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "publication": entry.publication,
        "date": entry.date,
        "page": entry.page,
        "n": entry.n,
        "section": entry.section,
        "kind": entry.article.kind.value,
        "article": articles.dumps(entry.article),
        "fingerprint": entry.fingerprint,
        "published": entry.published,
        "updated": entry.updated,
        "withdrawn": entry.withdrawn,
    }


def _name_rows(entry: Entry) -> list[dict[str, Any]]:
    series = filter(None, (entry.article.series_name,))
    by_part = {
        (kind, address_part(name)): storable(name)
        for kind, given in (("byline", entry.article.byline.names), ("series", series))
        for name in given
    }
    return [
        {
            "entry": entry.id,
            "publication": entry.publication,
            "kind": kind,
            "part": part,
            "name": name,
            "published": entry.published,
        }
        for (kind, part), name in by_part.items()
    ]
