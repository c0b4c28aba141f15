"""Articles as JSON: exact, canonical, and patient with what later versions write."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Article, Byline, Dateline, HeadlineSource, Jump, Kind, Part
from syndicate.store import articles
from tests.samples import article

T = TypeVar("T")

words = st.text(max_size=8)
lines = st.lists(words, max_size=3).map(tuple)
pages = st.integers(1, 99)


def maybe(some: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | some


any_article = st.builds(
    Article,
    headline=maybe(words),
    headline_source=st.sampled_from(HeadlineSource),
    kicker=maybe(words),
    subheads=lines,
    series=maybe(words),
    byline=st.builds(Byline, lines, lines, lines, words),
    dateline=st.builds(Dateline, maybe(words), maybe(st.dates()), words),
    editor_note=maybe(words),
    paragraphs=lines,
    parts=st.lists(st.builds(Part, maybe(words), maybe(words), maybe(words), lines), max_size=2).map(tuple),
    captions=lines,
    kind=st.sampled_from(Kind),
    page=pages,
    page_title=maybe(words),
    jump=st.builds(Jump, maybe(pages), maybe(pages), lines, st.booleans()),
    section=maybe(words),
    confidence=st.floats(0, 1),
    warnings=lines,
)


@given(any_article)
def test_an_article_comes_back_exactly(given: Article) -> None:
    text = articles.dumps(given)

    assert articles.loads(text) == given
    assert articles.dumps(articles.loads(text)) == text


def test_every_field_is_tried_above() -> None:
    tried = Article(
        "x",
        HeadlineSource.DERIVED,
        "x",
        ("x",),
        "x",
        Byline(("x",), ("x",), ("x",), "x"),
        Dateline("x", date(2026, 11, 16), "x"),
        "x",
        ("x",),
        (Part("x", "x", "x", ("x",)),),
        ("x",),
        Kind.NOTICE,
        2,
        "x",
        Jump(2, 1, ("x",), joined=True),
        "x",
        0.5,
        ("x",),
    )

    written = json.loads(articles.dumps(tried))

    assert set(written) == {f.name for f in fields(Article)} - {"spans"}
    for name, noun in (("byline", Byline), ("dateline", Dateline), ("jump", Jump)):
        assert set(written[name]) == {f.name for f in fields(noun)}
    assert articles.loads(articles.dumps(tried)) == tried


def test_spans_are_not_stored() -> None:
    assert articles.loads(articles.dumps(article())) == replace(article(), spans={})


def test_keys_of_a_later_version_are_passed_over() -> None:
    text = (
        '{"headline":"h","byline":{"reporters":["金露茜"],"orcid":"0"},"mood":"glad","spans":{"headline":[]}}'
    )

    assert articles.loads(text) == Article("h", byline=Byline(("金露茜",)))


def test_han_characters_stay_readable_and_half_characters_are_escaped() -> None:
    text = articles.dumps(Article("青岚\ud800\0"))

    assert text == '{"headline":"青岚\\ud800\\u0000"}'
    assert articles.loads(text).headline == "青岚\ud800\0"
