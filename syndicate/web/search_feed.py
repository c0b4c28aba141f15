"""What a search will find, as a feed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from flask import Response
from werkzeug.exceptions import NotFound

from syndicate import store
from syndicate.deliver import websub
from syndicate.deliver.public import TYPES
from syndicate.model import Feed, FeedKey, Publication, address_part
from syndicate.render import articles, feeds, window
from syndicate.render.window import Shown
from syndicate.store import issues, search
from syndicate.web import answers, freshness
from syndicate.web.addresses import GET, Route
from syndicate.web.published import XML
from syndicate.web.search import LONGEST, MOST_NAMES
from syndicate.web.visit import Visit

_ROOM = (
    window.LARGEST * 3 // 4
)  # bytes of items: what a feed says of itself, and what stands between, needs less
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a search feed is asked for."""

    words: str
    sections: tuple[str, ...]
    bylines: tuple[str, ...]  # as in addresses
    names: tuple[str, ...]  # the same as they were typed

    @classmethod
    def of(cls, visit: Visit, paper: Publication) -> Asked:
        """What the address says. Raises NotFound for no words, and for a section that the paper never had.

        A filter that nobody understands must not bring the whole paper instead.
        """
        said = visit.request.args
        words = articles.line(said.get("q"))[:LONGEST]
        found = [paper.section(slug) or paper.renamed(slug) for slug in filter(None, said.getlist("section"))]
        names = tuple(filter(None, (articles.line(name)[:LONGEST] for name in said.getlist("byline"))))
        if not words or None in found:
            raise NotFound
        sections = tuple(dict.fromkeys(section.slug for section in found if section))
        names = names[:MOST_NAMES]
        return cls(words, sections, tuple(map(address_part, names)), names)

    def feed(self, paper: Publication, base_url: str = "") -> Feed:
        """The feed, still without items."""
        asked = [
            ("q", self.words),
            *(("section", s) for s in self.sections),
            *(("byline", b) for b in self.bylines),
        ]
        titles = [section.title for slug in self.sections if (section := paper.section(slug))]
        name = " · ".join((self.words, *titles, *self.names))
        return Feed(paper, FeedKey("search", "search", name), base_url, (), _EPOCH, query=urlencode(asked))


def feed(visit: Visit, paper: Publication, form: str) -> Response:
    """What a search finds, as a feed; sections and bylines may be given several times, and any of them will do.

    Rendered when asked, once for each change of the paper: nobody can write down in advance what somebody will look for.
    """
    asked = Asked.of(visit, paper)
    with store.reading(visit.services.db) as db:
        counter = issues.counters(db).get(paper.slug)
        changed = issues.changed(db, paper.slug) or visit.services.now()
        newest = issues.newest(db, paper.slug)
    key = ("search", paper, counter, form, asked)
    (body,) = visit.services.shelf.find(key) or (_written(visit, paper, form, asked, changed),)
    visit.services.shelf.put(key, (body,), len(body))
    browsing = form in ("rss", "atom") and "text/html" in visit.request.headers.get("Accept", "")
    answer = Response(body, content_type=XML if browsing else TYPES[f".{form}"])
    answers.mark(answer, ())
    answer.headers["Cache-Control"] = freshness.cache_control(
        paper, newest.date if newest else None, visit.services.now()
    )
    answer.headers["Vary"] = "Accept"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Link"] = websub.links(
        None, visit.services.settings.base_url + asked.feed(paper).path(form)
    )
    return answer


def _written(visit: Visit, paper: Publication, form: str, asked: Asked, changed: datetime) -> bytes:
    """The feed of a search, no longer than any other."""
    with store.reading(visit.services.db) as db:
        found = search.find(
            db,
            paper.slug,
            asked.words,
            sections=asked.sections,
            bylines=asked.bylines,
            limit=visit.services.settings.feed_entries,
        )
    base = visit.services.settings.base_url
    both = [feeds.both(articles.item(entry, paper, base), form) for entry in found]
    shown = window.shown([(len(whole), len(brief)) for whole, brief in both], _ROOM, len(both))
    pieces = [w if how is Shown.WHOLE else b for (w, b), how in zip(both, shown, strict=False)]
    made = replace(asked.feed(paper, base), updated=max((e.updated for e in found), default=changed))
    return b"".join(feeds.joined(feeds.frame(made, form), pieces, form))


ROUTES: tuple[Route, ...] = (("/<paper:paper>/feeds/search.<any(rss,atom,json):form>", GET, feed),)
