"""Archive pages (RFC 5005): a feed's months that are over, and days that a full feed has let go before its month is.

A month's page is written when an issue of another month has come. A live feed of a large paper cannot hold all of the
running month; the days that it holds only in part, or no more, get pages of their own until the month's page takes
their place. So each entry of a feed is in the feed or in a page that is linked from it, always.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from syndicate import store
from syndicate.deliver.public import File
from syndicate.jobs import feed_keys
from syndicate.jobs import renderings as items
from syndicate.jobs.renderings import Fresh, Told
from syndicate.model import Feed, FeedKey, Publication, StoredIssue
from syndicate.render import articles, feeds
from syndicate.render.window import Shown
from syndicate.services import Services
from syndicate.store import entries, issues
from syndicate.store import feeds as registry
from syndicate.store.entries import Listed
from syndicate.store.feeds import StoredFeed, StoredMonth

log = logging.getLogger(__name__)


def seal(services: Services, paper: Publication, months: Sequence[StoredMonth]) -> list[str]:
    """Write these pages, month by month, so that memory stays flat; gives the names of their files."""
    keys = _keys(services, paper, months)
    for month, done in _by_month(months):
        for one, made in _pages(services, paper, month, done, keys):
            for file in made:
                services.public.keep(paper.slug, file.name, b"".join(file.body))
            _forget_days(services, paper, one)
        with store.writing(services.db) as db:
            registry.mark_sealed(db, paper.slug, done)
        log.info("%s: archived %s, %d feeds", paper.slug, month, len(done))
    return [file for one in months for file in files(one)]


def let_go(services: Services, paper: Publication, last_told: Mapping[str, date]) -> tuple[StoredMonth, ...]:
    """The days that full feeds have let go and whose pages are behind; to be marked as sealed when they are written.

    `last_told`: full feeds, and the day of the last entry that each tells. What is older is in pages, that day too.
    """
    with store.writing(services.db) as db:
        days = {
            (name, day)
            for name, last in last_told.items()
            for day in entries.days(db, paper.slug, name, last.replace(day=1), last)
        }
        registry.add_days(db, paper.slug, days)
        return registry.days_behind(db, paper.slug)


def pages(
    services: Services, paper: Publication, days: Sequence[StoredMonth], fresh: Fresh
) -> Iterator[list[File]]:
    """The files of the pages of these days. One that holds nothing any more is taken away."""
    keys = _keys(services, paper, days)
    for day, several in _by_month(days):
        for _, made in _pages(services, paper, day, several, keys, fresh):
            yield made


def files(one: StoredMonth) -> list[str]:
    """The names of a page's files."""
    return [f"feeds/archive/{one.name}-{one.month}.{form}" for form in feeds.FORMS]


def discard(services: Services, paper: Publication, feed: str) -> None:
    """Remove every page of a feed that holds nothing any more."""
    with store.reading(services.db) as db:
        months = registry.months(db, paper.slug, feed)
    for month in months:
        _discard_files(services, paper, feed, month)


def changed(listed: Iterable[Listed]) -> datetime | None:
    """When the last of these did."""
    return max((max(one.updated, one.withdrawn or one.updated) for one in listed), default=None)


def tombstones(listed: Iterable[Listed]) -> tuple[tuple[str, datetime], ...]:
    """Which of these were withdrawn, and when."""
    return tuple((one.id, one.withdrawn) for one in listed if one.withdrawn)


def listed_issues(found: Iterable[StoredIssue], paper: Publication) -> tuple[Listed, ...]:
    """Issues as the items of a feed."""
    return tuple(Listed(articles.issue_id(one, paper), 0, one.updated, None, one.date) for one in found)


def framed(
    services: Services,
    paper: Publication,
    key: FeedKey,
    updated: datetime,
    *,
    before: str | None,
    month: str | None = None,
    gone: tuple[tuple[str, datetime], ...] = (),
) -> Feed:
    """A feed, or a page of its archive, without its items."""
    return Feed(
        paper,
        key,
        services.settings.base_url,
        (),
        updated,
        month=month,
        before=before,
        hub=services.settings.hub_url,
        tombstones=gone,
    )


