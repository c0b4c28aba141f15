"""A scripted month, polled by three readers in three formats: nothing twice, nothing lost, no wrong date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syndicate import store
from syndicate.deliver.mailer import MaildirMailer
from syndicate.deliver.public import PublicFolder
from syndicate.deliver.tokens import Tokens
from syndicate.jobs import ingest, publish
from syndicate.model import Article, Byline, Entry, Issue, Masthead, PrintedPage, Publication, Section
from syndicate.services import Services
from syndicate.settings import load
from syndicate.split import proof
from syndicate.store import entries
from syndicate.web import create_app
from tests.month.readers import FreshRSS, Miniflux, NetNewsWire, Reader

ZONE = ZoneInfo("Asia/Shanghai")
PAPER = Publication(
    "yuebao",
    "月历日报",
    host="yuebao.example",
    sections=(Section("toutiao", "头条", pages=(1,)), Section("qita", "其他")),
)
MOVED = replace(PAPER, sections=(Section("toutiao", "头条", pages=(1, 2)), Section("qita", "其他")))
RENAMED = replace(
    MOVED,
    sections=(Section("yaowen", "要闻", pages=(1, 2), formerly=("toutiao",)), Section("qita", "其他")),
)
FIRST, LAST = date(2026, 10, 12), date(2026, 11, 20)
ARTICLES = 6
FEEDS = ("all", "section-toutiao", "section-qita")
FORMS = ("rss", "atom", "json")
READERS = (Miniflux, FreshRSS, NetNewsWire)


class Killed(BaseException):
    """The publisher is gone, without a word."""


@dataclass
class Month:
    """The paper as it is printed, day by day, and its readers."""

    services: Services
    now: datetime
    readers: dict[tuple[str, str, str], Reader] = field(default_factory=dict)
    corrected: set[str] = field(default_factory=set)  # sentences that replaced others
    withdrawn: set[str] = field(default_factory=set)  # sentences that must be seen no more

    def live(self) -> None:
        """Every day from FIRST to LAST."""
        day = FIRST
        while day <= LAST:
            self.now = datetime.combine(day, time(5, 30), ZONE)
            if day.weekday() < 5:
                self.print(day)
            self.poll()
            day += timedelta(days=1)

    def print(self, day: date) -> None:
        """An issue, and what happens on that day besides."""
        issue = _issue(day)
        self.take(issue)
        if day == date(2026, 10, 14):  # the headline of yesterday's first article was wrong
            self.again(date(2026, 10, 13), 0, headline="更正后的标题")
        if day == date(2026, 10, 16):  # a paragraph was wrong, seen after readers had it
            self.poll()
            self.corrected.add("这一句是更正过的。")
            self.again(day, 1, paragraphs=(*issue.articles[1].paragraphs, "这一句是更正过的。"))
        if day == date(2026, 10, 20):  # an article is taken back
            self.poll()
            self.withdrawn.add(_mark(day, 2))
            self.now += timedelta(hours=3)
            self.take(replace(issue, articles=tuple(a for n, a in enumerate(issue.articles) if n != 2)))
        if day == date(2026, 10, 22):  # the same issue comes twice
            self.take(issue)
        if day == date(2026, 11, 4):  # the second page belongs to the first section from now on
            self.services = replace(
                self.services, settings=replace(self.services.settings, publications=(MOVED,))
            )
        if day in (date(2026, 10, 28), date(2026, 11, 2)):  # the publisher is killed before its files appear
            self.take(_issue(day, late=True), killed=True)
            self.poll()
            publish.run(self.services)
        if day == date(2026, 11, 10):  # two articles turn out to be one
            joined = (*issue.articles[3].paragraphs, *issue.articles[4].paragraphs)
            whole = [
                replace(a, paragraphs=joined) if n == 3 else a for n, a in enumerate(issue.articles) if n != 4
            ]
            self.poll()
            self.take(replace(issue, articles=tuple(whole)))
        if day == date(2026, 11, 12):  # one article turns out to be two
            first, *rest = issue.articles
            halves = (
                replace(first, paragraphs=first.paragraphs[:1]),
                replace(first, headline="另一条", paragraphs=first.paragraphs[1:]),
            )
            self.poll()
            self.take(replace(issue, articles=(*halves, *rest)))
        if day == date(2026, 11, 16):  # the first section has another name from now on
            self.services = replace(
                self.services, settings=replace(self.services.settings, publications=(RENAMED,))
            )

    def again(self, day: date, n: int, **said: object) -> None:
        """That day's issue, one article otherwise."""
        issue = _issue(day)
        told = [replace(a, **said) if i == n else a for i, a in enumerate(issue.articles)]  # type: ignore[arg-type]  # any field
        self.now += timedelta(hours=2)
        self.take(replace(issue, articles=tuple(told)))

    def take(self, issue: Issue, *, killed: bool = False) -> None:
        """An issue comes in and is published, or nearly."""
        name = f"yuebao-{issue.masthead.date}.txt"
        ingest.ingest(self.services, [(name, proof.written(issue).encode())])
        if killed:
            with pytest.MonkeyPatch.context() as power:
                power.setattr(PublicFolder, "_appear", _killed)
                with pytest.raises(Killed):
                    publish.run(self.services)
        else:
            publish.run(self.services)

    def poll(self) -> None:
        """Every reader asks for every feed it has."""
        visitor = create_app(self.services).test_client()
        for (_, feed, form), reader in self.readers.items():
            path = f"/yuebao/feeds/{feed}.{form}"

            def fetch(headers: dict[str, str], path: str = path) -> tuple[int, dict[str, str], bytes]:
                answer = visitor.get(path, headers=headers, follow_redirects=True)
                return answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.data

            reader.poll(fetch, self.now)


