"""The search page: a form, what was found, and where the words stand in it. Nothing of a query is kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from flask import Response
from markupsafe import Markup

from syndicate import store
from syndicate.model import Entry, FeedKey, Publication, address_part
from syndicate.render import articles, passages
from syndicate.render.templates import environment
from syndicate.store import issues, search
from syndicate.web import answers
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
