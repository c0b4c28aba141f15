"""The paper to be read: front page, issues, sections, names, series, articles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton
from flask import Response
from sqlalchemy import Connection
from werkzeug.exceptions import Gone, NotFound

from syndicate import store
from syndicate.errors import IssueError
from syndicate.jobs import compose
from syndicate.model import (
    PUBLISHED_KINDS,
    Entry,
    FeedKey,
    Publication,
    StoredIssue,
    address_part,
)
from syndicate.render import articles, digest
from syndicate.store import entries, issues
from syndicate.web import answers, linked_data, previews
from syndicate.web.addresses import GET, Route
from syndicate.web.visit import Visit

ENTRIES_ON_A_PAGE = 40
ISSUES_ON_A_PAGE = 120
RELATED = 5

# The digest is a mail: its styles stand in the tags.
DIGEST_POLICY = answers.POLICY.replace("style-src 'self'", "style-src 'unsafe-inline'")


@dataclass(frozen=True, slots=True)
class PageContents:
    """One printed page as the contents list shows it."""

    number: int
    title: str | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list of entries is about, and its feed."""

    kind: str  # section, byline or series
    title: str
    key: FeedKey


def newspapers(visit: Visit) -> Response:
    """Every newspaper with its newest issue; where only one has any, that paper's front page."""
    with store.reading(visit.services.db) as db:
        found = [(paper, issues.newest(db, paper.slug)) for paper in visit.services.settings.publications]
    printed = [paper for paper, newest in found if newest]
    if len(printed) == 1:
        return front(visit, printed[0])
    return answers.page(
        visit,
        "newspapers.html",
        changed=[newest.updated for _, newest in found if newest],
        papers=found,
    )


def front(visit: Visit, paper: Publication) -> Response:
    """The newest issue, laid out like a paper's contents."""
    with store.reading(visit.services.db) as db:
        newest = issues.newest(db, paper.slug)
        if newest is None:
            return answers.page(visit, "empty.html", paper=paper)
        return _issue_page(visit, db, paper, newest, canonical=f"/{paper.slug}/")


def issue(visit: Visit, paper: Publication, day: date) -> Response:
    """One day's paper."""
    with store.reading(visit.services.db) as db:
        found = issues.find(db, paper.slug, day)
        if found is None:
            raise NotFound
        return _issue_page(visit, db, paper, found, canonical=found.path)


def article(visit: Visit, paper: Publication, day: date, page: int, n: int) -> Response:
    """One article; 410 when it was withdrawn."""
    with store.reading(visit.services.db) as db:
        entry = entries.find(db, paper.slug, day, page, n)
        its_issue = issues.find(db, paper.slug, day)
        if entry is None or its_issue is None:
            raise NotFound
        if entry.withdrawn:
            raise Gone
        if entry.article.kind not in PUBLISHED_KINDS:
            raise NotFound
        neighbours = _published(entries.of_issue(db, paper.slug, day))
        series = entry.article.series_name
        in_series = _others(db, entry, series=address_part(series)) if series else ()
        changed = issues.changed(db, paper.slug) if series else its_issue.updated
    at = next(i for i, e in enumerate(neighbours) if e.id == entry.id)
    url, base = visit.absolute(entry.path), visit.services.settings.base_url
    card = previews.of_entry(entry, paper, base)
    return answers.page(
        visit,
        "article.html",
        paper=paper,
        changed=[changed],
        issue=its_issue,
        entry=entry,
        section=paper.section(entry.section),
        page_title=dict(its_issue.pages).get(entry.article.page),
        same_page=[e for e in neighbours if e.article.page == entry.article.page],
        before=neighbours[at - 1] if at else None,
        after=neighbours[at + 1] if at + 1 < len(neighbours) else None,
        in_series=in_series,
        series_key=_series_key(series) if series else None,
        zone=ZoneInfo(paper.zone),
        card=card,
        linked_data=linked_data.news_article(entry, paper, its_issue, url, base, (card.square, card.shared)),
    )


def section(visit: Visit, paper: Publication, slug: str) -> Response:
    """What stands under one heading, newest first."""
    found = paper.section(slug)
    if found is None:
        if there := paper.renamed(slug):
            return answers.for_good(f"/{paper.slug}/sections/{there.slug}")
        raise NotFound
    title = found.title_en if visit.language == "en" and found.title_en else found.title
    key = FeedKey("section", f"section-{slug}", found.title)
    return _list(visit, paper, Listed("section", title, key), section=slug)


def byline(visit: Visit, paper: Publication, part: str) -> Response:
    """What one person has written, newest first."""
    name = _name(visit, paper, part, byline=part, names=lambda e: e.article.byline.names)
    return _list(visit, paper, Listed("byline", name, FeedKey("byline", f"byline-{part}", name)), byline=part)


def series(visit: Visit, paper: Publication, part: str) -> Response:
    """What appeared in one series, newest first."""
    name = _name(visit, paper, part, series=part, names=lambda e: (e.article.series_name or "",))
    return _list(visit, paper, Listed("series", name, _series_key(name)), series=part)


