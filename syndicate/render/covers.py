"""The front of an issue as a picture, for its book.

The same words, size and fonts give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from syndicate.model import Entry, Publication, StoredIssue
from syndicate.render import articles, book
from syndicate.render.lines import wrap
from syndicate.render.pen import Font, Pen, colour, drawable, fitted, leading

TYPE = "image/png"

COVER = (1200, 1600)  # an EPUB's cover (3:4)

PAPER, INK, SOFT, HAIR, RED = "#fcfaf5", "#1c1916", "#615a4e", "#d8d0bf", "#a8211a"  # as templates/web/static


def cover(
    issue: StoredIssue, entries: Sequence[Entry], publication: Publication, fonts: Sequence[Path]
) -> bytes:
    """The front of the issue as PNG: name plate, folio, the headlines of its first page, what is inside.

    Raises RenderError when no font can be opened.
    """
    pen = Pen(COVER, colour(PAPER), fonts)
    sheets = book.sheets(issue, entries, publication)
    y = _plate(pen, publication, book.folio(issue, publication))
    end = _inside(pen, sheets[1:], articles.line(issue.publisher or publication.publisher))
    if sheets:
        y = _lead(pen, sheets[0].chapters[0], y)
        _others(pen, sheets[0].chapters[1:], y, end)
    return pen.png()


def prose(entry: Entry) -> str:
    """The beginning of its text, which tells where the words of its headline end."""
    return articles.line("".join(entry.article.paragraphs)[:2000])


_MARGIN = 88
_ROOM = COVER[0] - 2 * _MARGIN
_GUTTER = 64
_COLUMN = (_ROOM - _GUTTER) // 2


def _plate(pen: Pen, publication: Publication, folio: Sequence[str]) -> int:
    """The name plate and the line under it; gives where they end."""
    red, soft = colour(RED), colour(SOFT)
    name = articles.line(publication.title) or articles.UNTITLED
    latin = articles.line(publication.title_en).upper()
    chinese = publication.language.startswith("zh")
    space = 0.16 if chinese else 0.0
    font = next(
        (
            f
            for size in range(180, 60, -4)
            if pen.spread(name, f := pen.font(size, bold=True), space) <= _ROOM
        ),
        pen.font(60, bold=True),
    )
    name = fitted(name, font, _ROOM)
    y = 80 + round(font.size)
    pen.spaced(
        (COVER[0] - pen.spread(name, font, space)) / 2, y - round(font.size * 0.12), name, font, space, red
    )
    small = pen.font(25)
    if latin and latin != name.upper() and pen.spread(latin, small, 0.42) <= _ROOM:
        y += 44
        pen.spaced((COVER[0] - pen.spread(latin, small, 0.42)) / 2, y, latin, small, 0.42, soft)
    y += 38
    pen.rule(_MARGIN, y, _ROOM, 6, red)
    pen.rule(_MARGIN, y + 11, _ROOM, 2, red)
    said, font = [fitted(item, pen.font(28), _ROOM / len(folio) - 20) for item in folio], pen.font(28)
    gap = (_ROOM - sum(map(font.getlength, said))) / max(1, len(said) - 1)
    x: float = _MARGIN
    for item in said:
        pen.write(x, y + 54, item, font, colour(INK))
        x += font.getlength(item) + gap
    pen.rule(_MARGIN, y + 76, _ROOM, 2, colour(HAIR))
    return y + 78


def _inside(pen: Pen, sheets: Sequence[book.Sheet], publisher: str) -> int:
    """What the other pages hold, a line each, at the foot; gives where it begins."""
    red, ink, soft = colour(RED), colour(INK), colour(SOFT)
    y = COVER[1] - 70
    if publisher:
        font = pen.font(24)
        said = fitted(publisher, font, _ROOM)
        pen.centred(y, said, font, soft)
        y -= 34
        pen.rule(_MARGIN, y - 14, _ROOM, 2, colour(HAIR))
        y -= 14
    shown = sheets[:5]
    name, font = pen.font(29, bold=True), pen.font(29)
    indent = min(_ROOM / 3, max((name.getlength(sheet.title) for sheet in shown), default=0) + 40)
    for sheet in reversed(shown):
        y -= 28
        pen.write(_MARGIN, y, fitted(sheet.title, name, indent - 20), name, red)
        pen.write(_MARGIN + indent, y, _listed(sheet, font, _ROOM - indent), font, ink)
        y -= 28
    if shown:
        pen.rule(_MARGIN, y - 16, _ROOM, 2, red)
        y -= 16
    return y


def _listed(sheet: book.Sheet, font: Font, room: float) -> str:
    """As many of the page's headlines as fit in a line, the first one cut if it must be."""
    said = fitted(sheet.chapters[0].headline, font, room)
    for chapter in sheet.chapters[1:]:
        if font.getlength(longer := f"{said} · {drawable(chapter.headline, font)}") > room:
            break
        said = longer
    return said


