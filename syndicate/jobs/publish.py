"""Feeds become files: each feed that changed is put together anew, and all of them appear at once.

    feeds behind | their windows | items rendered once a change | joined | an edition | smaller codings
    months over  | their entries | items                        | joined | kept beside the editions

The work grows with what changed, not with what is stored: an item is rendered when it changes, a feed joined when one
of its items did, an archive page written when its month is over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from itertools import chain, islice
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

from syndicate import store
from syndicate.deliver.public import NEWEST, Edition, File
from syndicate.jobs import archive, bundles, feed_keys
from syndicate.jobs import renderings as items
from syndicate.jobs.alone import alone
from syndicate.jobs.renderings import Fresh, Told
from syndicate.model import FeedKey, Publication, StoredIssue
from syndicate.render import feeds, opml, window
from syndicate.services import Services
from syndicate.store import entries, issues, renderings, sections, websub
from syndicate.store import feeds as registry
from syndicate.store.entries import Listed
from syndicate.store.feeds import StoredFeed
from syndicate.store.renderings import Measure

log = logging.getLogger(__name__)

ISSUES_IN_FEED = 60  # one item an issue: three months of a paper that appears five times a week
_TOGETHER = 100  # feeds and pages that are put together before they are written
_FRAME = 8 * 1024  # bytes kept free for what a feed says of itself
_TOMBSTONE = 256  # bytes of the mark of a withdrawn entry
_PRUNED_AFTER = timedelta(days=100)  # by then a month is sealed; older items are rendered again if wanted
_STYLE = Path(__file__).resolve().parents[2] / "templates" / "web" / "static" / feeds.STYLE


@dataclass(frozen=True, slots=True)
class Window:
    """A live feed: which items, newest first, and how each is told."""

    key: FeedKey
    told: tuple[Told, ...]
    updated: datetime
    before: str | None  # the month before the running one
    before_day: date | None  # of a full feed: the day of the last entry told; what is older lies in pages
    tombstones: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a live feed may show."""

    key: FeedKey
    listed: tuple[Listed, ...]  # newest first
    before: str | None  # the month before the running one
    complete: bool  # all of the running month is listed
    printed: tuple[StoredIssue, ...]  # what the feed of issues shows


def run(services: Services) -> None:
    """Publish every paper that changed since it was last published."""
    with alone(services.settings.data / "publish.lock", wait=True):
        with store.reading(services.db) as db:
            due = issues.due_for_publishing(db)
            waiting = {slug for slug, _ in due}
            counters = issues.counters(db)
        archived: dict[str, list[str]] = {}
        for paper in services.settings.publications:
            if paper.slug in counters and (paper.slug in waiting or _configured_anew(services, paper)):
                archived[paper.slug] = _publish(services, paper, counters[paper.slug])
        for slug in counters:  # when every paper can be read; also what a run cut short has left
            services.public.squeeze(slug, archived.get(slug, ()))


def _configured_anew(services: Services, paper: Publication) -> bool:
    with store.reading(services.db) as db:
        return issues.made_of(db, paper.slug) != _made_of(services, paper)


def _made_of(services: Services, paper: Publication) -> str:
    return f"{items.configuration(services, paper)}:{services.settings.hub_url}"


# ── one paper ────────────────────────────────────────────────────────────────────────────


def _publish(services: Services, paper: Publication, counter: int) -> list[str]:
    """Write what is behind, then remember up to which change; gives the names of the archive pages.

    Killed in between, the next run writes the same bytes again, that is: nothing.
    """
    with store.writing(services.db) as db:
        if issues.made_of(db, paper.slug) != _made_of(services, paper):
            counter = issues.count_change(db, paper.slug)
            for section in paper.sections:
                for old in section.formerly:
                    sections.rename(db, paper.slug, old, section.slug, counter)
            registry.register_all(db, paper.slug, [s.slug for s in paper.sections], counter)
        newest = issues.newest(db, paper.slug)
        behind = registry.behind(db, paper.slug)
        changed = entries.changed_after(db, paper.slug, issues.published(db, paper.slug), items.AT_ONCE)
        today = _today(services, paper, newest)
        months = registry.unsealed(db, paper.slug, f"{today:%Y-%m}") if newest else ()
    if newest is None:
        return []
    kept = archive.seal(services, paper, [one for one in months if not one.sealed])
    fresh: Fresh = []  # saved when readers can see it
    items.of_entries(services, paper, changed, fresh)
    listings = _listings(services, paper, behind, today)
    with services.public.edition(paper.slug) as edition:
        windows = list(_windows(services, paper, listings, newest, today, fresh))
        full = {one.key.name: one.before_day for one in windows if one.before_day}
        days = archive.let_go(services, paper, full)
        live = (_files(services, paper, one, fresh) for one in windows)
        _put(edition, chain(archive.pages(services, paper, days, fresh), live))
        empty = [feed for feed in behind if feed.name not in {one.key.name for one in windows}]
        _write_lists(services, paper, empty, edition)
        edition.put(NEWEST, newest.date.isoformat().encode())
    items.save(services, fresh)
    if edition.written:
        log.info("%s: published %d files", paper.slug, len(edition.written))
    for feed in empty:
        archive.discard(services, paper, feed.name)
    with store.writing(services.db) as db:
        registry.mark_sealed(db, paper.slug, days)
        registry.mark_published(db, paper.slug, behind)
        for feed in empty:
            registry.forget(db, paper.slug, feed)
        issues.mark_published(db, paper.slug, counter, _made_of(services, paper))
        websub.announce(
            db, _topics(services, paper, behind), services.now(), hub=services.settings.websub_hub
        )
        if months:
            renderings.prune(db, paper.slug, today - _PRUNED_AFTER)
            services.measures.clear()
    kept += archive.seal(services, paper, [one for one in months if one.sealed])
    return kept + [file for one in days for file in archive.files(one)]


