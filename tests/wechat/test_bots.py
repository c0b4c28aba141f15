"""Three bots, as people write them, through some days of the paper: each thing once, nothing refused, nothing cut."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import requests
from PIL import Image
from werkzeug.serving import make_server

from syndicate.jobs import publish
from syndicate.services import Services
from syndicate.settings import CHECKOUT
from syndicate.web import create_app, polls, published, waiting
from tests.jobs.conftest import Clock
from tests.samples import PAPER, article, issue
from tests.samples import ingest as store_issue
from tests.wechat.bots import CursorBot, LongPollBot, RssBot
from tests.wechat.loopback import WeChat, wechat

FIRST = date(2026, 11, 16)


@pytest.fixture
def site(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the served site."""
    monkeypatch.setattr(waiting, "LOOK", 0.02)
    monkeypatch.setattr(polls, "LOOK_AGAIN", 0.0)  # these bots ask again within milliseconds
    monkeypatch.setattr(published, "_LOOK_AGAIN", 0.0)
    server = make_server("127.0.0.1", 0, create_app(services), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    services.stopping.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def group(clock: Clock) -> Iterator[WeChat]:
    with wechat() as group:
        group.now = lambda: clock.now.timestamp()
        yield group


def printed(services: Services, clock: Clock, *numbers: int, day: date) -> None:
    paper = [article(n, headline=f"第{n}条消息") for n in numbers]
    store_issue(services.db, issue(*paper, day=day), now=clock.now, paper=PAPER)
    publish.run(services)
    clock.pass_(timedelta(minutes=5))


def test_bots_show_each_thing_once(
    services: Services, site: str, group: WeChat, clock: Clock, tmp_path: Path
) -> None:
    told: dict[str, list[str]] = {"rss": [], "cursor": [], "marked": []}

    def send(name: str, kind: str, text: str) -> None:
        told[name].append(text)
        answer = requests.post(
            group.robot("wecom"), json={"msgtype": kind, kind: {"content": text}}, timeout=10
        )
        assert answer.json()["errcode"] == 0

    relayed = f"{site}/qinglan/relay/all.json"
    bots = (
        RssBot(f"{site}/qinglan/feeds/all.rss", lambda t: send("rss", "text", t), tmp_path / "rss"),
        CursorBot(relayed, lambda t: send("cursor", "text", t), tmp_path / "cursor"),
        CursorBot(relayed, lambda t: send("marked", "markdown", t), tmp_path / "marked", form="markdown"),
    )
    printed(services, clock, 1, 2, day=FIRST - timedelta(days=3))
    for bot in bots:
        bot.poll()
    assert group.shown == []

    for n, day in enumerate((FIRST, FIRST + timedelta(days=1))):
        printed(services, clock, 10 * n + 3, 10 * n + 4, 10 * n + 5, day=day)
        for bot in (*bots, *bots):  # and once more, for nothing
            bot.poll()
    printed(services, clock, 13, 14, day=FIRST + timedelta(days=1))  # 15 is withdrawn
    for bot in bots:
        bot.poll()

    for name, sent in told.items():
        news = [text for text in sent if "撤" not in text]
        assert len(news) == 6, name
        assert all(sum(f"第{n}条消息" in text for text in news) == 1 for n in (3, 4, 5, 13, 14, 15)), name
    assert [sum("第15条消息" in text for text in told[name]) for name in ("cursor", "marked")] == [2, 2]
    assert (group.refused, group.cut) == ([], [])


def test_a_bot_that_waits_is_told_at_once(
    services: Services, site: str, clock: Clock, tmp_path: Path
) -> None:
    sent: list[str] = []
    heard = threading.Event()

    def send(text: str) -> None:
        sent.append(text)
        heard.set()

    bot = LongPollBot(f"{site}/qinglan/relay/all.json", send, tmp_path / "cursor", wait=20)
    bot.poll()  # a cursor
    waiting = threading.Thread(target=bot.poll)
    waiting.start()

    printed(services, clock, 3, day=FIRST)

    assert heard.wait(15)
    waiting.join()
    assert len(sent) == 1
    assert "第3条消息" in sent[0]


def test_a_card_that_a_bot_forwards_has_a_picture_as_wecom_shows_it(
    services: Services, site: str, group: WeChat, clock: Clock
) -> None:
    printed(services, clock, 3, 4, day=FIRST)
    told = requests.get(f"{site}/qinglan/relay/all.json", timeout=10).json()["messages"]

    for message in told:
        said = {"msgtype": "news", "news": {"articles": message["news"]}}
        assert requests.post(group.robot("wecom"), json=said, timeout=10).json()["errcode"] == 0

    shown = [card for message in group.shown for card in message.body["news"]["articles"]]
    assert len(shown) == 2
    for card in shown:
        picture = requests.get(card["picurl"].replace(services.settings.base_url, site), timeout=20)
        assert picture.status_code == 200
        assert Image.open(BytesIO(picture.content)).size == (1068, 455)
    assert group.cut == []


class EnoughError(Exception):
    """The loop in the docs goes on for ever; a test does not."""


@pytest.mark.parametrize(
    ("kept", "end", "posted"),
    [("good", EnoughError, ["第4条消息"]), ("broken", SystemExit, [])],
)
def test_the_loop_in_the_docs_posts_what_is_new_and_ends_where_asking_again_mends_nothing(
    services: Services,
    site: str,
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kept: str,
    end: type[BaseException],
    posted: list[str],
) -> None:
    (loop,) = re.findall(r"```python\n(.*?)```", (CHECKOUT / "docs/relay.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    printed(services, clock, 3, 4, day=FIRST)
    cursor = requests.get(f"{site}/qinglan/relay/all.json?limit=1", timeout=10).json()["cursor"]
    (tmp_path / "cursor").write_text(cursor if kept == "good" else cursor[:-4])
    told: list[str] = []

    def post(text: str) -> None:
        told.append(text.split("\n")[0])
        raise EnoughError

    with pytest.raises(end):
        exec(loop.replace("https://paper.example", site), {"post": post})  # ours: it stands in the docs

    assert told == posted
