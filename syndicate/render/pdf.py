"""One issue as a PDF to read and print: A4, two columns, outline and links. The only module that knows typst."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote

import typst
from babel import Locale

from syndicate.errors import RenderError
from syndicate.model import Entry, Publication, StoredIssue
from syndicate.render import articles, book
from syndicate.render.lines import balance
from syndicate.render.templates import FOLDER

TYPE = "application/pdf"

# A paper of forty full pages holds 300 000 characters. typst 0.15 takes up to 1 KB and 15 µs for each (measured), and
# cannot be stopped: this bounds both.
LIMIT = 500_000

_ROOM = 14.8  # ems of a headline in a column: 82 mm at 15.5 pt are 14.99 (templates/pdf/issue.typ)
_LONGEST = 120  # characters of a headline whose lines are chosen; a longer one is set as it comes
_RUN = re.compile(r"[!-\u02ff\u0370-\u052f]{20}(?=[!-\u02ff\u0370-\u052f])")


def pdf(
    issue: StoredIssue,
    entries: Sequence[Entry],
    publication: Publication,
    base_url: str,
    fonts: Sequence[Path],
) -> bytes:
    """The issue as PDF; the same bytes for the same values, fonts and version of typst.

    `fonts` are the files of one family. Raises RenderError when none of them can be used, when the issue
    is longer than LIMIT, or when typst refuses it.
    """
    known = _fonts(tuple(sorted({str(font.parent) for font in fonts})))
    told = _told(issue, entries, publication, base_url) | {"fonts": _families(known, fonts)}
    notation = json.dumps(told, ensure_ascii=False)
    if len(notation) > LIMIT:
        raise RenderError(f"{issue.path}: no PDF: {len(notation)} characters, at most {LIMIT} can be set")
    try:
        return typst.compile(
            (FOLDER / "pdf/issue.typ").read_bytes(),
            font_paths=known,
            format="pdf",
            sys_inputs={"issue": notation},
            timestamp=int(issue.updated.timestamp()),
        )
    except typst.TypstError as e:
        raise RenderError(f"{issue.path}: no PDF: {e.message}") from e


def _told(
    issue: StoredIssue, entries: Sequence[Entry], publication: Publication, base_url: str
) -> dict[str, object]:
    """What templates/pdf/issue.typ reads: strings and lists of them, nothing that typst would run."""
    locale = Locale.parse(publication.language, sep="-")
    return {
        "title": book.title(issue, publication),
        "name": articles.line(publication.title) or articles.UNTITLED,
        "latin": articles.line(publication.title_en),
        "publisher": articles.line(issue.publisher or publication.publisher),
        "folio": book.folio(issue, publication),
        "address": base_url + quote(issue.path),
        "language": publication.language,
        "lang": locale.language,
        "region": locale.territory if len(locale.territory or "") == 2 else None,  # typst knows no 001
        "sheets": [
            {"title": sheet.title, "articles": [_article(chapter, base_url) for chapter in sheet.chapters]}
            for sheet in book.sheets(issue, entries, publication)
        ],
    }


def _article(chapter: book.Chapter, base_url: str) -> dict[str, object]:
    prose = articles.line("".join(chapter.entry.article.paragraphs)[:2000])
    return {
        "name": chapter.name,
        "address": base_url + quote(chapter.entry.path),
        "above": _breakable(chapter.series),
        "kicker": _breakable(chapter.kicker),
        "headline": _breakable(chapter.headline),
        "lines": balance(chapter.headline, _ROOM, _ems, prose)
        if len(chapter.headline) < _LONGEST
        else [_breakable(chapter.headline)],
        "blocks": [
            (kind, _breakable(said))
            for kind, said in (
                *(("subhead", subhead) for subhead in chapter.subheads),
                *([("byline", chapter.byline)] if chapter.byline else []),
                *book.blocks(articles.body(chapter.entry.article)),
            )
        ],
    }


def _ems(said: str) -> float:
    """How wide a text is at most, in ems: a Han character is one, Latin letters in bold are narrower."""
    return sum(1.0 if ord(char) >= 0x2000 else 0.62 for char in said)


def _breakable(said: str) -> str:
    """With a place to break (U+200B) wherever a word or address is longer than a column is wide."""
    return _RUN.sub("\\g<0>\u200b", said)


@cache
def _fonts(folders: tuple[str, ...]) -> typst.Fonts:
    """All fonts of those folders and the few that typst brings, not the machine's: typst takes no files."""
    return typst.Fonts(include_system_fonts=False, font_paths=list(folders))


def _families(known: typst.Fonts, fonts: Sequence[Path]) -> list[str]:
    """The families in those files, the one drawn for simplified characters first."""
    files = {str(font) for font in fonts}
    found = {font.family for font in known.fonts() if font.path in files}
    if not found:
        raise RenderError(f"no PDF: no usable font in {', '.join(sorted(files)) or 'an empty list of fonts'}")
    return sorted(found, key=lambda family: (not family.endswith((" SC", " CN")), family))
