"""Which feeds a paper has, what they are called, and in which order people look for them."""

from __future__ import annotations

from sqlalchemy import Connection

from syndicate.model import FeedKey, Publication
from syndicate.render import articles
from syndicate.store import feeds as registry
from syndicate.store.feeds import StoredFeed


def of_paper(db: Connection, paper: Publication) -> tuple[FeedKey, ...]:
    """Every feed a paper has, in the order in which people look for them."""
    known = {feed.name: feed for feed in registry.of_paper(db, paper.slug)}
    sections = {
        f"section-{section.slug}": StoredFeed(f"section-{section.slug}", "", 0) for section in paper.sections
    }
    always = {name: StoredFeed(name, "", 0) for name in registry.ALWAYS}
    found = [key for feed in (always | sections | known).values() if (key := key_of(paper, feed))]
    return tuple(sorted(found, key=lambda key: (_KINDS.index(key.kind), _place(paper, key), key.title)))


def key_of(paper: Publication, feed: StoredFeed) -> FeedKey | None:
    """A stored feed's key; None for a section that the paper has no more."""
    kind, _, part = feed.name.partition("-")
    if kind == "section":
        section = paper.section(part)
        return FeedKey(kind, feed.name, section.title) if section else None
    if kind == "page":
        return FeedKey(kind, feed.name, articles.page_name(int(part), None, paper.language))
    return FeedKey(kind, feed.name, feed.title or _TITLES.get(kind, part))


_KINDS = ("all", "issues", "corrections", "section", "page", "series", "byline")
_TITLES = {"all": "全部文章", "issues": "每期一条", "corrections": "更正与撤回"}


def _place(paper: Publication, key: FeedKey) -> int:
    part = key.name.partition("-")[2]
    if key.kind == "section":
        return [section.slug for section in paper.sections].index(part)
    return int(part) if key.kind == "page" else 0
