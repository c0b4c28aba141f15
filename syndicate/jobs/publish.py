"""Feeds become files: each feed that changed is put together anew, and all of them appear at once.

    feeds behind | their windows | items rendered once a change | joined | an edition | smaller codings
    months over  | their entries | items                        | joined | kept beside the editions

The work grows with what changed, not with what is stored: an item is rendered when it changes, a feed joined when one
of its items did, an archive page written when its month is over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection

from syndicate import store
from syndicate.deliver.public import Edition
from syndicate.jobs import renderings as items
from syndicate.jobs.alone import alone
from syndicate.model import Feed, FeedKey, Publication, StoredIssue
from syndicate.render import articles, feeds, opml, window
from syndicate.render.window import Shown
from syndicate.services import Services
from syndicate.store import entries, issues, renderings, websub
from syndicate.store import feeds as registry
from syndicate.store.entries import Listed
from syndicate.store.feeds import StoredFeed, StoredMonth
from syndicate.store.renderings import Measure

log = logging.getLogger(__name__)

ISSUES_IN_FEED = 60  # one item an issue: three months of a paper that appears five times a week
_FRAME = 8 * 1024  # bytes kept free for what a feed says of itself
_TOMBSTONE = 256  # bytes of the mark of a withdrawn entry
_PRUNED_AFTER = timedelta(days=100)  # by then a month is sealed; older items are rendered again if wanted
_STYLE = Path(__file__).resolve().parents[2] / "templates" / "web" / "static" / feeds.STYLE


class Told(NamedTuple):
    """An item as a feed shows it: with what it was made of, the key of its rendering."""

    item: str
    shown: Shown
    made_of: str


@dataclass(frozen=True, slots=True)
class Window:
    """A live feed: which items, newest first, and how each is told."""

    key: FeedKey
    told: tuple[Told, ...]
    updated: datetime
    before: str | None
    tombstones: tuple[tuple[str, datetime], ...]


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


def feed_keys(db: Connection, paper: Publication) -> tuple[FeedKey, ...]:
    """Every feed a paper has, in the order in which people look for them."""
    known = {feed.name: feed for feed in registry.of_paper(db, paper.slug)}
    sections = {
        f"section-{section.slug}": StoredFeed(f"section-{section.slug}", "", 0) for section in paper.sections
    }
    always = {name: StoredFeed(name, "", 0) for name in registry.ALWAYS}
    found = [key for feed in (always | sections | known).values() if (key := feed_key(paper, feed))]
    return tuple(sorted(found, key=lambda key: (_KINDS.index(key.kind), _place(paper, key), key.title)))


def feed_key(paper: Publication, feed: StoredFeed) -> FeedKey | None:
    """A stored feed's key; None for a section that the paper has no more."""
    kind, _, part = feed.name.partition("-")
    if kind == "section":
        section = paper.section(part)
        return FeedKey(kind, feed.name, section.title) if section else None
    if kind == "page":
        return FeedKey(kind, feed.name, articles.page_name(int(part), None, paper.language))
    return FeedKey(kind, feed.name, feed.title or _TITLES[kind])


_KINDS = ("all", "issues", "corrections", "section", "page", "series", "byline")
_TITLES = {"all": "全部文章", "issues": "每期一条", "corrections": "更正与撤回"}


def _place(paper: Publication, key: FeedKey) -> int:
    part = key.name.partition("-")[2]
    if key.kind == "section":
        return [section.slug for section in paper.sections].index(part)
    return int(part) if key.kind == "page" else 0


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
            registry.register_all(db, paper.slug, [s.slug for s in paper.sections], counter)
        newest = issues.newest(db, paper.slug)
        behind = registry.behind(db, paper.slug)
        months = registry.unsealed(db, paper.slug, f"{newest.date:%Y-%m}") if newest else ()
    if newest is None:
        return []
    _seal(services, paper, months)
    with services.public.edition(paper.slug) as edition:
        empty = _write(services, paper, behind, newest, edition)
    if edition.written:
        log.info("%s: published %d files", paper.slug, len(edition.written))
    with store.writing(services.db) as db:
        registry.mark_published(db, paper.slug, behind)
        for name in empty:
            registry.forget(db, paper.slug, name)
        issues.mark_published(db, paper.slug, counter, _made_of(services, paper))
        websub.announce(
            db, _topics(services, paper, behind), services.now(), hub=services.settings.websub_hub
        )
        if months:
            renderings.prune(db, paper.slug, newest.date - _PRUNED_AFTER)
    return [_archived(one, form) for one in months for form in feeds.FORMS]