def _lead(pen: Pen, chapter: book.Chapter, y: int) -> int:
    """The first article: kicker, large headline, subheads, the beginning of its text; gives where it ends."""
    ink, soft = colour(INK), colour(SOFT)
    small = pen.font(33)
    y += 46
    if kicker := fitted(chapter.kicker, small, _ROOM):
        pen.centred(y + small.size, kicker, small, soft)
        y += 56
    font, lines = pen.largest(chapter.headline, 108, 54, (_ROOM, 300), prose(chapter.entry))
    for line in lines:
        y += leading(font)
        pen.centred(y - font.size * 0.3, line, font, ink)
    y += 16
    if chapter.subheads and (said := fitted(" · ".join(chapter.subheads), small, _ROOM)):
        pen.centred(y + small.size, said, small, ink)
        y += 58
    for line in _beginning(chapter, pen.font(30), _ROOM, 3):
        y += 48
        pen.write(_MARGIN, y - 10, line, pen.font(30), soft)
    return y + 34


def _others(pen: Pen, chapters: Sequence[book.Chapter], y: int, end: int) -> None:
    """The other articles of the first page in two columns, with as much of their texts as there is room for."""
    pairs = [chapters[n : n + 2] for n in range(0, min(4, len(chapters)), 2)]
    rows, spare = next(
        (
            (rows, spare)
            for count, depth in ((2, 3), (2, 2), (1, 3), (2, 1), (1, 2), (2, 0), (1, 0))
            if count <= len(pairs)
            and (rows := [[_Told.of(pen, chapter, depth) for chapter in pair] for pair in pairs[:count]])
            and (spare := end - y - sum(_row_height(row) for row in rows)) >= 0
        ),
        ([], 0),
    )
    for row in rows:
        y += spare // (len(rows) + 1)
        _row(pen, row, y)
        y += _row_height(row)


@dataclass(frozen=True, slots=True)
class _Told:
    """A headline set in lines, and the lines under it."""

    font: Font
    headline: tuple[str, ...]
    text: tuple[str, ...]

    @classmethod
    def of(cls, pen: Pen, chapter: book.Chapter, depth: int) -> _Told:
        font, lines = pen.largest(chapter.headline, 44, 36, (_COLUMN, 130), prose(chapter.entry))
        return cls(font, lines, _beginning(chapter, pen.font(26), _COLUMN, depth))

    @property
    def height(self) -> int:
        return leading(self.font) * len(self.headline) + 41 * len(self.text)


def _row_height(row: Sequence[_Told]) -> int:
    return max(told.height for told in row) + 58


def _row(pen: Pen, row: Sequence[_Told], y: int) -> None:
    pen.rule(_MARGIN, y, _ROOM, 2, colour(HAIR))
    if len(row) > 1:
        pen.rule(_MARGIN + _COLUMN + _GUTTER // 2, y + 30, 2, _row_height(row) - 48, colour(HAIR))
    for n, told in enumerate(row):
        x = _MARGIN + n * (_COLUMN + _GUTTER)
        pen.column(x, y + 18, told.headline, told.font, colour(INK))
        below = y + 18 + leading(told.font) * len(told.headline) + 36
        for m, line in enumerate(told.text):
            pen.write(x, below + 41 * m, line, pen.font(26), colour(SOFT))


def _beginning(chapter: book.Chapter, font: Font, width: float, depth: int) -> tuple[str, ...]:
    """The first sentences of the text in at most `depth` lines; none where they are the headline."""
    summary = drawable(articles.summary(chapter.entry.article, int(depth * width / font.size)), font)
    if depth < 1 or summary.startswith(chapter.headline.rstrip("…")):
        return ()
    return wrap(summary, width, font.getlength)[:depth]
