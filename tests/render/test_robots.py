"""What groups are told is never longer than they take, and never more than text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from syndicate.model import Bulletin, Entry, MessageForm, OfficialAccount, PushKind, RobotKind
from syndicate.render import drafts, robots
from tests.render import hostile, paper
from tests.render.test_articles import everywhere

EVERY = [(kind, form) for kind in RobotKind for form in MessageForm]
KINDS = (PushKind.NEW, PushKind.CORRECTED, PushKind.WITHDRAWN)
ACCOUNT = OfficialAccount("wx", "secret")
BASE = "https://paper.example"


def bulletin(*entries: Entry, kind: PushKind = PushKind.NEW) -> Bulletin:
    return Bulletin(paper.PAPER, kind, paper.ISSUE, entries or paper.ENTRIES, BASE)


def called(text: str, n: int = 1) -> Entry:
    entry = paper.entry(everywhere(text), n)
    return replace(entry, article=replace(entry.article, headline=text))


def strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


def within(message: dict[str, object], kind: RobotKind) -> bool:
    """Whether that kind of robot takes it whole; the numbers are the vendors', see render/robots.py."""
    if kind is not RobotKind.WECOM:
        return len(json.dumps(message, ensure_ascii=False).encode()) <= 20_480
    told = message[str(message["msgtype"])]
    assert isinstance(told, dict)
    if message["msgtype"] == "news":
        return 1 <= len(told["articles"]) <= 8 and all(
            1 <= len(card["title"].encode()) <= 128 and len(card["description"].encode()) <= 512
            for card in told["articles"]
        )
    limit = {"text": 2048, "markdown": 4096}[str(message["msgtype"])]
    return 1 <= len(told["content"].encode()) <= limit


@pytest.mark.parametrize(("kind", "form"), EVERY)
@pytest.mark.parametrize("about", KINDS)
def test_every_headline_of_an_issue_is_in_the_message(
    kind: RobotKind, form: MessageForm, about: PushKind
) -> None:
    message = robots.message(bulletin(kind=about), kind, form)

    told = "\n".join(strings(message))
    assert within(message, kind)
    for entry in paper.ENTRIES[:3]:
        assert f"{BASE}{entry.path}" in told
    assert "青溪二桥今起试通车" in told
    assert ("撤稿" in told) == (about is PushKind.WITHDRAWN)
    assert ("更正" in told) == (about is PushKind.CORRECTED)


@pytest.mark.parametrize(("kind", "form"), EVERY)
def test_a_test_says_whose_it_is(kind: RobotKind, form: MessageForm) -> None:
    message = robots.message(Bulletin(paper.PAPER, PushKind.TEST, None, (), BASE), kind, form)

    assert "青岚日报：测试消息" in "\n".join(strings(message))
    assert within(message, kind)


@pytest.mark.parametrize(("kind", "form"), EVERY)
def test_what_there_is_no_room_for_is_counted(kind: RobotKind, form: MessageForm) -> None:
    many = [called(f"第{n}条" + "青溪二桥今起试通车" * 6, n) for n in range(1, 201)]

    message = robots.message(bulletin(*many), kind, form)

    told = "\n".join(strings(message))
    shown = sum(re.search(rf"{entry.path}(?!\d)", told) is not None for entry in many)
    assert f"另有{200 - shown}篇" in told
    assert within(message, kind)


@settings(max_examples=60, deadline=None)
@given(
    text=some.text(max_size=300),
    count=some.integers(1, 12),
    which=some.sampled_from(EVERY),
    about=some.sampled_from(KINDS),
)
def test_no_text_is_too_long_for_a_group(
    text: str, count: int, which: tuple[RobotKind, MessageForm], about: PushKind
) -> None:
    entries = [called(text * (n % 3 + 1), n) for n in range(1, count + 1)]

    assert within(robots.message(bulletin(*entries, kind=about), *which), which[0])


