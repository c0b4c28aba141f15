from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from lxml import etree
from lxml import html as tree

from syndicate.model import Article, Byline, Jump, Part
from syndicate.render import articles
from tests.golden import Golden
from tests.render import hostile, paper

SAFE = {"p", "strong", "em", "small", "h2", "h3", "blockquote", "br", "div"}


def everywhere(text: str) -> Article:
    """An article with this text in every field."""
    return Article(
        headline=text,
        kicker=text,
        subheads=(text,),
        series=text,
        byline=Byline((text,), (text,), (text,), text),
        editor_note=text,
        paragraphs=(text, text),
        parts=(Part(text, text, text, (text,)),),
        captions=(text,),
    )


@pytest.mark.parametrize("article", paper.ARTICLES, ids=lambda a: f"page-{a.page}")
def test_html_and_text_say_the_same(article: Article) -> None:
    fragment = articles.html(article)

    shown = "".join(tree.fromstring(f"<div>{fragment}</div>").itertext())
    plain = articles.text(article).replace("〔", "").replace("〕", "")
    assert "".join(shown.split()) == "".join(plain.split())


def test_an_article_looks_as_it_was_printed(golden: Golden) -> None:
    shown = "\n\n".join(articles.html(article) for article in paper.ARTICLES)

    golden("feeds/articles.html", shown.encode() + b"\n")


def test_an_article_reads_as_it_was_printed(golden: Golden) -> None:
    shown = "\n\n\n".join(articles.text(article) for article in paper.ARTICLES)

    golden("feeds/articles.txt", shown.encode() + b"\n")


def test_hostile_text_is_only_text() -> None:
    for text in hostile.texts():
        fragment = articles.html(everywhere(text))

        root = etree.fromstring(f"<div>{fragment}</div>")
        assert {element.tag for element in root.iter()} <= SAFE
        assert {name for element in root.iter() for name in element.attrib} <= {"class"}
        assert {element.tag for element in tree.fromstring(f"<div>{fragment}</div>").iter()} <= SAFE
        assert not set("\u202e\u2066\x00\x08\ufffe\ud800") & set(fragment)


@given(some.text())
def test_any_text_reads_back_as_it_was(text: str) -> None:
    article = Article(headline="题", paragraphs=(text,))

    read = etree.fromstring(f"<div>{articles.html(article)}</div>")
    for br in read.iter("br"):
        br.tail = "\n" + (br.tail or "")

    assert "".join(read.itertext()) == articles.clean(text).strip()


def test_a_headline_is_never_empty_and_on_one_line() -> None:
    for text in hostile.texts():
        article = everywhere(text)

        headline = articles.headline(article)
        title = articles.item(paper.entry(article, 1), paper.PAPER, paper.BASE).title

        assert headline.strip()
        assert title.strip()
        assert len(f"{headline}{title}".splitlines()) == 1


def test_a_lost_headline_is_taken_from_parts_kicker_or_lead() -> None:
    assert articles.headline(Article(None, parts=(Part("岭头小学"),))) == "岭头小学"
    assert articles.headline(Article(None, kicker="民生走笔")) == "民生走笔"
    lead = "县图书馆开门了。读者来了很多，门口排起了长队，一直排到了路口，拐了个弯。"
    assert (
        articles.headline(Article(" ", paragraphs=(lead,))) == "县图书馆开门了。读者来了很多，门口排起了长队…"
    )
    assert articles.headline(Article(None, series="溪边谈")) == "溪边谈"
    assert articles.headline(Article(None)) == articles.UNTITLED


def test_a_kicker_that_stands_as_headline_is_not_said_twice() -> None:
    assert "民生走笔" not in articles.html(Article(None, kicker="民生走笔", paragraphs=("正文。",)))


def test_a_page_prints_kicker_subheads_and_byline_itself() -> None:
    inside = articles.body(paper.BRIDGE)

    assert paper.BRIDGE.kicker not in inside  # type: ignore[operator]
    assert "记者" not in inside
    assert "清晨六点四十分" in inside
    assert "编者按" in inside


def test_a_byline_names_place_and_every_hand() -> None:
    assert articles.byline(paper.BRIDGE) == "本报青岚11月15日电　记者 何晓楠 郑文海　通讯员 吴丽君　摄影 丁禾"
    assert articles.byline(Article("题", byline=Byline(raw="本报讯"))) == "本报讯"
    assert articles.byline(Article("Title", byline=Byline(("Jane Roe", "John Doe")))) == "Jane Roe, John Doe"
    assert articles.byline(Article("题")) == ""