def _topics(services: Services, paper: Publication, behind: Sequence[StoredFeed]) -> list[str]:
    """The addresses of these feeds. Not only of those whose bytes are new: a run cut short may have written them."""
    names = [f"{quote(feed.name)}.{form}" for feed in behind for form in feeds.FORMS]
    return [f"{services.settings.base_url}/{paper.slug}/feeds/{name}" for name in names]


def _write(
    services: Services,
    paper: Publication,
    behind: Sequence[StoredFeed],
    newest: StoredIssue,
    edition: Edition,
) -> list[str]:
    """Put every feed that is behind into the edition; gives the names of those that hold nothing any more."""
    windows = _windows(services, paper, behind, newest)
    empty = [feed.name for feed in behind if feed.name not in {one.key.name for one in windows}]
    for name in empty:
        for form in feeds.FORMS:
            edition.drop(f"feeds/{name}.{form}")
    pieces = _pieces(services, windows)
    for one in windows:
        _write_feed(services, paper, one, pieces, edition)
    with store.reading(services.db) as db:
        keys = [key for key in feed_keys(db, paper) if key.name not in empty]
    edition.put("feeds.opml", opml.written(paper, keys, services.settings.base_url))
    edition.put(f"feeds/{feeds.STYLE}", _style())
    return empty


def _write_feed(
    services: Services, paper: Publication, one: Window, pieces: Mapping[Told, Pieces], edition: Edition
) -> None:
    made = _feed(services, paper, one.key, one.updated, before=one.before, tombstones=one.tombstones)
    items_of = (
        zip(*(pieces[told] for told in one.told), strict=True) if one.told else ((),) * len(feeds.FORMS)
    )
    for form, fragments in zip(feeds.FORMS, items_of, strict=True):
        body = feeds.joined(feeds.frame(made, form), fragments, form)
        edition.put(f"feeds/{one.key.name}.{form}", b"".join(body))


def _stays(key: FeedKey) -> bool:
    """A feed that readers may know although nothing is in it."""
    return key.kind in ("all", "issues", "corrections", "section")


def _windows(
    services: Services, paper: Publication, behind: Sequence[StoredFeed], newest: StoredIssue
) -> list[Window]:
    """The feeds that hold something, or that stay although they do not, each with its items rendered."""
    since = datetime.combine(newest.date, time.min, UTC) - timedelta(days=services.settings.feed_days)
    keys = {key.name: key for feed in behind if (key := feed_key(paper, feed))}
    with store.reading(services.db) as db:
        before = registry.month_before(db, paper.slug, f"{newest.date:%Y-%m}", keys)
        printed = issues.latest(db, paper.slug, ISSUES_IN_FEED) if "issues" in keys else ()
        listed = {
            name: entries.in_feed(db, paper.slug, name, since=since, least=services.settings.feed_entries)
            for name in keys
            if name != "issues"
        }
    measures = items.of_entries(services, paper, {one for some in listed.values() for one in some})
    measures |= items.of_issues(services, paper, printed)
    listed["issues"] = _listed(printed, paper)
    return [
        Window(
            key,
            _told(listed[name], measures),
            _changed(listed[name]) or newest.added,
            before.get(name),
            _tombstones(listed[name]),
        )
        for name, key in keys.items()
        if listed[name] or _stays(key)
    ]


def _listed(found: Iterable[StoredIssue], paper: Publication) -> tuple[Listed, ...]:
    """Issues as the items of a feed."""
    return tuple(Listed(articles.issue_id(one, paper), 0, one.updated, None) for one in found)


def _changed(listed: Sequence[Listed]) -> datetime | None:
    """When the last of these did."""
    return max((max(one.updated, one.withdrawn or one.updated) for one in listed), default=None)


def _tombstones(listed: Sequence[Listed]) -> tuple[tuple[str, datetime], ...]:
    return tuple((one.id, one.withdrawn) for one in listed if one.withdrawn)


