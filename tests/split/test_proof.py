"""The proof: what a person reads, mends and drops in again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bench.paper import files as sample
from syndicate.model import Article, Document, Issue, Kind, Publication, Source
from syndicate.readers import text
from syndicate.split import explain, proof, split
from tests.split.test_golden import PAGES, PAPER

PROOF = """\
= 1 要闻
% publication 青岚日报
% date 2026-11-19
~ 青岚日报

# 渡口重开
! 停航十一年
+ 首日载客三百人
: 本报记者 苏锦 通讯员 吴丽君
@ 本报岚城11月18日电
昨天上午，停航十一年的下渡口重开。
\\# 号船先到。
& 图为首航。
-> （下转第二版）

= 2 综合

# 寻狗启事
% kind notice
黄狗一只，十一月走失。
"""


def printed(source: str, paper: Publication = PAPER) -> Issue:
    return split(Document((Source("proof.txt", source),)), (paper,))


def plain(article: Article) -> Article:
    """What is read: neither where it stood nor how sure the machine was."""
    return replace(article, spans={}, confidence=1.0, warnings=())


def test_a_proof_says_each_field_with_its_mark() -> None:
    issue = printed(PROOF)

    ferry, dog = issue.articles
    assert (issue.masthead.publication, issue.masthead.date) == ("青岚日报", date(2026, 11, 19))
    assert [(page.number, page.title) for page in issue.pages] == [(1, "要闻"), (2, "综合")]
    assert issue.furniture == ("青岚日报",)
    assert (ferry.headline, ferry.kicker, ferry.subheads) == ("渡口重开", "停航十一年", ("首日载客三百人",))
    assert (ferry.byline.reporters, ferry.byline.correspondents) == (("苏锦",), ("吴丽君",))
    assert (ferry.dateline.place, ferry.dateline.date) == ("岚城", date(2026, 11, 18))
    assert ferry.paragraphs == ("昨天上午，停航十一年的下渡口重开。", "# 号船先到。")
    assert ferry.captions == ("图为首航。",)
    assert ferry.jump.to_page == 2
    assert (ferry.section, dog.section) == ("yaowen", "zonghe")
    assert (dog.kind, dog.page) == (Kind.NOTICE, 2)


def test_spans_point_into_the_proof() -> None:
    ferry = printed(PROOF).articles[0]

    where = {
        name: [PROOF[s.start : s.end] for item in items for s in item] for name, items in ferry.spans.items()
    }
    assert where["headline"] == ["渡口重开"]
    assert where["paragraphs"] == list(ferry.paragraphs)
    assert where["jump"] == ["（下转第二版）"]


@pytest.mark.parametrize("files", [sample(16), *([(p.name, p.read_bytes())] for p in PAGES)])
def test_an_issue_read_from_its_proof_is_the_same_issue(files: list[tuple[str, bytes]]) -> None:
    issue = split(text.read(files), (PAPER,))

    again = printed(proof.written(issue))

    assert again.masthead == issue.masthead
    assert again.furniture == issue.furniture
    in_page_order = sorted(issue.articles, key=lambda article: article.page)
    assert [plain(a) for a in again.articles] == [plain(a) for a in in_page_order]


@pytest.mark.parametrize(
    "wrong",
    [
        PROOF.replace("= 1 要闻", "= eins"),
        PROOF.replace("= 1 要闻\n", ""),
        PROOF.replace("% date 2026-11-19", "% date Thursday"),
        PROOF.replace("% kind notice", "% kind poem"),
        PROOF.replace("~ 青岚日报", "a paragraph of no article"),
        PROOF.replace("黄狗一只", "** a label outside a part\n黄狗一只"),
    ],
)
def test_what_is_not_quite_a_proof_is_split_like_any_text(wrong: str) -> None:
    assert proof.read(PROOF)
    assert proof.read(wrong) is None


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    assert [plain(a) for a in printed("\ufeff" + PROOF.replace("\n", "\r\n")).articles] == [
        plain(a) for a in printed(PROOF).articles
    ]


def test_a_proof_beside_a_printed_page_leaves_that_page_to_the_split() -> None:
    page = "第03版:民生\n\n雨水管网改造完工\n\n本报讯 (记者 苏锦) 昨天，县城雨水管网改造完工，共铺设管道九千米。\n"
    document = Document((Source("p1.txt", PROOF), Source("p3.txt", page, 3)))

    issue = split(document, (PAPER,))

    assert [page.number for page in issue.pages] == [1, 2, 3]
    assert [a.headline for a in issue.articles] == ["渡口重开", "寻狗启事", "雨水管网改造完工"]
    assert issue.masthead.date == date(2026, 11, 19)


def test_explain_says_that_the_proof_says_so() -> None:
    told = explain(Document((Source("proof.txt", PROOF),)))

    assert ("headline", 2, "寻狗启事", ("the proof says so",)) in [
        (e.label, e.page, e.text, e.reasons) for e in told
    ]
