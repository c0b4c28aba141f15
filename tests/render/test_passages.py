"""The passage in which the words stand: marked, escaped, cut where a reader would pause."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Article, Part
from syndicate.render import passages
from syndicate.render.articles import line
from syndicate.render.passages import Places
from tests.render import hostile

LONG = "连日来，橘农忙着采摘。" * 20


def of(*words: str) -> Places:
    """Where these words stand, each as it is written."""

    def places(text: str) -> Sequence[tuple[int, int]]:
        return [m.span() for m in re.finditer("|".join(map(re.escape, words)), text)]

    return places


def told(html: str) -> str:
    """The text that a reader sees."""
    return unescape(re.sub(r"</?mark>", "", html))


def test_words_are_marked_wherever_they_stand() -> None:
    assert passages.marked("油茶林里种油茶", of("油茶")) == "<mark>油茶</mark>林里种<mark>油茶</mark>"
    assert passages.marked("油茶林", of("油桐")) == "油茶林"
    assert passages.marked(None, of("油茶")) == ""


def test_a_passage_is_the_paragraph_with_the_word() -> None:
    article = Article("标题", paragraphs=("第一段没有。", "第二段说油茶。", "第三段也说油茶。"))

    assert passages.passage(article, of("油茶")) == "第二段说<mark>油茶</mark>。"


def test_the_paragraph_with_most_of_the_words_is_shown() -> None:
    article = Article("标题", paragraphs=("油茶，油茶，油茶。", "又说油桐又说油茶。"))

    assert passages.passage(article, of("油茶", "油桐")).startswith("又说<mark>油桐</mark>又说")


def test_words_in_the_headline_alone_leave_the_beginning() -> None:
    article = Article("油茶", paragraphs=("昨天上午，县里召开会议，部署清淤和加固。",))

    assert passages.passage(article, of("油茶")) == "昨天上午，县里召开会议，部署清淤和加固。"
    assert passages.passage(Article("油茶"), of("油茶")) == ""


@pytest.mark.parametrize(
    "article",
    [
        Article("题", parts=(Part("小标油茶"),)),
        Article("题", parts=(Part(label="油茶名片"),)),
        Article("题", parts=(Part(profile="油茶大户"),)),
        Article("题", parts=(Part(paragraphs=("分述油茶。",)),)),
        Article("题", captions=("图为油茶。",)),
        Article("题", subheads=("油茶副题",)),
        Article("题", editor_note="编者按：油茶。"),
        Article("题", series="油茶栏目"),
    ],
)
def test_a_passage_may_come_from_any_part_of_the_article(article: Article) -> None:
    assert "<mark>油茶</mark>" in passages.passage(article, of("油茶"))


def test_a_long_paragraph_is_cut_around_the_word() -> None:
    article = Article("标题", paragraphs=(f"{LONG}今年油茶丰收。{LONG}",))

    shown = passages.passage(article, of("油茶"), 60)

    assert "<mark>油茶</mark>" in shown
    assert re.match("…[连橘今]", shown)  # where a sentence or a clause begins
    assert len(told(shown)) <= 61


def test_a_passage_begins_with_the_paragraph_when_the_word_stands_there() -> None:
    article = Article("标题", paragraphs=(f"今年油茶丰收。{LONG}",))

    assert passages.passage(article, of("油茶"), 60).startswith("今年<mark>油茶</mark>丰收。")


def test_the_passage_where_words_stand_together_is_shown() -> None:
    article = Article("标题", paragraphs=(f"油茶。{LONG}油桐和油茶。{LONG}",))

    assert "<mark>油桐</mark>和<mark>油茶</mark>" in passages.passage(article, of("油茶", "油桐"), 60)


def test_a_text_without_pauses_is_cut_between_two_characters() -> None:
    article = Article("标题", paragraphs=("永" * 200 + "油茶" + "e\u0301" * 200,))

    shown = passages.passage(article, of("油茶"), 60)

    assert shown.startswith("…永")
    assert "<mark>油茶</mark>" in shown


def test_a_word_longer_than_the_passage_is_marked_as_far_as_it_is_shown() -> None:
    article = Article("标题", paragraphs=("永" * 300,))

    assert passages.passage(article, of("永" * 300), 60) == f"<mark>{'永' * 59}</mark>…"


def test_a_passage_far_down_in_an_endless_article_is_not_looked_for() -> None:
    article = Article("标题", paragraphs=("连日来，橘农忙着采摘分级。", "永" * 1_000_000, "油茶"))

    assert passages.passage(article, of("油茶")) == "连日来，橘农忙着采摘分级。"


def test_nothing_hostile_becomes_a_tag() -> None:
    for text in hostile.texts():
        for shown in (
            passages.marked(text, of("a", "<", "&")),
            passages.passage(Article(None, paragraphs=(text,)), of("a", "<", "&")),
        ):
            assert set(re.findall("<[^>]*>", shown)) <= {"<mark>", "</mark>"}
            assert shown.count("<") == shown.count("<mark>") + shown.count("</mark>")


@given(st.text(max_size=400), st.text(min_size=1, max_size=3), st.integers(10, 80))
def test_a_passage_is_a_piece_of_the_text_and_no_longer_than_wanted(text: str, word: str, limit: int) -> None:
    shown = passages.passage(Article(None, paragraphs=(text,)), of(word), limit)

    assert len(told(shown)) <= limit + 1
    assert told(shown).removeprefix("…").removesuffix("…") in line(text)
    assert told(passages.marked(text, of(word))) == line(text)