def archive(visit: Visit, paper: Publication) -> Response:
    """Every issue, newest first, month by month."""
    start = visit.start()
    with store.reading(visit.services.db) as db:
        found = issues.latest(db, paper.slug, ISSUES_ON_A_PAGE, start)
        total = issues.count(db, paper.slug)
    months = [
        (_month(first, visit.language), tuple(of_it))
        for first, of_it in groupby(found, lambda i: i.date.replace(day=1))
    ]
    return answers.page(
        visit,
        "archive.html",
        paper=paper,
        changed=[i.updated for i in found],
        months=months,
        total=total,
        start=start,
        older=_older(start, ISSUES_ON_A_PAGE, total),
        newer=_newer(start, ISSUES_ON_A_PAGE),
    )


def digest_preview(visit: Visit, paper: Publication, day: date) -> Response:
    """The mail about an issue, as it is sent to who wants every section."""
    services = visit.services
    try:
        contents = compose.preview(services, paper.slug, day, visit.language)
    except IssueError as e:
        raise NotFound from e
    text = digest.html(contents, visit.absolute(f"/{paper.slug}/subscribe"))
    # Its pictures are ours, by whatever name we were asked.
    answer = answers.html(text.replace(f'src="{contents.base_url}/', 'src="/'))
    answer.headers["Content-Security-Policy"] = DIGEST_POLICY
    answers.mark(answer, [issue.updated for issue in contents.issues])
    return answer


ROUTES: tuple[Route, ...] = (
    ("/", GET, newspapers),
    ("/<paper:paper>/", GET, front),
    ("/<paper:paper>/<day:day>", GET, issue),
    ("/<paper:paper>/<day:day>/<number:page>/<number:n>", GET, article),
    ("/<paper:paper>/sections/<name:slug>", GET, section),
    ("/<paper:paper>/bylines/<name:part>", GET, byline),
    ("/<paper:paper>/series/<name:part>", GET, series),
    ("/<paper:paper>/issues", GET, archive),
    ("/<paper:paper>/digest/<day:day>", GET, digest_preview),
)


def _issue_page(
    visit: Visit, db: Connection, paper: Publication, printed: StoredIssue, canonical: str
) -> Response:
    listed = _published(entries.of_issue(db, paper.slug, printed.date))
    before = issues.before(db, paper.slug, printed.date)
    after = issues.after(db, paper.slug, printed.date)
    return answers.page(
        visit,
        "issue.html",
        paper=paper,
        changed=[printed.updated, *(other.added for other in (before, after) if other)],
        canonical=canonical,
        issue=printed,
        pages=_contents(printed, listed),
        before=before,
        after=after,
        card=_card(visit, paper, listed),
    )


def _list(
    visit: Visit,
    paper: Publication,
    listed: Listed,
    *,
    section: str | None = None,
    byline: str | None = None,
    series: str | None = None,
) -> Response:
    start = visit.start()
    with store.reading(visit.services.db) as db:
        found = entries.latest(
            db,
            paper.slug,
            limit=ENTRIES_ON_A_PAGE,
            offset=start,
            section=section,
            byline=byline,
            series=series,
        )
        total = entries.count(db, paper.slug, section=section, byline=byline, series=series)
        changed = issues.changed(db, paper.slug)  # what was withdrawn is not among those found
    days = [(day, tuple(of_it)) for day, of_it in groupby(found, lambda e: e.date)]
    return answers.page(
        visit,
        "listing.html",
        paper=paper,
        changed=[changed],
        listed=listed,
        days=days,
        card=_card(visit, paper, found),
        total=total,
        start=start,
        older=_older(start, ENTRIES_ON_A_PAGE, total),
        newer=_newer(start, ENTRIES_ON_A_PAGE),
    )


def _older(start: int, step: int, total: int) -> int | None:
    """Where the next part of a long list begins, if there is one."""
    return start + step if start + step < total else None


def _newer(start: int, step: int) -> int | None:
    return max(0, start - step) if start else None


def _name(
    visit: Visit,
    paper: Publication,
    part: str,
    *,
    names: Callable[[Entry], Iterable[str]],
    byline: str | None = None,
    series: str | None = None,
) -> str:
    """The name behind a part of an address, as printed last."""
    with store.reading(visit.services.db) as db:
        newest = entries.latest(db, paper.slug, limit=1, byline=byline, series=series)
    for entry in newest:
        for name in names(entry):
            if address_part(name) == part:
                return articles.line(name)
    raise NotFound


def _contents(printed: StoredIssue, listed: Sequence[Entry]) -> tuple[PageContents, ...]:
    """The issue page by page; a page with nothing published is not shown."""
    titles = dict(printed.pages)
    return tuple(
        PageContents(number, titles.get(number), tuple(of_it))
        for number, of_it in groupby(listed, lambda e: e.article.page)
    )


def _published(found: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(e for e in found if e.article.kind in PUBLISHED_KINDS and not e.withdrawn)


def _card(visit: Visit, paper: Publication, listed: Sequence[Entry]) -> previews.Preview | None:
    """The card of the first article; None: the paper's own."""
    return previews.of_entry(listed[0], paper, visit.services.settings.base_url) if listed else None


def _others(db: Connection, entry: Entry, *, series: str) -> tuple[Entry, ...]:
    found = entries.latest(db, entry.publication, limit=RELATED + 1, series=series)
    return tuple(e for e in found if e.id != entry.id)[:RELATED]


def _month(day: date, language: str) -> str:
    """2026年11月, November 2026."""
    return format_skeleton("yMMMM", day, locale=Locale.parse(language, sep="-"))


def _series_key(name: str) -> FeedKey:
    return FeedKey("series", f"series-{address_part(name)}", name)
