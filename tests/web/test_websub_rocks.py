"""What websub.rocks does to a hub (its tests 100 to 106) and to a publisher, done to our running site.

The site's subscriber knows nothing but a feed's address: it looks there for hub and topic, asks the hub over HTTP,
answers the hub's question, and holds each delivery against what the topic's address gives at that moment.
Its tests 105 (plain text) and 106 (JSON) want a topic that is not XML: ours are RSS and JSON Feed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import requests
from lxml import etree
from werkzeug.serving import make_server

from syndicate.jobs import publish
from syndicate.jobs import websub as job
from syndicate.services import Services
from syndicate.web import create_app
from tests.samples import MINUTE, NOW, article
from tests.subscriber import Post, Subscriber, subscriber
from tests.web.conftest import DAYS, print_issue

LINK = re.compile(r'<([^>]+)>\s*;\s*rel="?([^",;]+)"?')
ATOM = "{http://www.w3.org/2005/Atom}"
FEEDS = ("all.atom", "all.rss", "all.json")
SECRET = "jeTPCAqjVtmxkDSGsSk5"


class Site:
    """The test site's side: a subscriber that learns all it knows from outside."""

    def __init__(self, services: Services, reader: Subscriber, address: str) -> None:
        self.services = services
        self.reader = reader
        self.address = address
        self.hub, self.topic = self.discovered()

    def discovered(self) -> tuple[str, str]:
        """Hub and topic as the Link header of the feed's address names them, each exactly once."""
        rels = _rels(requests.get(self.address, timeout=5).headers["Link"])
        (hub,), (topic,) = rels["hub"], rels["self"]
        return hub, topic

    def ask(self, mode: str = "subscribe", **more: str) -> None:
        """What the site posts to a hub; it goes on only with 202, and the hub then asks back."""
        form = {"hub.mode": mode, "hub.topic": self.topic, "hub.callback": self.reader.url} | more
        assert requests.post(self.hub, data=form, timeout=5).status_code == 202
        asked_before = len(self.reader.asked)
        self.work()
        (asked,) = self.reader.asked[asked_before:]
        assert (asked["hub.mode"], asked["hub.topic"]) == (mode, self.topic)
        assert asked["hub.challenge"]
        assert mode == "unsubscribe" or int(asked["hub.lease_seconds"]) > 0

    def print_(self, n: int) -> None:
        """Something new appears in the paper, and is published as the clock does it."""
        print_issue(self.services, article(1), article(n, headline=f"新到的第{n}条"), day=DAYS[1])
        publish.run(self.services)
        self.work()

    def work(self) -> None:
        """The clock's job, a minute later."""
        clock = self.services.now
        assert isinstance(clock, Turned)
        clock.now += MINUTE
        job.run(self.services)

    def delivered(self, count: int = 1, secret: str | None = None) -> Post:
        """The last delivery, held against the topic as the site does it."""
        assert len(self.reader.got) == count
        got = self.reader.got[-1]
        for _ in range(40):  # the web server looks at the folder four times a second
            topic = requests.get(self.topic, timeout=5)
            if topic.content == got.body:
                break
            time.sleep(0.05)
        assert got.body.strip()
        assert got.body == topic.content
        assert got.headers["Content-Type"] == topic.headers["Content-Type"]
        assert _rels(got.headers["Link"]) == {"hub": [self.hub], "self": [self.topic]}
        sign = secret and f"sha256={hmac.new(secret.encode(), got.body, hashlib.sha256).hexdigest()}"
        assert got.headers.get("X-Hub-Signature") == sign
        return got


class Turned:
    """The time that the service believes."""

    now: datetime = NOW + timedelta(days=3)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def running(services: Services) -> Iterator[Services]:
    """The site on this machine, under the address where it is served, with an issue that is out."""
    server = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True)
    here = f"http://127.0.0.1:{server.server_port}"
    running = replace(services, settings=replace(services.settings, base_url=here), now=Turned())
    print_issue(running, article(1), article(2), day=DAYS[0])
    publish.run(running)
    server.app = create_app(running)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def reader() -> Iterator[Subscriber]:
    with subscriber() as reader:
        yield reader


@pytest.fixture
def site(running: Services, reader: Subscriber, request: pytest.FixtureRequest) -> Site:
    """The site, told of one of our feeds: the Atom one unless the test says another."""
    feed = getattr(request, "param", FEEDS[0])
    return Site(running, reader, f"{running.settings.base_url}/qinglan/feeds/{feed}")


every_feed = pytest.mark.parametrize("site", FEEDS, indirect=True)


# ── the hub ──────────────────────────────────────────────────────────────────────────────


def test_100_a_typical_subscriber(site: Site) -> None:
    site.ask()

    site.print_(3)

    assert "新到的第3条" in site.delivered().body.decode()


def test_101_a_subscriber_with_a_secret(site: Site) -> None:
    site.ask(**{"hub.secret": SECRET})

    site.print_(3)

    site.delivered(secret=SECRET)


def test_102_what_the_hub_does_not_know_it_ignores(site: Site) -> None:
    site.ask(**{"foo": "bar", "hub.foo": "hub.bar"})

    site.print_(3)

    site.delivered()


def test_103_subscribing_again_before_the_end_is_still_one_subscription(site: Site) -> None:
    site.ask()
    site.print_(3)
    site.delivered()

    site.ask()
    site.print_(4)

    site.delivered(2)


def test_104_who_has_left_is_told_no_more(site: Site) -> None:
    site.ask()
    site.print_(3)
    site.delivered()

    site.ask("unsubscribe")
    site.print_(4)

    assert len(site.reader.got) == 1


@pytest.mark.parametrize("site", FEEDS[1:], indirect=True)
def test_105_and_106_a_topic_that_is_not_atom_keeps_its_type(site: Site) -> None:
    site.ask()

    site.print_(3)

    site.delivered()


# ── the publisher ────────────────────────────────────────────────────────────────────────


@every_feed
def test_a_publisher_names_hub_and_topic_in_the_header_and_in_the_feed(site: Site) -> None:
    answer = requests.get(site.address, timeout=5)

    assert site.hub == f"{site.services.settings.base_url}/hub"
    assert site.topic == site.address  # nothing for a subscriber to follow or to guess
    if "xml" in answer.headers["Content-Type"]:
        links = [
            (link.get("rel"), link.get("href"))
            for link in etree.fromstring(answer.content).iter(f"{ATOM}link")
        ]
        assert [href for rel, href in links if rel == "hub"] == [site.hub]
        assert [href for rel, href in links if rel == "self"] == [site.topic]
    else:
        assert answer.json()["hubs"] == [{"type": "WebSub", "url": site.hub}]
        assert answer.json()["feed_url"] == site.topic


@every_feed
def test_who_subscribes_with_a_publisher_s_hub_is_told_of_the_next_issue(site: Site) -> None:
    site.ask(**{"hub.lease_seconds": "7200"})
    assert site.reader.asked[-1]["hub.lease_seconds"] == "7200"

    site.print_(3)

    site.delivered()


def test_a_page_that_is_archived_names_itself_and_no_hub(running: Services) -> None:
    print_issue(running, article(5), day=DAYS[0].replace(month=9))
    publish.run(running)
    address = f"{running.settings.base_url}/qinglan/feeds/archive/all-2026-09.atom"

    assert _rels(requests.get(address, timeout=5).headers["Link"]) == {"self": [address]}


def _rels(header: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for address, rel in LINK.findall(header):
        found.setdefault(rel, []).append(address)
    return found
