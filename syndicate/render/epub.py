"""One issue as an EPUB 3 book, with the table of contents that EPUB 2 readers know (NCX) beside the new one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from io import BytesIO
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from markupsafe import Markup

from syndicate.errors import RenderError
from syndicate.model import Entry, Publication, StoredIssue
from syndicate.render import articles, book
from syndicate.render.templates import FOLDER, environment

TYPE = "application/epub+zip"

# The first date a zip file can hold (APPNOTE 4.4.6): a file's age must not change the book.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Cover:
    name: str
    type: str
    content: bytes


def epub(
    issue: StoredIssue, entries: Sequence[Entry], publication: Publication, base_url: str, cover: bytes | None
) -> bytes:
    """The issue as EPUB 3, one file an article; the same bytes for the same values.

    `cover` is a PNG or JPEG; raises RenderError when it is neither.
    """
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        # Uncompressed and first, so that a file's first bytes tell its type (OCF 3.3, §4.3).
        archive.writestr(ZipInfo("mimetype", _EPOCH), TYPE, ZIP_STORED)
        for name, content in _files(issue, entries, publication, base_url, _cover(cover)):
            packing = ZIP_STORED if name.endswith((".png", ".jpg")) else ZIP_DEFLATED
            archive.writestr(ZipInfo(name, _EPOCH), content, packing, 9)
    return packed.getvalue()


def _files(
    issue: StoredIssue,
    entries: Sequence[Entry],
    publication: Publication,
    base_url: str,
    cover: _Cover | None,
) -> Iterator[tuple[str, bytes]]:
    templates = environment(publication.language)
    sheets = book.sheets(issue, entries, publication)
    said = {
        "paper": publication,
        "issue": issue,
        "id": articles.issue_id(issue, publication),
        "title": book.title(issue, publication),
        "name": articles.line(publication.title) or articles.UNTITLED,
        "publisher": articles.line(issue.publisher or publication.publisher),
        "folio": book.folio(issue, publication),
        "source": base_url + quote(issue.path),
        "modified": f"{issue.updated.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "sheets": sheets,
        "cover": cover,
    }
    for name, template in (
        ("META-INF/container.xml", "epub/container.xml"),
        ("book/package.opf", "epub/package.xml"),
        ("book/nav.xhtml", "epub/nav.xml"),
        ("book/toc.ncx", "epub/toc.xml"),
        ("book/front.xhtml", "epub/front.xml"),
    ):
        yield name, templates.get_template(template).render(said).encode()
    yield "book/style.css", (FOLDER / "epub/style.css").read_bytes()
    if cover:
        yield f"book/{cover.name}", cover.content
    article = templates.get_template("epub/article.xml")
    for sheet in sheets:
        for chapter in sheet.chapters:
            told = {
                "paper": publication,
                "sheet": sheet,
                "chapter": chapter,
                "body": Markup(articles.body(chapter.entry.article)),  # noqa: S704  # escaped there
                "address": base_url + quote(chapter.entry.path),
            }
            yield f"book/{chapter.name}.xhtml", article.render(told).encode()


def _cover(picture: bytes | None) -> _Cover | None:
    if picture is None:
        return None
    for mark, name, kind in (
        (b"\x89PNG\r\n\x1a\n", "cover.png", "image/png"),
        (b"\xff\xd8\xff", "cover.jpg", "image/jpeg"),
    ):
        if picture.startswith(mark):
            return _Cover(name, kind, picture)
    raise RenderError("the cover of an EPUB must be PNG or JPEG")