def _today(services: Services, paper: Publication, newest: StoredIssue | None) -> date:
    """The day of the newest issue; one that is dated wrongly, years ahead, closes no month and empties no feed."""
    tomorrow = services.now().astimezone(ZoneInfo(paper.zone)).date() + timedelta(days=1)
    return min(newest.date, tomorrow) if newest else tomorrow


def _topics(services: Services, paper: Publication, behind: Sequence[StoredFeed]) -> list[str]:
    """The addresses of these feeds. Not only of those whose bytes are new: a run cut short may have written them."""
    names = [f"{quote(feed.name)}.{form}" for feed in behind for form in feeds.FORMS]
    return [f"{services.settings.base_url}/{paper.slug}/feeds/{name}" for name in names]


def _put(edition: Edition, made: Iterator[list[File]]) -> None:
    """Put files into the edition, many at a time: threads that write and this one would wait for each other."""
    while some := list(islice(made, _TOGETHER)):
        for files in some:
            edition.put_all(files)


def _files(services: Services, paper: Publication, one: Window, fresh: Fresh) -> list[File]:
    """A feed in every format."""
    before = one.before_day.isoformat() if one.before_day else one.before
    made = archive.framed(services, paper, one.key, one.updated, before=before, gone=one.tombstones)
    pieces, in_bundles = items.pieces(services, one.told, fresh), bundles.bundled(one.told)
    files: list[File] = []
    for n, form in enumerate(feeds.FORMS):
        frame = feeds.frame(made, form)
        body = list(feeds.joined(frame, [pieces[told][n] for told in one.told], form))
        gzip = partial(bundles.gzip, services.bundles, frame, in_bundles, pieces, form)
        files.append(File(f"feeds/{one.key.name}.{form}", body, gzip))
    return files


def _write_lists(
    services: Services, paper: Publication, empty: Iterable[StoredFeed], edition: Edition
) -> None:
    """Leave out the feeds that hold nothing any more, and list the others."""
    gone = {feed.name for feed in empty}
    for name in gone:
        for form in feeds.FORMS:
            edition.drop(f"feeds/{name}.{form}")
    with store.reading(services.db) as db:
        keys = [key for key in feed_keys.of_paper(db, paper) if key.name not in gone]
    edition.put("feeds.opml", opml.written(paper, keys, services.settings.base_url))
    edition.put(f"feeds/{feeds.STYLE}", _style())


def _stays(key: FeedKey) -> bool:
    """A feed that readers may know although nothing is in it."""
    return key.kind in ("all", "issues", "corrections", "section")


def _listings(
    services: Services, paper: Publication, behind: Sequence[StoredFeed], today: date
) -> list[Listing]:
    """What these feeds hold, as the store knows it."""
    first, least = today - timedelta(days=services.settings.feed_days), services.settings.feed_entries
    since = datetime.combine(first, time.min, UTC)
    keys = [key for feed in behind if (key := feed_keys.key_of(paper, feed))]
    names = [key.name for key in keys]
    with store.reading(services.db) as db:
        before = registry.month_before(db, paper.slug, f"{today:%Y-%m}", names)
        printed = issues.latest(db, paper.slug, ISSUES_IN_FEED)
        of_entries = [key.name for key in keys if key.kind != "issues"]
        listed = entries.in_feeds(db, paper.slug, of_entries, since=since, least=least)
    listed["issues"] = archive.listed_issues(printed, paper)
    whole_month = first <= today.replace(day=1)
    return [
        Listing(
            key, listed[key.name], before.get(key.name), whole_month or len(listed[key.name]) < least, printed
        )
        for key in keys
    ]


def _windows(
    services: Services,
    paper: Publication,
    listings: Iterable[Listing],
    newest: StoredIssue,
    today: date,
    fresh: Fresh,
) -> Iterator[Window]:
    """The feeds that hold something, or that stay although they do not, each with its items rendered."""
    for one in listings:
        if one.key.kind == "issues":
            measures = items.of_issues(services, paper, one.printed, fresh)
        else:
            measures = items.of_entries(services, paper, one.listed, fresh)
        if one.listed or _stays(one.key):
            told = _told(one.listed, measures, services.settings.feed_entries)
            yield Window(
                one.key,
                told,
                archive.changed(one.listed) or newest.added,
                one.before,
                _before_day(one, len(told), today.replace(day=1)),
                archive.tombstones(one.listed),
            )


def _before_day(one: Listing, told: int, month: date) -> date | None:
    """The day of the last entry told, if others of the running month lie below it."""
    all_told = one.complete and told == len(one.listed)
    if one.key.kind in ("issues", *registry.UNARCHIVED) or not told or all_told:
        return None
    last = one.listed[told - 1].date
    return last if last >= month else None


def _told(listed: Sequence[Listed], measures: Mapping[str, Measure], least: int) -> tuple[Told, ...]:
    gap = len(feeds.separator("json", first=False))
    found = [measures[one.id] for one in listed]
    sizes = [(one.size + gap, one.brief_size + gap) for one in found]
    room = window.LARGEST - _FRAME - _TOMBSTONE * len(archive.tombstones(listed))
    newest = sum(one.date == listed[0].date for one in listed)
    shown = window.shown(sizes, room, max(newest, least))
    ids = (one.id for one in listed)
    return tuple(Told(id_, how, measures[id_].made_of) for id_, how in zip(ids, shown, strict=False))


@cache
def _style() -> bytes:
    return _STYLE.read_bytes()
