"""An article among the results of a search: the passage in which the words stand, and the words marked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from syndicate.model import Article
from syndicate.render.articles import escape, line, summary
from syndicate.render.budget import cut

Places = Callable[[str], Sequence[tuple[int, int]]]
"""Where the words stand in a text: [start, end), in order and apart from one another."""

_READ = 20_000  # characters of an article in which a passage is looked for
_SENTENCE = re.compile(r"[。！？!?；…]+[”’」』）》〕】\")]*")
_PAUSE = re.compile(r"[，、：,;:]+|\s+")


def marked(text: str | None, places: Places) -> str:
    """The text on one line, as HTML, with the words marked."""
    shown = line(text)
    return _marked(shown, places(shown))


def passage(article: Article, places: Places, limit: int = 120) -> str:
    """At most `limit` characters around the words, as HTML, with the words marked.

    Of several texts the one with most of the words; where they stand in none, the article's beginning.
    """
    texts = ((text, places(text)) for text in _texts(article))
    best, found = max(texts, key=lambda pair: _told(*pair), default=("", ()))
    if not found:
        return marked(summary(article, limit), places)
    start = _start(best, found, limit)
    kept = cut(best[start:], limit)
    end = start + len(kept) - (kept.endswith("…") and start + len(kept) <= len(best))
    inside = [(max(a, start) - start, min(b, end) - start) for a, b in found if a < end and b > start]
    return ("…" if start else "") + _marked(kept, inside)


def _marked(text: str, places: Sequence[tuple[int, int]]) -> str:
    pieces, at = [], 0
    for start, end in places:
        pieces.append(f"{escape(text[at:start])}<mark>{escape(text[start:end])}</mark>")
        at = end
    return "".join(pieces) + escape(text[at:])


def _texts(article: Article) -> Iterator[str]:
    """What a passage can be taken from, best first: headline, kicker and names are shown anyway."""
    left = _READ
    for text in _printed(article):
        shown = line((text or "")[:left])
        if shown:
            yield shown
        left -= len(text or "")
        if left <= 0:
            return


def _printed(article: Article) -> Iterator[str | None]:
    yield from article.paragraphs
    for part in article.parts:
        yield from part.paragraphs
        yield from (part.profile, part.headline, part.label)
    yield from article.captions
    yield from article.subheads
    yield from (article.editor_note, article.series)


def _told(text: str, places: Sequence[tuple[int, int]]) -> int:
    """How many different words stand there."""
    return len({text[start:end] for start, end in places})


def _start(text: str, places: Sequence[tuple[int, int]], limit: int) -> int:
    """Where the passage with most of the words begins: with a sentence, a clause, a little before a word."""
    if len(text) <= limit:
        return 0
    first = max(
        (start for start, _ in places),
        key=lambda at: _told(text, [p for p in places if at <= p[0] and p[1] <= at + limit // 2]),
    )
    earliest = max(0, first - limit // 4)  # cut() keeps at least two fifths
    if earliest == 0:
        return 0
    for mark in (_SENTENCE, _PAUSE):
        if begins := [m.end() for m in mark.finditer(text, earliest, first) if m.end() <= first]:
            return begins[0]
    while earliest < first and unicodedata.combining(text[earliest]):
        earliest += 1
    return earliest
