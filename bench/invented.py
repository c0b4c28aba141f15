"""An invented county paper, for figures that need many issues: eight pages, 80 articles an issue.

It has 60 feeds: for all, for each section and page, and for each reporter.
"""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta

from syndicate import store
from syndicate.model import Article, Byline, Issue, Masthead, PrintedPage, Publication, Section, Source
from syndicate.revise import revise
from syndicate.services import Services
from syndicate.settings import CHECKOUT
from syndicate.store import entries, issues

PAGES = 8
ARTICLES = 80
REPORTERS = 43
LENGTH = 1500  # Han characters of an article
PAPER = Publication(
    "bench",
    "丈量日报",
    host="bench.example",
    sections=tuple(Section(f"s{n}", f"版块{n}", pages=(n,)) for n in range(1, PAGES + 1)),
)


def _sentences() -> list[str]:
    """Sentences of invented newspapers: made-up characters pack, and are packed, unlike a newspaper's."""
    told = "".join(file.read_text() for file in sorted((CHECKOUT / "training").glob("[a-g]-*.txt")))
    return [f"{one}。" for one in re.sub(r"\s+", "", told).split("。") if 8 <= len(one) <= 120]


_SENTENCES = _sentences()


def fill(services: Services, first: date, count: int) -> None:
    """Take in so many issues, one a working day from the first on."""
    day = first
    for _ in range(count):
        while day.weekday() > 4:
            day += timedelta(days=1)
        take_in(services, day)
        day += timedelta(days=1)


def take_in(services: Services, day: date, articles: int = ARTICLES) -> None:
    """Take in the issue of a day."""
    chance = random.Random(day.toordinal())  # an invented paper, the same each time
    issue = Issue(
        Masthead("丈量日报", date=day),
        tuple(PrintedPage(n, None, ()) for n in range(1, PAGES + 1)),
        tuple(_article(chance, n) for n in range(articles)),
    )
    sources = tuple(Source(f"p{n}", "x", n) for n in range(1, PAGES + 1))
    now = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
    with store.writing(services.db) as db:
        known = entries.of_issue(db, PAPER.slug, day, withdrawn=True)
        issues.save(db, PAPER, issue, sources, revise(PAPER, issue, known, now), now)


def _article(chance: random.Random, n: int) -> Article:
    paragraphs = tuple("".join(chance.choices(_SENTENCES, k=4)) for _ in range(LENGTH // 160))
    by = Byline(reporters=(f"记者{n % REPORTERS}",))
    page, title = 1 + n % PAGES, chance.choice(_SENTENCES)[:16]
    return Article(title, byline=by, paragraphs=paragraphs, page=page, section=f"s{page}")
