from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest
from lxml import etree

from syndicate.errors import RenderError
from syndicate.model import Entry, Kind, Publication, StoredIssue
from syndicate.render import articles
from syndicate.render.epub import epub
from tests.conftest import optional
from tests.render import hostile, paper
from tests.render.test_articles import everywhere

NS = {
    "opf": "http://www.idpf.org/2007/opf",
    "dc": "http://purl.org/dc/elements/1.1/",
    "x": "http://www.w3.org/1999/xhtml",
    "epub": "http://www.idpf.org/2007/ops",
    "ncx": "http://www.daisy.org/z3986/2005/ncx/",
}
PNG = b"\x89PNG\r\n\x1a\n..."
ENGLISH = replace(paper.PAPER, language="en", title="The Qinglan Daily")


def bound(
    entries: Sequence[Entry] = paper.ENTRIES,
    issue: StoredIssue = paper.ISSUE,
    publication: Publication = paper.PAPER,
    cover: bytes | None = None,
) -> bytes:
    return epub(issue, entries, publication, paper.BASE, cover)


def opened(book: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(book)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def read(files: dict[str, bytes], name: str) -> etree._Element:
    return etree.fromstring(files[f"book/{name}"])


def said(element: etree._Element, path: str) -> list[str]:
    found = element.xpath(path, namespaces=NS)
    assert isinstance(found, list)
    return [str(one) if isinstance(one, str) else "".join(one.itertext()) for one in found]


def test_a_reader_knows_the_type_by_the_first_bytes() -> None:
    book = bound()

    with ZipFile(BytesIO(book)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", ZIP_STORED, b"")
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert book[30:58] == b"mimetypeapplication/epub+zip"


def test_the_same_issue_is_the_same_book() -> None:
    assert bound() == bound()
    assert bound() != bound(paper.ENTRIES[1:])


def test_the_package_says_which_issue_it_is() -> None:
    issue = replace(paper.ISSUE, updated=datetime(2026, 11, 16, 4, 5, 6, tzinfo=UTC))

    package = read(opened(bound(issue=issue)), "package.opf")

    assert said(package, "//dc:title") == ["青岚日报 2026-11-16 第4127期"]
    assert said(package, "//dc:identifier") == ["tag:qinglan.example,2026-11-16:qinglan/20261116"]
    assert said(package, "//dc:language") == ["zh-CN"]
    assert said(package, "//dc:publisher") == ["青岚县融媒体中心承办"]
    assert said(package, "//dc:date") == ["2026-11-16"]
    assert said(package, "//dc:source") == ["https://news.example/qinglan/2026-11-16"]
    assert said(package, "//opf:meta[@property='dcterms:modified']") == ["2026-11-16T04:05:06Z"]
    assert said(package, "//opf:meta[@property='group-position']") == ["4127"]


def test_the_package_lists_every_file_and_each_is_well_formed() -> None:
    files = opened(bound(cover=PNG))

    package = read(files, "package.opf")
    listed = said(package, "//opf:manifest/opf:item/@href")
    assert {f"book/{name}" for name in listed} == set(files) - {
        "mimetype",
        "META-INF/container.xml",
        "book/package.opf",
    }
    assert set(said(package, "//opf:spine/opf:itemref/@idref")) <= set(said(package, "//opf:item/@id"))
    for name, content in files.items():
        if name.endswith((".xml", ".opf", ".ncx", ".xhtml")):
            etree.fromstring(content)


def test_the_contents_follow_the_paper_page_by_page() -> None:
    files = opened(bound(paper.ENTRIES[::-1]))

    nav = read(files, "nav.xhtml")
    toc = "//x:nav[@epub:type='toc']"
    assert said(nav, f"{toc}/x:ol/x:li/x:a") == ["青岚日报", "第1版", "第2版 要闻", "第4版 文体"]
    assert said(nav, f"{toc}/x:ol/x:li[2]//x:li/x:a") == ["沙洲段堤防加固提前完工", "青溪二桥今起试通车"]
    assert {f"book/{href}" for href in said(nav, "//x:a/@href")} <= set(files)
    ncx = read(files, "toc.ncx")
    assert said(ncx, "//ncx:navLabel/ncx:text") == said(nav, f"{toc}//x:a")
    assert said(ncx, "//ncx:content/@src") == said(nav, f"{toc}//x:a/@href")


def test_an_article_stands_there_whole_under_its_headline() -> None:
    files = opened(bound())

    for entry in paper.ENTRIES:
        chapter = read(files, f"{entry.page}-{entry.n}.xhtml")
        assert said(chapter, "//x:h1") == [articles.headline(entry.article)]
        assert said(chapter, "//x:a/@href") == [paper.BASE + entry.path]
        shown = "".join("".join(chapter.itertext()).split())
        for paragraph in articles.text(entry.article).split("\n\n"):
            assert "".join(paragraph.strip("〔〕").split()) in shown


def test_what_is_withdrawn_or_no_news_is_not_in_the_book() -> None:
    gone = replace(paper.ENTRIES[0], withdrawn=paper.PRINTED)
    notice = replace(paper.ENTRIES[1], article=replace(paper.DYKE, kind=Kind.NOTICE))

    files = opened(bound((gone, notice, *paper.ENTRIES[2:])))

    assert not {"book/1-1.xhtml", "book/1-2.xhtml"} & set(files)
    assert "第1版" not in files["book/nav.xhtml"].decode()


def test_an_issue_without_articles_is_a_book_too() -> None:
    files = opened(bound(()))

    assert said(read(files, "nav.xhtml"), "//x:nav[@epub:type='toc']//x:a") == ["青岚日报"]
    assert said(read(files, "front.xhtml"), "//x:p") == [
        "2026年11月16日 星期一 农历丙午年十月初八 第4127期",
        "青岚县融媒体中心承办",
    ]


def test_an_english_paper_is_an_english_book() -> None:
    files = opened(bound(publication=ENGLISH))

    assert said(read(files, "package.opf"), "//dc:title") == ["The Qinglan Daily 2026-11-16 No. 4127"]
    assert said(read(files, "nav.xhtml"), "//x:h1") == ["Contents"]
    assert "Monday, 16 November 2026" in said(read(files, "front.xhtml"), "//x:p")[0]


@pytest.mark.parametrize(
    ("picture", "name", "kind"),
    [(PNG, "cover.png", "image/png"), (b"\xff\xd8\xff\xe0...", "cover.jpg", "image/jpeg")],
)
def test_a_cover_is_known_to_old_and_new_readers(picture: bytes, name: str, kind: str) -> None:
    files = opened(bound(cover=picture))

    package = read(files, "package.opf")
    item = "//opf:item[@properties='cover-image']"
    assert said(package, f"{item}/@href | {item}/@media-type") == [name, kind]
    assert said(package, "//opf:meta[@name='cover']/@content") == said(package, f"{item}/@id")
    assert files[f"book/{name}"] == picture
    assert said(read(files, "front.xhtml"), "//x:img/@src") == [name]


def test_a_cover_of_another_kind_is_refused() -> None:
    with pytest.raises(RenderError, match="PNG or JPEG"):
        bound(cover=b"GIF89a")


def test_hostile_text_is_only_text() -> None:
    texts = hostile.texts(payloads=False)
    entries = tuple(replace(paper.entry(everywhere(text), n), page=1) for n, text in enumerate(texts, 1))

    files = opened(
        bound(entries, publication=replace(paper.PAPER, title="<b>&]]></b>", publisher="\x00\u202e"))
    )

    nav = read(files, "nav.xhtml")
    listed = said(nav, "//x:nav[@epub:type='toc']//x:li//x:li/x:a")
    assert listed == [articles.headline(entry.article) for entry in entries]
    for entry in entries:
        chapter = read(files, f"{entry.page}-{entry.n}.xhtml")
        assert not said(chapter, "//x:script | //x:img | //@onerror")
        assert said(chapter, "//x:h1") == [articles.headline(entry.article)]


def test_the_standards_own_checker_finds_nothing(tmp_path: Path) -> None:
    jar = Path("/usr/share/java/epubcheck.jar")  # Debian's package epubcheck
    if not (shutil.which("java") and jar.is_file()):
        optional("epubcheck is not installed")
    file = tmp_path / "issue.epub"
    file.write_bytes(bound((*paper.ENTRIES, paper.entry(everywhere("<b>&]]>"), 7))))

    checked = subprocess.run(
        ["java", "-jar", str(jar), "--failonwarnings", str(file)], capture_output=True, check=False
    )

    assert checked.returncode == 0, checked.stderr.decode()