@pytest.mark.parametrize(("kind", "form"), EVERY)
def test_a_headline_calls_nobody_and_leads_nowhere(kind: RobotKind, form: MessageForm) -> None:
    bad = '<@all> <at user_id="all">全体</at> [点这里](https://evil.example) **重** ![x](https://evil.example/x.png)'

    message = robots.message(bulletin(called(bad)), kind, form)

    told = "\n".join(strings(message))
    assert "<" not in told
    if form is MessageForm.MARKDOWN and kind is not RobotKind.FEISHU:  # elsewhere it is no markup
        assert "](https://evil" not in told


def test_hostile_texts_stay_texts() -> None:
    for n, text in enumerate(hostile.texts(payloads=False), 1):
        for which in EVERY:
            message = robots.message(bulletin(called(text, n)), *which)
            assert within(message, which[0])
            assert "<" not in "\n".join(strings(message))


def test_an_english_paper_speaks_english() -> None:
    told = replace(bulletin(), publication=replace(paper.PAPER, language="en", title="Qinglan Daily"))

    message = robots.message(told, RobotKind.WECOM, MessageForm.MARKDOWN)

    assert message["markdown"]["content"].startswith(
        "#### Qinglan Daily, Monday, 16 November 2026: 6 articles"
    )


# ── drafts ───────────────────────────────────────────────────────────────────────────────


def taken(article: dict[str, str]) -> bool:
    return (
        1 <= len(article["title"].encode("utf-16-le")) // 2 <= 32
        and len(article["author"].encode("utf-16-le")) // 2 <= 16
        and len(article.get("digest", "").encode("utf-16-le")) // 2 <= 128
        and 1 <= len(article["content"].encode("utf-16-le")) // 2 < 20_000
        and len(article["content_source_url"]) <= 1024
    )


def test_a_draft_holds_the_article_and_where_it_was_printed() -> None:
    entry = paper.ENTRIES[0]

    (article,) = drafts.draft(bulletin(entry), (entry,), ("cover",), ACCOUNT)

    assert article["title"] == "青溪二桥今起试通车"
    assert article["content"].endswith("（青岚日报 2026年11月16日 星期一 第1版）</p>")
    assert article["content_source_url"] == f"{BASE}{entry.path}"
    assert article["thumb_media_id"] == "cover"
    assert article["digest"]
    assert taken(article)


def test_a_digest_stands_only_in_a_draft_of_one_article() -> None:
    two = drafts.draft(bulletin(), paper.ENTRIES[:2], ("a", "b"), ACCOUNT)

    assert all("digest" not in article for article in two)


@pytest.mark.parametrize("paragraphs", [("永" * 50_000,), ("永" * 9_000,) * 5, ('&<>"' * 9_000,)])
def test_an_endless_article_is_cut_between_sentences_and_says_so(paragraphs: tuple[str, ...]) -> None:
    entry = paper.ENTRIES[0]
    long = replace(entry, article=replace(entry.article, paragraphs=paragraphs, parts=()))

    (article,) = drafts.draft(bulletin(long), (long,), ("cover",), ACCOUNT)

    assert taken(article)
    assert "阅读原文" in article["content"]
    assert len(article["content"]) > 19_000


@settings(max_examples=60, deadline=None)
@given(text=some.text(max_size=400))
def test_any_text_fits_a_draft(text: str) -> None:
    entry = called(text)

    (article,) = drafts.draft(bulletin(entry), (entry,), ("cover",), ACCOUNT)

    assert taken(article)


def test_the_account_s_own_limit_and_author_are_kept() -> None:
    account = replace(ACCOUNT, title_limit=12, author="青岚日报社融媒体中心采编部编辑")
    entry = called("青溪二桥今起试通车，两岸乡亲等了三十年")

    (article,) = drafts.draft(bulletin(entry), (entry,), ("cover",), account)

    assert article["title"] == "青溪二桥今起试通车…"
    assert article["author"] == "青岚日报社融媒体中心采编部编辑"
