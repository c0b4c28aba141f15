"""What has left a feed stands in its archive, and nothing stands there that was taken back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import unquote

import pytest
from lxml import etree

from syndicate import store
from syndicate.jobs import publish
from syndicate.model import Article, Byline, Issue, Masthead, PrintedPage, Publication, Section, Source
from syndicate.render.window import LARGEST
from syndicate.revise import revise
from syndicate.services import Services
from syndicate.store import entries, issues
from tests.jobs.conftest import Clock

ATOM = "{http://www.w3.org/2005/Atom}"
SECTIONS = (Section("yaowen", "要闻", pages=(1,)), Section("minsheng", "民生", pages=(2,)))
PAPER = Publication("dabao", "大报", host="dabao.example", sections=SECTIONS)
PAGES = 2
FIRST = date(2026, 10, 1)


@pytest.fixture
def large(services: Services, clock: Clock) -> Services:
    """A service whose only paper is a large one, in October."""
    clock.now = clock.now.replace(month=9, day=1)
    return replace(services, settings=replace(services.settings, publications=(PAPER,)))


def article(day: date, n: int, characters: int, byline: str = "林明") -> Article:
    chance = random.Random(day.toordinal() * 1000 + n)
    text = "".join(chr(0x4E00 + chance.randrange(2000)) for _ in range(characters))
    return Article(
        f"{day}之{n}：{text[:8]}",
        byline=Byline(reporters=(byline,)),
        paragraphs=(f"{text}。",),
        page=1 + n % PAGES,
    )


def take_in(services: Services, clock: Clock, day: date, printed: list[Article]) -> None:
    """Store an issue of these articles on its day, or later, and publish."""
    clock.now = max(
        clock.now + timedelta(minutes=5), clock.now.replace(year=day.year, month=day.month, day=day.day)
    )
    pages = tuple(PrintedPage(n, None, ()) for n in range(1, PAGES + 1))
    issue = Issue(Masthead("大报", date=day), pages, tuple(printed))
    sources = tuple(Source(f"p{n}", f"{day}{len(printed)}{clock.now}", n) for n in range(1, PAGES + 1))
    with store.writing(services.db) as db:
        known = entries.of_issue(db, PAPER.slug, day, withdrawn=True)
        issues.save(db, PAPER, issue, sources, revise(PAPER, issue, known, clock.now), clock.now)
    publish.run(services)


def live_for(services: Services, clock: Clock, days: int, count: int, characters: int = 900) -> list[date]:
    printed = [FIRST + timedelta(days=n) for n in range(days)]
    for day in printed:
        take_in(services, clock, day, [article(day, n, characters) for n in range(count)])
    return printed


def page(services: Services, name: str) -> etree._Element | None:
    found = services.public.find(PAPER.slug, name)
    return etree.fromstring(found.body) if found else None


def chain(services: Services, feed: str) -> Iterator[tuple[str, etree._Element]]:
    """A feed and every page that is linked from it, one from the other."""
    name: str | None = f"feeds/{feed}.atom"
    while name:
        root = page(services, name)
        assert root is not None, name
        yield name, root
        link = root.find(f"{ATOM}link[@rel='prev-archive']")
        name = unquote(link.get("href", "").partition(f"/{PAPER.slug}/")[2]) if link is not None else None


def told(root: etree._Element) -> list[str]:
    return [str(one.findtext(f"{ATOM}id")) for one in root.iterfind(f"{ATOM}entry")]


def whole(root: etree._Element) -> int:
    return len(root.findall(f"{ATOM}entry/{ATOM}content"))


def stored(services: Services, days: list[date]) -> set[str]:
    with store.reading(services.db) as db:
        return {entry.id for day in days for entry in entries.of_issue(db, PAPER.slug, day)}


@pytest.mark.parametrize("count", [20, 60])
def test_every_article_of_a_large_paper_is_in_the_feed_or_linked_from_it(
    large: Services, clock: Clock, count: int
) -> None:
    days = live_for(large, clock, 20, count)

    found = list(chain(large, "all"))

    (_, live), *pages = found
    assert pages
    assert whole(live) >= count
    assert {id_ for _, root in found for id_ in told(root)} == stored(large, days)
    for form in ("atom", "rss", "json"):
        file = large.public.find(PAPER.slug, f"feeds/all.{form}")
        assert file is not None
        assert len(file.body) <= LARGEST


def test_when_its_month_is_over_one_page_takes_the_place_of_the_days(large: Services, clock: Clock) -> None:
    october = live_for(large, clock, 20, 60)
    november = date(2026, 11, 2)

    take_in(large, clock, november, [article(november, n, 900) for n in range(60)])

    names = [name for name, _ in chain(large, "all")]
    assert names == ["feeds/all.atom", "feeds/archive/all-2026-10.atom"]
    (_, live), (_, month) = chain(large, "all")
    assert set(told(month)) == stored(large, october)
    assert set(told(live)) >= stored(large, [november])
    assert page(large, "feeds/archive/all-2026-10-15.atom") is None


def test_a_correction_reaches_the_page_of_a_day_that_was_let_go(large: Services, clock: Clock) -> None:
    days = live_for(large, clock, 20, 60)
    early = days[3]
    corrected = [article(early, n, 900) for n in range(60)]
    corrected[7] = replace(corrected[7], headline="更正后的标题是这样的")

    take_in(large, clock, early, corrected)

    root = page(large, f"feeds/archive/all-{early}.atom")
    assert root is not None
    titles = [one.findtext(f"{ATOM}title") for one in root.iterfind(f"{ATOM}entry")]
    assert "更正后的标题是这样的" in titles


def test_a_feed_that_lost_its_last_article_leaves_no_page_behind(large: Services, clock: Clock) -> None:
    september, october = date(2026, 9, 28), date(2026, 10, 9)
    take_in(large, clock, september, [article(september, n, 200, "误名") for n in range(4)])
    take_in(large, clock, october, [article(october, n, 200) for n in range(4)])
    assert page(large, "feeds/archive/byline-误名-2026-09.atom") is not None

    take_in(large, clock, september, [article(september, n, 200, "正名") for n in range(4)])
    publish.run(large)

    assert page(large, "feeds/byline-误名.atom") is None
    assert page(large, "feeds/archive/byline-误名-2026-09.atom") is None
    archive = large.public._root / PAPER.slug / "feeds" / "archive"
    assert [path.name for path in archive.iterdir() if "误名" in path.name] == []


def test_a_month_that_lost_its_articles_is_linked_no_more(large: Services, clock: Clock) -> None:
    september, october = date(2026, 9, 28), date(2026, 10, 9)
    for day in (september, october):
        take_in(large, clock, day, [article(day, n, 200, "误名") for n in range(4)])
    assert len(list(chain(large, "byline-误名"))) == 2

    take_in(large, clock, september, [article(september, n, 200, "正名") for n in range(4)])
    publish.run(large)

    assert [name for name, _ in chain(large, "byline-误名")] == ["feeds/byline-误名.atom"]
    assert page(large, "feeds/archive/byline-误名-2026-09.atom") is None


def test_an_issue_dated_years_ahead_seals_no_month(large: Services, clock: Clock) -> None:
    days = live_for(large, clock, 3, 4)
    ahead = date(2062, 10, 9)
    now = clock.now
    take_in(large, clock, ahead, [article(ahead, n, 200) for n in range(4)])
    clock.now = now
    with store.writing(large.db) as db:
        issues.count_change(db, PAPER.slug)

    publish.run(large)

    live = page(large, "feeds/all.atom")
    assert live is not None
    assert set(told(live)) == stored(large, [*days, ahead])
