from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from syndicate.errors import RenderError
from syndicate.model import Article, Byline, Entry, Kind, Part, Publication, StoredIssue
from syndicate.render import articles
from syndicate.render import pdf as printing
from syndicate.render.pdf import pdf
from tests.render import hostile, paper
from tests.render.test_articles import everywhere


def printed(
    installed: Sequence[Path],
    entries: Sequence[Entry] = paper.ENTRIES,
    issue: StoredIssue = paper.ISSUE,
    publication: Publication = paper.PAPER,
) -> PdfReader:
    return PdfReader(BytesIO(pdf(issue, entries, publication, paper.BASE, installed)))


def text(book: PdfReader) -> str:
    """All that is printed, without the breaks of lines."""
    return "".join("".join(page.extract_text() for page in book.pages).split())


def outline(book: PdfReader) -> list[object]:
    """The outline's titles, nested as it is."""

    def named(node: object) -> object:
        return [named(one) for one in node] if isinstance(node, list) else getattr(node, "title", node)

    return [named(node) for node in book.outline]


def test_every_article_is_there_whole(installed: tuple[Path, ...]) -> None:
    shown = text(printed(installed))

    for entry in paper.ENTRIES:
        assert "".join(articles.headline(entry.article).split()) in shown
        for paragraph in entry.article.paragraphs:
            assert "".join(paragraph.split())[-12:] in shown
    assert "第4127期" in shown
    assert "农历丙午年十月初八" in shown


def test_the_outline_leads_through_pages_and_articles(installed: tuple[Path, ...]) -> None:
    assert outline(printed(installed)) == [
        "第1版",
        ["青溪二桥今起试通车", "沙洲段堤防加固提前完工"],
        "第2版 要闻",
        ["两所山村小学的午饭", "柿子红了 小院亮了"],
        "第4版 文体",
        ["石埠队挺进乡村足球联赛决赛", articles.headline(paper.CARD)],
    ]


def test_headlines_lead_to_the_site(installed: tuple[Path, ...]) -> None:
    book = printed(installed)

    links = {
        link.get_object()["/A"]["/URI"]
        for page in book.pages
        for link in page.get("/Annots", ())
        if "/URI" in link.get_object().get("/A", {})
    }
    assert links == {f"{paper.BASE}{e.path}" for e in paper.ENTRIES} | {f"{paper.BASE}{paper.ISSUE.path}"}


def test_the_file_says_which_issue_it_is_and_when_it_last_changed(installed: tuple[Path, ...]) -> None:
    issue = replace(paper.ISSUE, updated=datetime(2026, 11, 16, 4, 5, 6, tzinfo=UTC))

    said = printed(installed, issue=issue).metadata

    assert said is not None
    assert said.title == "青岚日报 2026-11-16 第4127期"
    assert said.author == "青岚县融媒体中心承办"
    assert said.creation_date == issue.updated


def test_the_same_issue_is_the_same_file(installed: tuple[Path, ...]) -> None:
    first, second = (pdf(paper.ISSUE, paper.ENTRIES, paper.PAPER, paper.BASE, installed) for _ in range(2))

    assert first == second


def test_what_is_withdrawn_or_no_news_is_not_printed(installed: tuple[Path, ...]) -> None:
    gone = replace(paper.ENTRIES[0], withdrawn=paper.PRINTED)
    notice = replace(paper.ENTRIES[1], article=replace(paper.DYKE, kind=Kind.NOTICE))

    shown = text(printed(installed, (gone, notice, *paper.ENTRIES[2:])))

    assert "青溪二桥" not in shown
    assert "沙洲段" not in shown
    assert outline(printed(installed, (gone, notice))) == []


def test_an_issue_without_articles_is_one_page(installed: tuple[Path, ...]) -> None:
    assert len(printed(installed, ()).pages) == 1


def test_a_large_issue_has_its_contents_on_pages_of_their_own(installed: tuple[Path, ...]) -> None:
    many = tuple(
        replace(paper.entry(replace(paper.DYKE, headline=f"第{n}条消息：沙洲段堤防加固提前完工"), n), page=1)
        for n in range(1, 121)
    )

    book = printed(installed, many)

    assert "记者" not in book.pages[0].extract_text()
    assert all(f"第{n}条消息" in text(book) for n in (1, 60, 120))


def test_two_articles_of_one_address_are_refused(installed: tuple[Path, ...]) -> None:
    with pytest.raises(RenderError, match="no PDF: label"):
        printed(installed, paper.ENTRIES[:1] * 2)


@pytest.mark.parametrize("language", ["en-001", "en", "zh-Hant-TW", "ja"])
def test_every_language_a_paper_may_have_can_be_set(installed: tuple[Path, ...], language: str) -> None:
    book = printed(installed, publication=replace(paper.PAPER, language=language))

    assert "青溪二桥今起试通车" in text(book)


def test_an_english_paper_is_set_in_english(installed: tuple[Path, ...]) -> None:
    article = Article(
        headline="The bridge opens", paragraphs=("At twenty to seven the first bus crossed it.",)
    )
    english = replace(paper.PAPER, language="en", title="The Qinglan Daily", title_en=None)

    book = printed(installed, (paper.entry(article, 1),), publication=english)

    assert outline(book) == ["Page 1", ["The bridge opens"]]
    assert "Monday,16November2026" in text(book)


def test_markup_is_only_text(installed: tuple[Path, ...]) -> None:
    markup = '#panic("x") $x^2$ *b* _i_ @ref <label> = h #read("/etc/passwd") \\u{41} // c'
    article = Article(
        headline=markup,
        kicker=markup,
        series=markup,
        byline=Byline(raw=markup),
        paragraphs=(markup,),
        parts=(Part(markup, markup, markup, (markup,)),),
    )

    book = printed(installed, (paper.entry(article, 1),), publication=replace(paper.PAPER, title=markup))

    assert text(book).replace("\u200b", "").count('#read("/etc/passwd")\\u{41}//c') >= 8
    assert "root:" not in text(book)


def test_hostile_text_is_printed(installed: tuple[Path, ...]) -> None:
    texts = hostile.texts(payloads=False)
    entries = tuple(paper.entry(everywhere(said), n) for n, said in enumerate(texts, 1))

    book = printed(installed, entries)

    listed = outline(book)[1]
    assert isinstance(listed, list)
    assert len(listed) == len(texts)


def test_a_word_wider_than_a_column_is_broken(installed: tuple[Path, ...]) -> None:
    address = "https://news.example/" + "a" * 300

    book = printed(installed, (paper.entry(replace(paper.DYKE, paragraphs=(address,)), 1),))

    assert address in text(book).replace("\u200b", "")
    assert all(len(line) < 60 for page in book.pages for line in page.extract_text().splitlines())


def test_more_than_a_newspaper_holds_is_refused(installed: tuple[Path, ...]) -> None:
    endless = replace(paper.DYKE, paragraphs=("汉" * printing.LIMIT,))

    with pytest.raises(RenderError, match=r"/qinglan/2026-11-16: no PDF: \d+ characters"):
        printed(installed, (paper.entry(endless, 1),))


@pytest.mark.parametrize("found", [(), (Path("/nowhere/Song.ttf"),)])
def test_without_a_font_there_is_no_pdf(found: tuple[Path, ...]) -> None:
    with pytest.raises(RenderError, match="no usable font in"):
        printed(found)
