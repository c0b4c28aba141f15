"""Articles such as no paper prints, but a splitter may find: endless headlines, emoji, tables, no text at all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from syndicate.model import Article, Byline, Entry, Kind, Part, Publication, Section, StoredIssue

DAY = date(2026, 11, 16)
MOMENT = datetime(2026, 11, 16, 1, 30, tzinfo=UTC)
PAPER = Publication(
    slug="qinglan",
    title="青岚日报",
    host="qinglan.example",
    sections=(Section("yaowen", "要闻"), Section("zonghe", "综合")),
)
ISSUE = StoredIssue(
    "qinglan", DAY, 4711, "星期一", None, 8, None, ((1, "要闻"),), (), added=MOMENT, updated=MOMENT
)

_HAN = "青溪二桥今起试通车两岸乡亲等了三十年县里召开秋冬水利工作会议部署清淤加固和灌区改造橘农采摘分级装箱合作社冷链"
_MARKS = "，。；：！？、“”（）《》—…·"
_LATIN = (
    "AI",
    "5G",
    "Qinglan",
    "e-commerce",
    "CO2",
    "12345",
    "1.2",
    "https://example.org/a?b=c&d=e",
    "x" * 90,
)
_ODD = (
    "👨‍👩‍👧‍👦", "🎉", "🇨🇳", "👍🏽", "❤️", "\u200d", "\u202e", "\u0301" * 9, "ﷺ", "กำ", "नमस्ते", "한국어", "𠮷", "𰻞", "\ud800",
    "\x00", "\x07", "\ufeff", "<@all>", '<at user_id="all">', "[链接](https://evil.example)", "**", "`", "~~", "# ", "> ",
    "|---|---|", "<script>alert(1)</script>", "&amp;", "\\", "\t", "\n", "\u2028", "=?utf-8?q?x?=", "%s%n", "{{7*7}}",
)  # fmt: skip


def articles(count: int, seed: int = 2026) -> Iterator[Entry]:
    """So many articles, the same for the same seed."""
    chance = random.Random(seed)
    for n in range(1, count + 1):
        yield _entry(_article(chance), n, chance)


def _entry(article: Article, n: int, chance: random.Random) -> Entry:
    moment = MOMENT + timedelta(seconds=n)
    page = chance.randint(1, 8)
    section = chance.choice(("yaowen", "zonghe"))
    id_ = f"tag:qinglan.example,2026-11-16:qinglan/{page}/{n}"
    placed = replace(article, page=page, section=section)
    return Entry(id_, "qinglan", DAY, page, n, section, placed, "", published=moment, updated=moment)


def _article(chance: random.Random) -> Article:
    kind = chance.randrange(8)
    if kind == 0:  # nothing but that it is there
        return Article(headline=None, kind=Kind.PHOTO)
    if kind == 1:  # a photo
        return Article(
            None, captions=(_text(chance, 60),), byline=Byline(photographers=("江照",)), kind=Kind.PHOTO
        )
    if kind == 2:  # a table
        rows = tuple(
            " ".join(str(chance.randrange(10**6)) for _ in range(9)) for _ in range(chance.randrange(1, 90))
        )
        return Article(_text(chance, 30), paragraphs=rows)
    if kind == 3:  # an endless headline
        return Article(_text(chance, chance.choice((60, 200, 1500))), paragraphs=(_text(chance, 300),))
    if kind == 4:  # an endless text
        return Article(
            _text(chance, 20), paragraphs=tuple(_text(chance, 4000) for _ in range(chance.randrange(1, 9)))
        )
    if kind == 5:  # parts
        parts = tuple(
            Part(_text(chance, 20), None, _text(chance, 30), (_text(chance, 200),)) for _ in range(5)
        )
        return Article(_text(chance, 20), kicker=_text(chance, 90), parts=parts)
    names = tuple(_text(chance, chance.choice((3, 3, 40))) for _ in range(chance.randrange(6)))
    paragraphs = tuple(_text(chance, chance.randrange(400)) for _ in range(chance.randrange(8)))
    return Article(
        _text(chance, chance.randrange(1, 40)),
        kicker=_text(chance, 30) if chance.random() < 0.3 else None,
        subheads=(_text(chance, 40),),
        byline=Byline(reporters=names, raw=" ".join(names)),
        paragraphs=paragraphs,
    )


def _text(chance: random.Random, length: int) -> str:
    """Chinese, mostly; what is odd comes in some texts only, and then often."""
    odd = chance.choice((0.0, 0.0, 0.02, 0.5))
    made: list[str] = []
    size = 0
    while size < length:
        roll = chance.random()
        if roll < odd:
            piece = chance.choice(_ODD)
        elif roll < odd + 0.05:
            piece = f" {chance.choice(_LATIN)} "
        elif roll < odd + 0.15:
            piece = chance.choice(_MARKS)
        else:
            piece = chance.choice(_HAN)
        made.append(piece)
        size += len(piece)
    return "".join(made)[: max(length, 1)]
