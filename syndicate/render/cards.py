"""A card for an article that has no picture: its headline, set large on its section's colour.

The same words, size and fonts give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from syndicate.model import Entry, Publication
from syndicate.render import articles
from syndicate.render.covers import PAPER, TYPE, prose
from syndicate.render.pen import Pen, colour, drawable, fitted, leading, mixed
from syndicate.render.templates import written_day

__all__ = [
    "SHAPES",
    "TYPE",
    "Card",
    "address",
    "address_of_paper",
    "card",
    "card_of",
    "card_of_paper",
    "mark",
    "path",
    "plain",
    "tone",
]

WIDE = (1068, 455)  # WeCom, news message: picurl
BANNER = (900, 383)  # Official Account, cover of a draft (2.35:1)
SHARED = (1200, 630)  # Open Graph, what most take without cropping (1.91:1)
SQUARE = (500, 500)  # shared in a chat; Official Account's second cover (1:1)
SHAPES = {"wide": WIDE, "banner": BANNER, "shared": SHARED, "square": SQUARE}
"""Pixels of each shape, by its name in addresses."""

# Dark enough that white on them has a contrast of 7 and more (WCAG 2.2, 1.4.6), and apart from each other.
TONES = ("#7a1f1b", "#1d3d63", "#1d4f40", "#5b3a1d", "#40306b", "#12505b", "#6a2347", "#414a26")


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says, and what gives it its colour: cards of one tone look alike."""

    headline: str
    kicker: str
    paper: str
    folio: str
    tone: str
    section: str = ""
    prose: str = ""  # the beginning of the text: it tells where the headline's words end


def path(entry: Entry, shape: str) -> str:
    """Where the card of an article is served, e.g. /qinglan/cards/2026-11-16/1-3-wide.png."""
    return f"/{entry.publication}/cards/{entry.date.isoformat()}/{entry.page}-{entry.n}-{shape}.png"


def address(entry: Entry, publication: Publication, base_url: str, shape: str) -> str:
    """The whole address of the card; another one when the card says something else, for caches."""
    return f"{base_url}{path(entry, shape)}?v={mark(card_of(entry, publication))[:8]}"


def address_of_paper(publication: Publication, base_url: str, shape: str) -> str:
    """The whole address of the paper's own card."""
    there = f"/{publication.slug}/cards/paper-{shape}.png"
    return f"{base_url}{there}?v={mark(card_of_paper(publication))[:8]}"


def mark(told: Card) -> str:
    """Sixteen hexadecimal digits that differ when the card does."""
    return hashlib.sha256("\0".join(astuple(told)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def card_of(entry: Entry, publication: Publication) -> Card:
    """The card of an article: with its kicker, or else its series, or else its section above the headline."""
    article = entry.article
    section = publication.section(entry.section)
    headline = articles.headline(article)
    above = [articles.line(said) for said in (article.kicker, article.series) if said]
    kicker = next((said for said in above if said and said != headline), "")
    named = articles.line(section.title) if section else ""
    return Card(
        headline=headline,
        kicker=kicker or (named if named != headline else ""),
        paper=articles.line(publication.title) or articles.UNTITLED,
        folio=written_day(entry.date, publication.language),
        tone=f"{publication.slug}/{entry.section}",
        section=named if kicker else "",
        prose=prose(entry),
    )


def card_of_paper(publication: Publication) -> Card:
    """The card of the paper itself: its name, and who publishes it."""
    name = articles.line(publication.title) or articles.UNTITLED
    publisher = articles.line(publication.publisher)
    return Card(headline=name, kicker="", paper=publisher or name, folio="", tone=publication.slug)


def card(told: Card, size: tuple[int, int], fonts: Sequence[Path]) -> bytes:
    """The card as PNG of that size. Raises RenderError when no font can be opened."""
    width, height = size
    scale = (width * height / (WIDE[0] * WIDE[1])) ** 0.5
    ground, white = colour(tone(told.tone)), colour(PAPER)
    pen = Pen(size, ground, fonts)
    margin, room = round(60 * scale), width - 2 * round(60 * scale)
    pen.watermark(told.paper, mixed(ground, white, 0.06))
    foot = _foot(pen, told, size, scale)

    small = pen.font(round(27 * scale))
    headline, kicker = _drawn(pen, told)
    kicker = fitted(kicker, small, room)
    above = round(58 * scale) if kicker else 0
    top = round(46 * scale)
    space = (room, foot - 2 * top - above)
    rows = 3 if width > 1.5 * height else 5
    font, lines = pen.largest(headline, round(88 * scale), round(38 * scale), space, told.prose, rows)
    # Set a little above the middle: what is in it looks too low.
    y = top + (foot - 2 * top - above - leading(font) * len(lines)) * 2 // 5
    if kicker:
        pen.write(margin, y + small.size, kicker, small, mixed(ground, white, 0.76), flush=True)
    pen.column(margin, y + above, lines, font, white)
    return pen.png()


def plain(told: Card, size: tuple[int, int]) -> bytes:
    """A card without a word, for where there is no font: lines on the card's colour, as of a printed page."""
    width, height = size
    ground, white = colour(tone(told.tone)), colour(PAPER)
    pen = Pen(size, ground, ())
    side = round(min(size) * 0.5)
    left, top = (width - side) // 2, (height - side) // 2
    thick = max(2, side // 14)
    pen.rule(left, top, side, 2 * thick, white)
    for n in range(2, 7):
        long = side if n < 6 else side * 3 // 5
        pen.rule(left, top + n * (side - thick) // 6, long, thick, mixed(ground, white, 0.6))
    return pen.png()


def tone(seed: str) -> str:
    """One of TONES, the same for the same seed for ever."""
    return TONES[hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()[0] % len(TONES)]


def _drawn(pen: Pen, told: Card) -> tuple[str, str]:
    """Headline and kicker; in place of a headline of which nothing can be drawn the kicker, or the paper's name."""
    font = pen.font(20, bold=True)
    if drawable(told.headline, font):
        return told.headline, told.kicker
    return (told.kicker, "") if drawable(told.kicker, font) else (told.paper, "")


def _foot(pen: Pen, told: Card, size: tuple[int, int], scale: float) -> int:
    """The paper's name, the section and the day under a line; gives where they begin."""
    width, height = size
    ground, white = colour(tone(told.tone)), colour(PAPER)
    soft, margin = mixed(ground, white, 0.76), round(60 * scale)
    foot, line = height - round(96 * scale), height - round(42 * scale)
    pen.rule(margin, foot, width - 2 * margin, max(1, round(2 * scale)), mixed(ground, white, 0.35))
    small, bold = pen.font(round(22 * scale)), pen.font(round(30 * scale), bold=True)
    day = width - margin - small.getlength(told.folio)
    pen.write(day, line, told.folio, small, soft)
    name = fitted(told.paper, bold, day - margin - 2 * small.size)
    pen.write(margin, line + round(2 * scale), name, bold, white)
    after = margin + bold.getlength(name) + small.size
    pen.write(after, line, fitted(told.section, small, day - after - 2 * small.size), small, soft)
    return foot
