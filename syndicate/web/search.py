"""The search page: a form, what was found, and where the words stand in it. Nothing of a query is kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from flask import Response
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from syndicate import store
from syndicate.deliver import websub
from syndicate.deliver.public import TYPES
from syndicate.model import Entry, Feed, FeedKey, Publication, address_part
from syndicate.render import articles, feeds, passages
from syndicate.render.templates import environment
from syndicate.store import issues, search
from syndicate.web import answers, freshness
from syndicate.web.addresses import GET, Route
from syndicate.web.visit import Visit

RESULTS_ON_A_PAGE = 20
LONGEST = 200  # characters of what may be asked for
MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What a visitor looks for."""

    words: str
    section: str  # its slug; empty: the whole paper
    byline: str  # a name, as it was typed
    page: int

    @classmethod
    def of(cls, visit: Visit, paper: Publication) -> Wish:
        """What the address says; what cannot be meant is left out."""
        said = visit.request.args
        section = said.get("section", "")
        page = said.get("page", "")
        return cls(
            words=articles.line(said.get("q"))[:LONGEST],
            section=section if paper.section(section) else "",
            byline=articles.line(said.get("byline"))[:LONGEST],
            page=int(page) if page.isascii() and page.isdecimal() and len(page) < 5 and int(page) else 1,
        )

    @property
    def query(self) -> dict[str, str]:
        """The same, as in an address, without the page."""
        asked = {"q": self.words, "section": self.section, "byline": self.byline}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, slots=True)
class Result:
    """An entry that was found, its words marked."""

    entry: Entry
    kicker: Markup
    headline: Markup
    passage: Markup


def results(visit: Visit, paper: Publication) -> Response:
    """The form, and what was found, newest first."""
    wish = Wish.of(visit, paper)
    start = (wish.page - 1) * RESULTS_ON_A_PAGE
    sections = (wish.section,) if wish.section else ()
    bylines = (address_part(wish.byline),) if wish.byline else ()
    with store.reading(visit.services.db) as db:
        total = search.count(db, paper.slug, wish.words, sections=sections, bylines=bylines)
        found = search.find(
            db,
            paper.slug,
            wish.words,
            sections=sections,
            bylines=bylines,
            limit=RESULTS_ON_A_PAGE,
            offset=start,
        )
        changed = issues.changed(db, paper.slug)
    return answers.page(
        visit,
        "search.html",
        paper=paper,
        changed=[changed],
        wish=wish,
        kept=wish.query,
        results=[_result(entry, wish.words) for entry in found],
        first=start + 1,
        total=total,
        feed=feed_path(paper, wish) if wish.words else None,
    )


def feed(visit: Visit, paper: Publication, form: str) -> Response:
    """What a search finds, as a feed; sections and bylines may be given several times, and any of them will do.

    Rendered when asked: nobody can write down in advance what somebody will look for.
    """
    said = visit.request.args
    words = articles.line(said.get("q"))[:LONGEST]
    sections = tuple(slug for slug in said.getlist("section") if paper.section(slug))
    bylines = tuple(address_part(name[:LONGEST]) for name in said.getlist("byline"))[:MOST_NAMES]
    if not words:
        raise NotFound
    with store.reading(visit.services.db) as db:
        found = search.find(
            db,
            paper.slug,
            words,
            sections=sections,
            bylines=bylines,
            limit=visit.services.settings.feed_entries,
        )
        changed = issues.changed(db, paper.slug) or visit.services.now()
    asked = [("q", words), *(("section", s) for s in sections), *(("byline", b) for b in bylines)]
    base = visit.services.settings.base_url
    made = Feed(
        paper,
        FeedKey("search", "search", words),
        base,
        tuple(articles.item(entry, paper, base) for entry in found),
        max((entry.updated for entry in found), default=changed),
        query=urlencode(asked),
    )
    answer = Response(feeds.written(made, form), content_type=TYPES[f".{form}"])
    answers.mark(answer, ())
    answer.headers["Cache-Control"] = freshness.cache_control(paper, changed, visit.services.now())
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Link"] = websub.links(None, base + made.path(form))
    return answer


def opensearch(visit: Visit, paper: Publication) -> Response:
    """The search, described for browsers and readers that have a search field (OpenSearch 1.1)."""
    template = environment(visit.language).get_template("web/opensearch.xml")
    answer = Response(
        template.render(visit=visit, paper=paper).encode(),
        content_type="application/opensearchdescription+xml; charset=utf-8",
    )
    answers.mark(answer, ())
    return answer


def feed_path(paper: Publication, wish: Wish) -> str:
    """The address of the feed that brings what this search will find."""
    return f"{FeedKey('search', 'search', wish.words).path(paper.slug, 'atom')}?{urlencode(wish.query)}"


ROUTES: tuple[Route, ...] = (
    ("/<paper:paper>/search", GET, results),
    ("/<paper:paper>/feeds/search.<any(rss,atom,json):form>", GET, feed),
    ("/<paper:paper>/opensearch.xml", GET, opensearch),
)


def _result(entry: Entry, words: str) -> Result:
    article = entry.article
    places = partial(search.places, words)
    kicker = article.kicker if article.headline else None
    shown = (
        passages.marked(kicker, places),
        passages.marked(articles.headline(article), places),
        passages.passage(article, places),
    )
    return Result(entry, *map(Markup, shown))