def test_a_joined_article_has_no_jump_note() -> None:
    jump = Jump(to_page=2, from_page=1, joined=True)

    assert "版）" not in articles.text(replace(paper.BRIDGE, jump=jump))
    assert "（下转第2版）" in articles.text(paper.BRIDGE)
    assert articles.text(paper.CARD).startswith("（上接第1版）")
    assert "(to page 2)" in articles.text(Article("Flood", paragraphs=("Rain.",), jump=Jump(to_page=2)))


def test_a_summary_is_the_lead_cut_at_a_sentence() -> None:
    assert articles.summary(paper.BRIDGE) == paper.BRIDGE.paragraphs[0]
    assert (
        articles.summary(paper.BRIDGE, 50)
        == "清晨六点四十分，第一辆公交车驶上青溪二桥，车里坐着十九位去县城上早班的石埠人。"
    )
    assert articles.summary(Article("题", captions=("图为柿饼。",))) == "图为柿饼。"
    assert articles.summary(Article("题")) == ""


def test_a_title_looks_like_html_nowhere() -> None:
    def title(headline: str) -> str:
        return articles.item(paper.entry(Article(headline), 1), paper.PAPER, paper.BASE).title

    assert title("<script>一</script>") == "＜script>一＜/script>"
    assert title("A&lt;B") == "A＆lt;B"
    assert title("R&D 3 < 5") == "R&D 3 < 5"


def test_no_plain_field_of_an_item_looks_like_html() -> None:
    for text in hostile.OWN:
        item = articles.item(paper.entry(everywhere(text), 1), paper.PAPER, paper.BASE)

        for plain in (item.title, item.summary, *item.authors, *item.categories):
            assert html.unescape(plain) == plain
            assert not re.search("<[A-Za-z/!?]", plain)


def test_an_item_always_has_content() -> None:
    item = articles.item(paper.entry(Article("只有标题"), 1), paper.PAPER, paper.BASE)

    assert item.html == "<p>只有标题</p>"


def test_an_issue_is_one_item_with_its_contents_by_page(golden: Golden) -> None:
    item = articles.issue_item(paper.ISSUE, paper.ENTRIES, paper.PAPER, paper.BASE)

    assert item.id == "tag:qinglan.example,2026-11-16:qinglan/20261116"
    assert item.title == "青岚日报 2026年11月16日 星期一 第4127期"
    assert item.published == item.updated == paper.PRINTED
    golden("feeds/issue.html", item.html.encode() + b"\n")


def test_a_withdrawn_entry_leaves_the_issues_item() -> None:
    gone = replace(paper.ENTRIES[0], withdrawn=paper.PRINTED)

    item = articles.issue_item(paper.ISSUE, (gone, *paper.ENTRIES[1:]), paper.PAPER, paper.BASE)

    assert "青溪二桥" not in item.html + item.summary


def test_an_issue_keeps_its_id_when_its_number_is_corrected() -> None:
    ids = {
        articles.issue_item(replace(paper.ISSUE, number=n), paper.ENTRIES, paper.PAPER, paper.BASE).id
        for n in (None, 4127, 4172)
    }

    assert len(ids) == 1


def test_an_article_that_moved_stands_under_the_page_it_is_on() -> None:
    moved = replace(paper.ENTRIES[0], article=replace(paper.ENTRIES[0].article, page=4))

    item = articles.issue_item(paper.ISSUE, (moved,), paper.PAPER, paper.BASE)

    assert item.html.startswith("<h2>第4版")
    assert f"{moved.date}/{moved.page}/{moved.n}" in item.html


def test_a_corrected_issue_is_updated_and_keeps_its_date() -> None:
    issue = replace(paper.ISSUE, number=None, updated=paper.ISSUE.added + timedelta(hours=2))

    item = articles.issue_item(issue, paper.ENTRIES, replace(paper.PAPER, language="en"), paper.BASE)

    assert item.id == "tag:qinglan.example,2026-11-16:qinglan/20261116"
    assert item.title == "青岚日报 Monday, 16 November 2026"
    assert (item.published, item.updated) == (paper.PRINTED, issue.updated)


@given(some.text())
def test_what_is_printable_needs_no_cleaning(text: str) -> None:
    shown = "".join(char for char in text if char.isprintable())

    assert articles._ILLEGAL.search(shown) is None
    assert articles._LINE_END.search(shown) is None
