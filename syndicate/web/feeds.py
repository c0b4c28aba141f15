"""Feeds as they lie ready in the public folder, and the page that says which there are."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response
from werkzeug.exceptions import NotFound

from syndicate import store
from syndicate.deliver.public import PublishedFile
from syndicate.jobs import publish
from syndicate.model import FeedKey, Publication
from syndicate.store import issues
from syndicate.web import answers
from syndicate.web.addresses import GET, Route
from syndicate.web.visit import Visit


@dataclass(frozen=True, slots=True)
class FeedGroup:
    """Feeds of one kind, as the directory shows them."""

    kind: str
    keys: tuple[FeedKey, ...]


def feed(visit: Visit, paper: Publication, name: str) -> Response:
    """One feed in one format."""
    return answers.file(_found(visit, paper, f"feeds/{name}"))


def opml(visit: Visit, paper: Publication) -> Response:
    """Every feed of the paper in one file, for readers to take in."""
    answer = answers.file(_found(visit, paper, "feeds.opml"))
    answer.headers["Content-Disposition"] = f'inline; filename="{paper.slug}.opml"'
    return answer


def directory(visit: Visit, paper: Publication) -> Response:
    """Which feeds there are, what they are, and their addresses."""
    with store.reading(visit.services.db) as db:
        keys = publish.feed_keys(db, paper)
        changed = issues.changed(db, paper.slug)
    kinds = dict.fromkeys(key.kind for key in keys)
    return answers.page(
        visit,
        "feeds.html",
        paper=paper,
        changed=[changed],
        groups=[FeedGroup(kind, tuple(k for k in keys if k.kind == kind)) for kind in kinds],
    )


ROUTES: tuple[Route, ...] = (
    ("/<paper:paper>/feeds/", GET, directory),
    ("/<paper:paper>/feeds/<file:name>", GET, feed),
    ("/<paper:paper>/feeds.opml", GET, opml),
)


def _found(visit: Visit, paper: Publication, name: str) -> PublishedFile:
    published = visit.services.public.find(paper.slug, name)
    if published is None:
        raise NotFound
    return published
