"""Letters that ask: what they say, to whom they go, and the one link they have."""

from __future__ import annotations

import re
from dataclasses import replace
from email.message import EmailMessage

import pytest

from syndicate.model import Rhythm, Subscription, SubscriptionState
from syndicate.render import confirmations
from syndicate.render.confirmations import Asking, Sheet
from tests.golden import Golden
from tests.render import hostile, paper
from tests.render.inbox import links, part, received

URL = "https://news.example/qinglan/confirm/" + "Ab3-_." * 12
SHEET = Sheet(URL, "syndicate@news.example", paper.BASE, "<c1.x@qinglan.example>", paper.PRINTED)
PENDING = Subscription(
    1,
    "qinglan",
    "reader@example.org",
    ("yaowen", "wenti"),
    Rhythm.ISSUE,
    "zh-CN",
    SubscriptionState.PENDING,
    paper.PRINTED,
)
KNOWN = replace(PENDING, state=SubscriptionState.CONFIRMED, words=("水利",), series=("我在村里有份新工作",))
MOVING = replace(KNOWN, moving="new@example.net")
EACH = {Asking.CONFIRM: PENDING, Asking.KNOWN: KNOWN, Asking.MOVE: MOVING}
NAMES = {Asking.CONFIRM: "confirmation", Asking.KNOWN: "known", Asking.MOVE: "move"}


def letter(subscription: Subscription = PENDING) -> EmailMessage:
    return confirmations.confirmation(paper.PAPER, subscription, SHEET)


@pytest.mark.parametrize("about", Asking)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_each_is_written_as_its_golden_file(about: Asking, language: str, golden: Golden) -> None:
    assert confirmations.asking(EACH[about]) is about

    golden(
        f"digests/{NAMES[about]}.{language}.eml", letter(replace(EACH[about], language=language)).as_bytes()
    )


@pytest.mark.parametrize("about", Asking)
def test_each_has_one_link_and_wants_no_answer(about: Asking) -> None:
    message = received(letter(EACH[about]))

    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    assert links(part(message, "html")) == [URL]
    assert re.findall(r"https?://\S+", part(message, "plain")) == [URL]


def test_it_says_what_was_chosen() -> None:
    whole = replace(PENDING, sections=(), rhythm=Rhythm.WEEKLY, language="en")

    assert "每期一封 · 要闻、文体" in part(received(letter()), "plain")
    assert "once a week · the whole paper" in part(received(letter(whole)), "html")
    assert "要闻、文体、我在村里有份新工作、水利" in part(received(letter(KNOWN)), "plain")


def test_who_is_asked_whether_mail_shall_move_there_learns_nothing_of_whence() -> None:
    message = letter(MOVING)

    assert message["To"] == "new@example.net"
    for kind in ("plain", "html"):
        text = part(received(message), kind)
        assert "reader@example.org" not in text
        assert "水利" not in text


def test_hostile_words_add_neither_headers_nor_tags() -> None:
    for text in hostile.texts(payloads=False):
        message = received(letter(replace(KNOWN, words=(text,), bylines=(text,))))

        assert message["Bcc"] is None
        assert "<script" not in part(message, "html").lower()
