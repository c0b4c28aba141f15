"""Feeds become files: every paper whose entries changed is rendered anew and replaced at once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection

from syndicate import store
from syndicate.jobs.alone import alone
from syndicate.model import Feed, FeedKey, Item, Publication
from syndicate.render import articles, feeds
from syndicate.services import Services
from syndicate.store import entries, issues

log = logging.getLogger(__name__)

ISSUES_IN_FEED = 60  # one item an issue: three months of a paper that appears five times a week


def run(services: Services) -> None:
    """Publish every paper that changed since it was last published."""
    with alone(services.settings.data / "publish.lock", wait=True):
        with store.reading(services.db) as db:
            due = issues.due_for_publishing(db)
        for slug, counter in due:
            if paper := services.settings.publication(slug):
                _publish(services, paper, counter)


def _publish(services: Services, paper: Publication, counter: int) -> None:
    """Write all feeds of one paper, then remember up to which change.

    Killed in between, the next run writes the same bytes again, that is: nothing.
    """
    with store.reading(services.db) as db:
        made = files(db, services, paper)
    if services.public.publish(paper.slug, made):
        log.info("%s: published %d files", paper.slug, len(made))
    with store.writing(services.db) as db:
        issues.mark_published(db, paper.slug, counter)


def files(db: Connection, services: Services, paper: Publication) -> dict[str, bytes]:
    """Every public file of a paper by its name: all feeds in three formats, and the list of them."""
    made = {name: body for feed in every_feed(db, services, paper) for name, body in _forms(feed)}
    made["feeds.opml"] = feeds.opml(paper, feed_keys(db, paper), services.settings.base_url)
    return made


def feed_keys(db: Connection, paper: Publication) -> tuple[FeedKey, ...]:
    """Every feed a paper has: all, issues, each section, each series, each byline."""
    return (
        FeedKey("all", "all", "全部文章"),
        FeedKey("issues", "issues", "每期一条"),
        *(FeedKey("section", f"section-{s.slug}", s.title) for s in paper.sections),
        *(FeedKey("series", f"series-{part}", name) for part, name in entries.series(db, paper.slug)),
        *(FeedKey("byline", f"byline-{part}", name) for part, name in entries.bylines(db, paper.slug)),
    )


def every_feed(db: Connection, services: Services, paper: Publication) -> Iterator[Feed]:
    """All feeds of a paper as they should now be."""
    newest = issues.newest(db, paper.slug)
    if newest is None:
        return
    since = datetime.combine(newest.date, time.min, UTC) - timedelta(days=services.settings.feed_days)
    for key in feed_keys(db, paper):
        if key.kind == "issues":
            items = _issue_items(db, services, paper)
        else:
            items = _entry_items(db, services, paper, key, since)
        yield Feed(paper, key, services.settings.base_url, items, _updated(items, newest.added))


def _entry_items(
    db: Connection, services: Services, paper: Publication, key: FeedKey, since: datetime
) -> tuple[Item, ...]:
    name = key.name.removeprefix(f"{key.kind}-")
    found = entries.latest(
        db,
        paper.slug,
        limit=services.settings.feed_entries,
        since=since,
        section=name if key.kind == "section" else None,
        byline=name if key.kind == "byline" else None,
        series=name if key.kind == "series" else None,
    )
    return tuple(articles.item(entry, paper, services.settings.base_url) for entry in found)


def _issue_items(db: Connection, services: Services, paper: Publication) -> tuple[Item, ...]:
    return tuple(
        articles.issue_item(
            issue, entries.of_issue(db, paper.slug, issue.date), paper, services.settings.base_url
        )
        for issue in issues.latest(db, paper.slug, ISSUES_IN_FEED)
    )


def _updated(items: tuple[Item, ...], otherwise: datetime) -> datetime:
    return max((item.updated for item in items), default=otherwise)


def _forms(feed: Feed) -> Iterator[tuple[str, bytes]]:
    for form, write in (("rss", feeds.rss), ("atom", feeds.atom), ("json", feeds.json)):
        yield f"feeds/{feed.key.name}.{form}", write(feed)
