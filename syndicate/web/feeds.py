"""The page that says which feeds there are, and where a feed went; feeds themselves: published.py."""

from __future__ import annotations

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

COPYING_POLICY = f"{answers.POLICY}; script-src 'self'"
"""The only page with a script; without it all is there but the buttons."""


@dataclass(frozen=True, slots=True)
class FeedGroup:
    """Feeds of one kind, as the directory shows them."""

    kind: str
    keys: tuple[FeedKey, ...]


def moved(visit: Visit, paper: Publication, name: str) -> Response:  # noqa: ARG001  # as every view
    """A feed of a section that was renamed, for good (RFC 9110 §15.4.2)."""
    stem, dot, form = name.rpartition(".")
    for section in paper.sections:
        for slug in section.formerly:
            if dot and stem == f"section-{slug}":
                return _for_good(f"/{paper.slug}/feeds/section-{section.slug}.{quote(form)}")
    raise NotFound


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
)


def _for_good(address: str) -> Response:
    answer = Response(status=301)
    answer.headers["Location"] = address
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer
