"""A scripted month, polled by bots at random: nothing twice, nothing missing, nothing too long.

Three of them are as people write them, over HTTP: one reads RSS, one asks with a cursor, one waits for an answer.
The others look at every part of every message.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import feedparser
import pytest
from flask import Flask
from werkzeug.serving import make_server

from syndicate import store
from syndicate.deliver.mailer import MaildirMailer
from syndicate.deliver.public import PublicFolder
from syndicate.deliver.tokens import Tokens
from syndicate.jobs import publish
from syndicate.model import Entry, Issue
from syndicate.render.budget import Unit, size
from syndicate.services import Services
from syndicate.settings import load
from syndicate.store import entries, feeds
from syndicate.web import create_app, polls, published, waiting
from tests.month.bots import Bot, CardBot, DraftBot, Message, TextBot
from tests.month.test_month import ARTICLES, FIRST, LAST, PAPER, ZONE, Killed, Month, _issue
from tests.wechat.bots import CursorBot, LongPollBot, RssBot

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AWAY = (date(2026, 10, 16), date(2026, 11, 17))  # for a month one of them does not poll

CAME_AGAIN = "/yuebao/2026-10-20/1/3"  # it was taken back, and printed again weeks later
DIVIDED = "/yuebao/2026-11-12/1/4"  # half of an article, found when the whole issue had been told


@dataclass
class RelayMonth(Month):
    """The month of test_month, with what matters to bots: killed readings, moves, an article that comes back."""

    chance: random.Random = field(default_factory=lambda: random.Random(2026))
    bots: dict[str, Bot] = field(default_factory=dict)
    pushed: list[str] = field(default_factory=list)  # by a bot that only reads the issue feed
    site: Flask | None = None
    restarts: int = 0
    cut_short: int = 0
    people: dict[str, RssBot | CursorBot] = field(default_factory=dict)  # as users write them
    sent: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by each of these
    asked: int = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The site as it is now; fifty requests are a minute of somebody else's."""
        self.asked += 1
        environ["REMOTE_ADDR"] = f"10.2.{self.asked // 12_500}.{self.asked // 50 % 250}"
        assert self.site is not None
        return self.site(environ, start_response)

    def start(self, url: str, memory: Path) -> None:
        """The three bots of users; each begins with what comes next."""
        relayed = f"{url}/yuebao/relay/all.json"
        self.site = create_app(self.services)
        publish.run(self.services)
        self.people = {
            "rss": RssBot(f"{url}/yuebao/feeds/all.rss", self.sent["rss"].append, memory / "rss"),
            "cursor": CursorBot(relayed, self.sent["cursor"].append, memory / "cursor"),
            "waiting": LongPollBot(relayed, self.sent["waiting"].append, memory / "waiting", wait=1),
        }
        for bot in self.people.values():
            bot.poll()

    def print(self, day: date) -> None:
        """Before the issue is stored its reader is killed at times; afterwards other things happen."""
        super().print(day)
        if day == date(2026, 11, 6):  # printed before the second page belonged to the first section
            self.now += timedelta(hours=1)
            for n in (2, 3):
                self.take(_issue(date(2026, 10, n + 26)))
        if day == date(2026, 11, 11):  # what was taken back comes again
            self.take(_issue(date(2026, 10, 20)))
        if day == date(2026, 11, 12):  # of what moved one is corrected, and one taken back
            self.poll()
            self.now += timedelta(hours=2)
            moved = _issue(date(2026, 10, 28))
            told = [
                replace(a, paragraphs=(*a.paragraphs, "搬家后更正。")) if n == 3 else a
                for n, a in enumerate(moved.articles)
            ]
            self.take(replace(moved, articles=tuple(a for n, a in enumerate(told) if n != 4)))

    def take(self, issue: Issue, *, killed: bool = False) -> None:
        """As it comes; one time in four the process is killed before it is stored, and the issue comes again."""
        if self.chance.random() < 0.25:
            with pytest.MonkeyPatch.context() as power:
                power.setattr(feeds, "register", _killed)
                try:
                    super().take(issue)
                except Killed:
                    self.cut_short += 1
            self.poll()
        asks = threading.Thread(target=self.people["waiting"].poll)
        asks.start()
        super().take(issue, killed=killed)
        asks.join()
        self.poll()

    def poll(self) -> None:
        """Some of the bots ask; now and then of a server that has just been started again."""
        if self.site is None or self.chance.random() < 0.2:
            self.site = create_app(self.services)
            self.restarts += 1
        visitor = self.site.test_client()
        for name, person in self.people.items():
            if name != "waiting" and self.chance.random() < 0.5:
                person.poll()
            if isinstance(person, CursorBot) and self.chance.random() < 0.2:
                person.sent.clear()  # started anew: it has its cursor and no more
        for name, bot in self.bots.items():
            away = name == "traveller" and AWAY[0] <= self.now.astimezone(ZONE).date() < AWAY[1]
            if not away and (not bot.cursor or self.chance.random() < bot.eager):
                bot.poll(visitor, self.chance)
        for item in reversed(feedparser.parse(visitor.get("/yuebao/feeds/issues.rss").data).entries):
            if item.id not in self.pushed:
                self.pushed.append(item.id)

    def last_poll(self) -> None:
        """When nothing happens any more, every bot asks once more."""
        self.site = create_app(self.services)
        visitor = self.site.test_client()
        for bot in self.bots.values():
            for _ in range(100):
                bot.poll(visitor, self.chance)
        for person in self.people.values():
            person.poll()


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """The address at which the application is served until the end of the block."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _killed(*_: object) -> None:
    raise Killed


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayMonth]:
    """The whole month, lived once."""
    with pytest.MonkeyPatch.context() as eager:  # these bots ask again within milliseconds
        eager.setattr(polls, "LOOK_AGAIN", 0.0)
        eager.setattr(waiting, "LOOK", 0.02)
        eager.setattr(published, "_LOOK_AGAIN", 0.0)
        yield from lived(tmp_path_factory)


def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayMonth]:
    data: Path = tmp_path_factory.mktemp("relay")
    for name in ("inbox", "archive", "quarantine", "public"):
        (data / name).mkdir()
    settings = load({"SYNDICATE_DATA": str(data), "SYNDICATE_BASE_URL": "https://yuebao.example"})
    engine = store.open_engine(settings.database_url)
    store.migrate(engine)
    months: list[RelayMonth] = []
    services = Services(
        settings=replace(settings, publications=(PAPER,), books=False),
        db=engine,
        mailer=MaildirMailer(data / "outbox"),
        public=PublicFolder(data / "public"),
        tokens=Tokens("secret"),
        desk_password="x",
        now=lambda: months[0].now,
    )
    months.append(RelayMonth(services, datetime.combine(FIRST, time(5), ZONE)))
    months[0].bots = {
        "group": TextBot("all", "10.1.1", limit=20, eager=0.7),
        "slow": TextBot("all", "10.1.2", limit=1, eager=0.15),
        "traveller": TextBot("all", "10.1.3", limit=7, eager=0.5),
        "cards": CardBot("section-toutiao", "10.1.4", limit=8, eager=0.4),
        "others": CardBot("section-qita", "10.1.5", limit=3, eager=0.4),
        "dawdler": TextBot("all", "10.1.8", limit=4, eager=0.6, at_once=False),
        "account": DraftBot("all", "10.1.6", limit=100, eager=0.3),
        "byline": DraftBot("byline-林明", "10.1.7", limit=5, eager=0.2, cursor=""),
    }
    visitor = create_app(services).test_client()
    for bot in months[0].bots.values():
        bot.poll(visitor, months[0].chance)  # a cursor, before the first issue
    with served(months[0]) as url:
        months[0].start(url, tmp_path_factory.mktemp("bots"))
        months[0].live()
        months[0].last_poll()
    yield months[0]
    engine.dispose()


@pytest.fixture(scope="module")
def ledger(month: RelayMonth) -> dict[str, Entry]:
    """Every entry there ever was, by its id."""
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    with store.reading(month.services.db) as db:
        return {e.id: e for day in days for e in entries.of_issue(db, "yuebao", day, withdrawn=True)}


def held(bot: Bot, ledger: dict[str, Entry]) -> list[Entry]:
    """What its feed holds in the end."""
    section = bot.feed.removeprefix("section-") if bot.feed.startswith("section-") else None
    return [e for e in ledger.values() if e.withdrawn is None and section in (None, e.section)]


def test_the_month_was_a_hard_one(month: RelayMonth, ledger: dict[str, Entry]) -> None:
    assert len(ledger) >= 30 * ARTICLES
    assert month.restarts > 10
    assert month.cut_short > 5
    assert sum(bot.deaths for bot in month.bots.values()) > 20
    kinds = {m["kind"] for bot in month.bots.values() for m in bot.told}
    assert kinds == {"new", "corrected", "withdrawn"}


def test_no_bot_is_told_anything_twice(month: RelayMonth) -> None:
    for bot in month.bots.values():
        ids = [m["id"] for m in bot.told]
        assert len(ids) == len(set(ids))
        shown: dict[str, tuple[str, str]] = {}
        for message in bot.told:
            seen = (message["kind"].replace("corrected", "new"), message["updated"])
            assert shown.get(message["entry"]) != seen, message["id"]
            shown[message["entry"]] = seen


def test_every_bot_knows_in_the_end_what_the_paper_says(month: RelayMonth, ledger: dict[str, Entry]) -> None:
    for name, bot in month.bots.items():
        last = {m["entry"]: m for m in bot.told}
        for entry in held(bot, ledger):
            assert entry.id in last, (name, entry.path)
            assert last[entry.id]["kind"] != "withdrawn", (name, entry.path)
            assert datetime.fromisoformat(last[entry.id]["updated"]) == entry.updated, (name, entry.path)


def test_what_was_told_and_is_taken_back_is_told_as_withdrawn(
    month: RelayMonth, ledger: dict[str, Entry]
) -> None:
    for name, bot in month.bots.items():
        last = {m["entry"]: m["kind"] for m in bot.told}
        gone = [e for e in ledger.values() if e.withdrawn]
        assert gone
        for entry in gone:
            assert last.get(entry.id) in (None, "withdrawn"), (name, entry.path)


def test_a_message_follows_only_what_was_told_before(month: RelayMonth) -> None:
    for name, bot in month.bots.items():
        known: set[str] = set()
        for message in bot.told:
            assert (message["kind"] == "new") is (message["entry"] not in known), (name, message["id"])
            if message["kind"] == "withdrawn":
                known.remove(message["entry"])
            else:
                known.add(message["entry"])


def test_the_order_is_the_paper_s(month: RelayMonth) -> None:
    for bot in month.bots.values():
        if bot.feed == "all":
            first = (m for m in bot.told if m["kind"] == "new" and "#again" not in m["id"])
            places = [_place(m) for m in first if not m["url"].endswith(DIVIDED)]
            assert places == sorted(places)


def test_who_was_away_for_a_month_was_told_each_article_as_it_is(
    month: RelayMonth, ledger: dict[str, Entry]
) -> None:
    told = month.bots["traveller"].told
    live = [e for e in ledger.values() if e.withdrawn is None and e.path != DIVIDED]
    missed = [e.id for e in live if AWAY[0] < e.date < AWAY[1]]

    assert [m["entry"] for m in told if m["kind"] == "new" and m["entry"] in set(missed)] == missed
    assert not [m for m in told if m["kind"] == "corrected" and m["entry"] in set(missed)]


def test_a_bot_that_reads_only_the_issue_feed_pushes_each_issue_once(
    month: RelayMonth, ledger: dict[str, Entry]
) -> None:
    days = sorted({entry.date for entry in ledger.values()})

    assert [id_.rsplit("/", 1)[1] for id_ in month.pushed] == [f"{day:%Y%m%d}" for day in days]


def news(month: RelayMonth, name: str) -> list[str]:
    """The addresses that one of the users' bots showed as new, in order."""
    fresh = [text for text in month.sent[name] if "【" not in text.split("\n")[0]]
    return [text.rsplit("\n", 1)[1].removeprefix("https://yuebao.example") for text in fresh]


@pytest.mark.parametrize("name", ["rss", "cursor", "waiting"])
def test_bots_as_users_write_them_show_every_article_once(
    month: RelayMonth, ledger: dict[str, Entry], name: str
) -> None:
    first = FIRST if name == "rss" else None  # what stands in a feed when a bot first finds it is old to it

    shown = news(month, name)

    assert {e.path for e in ledger.values() if e.withdrawn is None and e.date != first} <= set(shown)
    assert [path for path in set(shown) if shown.count(path) > 1] in ([], [CAME_AGAIN])
    assert all(size(text, Unit.BYTES) <= 2048 for text in month.sent[name])


@pytest.mark.parametrize("name", ["cursor", "waiting"])
def test_bots_as_users_write_them_show_the_paper_s_order(month: RelayMonth, name: str) -> None:
    places = [_place({"url": path}) for path in news(month, name) if path not in (CAME_AGAIN, DIVIDED)]

    assert places == sorted(places)


def test_a_bot_that_reads_rss_shows_one_day_after_the_other(month: RelayMonth) -> None:
    days = [_place({"url": path})[0] for path in news(month, "rss")]

    assert days == sorted(days)


@pytest.mark.parametrize("name", ["cursor", "waiting"])
def test_bots_with_a_cursor_show_corrections_and_withdrawals(month: RelayMonth, name: str) -> None:
    marks = {text[:4] for text in month.sent[name]}

    assert {"【更正】", "【撤稿】"} <= marks


def _place(message: Message) -> tuple[str, int, int]:
    day, page, n = message["url"].rsplit("/", 3)[1:]
    return day, int(page), int(n)