def _killed(*_: object) -> None:
    raise Killed


def _mark(day: date, n: int) -> str:
    return f"标记{day:%m%d}第{n}"


def _issue(day: date, *, late: bool = False) -> Issue:
    """Six articles on two pages; `late`: one more that came afterwards."""
    pages = (PrintedPage(1, "要闻", ()), PrintedPage(2, "综合", ()))
    told = tuple(_article(day, n) for n in range(ARTICLES + late))
    return Issue(Masthead("月历日报", date=day), pages, told)


def _article(day: date, n: int) -> Article:
    words = "".join(
        chr(0x4E00 + (day.toordinal() * 997 + n * 6151 + i * (2 * n + 3)) % 20000) for i in range(300)
    )
    return Article(
        f"{day:%m月%d日}第{n}条",
        byline=Byline(reporters=("林明",), raw="本报记者 林明"),
        paragraphs=(f"{_mark(day, n)}：{words[:200]}。", f"{words[200:]}。"),
        page=1 if n < 3 else 2,
    )


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """The whole month, lived once."""
    data: Path = tmp_path_factory.mktemp("month")
    for name in ("inbox", "archive", "quarantine", "public"):
        (data / name).mkdir()
    settings = load({"SYNDICATE_DATA": str(data), "SYNDICATE_BASE_URL": "https://yuebao.example"})
    engine = store.open_engine(settings.database_url)
    store.migrate(engine)
    lived: list[Month] = []
    services = Services(
        settings=replace(settings, publications=(PAPER,), books=False),
        db=engine,
        mailer=MaildirMailer(data / "outbox"),
        public=PublicFolder(data / "public"),
        tokens=Tokens("secret"),
        desk_password="x",
        now=lambda: lived[0].now,
    )
    lived.append(Month(services, datetime.combine(FIRST, time(5), ZONE)))
    lived[0].readers = {
        (kind.__name__, feed, form): kind() for kind in READERS for feed in FEEDS for form in FORMS
    }
    lived[0].live()
    yield lived[0]
    engine.dispose()


@pytest.fixture(scope="module")
def ledger(month: Month) -> dict[str, Entry]:
    """Every entry there ever was, by its id."""
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    with store.reading(month.services.db) as db:
        return {e.id: e for day in days for e in entries.of_issue(db, "yuebao", day, withdrawn=True)}


def of(month: Month, kind: type[Reader]) -> list[tuple[str, Reader]]:
    return [(feed, reader) for (name, feed, _), reader in month.readers.items() if name == kind.__name__]


def test_no_reader_shows_an_article_twice(month: Month) -> None:
    for reader in month.readers.values():
        marks = [
            m for item in reader.items.values() if (m := item.first.partition("：")[0].rpartition(">")[2])
        ]
        told = [m for m in marks if m.startswith("标记")]
        assert told
        assert len(told) == len(set(told))


def test_no_article_is_lost_and_each_is_first_seen_whole(month: Month, ledger: dict[str, Entry]) -> None:
    live = [e for e in ledger.values() if e.withdrawn is None]
    assert len(live) > 170
    for kind in (Miniflux, FreshRSS):
        for feed, reader in of(month, kind):
            if feed == "all":
                first = " ".join(item.first for item in reader.items.values())
                assert all(e.article.paragraphs[0] in first for e in live)


def test_netnewswire_shows_thirty_days(month: Month, ledger: dict[str, Entry]) -> None:
    recent = [e for e in ledger.values() if e.date >= LAST - timedelta(days=29)]
    for feed, reader in of(month, NetNewsWire):
        if feed == "all":
            assert len(reader.items) >= len(recent)


def test_every_date_is_the_entry_s_own_in_page_order(month: Month, ledger: dict[str, Entry]) -> None:
    published = {e.article.headline: e.published for e in ledger.values()}
    for reader in month.readers.values():
        for item in reader.items.values():
            if item.title in published:
                assert item.date == published[item.title]
        dates = [item.date for item in reader.items.values()]
        assert len(dates) == len(set(dates))


def test_a_correction_is_taken_over_and_is_no_new_item(month: Month) -> None:
    for kind in READERS:
        for feed, reader in of(month, kind):
            titles = [item.title for item in reader.items.values()]
            if feed == "all" and kind is not NetNewsWire:  # its feed has moved on
                assert titles.count("更正后的标题") == 1
                assert "10月13日第0条" not in titles
                assert sum("这一句是更正过的。" in item.content for item in reader.items.values()) == 1


def test_what_was_withdrawn_is_read_by_nobody(month: Month) -> None:
    for reader in month.readers.values():
        shown = " ".join(item.title + item.content for item in reader.items.values())
        assert not any(mark in shown for mark in month.withdrawn)


def test_a_day_without_news_costs_no_body(month: Month) -> None:
    for reader in month.readers.values():
        before = reader.bodies
        month.poll()
        assert reader.bodies == before
