"""What holds for any text whatever."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from syndicate.model import Document, Issue, Source
from syndicate.render.issues import as_json
from syndicate.split import explain, proof, split
from syndicate.split.text import readable
from tests.split.accounts import bare, missing_and_invented

TRADE = st.sampled_from(
    [
        "本报讯 (记者 林 明 徐 家和)", "新华社北京5月2日电 （记者王一）", "（下转第二版）", "(上接第一版)", "第02版:要闻",
        "2026年11月16日 星期一", "人物名片", "编者按:", "图为现场。 本报记者 甲乙摄", "导读", "寻狗启事", "① ", "汤", "周",
        "县里召开会议 部署冬修", "县里昨天上午召开会议，部署冬修水利。", "\"引\" 'x' (a) 3:2 1,000", "——", "……", "**粗**", "\n\n", "\n", " ",
        "\x00", "\x0c", "\u200b", "\ufeff", "Page 3", "By Ann Lee", "https://a.cn/b?c=1,2", "李四:", "A03", "广告", "\r\n\r\n", "\u3000",
    ]
)  # fmt: skip
PRINT = st.lists(st.one_of(TRADE, st.text(max_size=30)), max_size=40).map("".join)


def issue(text: str) -> Issue:
    return split(Document((Source("any.txt", text),)))


@settings(max_examples=250)
@given(PRINT)
@example("本报讯 (记者 林明)" * 4 + "**粗**" + "本报讯 (记者 林明)" * 2)  # two kinds of cuts, out of order
def test_any_text_splits_and_every_character_is_accounted_for(text: str) -> None:
    output = as_json(issue(text))

    missing, invented = missing_and_invented(text, output)
    assert not missing
    assert not invented


@settings(max_examples=100)
@given(PRINT)
def test_every_character_of_an_article_lies_in_one_span(text: str) -> None:
    places = [
        place
        for article in issue(text).articles
        for items in article.spans.values()
        for item in items
        for span in item
        for place in range(span.start, span.end)
    ]

    assert len(places) == len(set(places))


@settings(max_examples=250)
@given(PRINT)
@example("# 一\n\n= 1\n\n\\甲\r乙\n\n-> 丙")
def test_the_proof_of_a_split_splits_into_the_same_proof(text: str) -> None:
    once = proof.written(issue(text))

    assert proof.read(once)
    assert proof.written(issue(once)) == once


@settings(max_examples=60)
@given(PRINT)
def test_pages_cover_the_whole_source(text: str) -> None:
    spans = sorted(span for page in issue(text).pages for span in page.spans)

    assert [s.start for s in spans[1:]] == [s.end for s in spans[:-1]]
    assert (spans[0].start, spans[-1].end) == (0, len(text))


@settings(max_examples=60)
@given(PRINT)
def test_whatever_is_split_can_be_explained(text: str) -> None:
    told = explain(Document((Source("any.txt", text),)))

    assert "".join(e.text.replace(" ", "") for e in told) or not bare(text)


@settings(max_examples=25)
@given(st.lists(PRINT, min_size=1, max_size=4))
def test_several_files_lose_nothing_either(texts: list[str]) -> None:
    document = Document(tuple(Source(f"p{n}.txt", text, n) for n, text in enumerate(texts, 1)))

    missing, invented = missing_and_invented("\n".join(texts), as_json(split(document)))
    assert not missing
    assert not invented


def test_one_megabyte_in_one_line_ends() -> None:
    assert issue("县里召开会议。" * 150_000).articles


def test_a_hundred_thousand_empty_lines_end() -> None:
    assert not issue("\n" * 100_000).articles


MARKS = st.text(
    alphabet=st.sampled_from(list("中文字一 ,.:;!?\"'()“”‘’「」…—-0123abc%~*#|。，、：；（）·/\n")),
    max_size=40,
)


@settings(max_examples=1000)
@given(st.one_of(MARKS, PRINT), st.booleans())
def test_what_was_made_readable_is_not_changed_again(text: str, title: bool) -> None:
    once = readable([text], title=title)

    assert readable([once], title=title) == once