def _told(listed: Sequence[Listed], measures: Mapping[str, Measure]) -> tuple[Told, ...]:
    gap = len(feeds.separator("json", first=False))
    found = [measures[one.id] for one in listed]
    sizes = [(one.size + gap, one.brief_size + gap) for one in found]
    shown = window.shown(sizes, window.LARGEST - _FRAME - _TOMBSTONE * len(_tombstones(listed)))
    ids = (one.id for one in listed)
    return tuple(Told(id_, how, measures[id_].made_of) for id_, how in zip(ids, shown, strict=False))


Pieces = tuple[bytes, ...]
"""An item in each of feeds.FORMS."""


def _pieces(services: Services, windows: Iterable[Window]) -> dict[Told, Pieces]:
    """Every item that some feed shows: from the shelf, else from the store, once."""
    wanted = {told for one in windows for told in one.told}
    found = {told: pieces for told in wanted if (pieces := services.shelf.find(told))}
    lacking = sorted(wanted - found.keys())
    with store.reading(services.db) as db:
        for how in Shown:
            keys = {told.item: told for told in lacking if told.shown is how}
            by_form = [renderings.pieces(db, form, how.value, list(keys)) for form in feeds.FORMS]
            for id_, told in keys.items():
                found[told] = pieces = tuple(of_form[id_] for of_form in by_form)
                services.shelf.put(told, pieces, sum(map(len, pieces)))
    return found


def _feed(
    services: Services,
    paper: Publication,
    key: FeedKey,
    updated: datetime,
    *,
    before: str | None,
    month: str | None = None,
    tombstones: tuple[tuple[str, datetime], ...] = (),
) -> Feed:
    return Feed(
        paper,
        key,
        services.settings.base_url,
        (),
        updated,
        month=month,
        before=before,
        hub=services.settings.hub_url,
        tombstones=tombstones,
    )


@cache
def _style() -> bytes:
    return _STYLE.read_bytes()


# ── the archive ──────────────────────────────────────────────────────────────────────────


def _seal(services: Services, paper: Publication, months: Sequence[StoredMonth]) -> None:
    """Write the archive pages of months that are over (RFC 5005 §4); month by month, so that memory stays flat."""
    for month in sorted({one.month for one in months}):
        done = [one for one in months if one.month == month]
        for one in done:
            _seal_one(services, paper, one)
        with store.writing(services.db) as db:
            registry.mark_sealed(db, paper.slug, done)
        log.info("%s: archived %s, %d feeds", paper.slug, month, len(done))


def _seal_one(services: Services, paper: Publication, one: StoredMonth) -> None:
    with store.reading(services.db) as db:
        titles = {feed.name: feed for feed in registry.of_paper(db, paper.slug)}
        before = registry.month_before(db, paper.slug, one.month, [one.name]).get(one.name)
        printed = _issues_of_month(db, paper, one.month) if one.name == "issues" else ()
        listed = _listed(printed, paper) or entries.in_month(db, paper.slug, one.name, one.month)
    key = feed_key(paper, titles.get(one.name, StoredFeed(one.name, "", 0)))
    changed = _changed(listed)
    if key is None or changed is None:
        return
    if printed:
        items.of_issues(services, paper, printed)
    else:
        items.of_entries(services, paper, listed)
    gone = _tombstones(listed)
    feed = _feed(services, paper, key, changed, before=before, month=one.month, tombstones=gone)
    for form in feeds.FORMS:
        with store.reading(services.db) as db:
            pieces = renderings.pieces(db, form, Shown.WHOLE.value, [entry.id for entry in listed])
        body = feeds.joined(feeds.frame(feed, form), [pieces[entry.id] for entry in listed], form)
        services.public.keep(paper.slug, _archived(one, form), b"".join(body))


def _archived(one: StoredMonth, form: str) -> str:
    return f"feeds/archive/{one.name}-{one.month}.{form}"


def _issues_of_month(db: Connection, paper: Publication, month: str) -> tuple[StoredIssue, ...]:
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=32)).replace(day=1)
    return tuple(reversed(issues.between(db, paper.slug, first, following - timedelta(days=1))))
