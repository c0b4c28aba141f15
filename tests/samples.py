"""Small values to test with: a paper, an issue, articles; say only what the test is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine

from syndicate import store
from syndicate.model import (
    Article,
    Byline,
    Choice,
    Entry,
    Issue,
    Kind,
    Masthead,
    PrintedPage,
    Publication,
    Revision,
    Rhythm,
    Section,
    Source,
    Span,
    Subscription,
    Wish,
)
from syndicate.revise import revise
from syndicate.store import entries, issues, subscriptions

DAY = date(2026, 11, 16)  # a Monday
NOW = datetime(2026, 11, 16, 1, 30, tzinfo=UTC)  # half past nine in the paper's town, printed since six
MINUTE = timedelta(minutes=1)

PAPER = Publication(
    slug="qinglan",
    title="青岚日报",
    title_en="Qinglan Daily",
    host="qinglan.example",
    sections=(
        Section("yaowen", "要闻", "News", pages=(1,), formerly=("toutiao",)),
        Section("zonghe", "综合", "General"),
    ),
)

LEADS = (
    "昨天上午，县里召开秋冬水利工作会议，部署清淤、加固和灌区改造，要求月底前全部开工。",
    "连日来，白鹭镇的橘农忙着采摘分级装箱，合作社的冷链车每天发往邻省三个城市。",
    "县图书馆新馆本周试开放，少儿阅览区设在一楼，借书证可以凭身份证当场办理。",
    "受冷空气影响，明后两天有小到中雨，最低气温降到五度，请注意添衣和行车安全。",
    "青岚中学的机器人社团在省赛中拿下两个一等奖，四名队员都是第一次参加比赛。",
    "老街改造二期完工，三十二户居民搬回修缮一新的木楼，临街店铺下月起陆续开张。",
)
"""Six texts that have nothing in common."""


def article(n: int = 1, **said: object) -> Article:
    """The n-th of some articles that differ in every word; `said` replaces its fields."""
    lead = LEADS[(n - 1) % len(LEADS)]
    values = {
        "headline": f"第{n}号消息：{lead[:9]}",
        "paragraphs": (f"{lead}（{n}）",),
        "page_title": "要闻",
        "section": "yaowen",
        "spans": {"headline": ((Span(0, n, n + 9),),)},
    }
    return Article(**(values | said))  # type: ignore[arg-type]  # the test knows the fields


def photo(n: int = 1, **said: object) -> Article:
    """A photo: nothing but a caption and who took it."""
    values = {
        "headline": None,
        "paragraphs": (),
        "captions": (LEADS[(n - 1) % len(LEADS)][:20],),
        "byline": Byline(photographers=("江照",)),
        "kind": Kind.PHOTO,
    }
    return article(n, **(values | said))


def issue(
    *articles: Article, day: date | None = DAY, number: int | None = 4711, warnings: Sequence[str] = ()
) -> Issue:
    """An issue of these articles (or of three), with the pages they stand on."""
    articles = articles or (article(1), article(2), article(3, page=2, page_title="综合", section="zonghe"))
    titles = {a.page: a.page_title for a in articles}
    return Issue(
        masthead=Masthead(publication=PAPER.title, date=day, weekday="星期一", number=number),
        pages=tuple(PrintedPage(page, titles[page], ()) for page in sorted(titles)),
        articles=articles,
        warnings=tuple(warnings),
    )


def sources(of: Issue) -> tuple[Source, ...]:
    """A text for each page of an issue."""
    return tuple(
        Source(
            f"p{page.number}",
            "\n".join(f"{a.headline}\n{''.join(a.paragraphs)}" for a in of.articles if a.page == page.number),
            page.number,
        )
        for page in of.pages
    )


def printed(
    *articles: Article, known: Sequence[Entry] = (), now: datetime = NOW, paper: Publication = PAPER
) -> tuple[Entry, ...]:
    """The entries that an issue of these articles makes, without a database; withdrawn ones last."""
    return entries_after(revise(paper, issue(*articles), known, now), known)


def entries_after(revision: Revision, known: Sequence[Entry] = ()) -> tuple[Entry, ...]:
    """Every entry there is once a revision is written, tombstones too, in the order of their addresses."""
    ledger = {entry.id: entry for entry in known}
    for entry in (
        *(new.entry for new in revision.new),
        *(change.after for change in revision.changed),
        *revision.withdrawn,
    ):
        ledger[entry.id] = entry
    return tuple(sorted(ledger.values(), key=lambda e: (e.page, e.n)))


def ingest(engine: Engine, of: Issue, *, now: datetime = NOW, paper: Publication = PAPER) -> Revision:
    """Store an issue as the ingest job does; what it changed."""
    day = of.masthead.date
    assert day is not None
    with store.writing(engine) as db:
        known = entries.of_issue(db, paper.slug, day, withdrawn=True)
        revision = revise(paper, of, known, now)
        issues.save(db, paper, of, sources(of), revision, now)
    return revision


def subscribe(
    engine: Engine,
    address: str = "reader@example.org",
    *,
    sections: Sequence[str] = (),
    rhythm: Rhythm = Rhythm.ISSUE,
    language: str = "zh-CN",
    confirmed: bool = True,
    now: datetime = NOW,
) -> Subscription:
    """A subscription to the paper, confirmed unless said otherwise."""
    with store.writing(engine) as db:
        asked = subscriptions.sign_up(
            db, PAPER, address, Wish(Choice(tuple(sections)), rhythm, language), now
        )
        return (confirmed and subscriptions.confirm(db, asked.id, now)) or asked
