"""Text set in lines by the rules of Chinese typesetting: for pictures, where nobody else breaks the lines.

No line begins with a closing mark or ends with an opening one (GB/T 15834, 5.1); Latin words, numbers and what they
count stay whole. Nothing here knows a font: how wide a text is, the caller says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

Measure = Callable[[str], float]

_NOT_FIRST = "。，、；：？！．”’」』）》〉】〕…—～·,.;:?!)]}%‰℃°"
_NOT_LAST = "“‘「『（《〈【〔([{$￥¥#№第"
_CLAUSE = "。，、；：？！…—"
_COUNTED = "年月日号时点分秒岁期版届次个人名户万亿元吨米里亩度只条天倍"
_LATIN = re.compile(r"[!-~\u00a1-\u052f]")


def wrap(text: str, width: float, measure: Measure) -> tuple[str, ...]:
    """The text in as few lines of that width as it takes, each as full as can be."""
    made, line, room = [], "", width
    for unit in _units(text, width, measure):
        if line and measure(unit.rstrip()) > room:
            made.append(line.rstrip())
            line, room = "", width
        line += unit
        room -= measure(unit)
    return (*made, line.rstrip()) if line.strip() else tuple(made)


def balance(text: str, width: float, measure: Measure, prose: str = "") -> tuple[str, ...]:
    """The text in just as many lines, but as even as they get, and broken between clauses where that serves.

    Chinese has no blanks between words: `prose`, what the headline stands over, tells which characters keep together.
    """
    count = len(wrap(text, width, measure))
    units = _units(text, width, measure)
    if count < 2:
        return wrap(text, width, measure)
    until = [0.0, *accumulate(measure(unit) for unit in units)]
    blanks = [measure(unit) - measure(unit.rstrip()) for unit in units]
    held = [prose.count(a[-1] + b[0]) for a, b in pairwise(units)]
    rests = [_rest(unit) - 0.12 * times / max(1, *held) for unit, times in zip(units, held, strict=False)]

    def cost(start: int, end: int) -> float:
        filled = (until[end] - until[start] - blanks[end - 1]) / width
        if filled > 1 and end - start > 1:
            return float("inf")
        return (1 - filled) ** 2 - (rests[end - 1] if end < len(units) else 0)

    # ways[end]: the cheapest way to set units[:end] in as many lines as were laid so far, as its breaks.
    ways: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for _ in range(count):
        ways = {
            end: min(
                (before + cost(start, end), (*at, end)) for start, (before, at) in ways.items() if start < end
            )
            for end in range(1, len(units) + 1)
            if min(ways) < end
        }
    breaks = ways[len(units)][1]
    return tuple("".join(units[a:b]).rstrip() for a, b in zip((0, *breaks), breaks, strict=False))


def _rest(unit: str) -> float:
    """How welcome a break is after it: a blank in a headline parts two thoughts, a mark two clauses."""
    if unit.endswith(" "):
        return 0.2
    return 0.05 if unit[-1] in _CLAUSE else 0.0


def _units(text: str, width: float, measure: Measure) -> Sequence[str]:
    """The pieces that stay whole, blanks at their ends; one too wide for a line falls into its characters."""
    units: list[str] = []
    for char in " ".join(text.split()):
        if units and not _parted(units[-1][-1], char):
            units[-1] += char
        else:
            units.append(char)
    return [
        piece
        for unit in units
        for piece in ((unit,) if measure(unit.rstrip()) <= width else re.findall(r".\s*", unit, re.DOTALL))
    ]


def _parted(before: str, after: str) -> bool:
    """Whether a line may end between two characters."""
    if after == " " or unicodedata.category(after).startswith("M") or "\u200d" in (before, after):
        return False
    if before == " ":
        return True
    if after in _NOT_FIRST or before in _NOT_LAST or (before.isdigit() and after in _COUNTED):
        return False
    return not (_LATIN.match(before) and _LATIN.match(after))
