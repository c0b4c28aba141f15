"""Messages for relay bots: within every limit, headline first, link last, and nothing in them acts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from syndicate.model import Article, Entry, PushKind
from syndicate.render import articles, wechat
from syndicate.render.budget import Unit, size
from tests.golden import Golden
from tests.render import hostile, paper
from tests.wechat import generated

SAID = (PushKind.NEW, PushKind.CORRECTED, PushKind.WITHDRAWN)
ADDRESS = "https://news.example/qinglan/2026-11-16/1/1"


def message(entry: Entry, kind: PushKind = PushKind.NEW) -> dict[str, object]:
    return wechat.message(wechat.Told(kind, entry, paper.ISSUE), paper.PAPER, paper.BASE)


def of(article: Article) -> Entry:
    return paper.entry(article, 1)


def test_messages_of_an_issue(golden: Golden) -> None:
    told = [message(entry) for entry in paper.ENTRIES]
    gone = replace(paper.ENTRIES[0], withdrawn=paper.PRINTED + timedelta(hours=5))
    told += [message(paper.ENTRIES[1], PushKind.CORRECTED), message(gone, PushKind.WITHDRAWN)]

    golden("relays/issue.json", json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n")


def test_the_headline_comes_first_and_the_address_last() -> None:
    text = wechat.text_message(
        wechat.Told(PushKind.NEW, paper.ENTRIES[0], paper.ISSUE), paper.PAPER, paper.BASE
    )

    assert text.startswith("青溪二桥今起试通车\n青岚日报 2026年11月16日 星期一 第1版\n")
    assert text.endswith(f"\n{ADDRESS}")


def test_what_is_left_out_is_counted() -> None:
    endless = of(Article("通车", paragraphs=("桥面上还留着露水，司机把速度放得很慢。" * 200,)))
    text, markdown = str(message(endless)["text"]), str(message(endless)["markdown"])

    for told, limit in ((text, 2048), (markdown, 4096)):
        left = re.search(r"（还有(\d+)字，见链接）", told)
        assert left
        assert told.count("桥面上还留着露水，司机把速度放得很慢。") == (3800 - int(left[1])) / 19
        assert limit - 200 < size(told, Unit.BYTES) <= limit


def test_an_article_without_text_is_headline_and_link() -> None:
    assert str(message(of(Article("只有标题")))["text"]).split("\n") == [
        "只有标题",
        "青岚日报 2026年11月16日 星期一 第1版",
        ADDRESS,
    ]


def test_a_table_and_a_verse_keep_their_lines() -> None:
    text = str(message(of(Article("价目", paragraphs=("品名 价格\n白菜 1.20\n萝卜 0.80",))))["text"])

    assert "\n品名 价格\n白菜 1.20\n萝卜 0.80\n" in text


def test_an_address_in_the_text_stays_a_link_in_markdown() -> None:
    printed = of(Article("报名", paragraphs=("请到https://a.example/b_c?d=e#f 报名（*免费*）。",)))

    assert "请到https://a.example/b_c?d=e#f 报名（＊免费＊）。" in str(message(printed)["markdown"])


@pytest.mark.parametrize("kind", SAID)
def test_nothing_printed_calls_anybody_or_links_to_elsewhere(kind: PushKind) -> None:
    for text in hostile.texts(payloads=False):
        said = message(of(Article(text, kicker=text, paragraphs=(text, text), captions=(text,))), kind)

        assert "<" not in str(said["text"]) + str(said["markdown"])
        assert re.findall(r"\]\(([^)]*)\)", str(said["markdown"])) == [ADDRESS]
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", f"{said['text']}{said['markdown']}"
        )


@given(some.text(max_size=400), some.integers(1, 60), some.sampled_from(SAID))
def test_every_message_is_within_every_limit(text: str, times: int, kind: PushKind) -> None:
    article = Article(text * 3, kicker=text, paragraphs=(text * times, text), captions=(text,))

    assert over(message(of(article), kind)) == []


def test_generated_articles_are_within_every_limit() -> None:
    """Two hundred of the ten thousand that `python -m bench.relay` makes."""
    for entry in generated.articles(200):
        assert over(message(entry)) == [], entry.id


def over(said: dict[str, object]) -> list[str]:
    """What of a message WeChat would cut or refuse."""
    limits = {"text": 2048, "markdown": 4096}
    found = [name for name, most in limits.items() if not 0 < size(str(said[name]), Unit.BYTES) <= most]
    for card in said.get("news", ()):  # type: ignore[attr-defined]  # a list
        found += [n for n, most in (("title", 128), ("description", 512)) if size(card[n], Unit.BYTES) > most]
        found += [n for n in ("title", "url", "picurl") if not card[n]]
    if draft := said.get("draft"):
        assert isinstance(draft, dict)
        most = {"title": 32, "author": 16, "digest": 128, "content": 19_999}
        found += [f"draft {n}" for n, limit in most.items() if size(draft[n], Unit.UTF16) > limit]
        found += ["class"] * ("class=" in re.sub(r">[^<]*", ">", draft["content"]))
        found += [n for n in ("title", "content", "pictures") if not draft[n]]
    json.dumps(said, ensure_ascii=False).encode()  # raises on half a surrogate pair
    return found


def test_a_draft_is_the_article_with_its_style_in_the_tags() -> None:
    draft = message(paper.ENTRIES[0])["draft"]

    assert isinstance(draft, dict)
    assert articles.headline(paper.ENTRIES[0].article) == draft["title"]
    assert re.findall(r"<p(?! style)[^>]*>", draft["content"]) == ["<p>"]  # the last: where it was printed
    assert "class" not in draft["content"]


def test_two_corrections_of_one_second_are_two_messages() -> None:
    first = replace(paper.ENTRIES[0], updated=paper.PRINTED + timedelta(hours=1))
    second = replace(first, updated=first.updated + timedelta(microseconds=400))

    told = [message(entry, PushKind.CORRECTED)["id"] for entry in (first, second, second)]

    assert told[0] != told[1] == told[2]
