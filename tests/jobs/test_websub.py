"""The hub at work: subscribers that behave and that do not, a clock that is turned, and kills in between."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from syndicate import store
from syndicate.deliver.outside import Answer, Outside
from syndicate.jobs import websub as job
from syndicate.services import Services
from syndicate.store import websub
from syndicate.store.tables import hub_deliveries
from syndicate.store.websub import Mode
from tests.conftest import opened
from tests.jobs.conftest import Clock
from tests.subscriber import Subscriber, client, said, subscriber

SITE = "https://paper.example"
ALL = f"{SITE}/qinglan/feeds/all.atom"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LEASE = 10 * DAY


class KilledError(BaseException):
    """The process ends here."""


class KilledAfter(Outside):
    """The answer came, and nobody was there any more to hear it."""

    def request(self, method: str, url: str, **said: Any) -> Answer:
        client().request(method, url, **said)
        raise KilledError


@pytest.fixture
def reader() -> Iterator[Subscriber]:
    with subscriber() as reader:
        yield reader


@pytest.fixture
def feed(services: Services) -> Path:
    """The file of the feed of everything."""
    file = services.settings.data / "public" / "qinglan" / "feeds" / "all.atom"
    file.parent.mkdir(parents=True)
    file.write_text("<feed>青岚 1</feed>", encoding="utf-8")
    return file


def ask(
    services: Services,
    reader: Subscriber,
    *,
    mode: Mode = Mode.SUBSCRIBE,
    topic: str = ALL,
    secret: str | None = None,
    lease: timedelta = LEASE,
) -> None:
    with store.writing(services.db) as db:
        websub.ask(db, mode, topic, reader.url, "127.0.0.1", services.now(), lease=lease, secret=secret)


def work(services: Services) -> None:
    job.work(services, client())


def change(services: Services, *topics: str, hub: str = websub.OWN) -> None:
    with store.writing(services.db) as db:
        websub.announce(db, topics or (ALL,), services.now(), hub=hub)


def live(services: Services) -> int:
    with store.reading(services.db) as db:
        return websub.live(db, services.now())


def waiting(services: Services) -> int:
    with store.reading(services.db) as db:
        return len(db.execute(select(hub_deliveries.c.id)).all())


def subscribed(services: Services, reader: Subscriber, **said: Any) -> None:
    ask(services, reader, **said)
    work(services)
    assert live(services) >= 1


def ignored(_: object) -> None:
    """What a lambda gives that should give nothing."""


# ── wishes ───────────────────────────────────────────────────────────────────────────────


def test_who_agrees_is_subscribed_and_gets_the_feed_as_it_is_published(
    services: Services, reader: Subscriber, feed: Path
) -> None:
    subscribed(services, reader)
    change(services)
    work(services)
    work(services)

    (asked,) = reader.asked
    assert (asked["hub.mode"], asked["hub.topic"], asked["hub.lease_seconds"]) == ("subscribe", ALL, "864000")
    (post,) = reader.got
    assert post.body == feed.read_bytes()
    assert post.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert post.headers["Link"] == f'<{SITE}/hub>; rel="hub", <{ALL}>; rel="self"'
    assert post.headers["User-Agent"] == "Syndicate (+https://paper.example)"
    assert "X-Hub-Signature" not in post.headers


def test_freshrss_reads_hub_and_self_from_what_it_is_sent(
    services: Services, reader: Subscriber, feed: Path
) -> None:
    subscribed(services, reader)
    change(services)
    work(services)

    found = r'<(?P<uri>[^>]+)>\s*;\s*rel\s*=\s*(?P<quote>"?){}(?P=quote)\s*(?=,|$)'
    link = reader.got[0].headers["Link"]
    assert [m["uri"] for m in re.finditer(found.replace("{}", "hub"), link)] == [f"{SITE}/hub"]
    assert [m["uri"] for m in re.finditer(found.replace("{}", "self"), link)] == [ALL]


def test_the_secret_signs_what_is_sent(services: Services, reader: Subscriber, feed: Path) -> None:
    subscribed(services, reader, secret="嘘 hush")
    change(services)
    work(services)

    (post,) = reader.got
    signed = hmac.new("嘘 hush".encode(), feed.read_bytes(), hashlib.sha256).hexdigest()
    assert post.headers["X-Hub-Signature"] == f"sha256={signed}"


@pytest.mark.parametrize("answer", [(200, "something else"), (404, ""), (200, ""), (500, "")])
def test_who_does_not_agree_is_not_subscribed(
    services: Services, reader: Subscriber, feed: Path, answer: tuple[int, str]
) -> None:
    reader.echo = lambda _challenge: answer
    ask(services, reader)
    for _ in range(3):
        work(services)
    change(services)
    work(services)

    assert (live(services), len(reader.asked), reader.got) == (0, 1, [])


def test_a_challenge_is_used_once(services: Services, reader: Subscriber, clock: Clock) -> None:
    reader.echo = lambda _challenge: (404, "")
    for _ in range(3):
        ask(services, reader)
        work(services)
        clock.pass_(MINUTE)

    assert len({asked["hub.challenge"] for asked in reader.asked}) == 3


def test_a_callback_that_cannot_be_reached_is_asked_three_times(
    services: Services, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with subscriber() as gone:
        pass
    ask(services, gone)
    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            work(services)
            clock.pass_(MINUTE)

    assert caplog.messages == ["websub: subscribe of 127.0.0.1: 127.0.0.1: Connection refused"] * 3
    assert live(services) == 0


def test_a_callback_inside_our_own_net_is_never_asked(services: Services, reader: Subscriber) -> None:
    ask(services, reader)
    with store.writing(services.db) as db:
        websub.ask(
            db,
            Mode.SUBSCRIBE,
            ALL,
            reader.url.replace("127.0.0.1", "localhost"),
            "localhost",
            services.now(),
            lease=LEASE,
        )

    job.work(services, Outside("Syndicate", ports=None))
    job.run(services)

    assert reader.asked == []
    assert live(services) == 0


def test_a_new_subscription_replaces_the_old_one(
    services: Services, reader: Subscriber, feed: Path, clock: Clock
) -> None:
    subscribed(services, reader, secret="old")
    clock.pass_(HOUR)
    subscribed(services, reader, secret="new", lease=20 * DAY)
    change(services)
    work(services)

    (post,) = reader.got
    signed = hmac.new(b"new", post.body, hashlib.sha256).hexdigest()
    assert post.headers["X-Hub-Signature"] == f"sha256={signed}"
    clock.pass_(19 * DAY)
    assert live(services) == 1


def test_a_new_subscription_that_is_not_agreed_to_leaves_the_old_one(
    services: Services, reader: Subscriber, feed: Path, clock: Clock
) -> None:
    subscribed(services, reader)
    clock.pass_(HOUR)
    reader.echo = lambda _challenge: (404, "")
    ask(services, reader, secret="of somebody else")
    work(services)
    change(services)
    work(services)

    assert "X-Hub-Signature" not in reader.got[0].headers


def test_who_leaves_is_asked_and_then_gets_nothing(
    services: Services, reader: Subscriber, feed: Path, clock: Clock
) -> None:
    subscribed(services, reader)
    clock.pass_(HOUR)
    ask(services, reader, mode=Mode.UNSUBSCRIBE)
    work(services)
    change(services)
    work(services)

    assert [asked["hub.mode"] for asked in reader.asked] == ["subscribe", "unsubscribe"]
    assert (live(services), reader.got) == (0, [])


def test_nobody_else_can_end_a_subscription(
    services: Services, reader: Subscriber, feed: Path, clock: Clock
) -> None:
    subscribed(services, reader)
    clock.pass_(HOUR)
    reader.echo = lambda _challenge: (404, "")
    ask(services, reader, mode=Mode.UNSUBSCRIBE)
    work(services)
    change(services)
    work(services)

    assert (live(services), len(reader.got)) == (1, 1)


def test_a_lease_ends_when_it_said(services: Services, reader: Subscriber, feed: Path, clock: Clock) -> None:
    subscribed(services, reader, lease=DAY)
    clock.pass_(DAY - MINUTE)
    change(services)
    work(services)
    clock.pass_(MINUTE)
    change(services)
    work(services)

    assert (live(services), len(reader.got)) == (0, 1)


# ── deliveries ───────────────────────────────────────────────────────────────────────────


def test_a_feed_that_changes_twice_before_it_went_out_goes_out_once(
    services: Services, reader: Subscriber, feed: Path
) -> None:
    subscribed(services, reader)
    change(services)
    feed.write_text("<feed>2</feed>")
    change(services)
    work(services)

    assert [post.body for post in reader.got] == [b"<feed>2</feed>"]


def test_each_change_is_sent_with_the_newest_contents(
    services: Services, reader: Subscriber, feed: Path
) -> None:
    subscribed(services, reader)
    for n in range(5):  # faster than a server that keeps files in memory would notice
        feed.write_text(f"<feed>{n}</feed>")
        change(services)
        work(services)

    assert [post.body for post in reader.got] == [b"<feed>%d</feed>" % n for n in range(5)]


def test_a_change_while_the_feed_is_under_way_is_sent_next(
    services: Services, reader: Subscriber, feed: Path
) -> None:
    subscribed(services, reader)

    def change_meanwhile(request: Any) -> None:
        if len(reader.got) == 1:
            feed.write_text("<feed>2</feed>")
            change(services)
        said(request, 200)

    reader.instead = change_meanwhile
    change(services)
    work(services)

    assert [post.body for post in reader.got][1:] == [b"<feed>2</feed>"]
    assert waiting(services) == 0


def test_a_failing_subscriber_is_tried_less_and_less_often_and_stays_subscribed(
    services: Services, reader: Subscriber, feed: Path, clock: Clock
) -> None:
    subscribed(services, reader)
    reader.statuses = [500] * 100
    change(services)
    began, tried = services.now(), []
    for minute in (0, 0, 1, 2, 5, 6, 35, 36, 155, 156, 157, 300, 600):
        clock.now = began + minute * MINUTE
        before = len(reader.got)
        work(services)
        tried += [minute] * (len(reader.got) - before)

    assert tried == [0, 1, 6, 36, 156]
    assert (waiting(services), live(services)) == (0, 1)
    reader.statuses = []
    change(services)
    work(services)
    assert len(reader.got) == 6


def test_500_and_then_200_is_delivered(
    services: Services, reader: Subscriber, feed: Path, clock: Clock
) -> None:
    subscribed(services, reader)
    reader.statuses = [500, 302, 200]
    change(services)
    for _ in range(20):
        work(services)
        clock.pass_(MINUTE)

    assert len(reader.got) == 3
    assert waiting(services) == 0


def test_410_ends_the_subscription(services: Services, reader: Subscriber, feed: Path, clock: Clock) -> None:
    subscribed(services, reader)
    reader.statuses = [410]
    change(services)
    work(services)
    assert (live(services), waiting(services)) == (0, 0)

    clock.pass_(HOUR)
    change(services)
    work(services)
    assert len(reader.got) == 1


def test_a_redirect_is_a_failure_and_leads_nowhere(
    services: Services, reader: Subscriber, feed: Path
) -> None:
    with subscriber() as elsewhere:
        subscribed(services, reader)
        reader.instead = lambda request: said(request, 307, Location=elsewhere.url)
        change(services)
        work(services)

        assert (elsewhere.got, elsewhere.asked) == ([], [])
        assert waiting(services) == 1


def test_a_subscriber_that_never_answers_holds_up_no_other(
    services: Services, reader: Subscriber, feed: Path
) -> None:
    with subscriber("127.0.0.2") as slow:
        ask(services, slow)
        subscribed(services, reader)
        slow.instead = lambda _request: ignored(slow.done.wait())
        change(services)
        job.work(services, client(deadline=0.3))

        assert len(reader.got) == 1
        assert waiting(services) == 1


def test_a_huge_answer_to_a_delivery_is_not_read(services: Services, reader: Subscriber, feed: Path) -> None:
    def without_end(request: Any) -> None:
        request.send_response(200)
        request.end_headers()
        while not reader.done.is_set():
            request.wfile.write(b"x" * 65536)

    subscribed(services, reader)
    reader.instead = without_end
    change(services)
    work(services)

    assert waiting(services) == 0


def test_one_subscriber_s_failure_is_not_another_s(
    services: Services, reader: Subscriber, feed: Path
) -> None:
    with subscriber("127.0.0.2") as failing:
        ask(services, failing)
        subscribed(services, reader)
        failing.statuses = [500]
        change(services)
        work(services)

    assert (len(reader.got), waiting(services)) == (1, 1)


def test_a_feed_that_is_no_more_is_not_sent(services: Services, reader: Subscriber, feed: Path) -> None:
    subscribed(services, reader)
    change(services)
    feed.unlink()
    work(services)

    assert (reader.got, waiting(services), live(services)) == ([], 0, 1)


def test_a_kill_after_the_post_repeats_the_delivery_and_loses_none(
    services: Services, reader: Subscriber, feed: Path, clock: Clock
) -> None:
    subscribed(services, reader)
    change(services)
    with pytest.raises(KilledError):
        job.work(services, KilledAfter("Syndicate"))
    work(services)
    assert len(reader.got) == 1  # whose claim it is may still be at it

    clock.pass_(job.LEASE)
    work(services)
    assert [post.body for post in reader.got] == [feed.read_bytes()] * 2
    assert waiting(services) == 0


def test_a_kill_after_the_question_asks_again(services: Services, reader: Subscriber, clock: Clock) -> None:
    ask(services, reader)
    with pytest.raises(KilledError):
        job.work(services, KilledAfter("Syndicate"))
    assert live(services) == 0

    clock.pass_(job.LEASE)
    work(services)
    assert live(services) == 1
    assert len(reader.asked) == 2


def test_two_processes_deliver_each_feed_once(
    services: Services, reader: Subscriber, feed: Path, database_url: str
) -> None:
    callback = reader.url
    for n in range(8):
        reader.url = f"{callback}&n={n}"
        ask(services, reader)
    work(services)
    assert live(services) == 8
    change(services)

    with opened(database_url) as one, opened(database_url) as other, ThreadPoolExecutor(2) as pool:
        list(pool.map(work, [replace(services, db=one), replace(services, db=other)]))

    assert sorted(post.path[-1] for post in reader.got) == list("01234567")
    assert waiting(services) == 0


def test_more_than_a_batch_for_one_host_goes_out_in_one_run(
    services: Services, reader: Subscriber, feed: Path
) -> None:
    with store.writing(services.db) as db:
        for n in range(job.OF_HOST * 2 + 1):
            url = f"{reader.url}&n={n}"
            now = services.now() - (100 - n) * HOUR
            websub.ask(db, Mode.SUBSCRIBE, ALL, url, "127.0.0.1", now, lease=LEASE)
            ((number, _),) = websub.wishes(db, now, 1)
            wish = websub.claim_wish(db, number, "c", now)
            assert wish
            assert websub.agree(db, wish)
    change(services)
    work(services)

    assert len(reader.got) == job.OF_HOST * 2 + 1


def test_logs_name_the_host_and_neither_secret_nor_callback(
    services: Services, reader: Subscriber, feed: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="syndicate"):
        subscribed(services, reader, secret="hunter2")
        reader.statuses = [500, 410]
        change(services)
        for _ in range(3):
            work(services)
            clock.pass_(MINUTE)

    assert caplog.messages == [
        "websub: subscribe of 127.0.0.1: agreed",
        "websub: attempt 1: 127.0.0.1: answered 500",
        "websub: 127.0.0.1 has ended its subscription",
    ]


# ── other hubs ───────────────────────────────────────────────────────────────────────────


def elsewhere(services: Services, hub: str) -> Services:
    return replace(services, settings=replace(services.settings, websub_hub=hub))


def test_an_outside_hub_is_told_of_each_feed_that_changed(
    services: Services, reader: Subscriber, clock: Clock
) -> None:
    services = elsewhere(services, reader.url)
    reader.statuses = [503, 202, 202]
    change(services, ALL, f"{SITE}/qinglan/feeds/all.rss", hub=services.settings.websub_hub)
    for _ in range(2):
        job.run(services)
        clock.pass_(MINUTE)

    told = [post.body.decode() for post in reader.got]
    rss = "hub.mode=publish&hub.url=https%3A%2F%2Fpaper.example%2Fqinglan%2Ffeeds%2Fall.rss"
    atom = rss.replace("rss", "atom")
    assert sorted(told) == sorted([told[0], atom, rss])
    assert waiting(services) == 0


def test_without_a_hub_nobody_is_told(services: Services, reader: Subscriber, feed: Path) -> None:
    subscribed(services, reader)
    change(services)
    job.work(elsewhere(services, "none"), client())

    assert reader.got == []


# ── topics ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/qinglan/feeds/all.atom", "feeds/all.atom"),
        ("/%71inglan/feeds/%61ll.rss", "feeds/all.rss"),
        ("/qinglan/feeds/byline-%E9%87%91%e9%9c%b2.json", "feeds/byline-金露.json"),
        ("/qinglan/feeds/byline-金露.json", "feeds/byline-金露.json"),
    ],
)
def test_a_feed_of_ours_is_a_topic_however_it_is_encoded(services: Services, path: str, file: str) -> None:
    found = job.topic(services.settings, SITE + path)

    assert found is not None
    assert (found.publication, found.file) == ("qinglan", file)
    assert found.url.isascii()
    assert job.topic(services.settings, found.url) == found


@pytest.mark.parametrize(
    "url",
    [
        "",
        SITE,
        f"{SITE}/qinglan/",
        f"{SITE}/qinglan/feeds/",
        f"{SITE}/qinglan/feeds/all.atom?x=1",
        f"{SITE}/qinglan/feeds/all.atom#x",
        f"{SITE}/qinglan/feeds/all.atom.br",
        f"{SITE}/qinglan/feeds/../feeds/all.atom",
        f"{SITE}/qinglan/feeds/%2e%2e%2fall.atom",
        f"{SITE}/qinglan/feeds/.hidden.atom",
        f"{SITE}/qinglan/feeds/a%00.atom",
        f"{SITE}/qinglan/feeds/a%0A.atom",
        f"{SITE}/qinglan/feeds/all.atom%0A",
        f"{SITE}/nosuch/feeds/all.atom",
        f"{SITE}.evil.example/qinglan/feeds/all.atom",
        "https://other.example/qinglan/feeds/all.atom",
        "http://paper.example/qinglan/feeds/all.atom",
    ],
)
def test_nothing_else_is_a_topic(services: Services, url: str) -> None:
    assert job.topic(services.settings, url) is None