def _keys(services: Services, paper: Publication, pages: Sequence[StoredMonth]) -> dict[str, FeedKey]:
    """The feeds of these pages, without those of sections that the paper has no more."""
    if not pages:
        return {}
    with store.reading(services.db) as db:
        known = {feed.name: feed for feed in registry.of_paper(db, paper.slug)}
    found = {name: known.get(name, StoredFeed(name, "", 0)) for name in {one.name for one in pages}}
    return {name: key for name, feed in found.items() if (key := feed_keys.key_of(paper, feed))}


def _by_month(pages: Sequence[StoredMonth]) -> Iterator[tuple[str, list[StoredMonth]]]:
    for month in sorted({one.month for one in pages}):
        yield month, [one for one in pages if one.month == month]


def _pages(
    services: Services,
    paper: Publication,
    month: str,
    pages: Sequence[StoredMonth],
    keys: Mapping[str, FeedKey],
    fresh: Fresh | None = None,
) -> Iterator[tuple[StoredMonth, list[File]]]:
    """Each of these pages of a month, or of a day, with its files."""
    with store.reading(services.db) as db:
        before = registry.month_before(db, paper.slug, month, [one.name for one in pages])
    for one in pages:
        yield one, _page(services, paper, one, keys.get(one.name), before.get(one.name), fresh)


def _page(
    services: Services,
    paper: Publication,
    one: StoredMonth,
    key: FeedKey | None,
    before: str | None,
    fresh: Fresh | None,
) -> list[File]:
    """The files of a page; one that nothing belongs in any more has none, and is taken away."""
    with store.reading(services.db) as db:
        printed = _issues_of(db, paper, one.month) if one.name == "issues" else ()
        first, last = _days_of(one.month)
        listed = listed_issues(printed, paper) or entries.between(db, paper.slug, one.name, first, last)
    updated = changed(listed)
    if updated is None or key is None:
        _take_away(services, paper, one)
        return []
    if printed:
        measures = items.of_issues(services, paper, printed, fresh)
    else:
        measures = items.of_entries(services, paper, listed, fresh)
    told = [Told(entry.id, Shown.WHOLE, measures[entry.id].made_of) for entry in listed]
    pieces = items.pieces(services, told, fresh)
    feed = framed(services, paper, key, updated, before=before, month=one.month, gone=tombstones(listed))
    found: list[File] = []
    for n, (form, name) in enumerate(zip(feeds.FORMS, files(one), strict=True)):
        body = feeds.joined(feeds.frame(feed, form), [pieces[one_told][n] for one_told in told], form)
        found.append(File(name, list(body), outlives=True))
    return found


def _take_away(services: Services, paper: Publication, one: StoredMonth) -> None:
    """Remove a page that nothing belongs in any more, lest it go on showing what was corrected or taken back."""
    _discard_files(services, paper, one.name, one.month)
    _forget_days(services, paper, one)
    with store.writing(services.db) as db:
        registry.drop_month(db, paper.slug, one, issues.count_change(db, paper.slug))


def _forget_days(services: Services, paper: Publication, one: StoredMonth) -> None:
    """A month's page stands in for the pages of its days."""
    if _is_day(one.month):
        return
    with store.reading(services.db) as db:
        days = [m for m in registry.months(db, paper.slug, one.name) if m.startswith(f"{one.month}-")]
    for day in days:
        _discard_files(services, paper, one.name, day)
    if days:
        with store.writing(services.db) as db:
            registry.drop_days(db, paper.slug, one.name, days)


def _discard_files(services: Services, paper: Publication, feed: str, month: str) -> None:
    for file in files(StoredMonth(feed, month, 0)):
        services.public.discard(paper.slug, file)


def _issues_of(db: Connection, paper: Publication, month: str) -> tuple[StoredIssue, ...]:
    return tuple(reversed(issues.between(db, paper.slug, *_days_of(month))))


def _is_day(month: str) -> bool:
    return len(month) > len("2026-10")


def _days_of(month: str) -> tuple[date, date]:
    """The first and the last day of a page: of a month (2026-10), or a day alone (2026-10-08)."""
    if _is_day(month):
        return date.fromisoformat(month), date.fromisoformat(month)
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
