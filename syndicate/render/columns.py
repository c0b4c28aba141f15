"""Plain text for a terminal: lines of so many columns, in which a Han character takes two."""

from __future__ import annotations

import unicodedata

from syndicate.render.lines import wrap

COLUMNS = 72  # what fits into a terminal of 80 even when quoted once or twice
RULE = 34  # characters: where a terminal draws box lines two columns wide, it is still one line


def block(text: str, indent: int = 0, first: str = "") -> str:
    """The text in lines of COLUMNS, all indented, the first one behind `first`."""
    margin = " " * indent
    lines = wrap(text, COLUMNS - max(indent, width(first)), width)
    return "\n".join((margin if n else first or margin) + line for n, line in enumerate(lines))


def rule(title: str = "") -> str:
    """A line across the page, and in it the name of what follows."""
    begun = f"━━ {title} " if title else ""
    return begun + "━" * max(4, RULE - 4 - width(title) if title else RULE)


def width(text: str) -> int:
    """How many columns the text takes; where terminals differ about a character, as many as it may (UAX 11)."""
    return sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WFA" else 1
