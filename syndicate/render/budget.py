"""Text cut to a budget, where a reader would have paused: at a sentence, a clause, a word.

The one engine for every budget: characters for people, bytes of UTF-8 for WeCom's messages, UTF-16 units for what
counts as JavaScript and the Official Accounts do; and blocks of HTML, which are kept whole or left out.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from enum import StrEnum

import regex

# A mark between two digits, or inside an address on the web, ends nothing: 12,345.67 · 3：2 · https://a.example/?b
_SENTENCE = regex.compile(
    r"(?:[。！？…]|[!?](?![A-Za-z0-9/]))+[”’」』）》〕】\")]*|\.[”’\")]*(?=\s|$)",
)
_CLAUSE = regex.compile(
    r"(?:[、；—]|[，：](?!(?<=[0-9][，：])[0-9])|[,;:](?![A-Za-z0-9/]))+|\s(?=\S)(?!(?<=[0-9]\s)[0-9])"
)
_OPENING, _CLOSING = "“‘「『（《〈【〔(", "”’」』）》〉】〕)"
_WORD = regex.compile(r"[A-Za-z0-9０-９.,:%'’&@/?=_#~+-]")  # of numbers and addresses on the web, too
_NUMERAL = regex.compile(r"[0-9０-９〇零一二三四五六七八九十百千万亿兆两%％‰℃.：]")  # 6.8亿 · 二百三十 · 3：2
# 1,234.5 · 1 234 567 · ３．５万 · 3∶2 · 三点五 · 25％; a space parts thousands only (ISO 80000-1, 7.3.1)
_NUMBER = regex.compile(
    r"""[0-9０-９〇零一二三四五六七八九十百千万亿兆两]+
    (?:(?:(?<=[0-9０-９])[.,:：，．∶'’/](?=[0-9０-９])|点|(?<=[0-9０-９])[\ \u00a0\u2007\u2009\u202f](?=[0-9０-９]{3}(?![0-9０-９])))
    [0-9０-９〇零一二三四五六七八九十百千万亿兆两]+)*
    [%％‰℃]?""",
    regex.VERBOSE,
)
_LONGEST_NUMBER = 30  # characters: what is longer is none, and may be cut
_GRAPHEME = regex.compile(r"\X")  # UAX 29, extended grapheme clusters
_SPACES = " \t\n\v\f\r\x85\xa0\u2007\u2009\u2028\u2029\u202f\u3000"
_MORE = "…"


class Unit(StrEnum):
    """What a budget is counted in."""

    CHARACTERS = "characters"  # code points of Unicode
    BYTES = "bytes"  # of UTF-8
    UTF16 = "utf16"  # code units: an emoji is two


def size(text: str, unit: Unit = Unit.CHARACTERS) -> int:
    """How much of a budget a text takes. Halves of surrogate pairs count as what replaces them: "?"."""
    if unit is Unit.BYTES:
        return len(text.encode("utf-8", "replace"))
    if unit is Unit.UTF16:
        return len(text.encode("utf-16-le", "replace")) // 2
    return len(text)


def cut(text: str, limit: int, unit: Unit = Unit.CHARACTERS) -> str:
    """At most `limit` of `text`; what was cut inside a sentence ends with an ellipsis.

    A whole sentence is kept if it fills two fifths of the budget, a clause if it fills three fifths;
    else the cut falls between two words or Han characters, never inside a grapheme or a number.
    """
    text = text.strip()
    if size(text, unit) <= limit:
        return text
    fits = _fitting(text, limit, unit)
    inside = _inside_numbers(text, fits)
    for end in _ends(_SENTENCE, text, fits, least=fits * 2 // 5):
        if end and end not in inside and _closed(text[:end]):
            return text[:end].rstrip()
    if limit < size(_MORE, unit):
        return ""
    room = _fitting(text, limit - size(_MORE, unit), unit)
    for end in _ends(_CLAUSE, text, min(room + 1, len(text)), least=fits * 3 // 5):
        if end not in inside and (kept := _bare(text[: min(end, room)])):
            return f"{kept}{_MORE}"
    return f"{_bare(text[: _word_end(text, room, inside)])}{_MORE}"


def noted(text: str, limit: int, unit: Unit, note: Callable[[int], str]) -> str:
    """As cut(), but what was cut ends with a note, which is told how many characters are left out.

    A note with a larger number must not be shorter.
    """
    text = text.strip()
    room = limit - size(note(len(text)), unit)
    if size(text, unit) <= limit or room < 1:
        return cut(text, limit, unit)
    kept = cut(text, room, unit)
    return kept + note(len(text) - len(kept.removesuffix(_MORE)))


def whole_blocks(blocks: Sequence[str], limits: Sequence[tuple[int, Unit]]) -> int:
    """How many of these blocks of HTML, from the first on, fit all the limits: a block is never cut, nor a tag."""
    left = [limit for limit, _ in limits]
    for n, block in enumerate(blocks):
        left = [room - size(block, unit) for room, (_, unit) in zip(left, limits, strict=True)]
        if min(left, default=0) < 0:
            return n
    return len(blocks)


def _fitting(text: str, limit: int, unit: Unit) -> int:
    """How many characters of the text fit."""
    if unit is Unit.CHARACTERS:
        return min(limit, len(text))
    # A character takes at most four bytes, or two units: only so much of the text is looked at.
    taken = 0
    for n, character in enumerate(text[: limit + 1]):
        taken += size(character, unit)
        if taken > limit:
            return n
    return min(limit, len(text))


def _ends(marks: regex.Pattern[str], text: str, limit: int, least: int) -> list[int]:
    """Where such marks end within the limit, between two graphemes, the last first."""
    ends: list[int] = [m.end() for m in marks.finditer(text, 0, limit + 1)]
    return [end for end in reversed(ends) if least <= end <= limit and _between_graphemes(text, end)]


def _between_graphemes(text: str, at: int) -> bool:
    """Whether a reader sees two characters there, also where a mark has a combining one behind it."""
    return at >= len(text) or _GRAPHEME.match(text[at - 1 : at + 1]).end() == 1


def _closed(text: str) -> bool:
    """Whether every quotation and bracket opened in it is closed in it."""
    return all(text.count(a) == text.count(b) for a, b in zip(_OPENING, _CLOSING, strict=True) if a != "‘")


def _bare(text: str) -> str:
    """Without the marks and openings that would stand before the ellipsis."""
    return text.rstrip(f"，、；：,;:—…{_SPACES}{_OPENING}")


def _inside_numbers(text: str, limit: int) -> frozenset[int]:
    """The places up to the limit, and a little beyond, at which a number would be cut."""
    found = (m.span() for m in _NUMBER.finditer(text, 0, limit + _LONGEST_NUMBER + 1))
    return frozenset(
        at for start, end in found if end - start <= _LONGEST_NUMBER for at in range(start + 1, end)
    )


def _word_end(text: str, limit: int, inside: Container[int]) -> int:
    """The last place up to the limit between two graphemes and inside no number, if possible between two words."""
    ends: list[int] = [0, *(m.end() for m in _GRAPHEME.finditer(text[: limit + 1]))]
    between = [end for end in ends if end <= limit and end not in inside]
    # A word longer than half of the budget is an address or nonsense: it may be cut.
    for end in reversed(between):
        if end <= limit // 2:
            break
        if end == len(text) or not _joined(text[end - 1], text[end]):
            return end
    return between[-1]


def _joined(before: str, after: str) -> bool:
    """Whether two characters are of one word or number."""
    return any(kind.match(before) and kind.match(after) for kind in (_WORD, _NUMERAL))
