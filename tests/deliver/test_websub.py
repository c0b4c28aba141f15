"""WebSub over HTTP, against a subscriber that listens on this machine."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest

from syndicate.deliver import websub
from syndicate.deliver.websub import Contents
from syndicate.errors import DeliveryError
from tests.subscriber import Subscriber, client, said, subscriber, written

TOPIC = "https://paper.example/qinglan/feeds/byline-%E9%87%91.atom"
HUB = "https://paper.example/hub"
ATOM = Contents(TOPIC, HUB, "application/atom+xml; charset=utf-8", "<feed>青岚\n</feed>\n".encode() * 9)

FRESHRSS = r"<(?P<uri>[^>]+)>\s*;\s*rel\s*=\s*(?P<quote>\"?){rel}(?P=quote)\s*(?=,|$)"
"""How FreshRSS (through SimplePie) finds a link in a Link header: nothing may follow rel but a comma."""


@pytest.fixture
def reader() -> Iterator[Subscriber]:
    with subscriber() as reader:
        yield reader


def found(header: str, rel: str) -> list[str]:
    return [m["uri"] for m in re.finditer(FRESHRSS.format(rel=rel), header, re.IGNORECASE)]


@pytest.mark.parametrize("topic", [TOPIC, "https://paper.example/qinglan/feeds/all.json"])
def test_freshrss_finds_hub_and_self_in_the_link_header(topic: str) -> None:
    header = websub.links(HUB, topic)

    assert (found(header, "hub"), found(header, "self")) == ([HUB], [topic])
    assert found(websub.links(None, topic), "hub") == []
    assert found(websub.links(None, topic), "self") == [topic]


def test_the_callback_is_asked_and_its_own_question_stays(reader: Subscriber) -> None:
    agreed = websub.agrees(client(), reader.url, "subscribe", TOPIC, "c-h_4", 864000)

    assert agreed
    assert reader.asked == [
        {
            "k": "7f3a",
            "hub.mode": "subscribe",
            "hub.topic": TOPIC,
            "hub.challenge": "c-h_4",
            "hub.lease_seconds": "864000",
        }
    ]


def test_a_callback_without_a_question_gets_one(reader: Subscriber) -> None:
    assert websub.agrees(client(), reader.url.split("?")[0], "unsubscribe", TOPIC, "c", 1)
    assert reader.asked == [{"hub.mode": "unsubscribe", "hub.topic": TOPIC, "hub.challenge": "c"}]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_with_the_challenge_is_a_yes(reader: Subscriber, status: int) -> None:
    reader.instead = lambda request: written(request, b"HTTP/1.0 %d x\r\n\r\nchallenge\n" % status)

    # 204 has no body (RFC 9110 §15.3.5), so it cannot hold the challenge.
    assert websub.agrees(client(), reader.url, "subscribe", TOPIC, "challenge", 1) is (status != 204)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, ""),
        (200, "other"),
        (200, "challenge and more"),
        (200, "CHALLENGE"),
        (200, "challenge" + " " * 5000 + "more"),
        (200, "青" * 3),
        (200, "x" * 10_000_000),
        (302, "challenge"),
        (400, "challenge"),
        (404, "challenge"),
        (410, "challenge"),
        (500, "challenge"),
    ],
)
def test_any_other_answer_is_a_no(reader: Subscriber, status: int, text: str) -> None:
    reader.echo = lambda _challenge: (status, text)

    assert not websub.agrees(client(), reader.url, "subscribe", TOPIC, "challenge", 1)


def test_a_redirect_is_no_yes_wherever_it_leads(reader: Subscriber) -> None:
    with subscriber() as agreeing:
        reader.instead = lambda request: said(request, 302, Location=agreeing.url)

        assert not websub.agrees(client(), reader.url, "subscribe", TOPIC, "c", 1)
        assert agreeing.asked == []


def test_a_feed_is_sent_whole_with_its_type_and_links(reader: Subscriber) -> None:
    assert websub.send(client(), reader.url, ATOM, None)

    (post,) = reader.got
    assert post.path == "/callback?k=7f3a"
    assert post.body == ATOM.body
    assert post.headers["Content-Type"] == ATOM.type
    assert (found(post.headers["Link"], "hub"), found(post.headers["Link"], "self")) == ([HUB], [TOPIC])
    assert post.headers["User-Agent"] == "Syndicate (+https://paper.example)"
    assert "X-Hub-Signature" not in post.headers


@pytest.mark.parametrize(
    "type_", ["text/plain", "application/feed+json", "application/rss+xml; charset=utf-8"]
)
def test_whatever_the_topic_s_type_is_it_is_said(reader: Subscriber, type_: str) -> None:
    websub.send(client(), reader.url, Contents(TOPIC, HUB, type_, b"plain"), None)

    assert (reader.got[0].headers["Content-Type"], reader.got[0].body) == (type_, b"plain")


@pytest.mark.parametrize("secret", ["hush", "嘘" * 60, " ", "a" * 199])
def test_a_secret_signs_the_body(reader: Subscriber, secret: str) -> None:
    websub.send(client(), reader.url, ATOM, secret)

    (post,) = reader.got
    method, _, digest = post.headers["X-Hub-Signature"].partition("=")
    key = secret.encode().ljust(64, b"\0")
    if len(secret.encode()) > 64:
        key = hashlib.sha256(secret.encode()).digest().ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + post.body).digest()
    assert method == "sha256"
    assert digest == hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).hexdigest()  # RFC 2104, by hand
    assert digest == hmac.new(secret.encode(), post.body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_2xx_is_taken(reader: Subscriber, status: int) -> None:
    reader.statuses = [status]

    assert websub.send(client(), reader.url, ATOM, None)


def test_410_says_that_the_subscription_is_gone(reader: Subscriber) -> None:
    reader.statuses = [410]

    assert not websub.send(client(), reader.url, ATOM, None)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 429, 500, 503])
def test_anything_else_is_to_be_tried_again(reader: Subscriber, status: int) -> None:
    reader.statuses = [status]

    with pytest.raises(DeliveryError, match=rf"^127\.0\.0\.1: answered {status}$") as error:
        websub.send(client(), reader.url, ATOM, "hush")

    assert not error.value.permanent
    assert len(reader.got) == 1


def test_an_outside_hub_is_told_which_feed_changed(reader: Subscriber) -> None:
    websub.notify(client(), reader.url, TOPIC)

    (post,) = reader.got
    assert post.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(post.body.decode()) == {"hub.mode": ["publish"], "hub.url": [TOPIC]}


def test_an_outside_hub_that_refuses_is_told_again(reader: Subscriber) -> None:
    reader.statuses = [503]

    with pytest.raises(DeliveryError, match="answered 503"):
        websub.notify(client(), reader.url, TOPIC)
