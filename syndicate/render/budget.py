"""Text cut to a budget of characters, where a reader would have paused: at a sentence, a clause, a word."""

from __future__ import annotations

import re
import unicodedata

_SENTENCE = re.compile(r"[。！？!?…]+[”’」』）》〕】\")]*|\.[”’\")]*(?=\s|$)")
_CLAUSE = re.compile(r"[，、；：,;:—]+|\s(?=\S)")
_OPENING, _CLOSING = "“‘「『（《〈【〔(", "”’」』）》〉】〕)"
_LATIN = re.compile(r"[A-Za-z0-9.,%'’&@/+-]")
_REGIONAL = "".join(map(chr, range(0x1F1E6, 0x1F200)))  # two of them make a flag


def cut(text: str, limit: int) -> str:
    """At most `limit` characters of `text`; what was cut inside a sentence ends with an ellipsis.

    A whole sentence is kept if it fills two fifths of the budget, a clause if it fills three fifths;
    else the cut falls between two words or Han characters, never inside a grapheme.
    """
    text = text.strip()
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    for end in _ends(_SENTENCE, text, limit, least=limit * 2 // 5):
        if _closed(text[:end]):
            return text[:end].rstrip()
    room = limit - 1  # the ellipsis takes one
    for end in _ends(_CLAUSE, text, room + 1, least=limit * 3 // 5):
        if kept := _bare(text[: min(end, room)]):
            return f"{kept}…"
    return f"{_bare(text[: _word_end(text, room)])}…"


def _ends(marks: re.Pattern[str], text: str, limit: int, least: int) -> list[int]:
    """Where such marks end within the limit, the last first."""
    return [m.end() for m in marks.finditer(text, 0, limit + 1) if least <= m.end() <= limit][::-1]


def _closed(text: str) -> bool:
    """Whether every quotation and bracket opened in it is closed in it."""
    return all(text.count(a) == text.count(b) for a, b in zip(_OPENING, _CLOSING, strict=True) if a != "‘")


def _bare(text: str) -> str:
    """Without the marks and openings that would stand before the ellipsis."""
    return text.rstrip(f"，、；：,;:—… \t\n\u3000{_OPENING}")


def _word_end(text: str, limit: int) -> int:
    end = limit
    while end and not _between_graphemes(text, end):
        end -= 1
    start = end
    while start and _LATIN.match(text[start - 1]) and _LATIN.match(text[start]):
        start -= 1
    # A word longer than half of the budget is an address or nonsense: it may be cut.
    while start and not _between_graphemes(text, start):
        start -= 1
    return start if start > limit // 2 else end


def _between_graphemes(text: str, at: int) -> bool:
    """Whether a reader sees two characters there (UAX 29, on the safe side)."""
    before, after = text[at - 1], text[at]
    return not (
        unicodedata.category(after) in ("Mn", "Me", "Mc")
        or after == "\u200d"
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= after <= "\U000e007f"  # flags of regions
        or after in "\u200c\uff9e\uff9f"
        or (_leads(before) and "\u1100" <= after <= "\ud7fb")
        or (_trails(after) and "\u1100" <= before <= "\ud7fb")
        or (before == "\r" and after == "\n")
        or (_regional(after) and (at - len(text[:at].rstrip(_REGIONAL))) % 2 == 1)
    )


def _leads(character: str) -> bool:
    """The first part of a Korean syllable written in parts."""
    return "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97f"


def _trails(character: str) -> bool:
    """A vowel or final of a Korean syllable written in parts."""
    return "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7fb"


def _regional(character: str) -> bool:
    return character in _REGIONAL
