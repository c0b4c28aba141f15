"""Digests of every kind: what the tests of mail write and read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from syndicate.model import (
    Article,
    Byline,
    Correction,
    Digest,
    DigestSection,
    Envelope,
    Picture,
    Rhythm,
    Section,
)
from tests.render import hostile, paper
from tests.render.test_articles import everywhere

LEAVE = "https://news.example/qinglan/leave/" + "Ab3-_." * 30  # long, as signed tokens are
MANAGE = "https://news.example/qinglan/mine/" + "Cd4-_." * 12
ENVELOPE = Envelope(
    "reader@example.org",
    "syndicate@news.example",
    "<d1.x@qinglan.example>",
    LEAVE,
    paper.PRINTED,
    MANAGE,
    "leave-Ef5@news.example",
)

COVER = Picture("https://news.example/qinglan/books/2026-11-16.png", "11月16日头版", 1200, 1600)
CARD = Picture("https://news.example/qinglan/cards/2026-11-16/1-1-wide.png?v=1&w=2", "", 1068, 455)
CORRECTED = Correction(
    "沙洲段堤防加固提前完工",
    "/qinglan/2026-11-13/1/2",
    paper.DAY - timedelta(days=3),
    paper.PRINTED,
    "“提前二十六天”误作“提前三十六天”。",
)
WITHDRAWN = Correction(
    "柿子红了 小院亮了", "/qinglan/2026-11-13/2/4", paper.DAY - timedelta(days=3), paper.PRINTED
)


def full(language: str = "zh-CN", rhythm: Rhythm = Rhythm.ISSUE) -> Digest:
    """Stories, pictures, a correction and a withdrawal."""
    made = paper.digest(language, rhythm)
    sections = (made.sections[0], replace(made.sections[1], picture=CARD), *made.sections[2:])
    return replace(made, sections=sections, cover=COVER, corrected=(CORRECTED,), withdrawn=(WITHDRAWN,))


def corrections(language: str = "zh-CN") -> Digest:
    """Only what was put right."""
    return replace(full(language, Rhythm.CORRECTIONS), issues=(), sections=(), cover=None)


def long(entries: int, sections: int = 3) -> Digest:
    """So many entries in so many sections."""
    article = Article(
        "一条不短的标题写满十四个字",
        kicker="引题也有这么长",
        byline=Byline(("何晓楠",)),
        paragraphs=("导语说得很细。" * 17,),
    )
    chosen = tuple(paper.entry(article, n) for n in range(1, entries + 1))
    made = tuple(DigestSection(Section(f"s{n}", f"栏目{n}"), chosen[n::sections]) for n in range(sections))
    return replace(paper.digest(), sections=made)


def saying(text: str) -> Digest:
    """That text wherever a text may stand."""
    publication = replace(paper.PAPER, title=text, title_en=text, publisher=text)
    section = DigestSection(
        Section("yaowen", text, text), (paper.entry(everywhere(text), 1),), replace(CARD, alt=text)
    )
    wrong = replace(CORRECTED, headline=text, what=text)
    return replace(
        full(),
        publication=publication,
        issues=(replace(paper.ISSUE, lunar_date=text),),
        sections=(section,),
        corrected=(wrong,),
        withdrawn=(wrong,),
    )


def hard() -> Iterator[Digest]:
    """The huge, the tiny and the hostile."""
    yield long(2000)
    yield replace(paper.digest(), issues=(), sections=())
    yield from (saying(text) for text in (*hostile.OWN, "永" * 10_000, "W" * 10_000))
