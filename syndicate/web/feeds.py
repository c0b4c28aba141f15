"""The page that says which feeds there are, and where a feed went; feeds themselves: published.py."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from flask import Response
from werkzeug.exceptions import NotFound

from syndicate import store
from syndicate.jobs import feed_keys
from syndicate.model import FeedKey, Publication
from syndicate.store import issues
from syndicate.web import answers
from syndicate.web.addresses import GET, Route
from syndicate.web.visit import Visit

_MOVED = r"(archive/)?(.+?)(-\d{4}-\d\d)?(-\d\d)?\.(rss|atom|json)"
COPYING_POLICY = f"{answers.POLICY}; script-src 'self'"
"""The only page with a script; without it all is there but the buttons."""


@dataclass(frozen=True, slots=True)
class FeedGroup:
    """Feeds of one kind, as the directory shows them."""

    kind: str
    keys: tuple[FeedKey, ...]


def moved(visit: Visit, paper: Publication, name: str) -> Response:
    """Where a feed or a page of its archive went, for good (RFC 9110 §15.4.2).

    A section may have been renamed; a day's page gives way to its month's.
    """
    found = re.fullmatch(_MOVED, name)
    if found is None:
        raise NotFound
    archive, feed, month, day, form = found.groups(default="")
    section = paper.renamed(feed.removeprefix("section-")) if feed.startswith("section-") else None
    there = f"{archive}{f'section-{section.slug}' if section else feed}{month}.{form}"
    if not (section or day) or visit.services.public.find(paper.slug, f"feeds/{there}") is None:
        raise NotFound
    return answers.for_good(f"/{paper.slug}/feeds/{quote(there)}")


def archive_moved(visit: Visit, paper: Publication, name: str) -> Response:
    """Where a page of a feed's archive went."""
    return moved(visit, paper, f"archive/{name}")


def directory(visit: Visit, paper: Publication) -> Response:
    """Which feeds there are, what they are, and their addresses."""
    with store.reading(visit.services.db) as db:
        keys = feed_keys.of_paper(db, paper)
        changed = issues.changed(db, paper.slug)
    kinds = dict.fromkeys(key.kind for key in keys)
    answer = answers.page(
        visit,
        "feeds.html",
        paper=paper,
        changed=[changed],
        groups=[FeedGroup(kind, tuple(k for k in keys if k.kind == kind)) for kind in kinds],
    )
    answer.headers["Content-Security-Policy"] = COPYING_POLICY
    return answer


ROUTES: tuple[Route, ...] = (
    ("/<paper:paper>/feeds/", GET, directory),
    ("/<paper:paper>/feeds/<file:name>", GET, moved),
    ("/<paper:paper>/feeds/archive/<file:name>", GET, archive_moved),
)
