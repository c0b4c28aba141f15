"""How this page prints: the runs of short lines between its texts, seen beside each other.

In a paper that signs its articles a bare line between two texts is an inner heading; in one that
signs none it says nothing. So each line is looked at with the habits of its page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from syndicate.split.looks import Look

_SIGNED = frozenset(("byline", "wire", "by-word", "names"))
_LONG = 6  # the size from which a unit is text, whatever it says
_SHARES = (0.001, 0.25, 0.5, 0.75, 0.999)
_LENGTHS = (120, 300, 700, 1600)
_TEXT_SHAPES = frozenset(("text", "text-open", "wire", "gone", "jump-from", "filed", "sentence"))


@dataclass(frozen=True)
class Run:
    """Short lines without a text between them: units [start, end), the text below signed or not."""

    start: int
    end: int
    signed: bool
    length: int  # characters of the longest line that is no byline
    above: int  # texts since the run before, and their characters
    above_size: int
    below: int
    below_size: int


def runs_of(looks: Sequence[Look]) -> list[Run]:
    """The runs of one page, in order."""
    bounds: list[tuple[int, int]] = []
    start = None
    for i, seen in enumerate(looks):
        if _is_text(seen):
            if start is not None:
                bounds.append((start, i))
            start = None
        elif start is None:
            start = i
    if start is not None:
        bounds.append((start, len(looks)))
    found = []
    for n, (a, b) in enumerate(bounds):
        top = bounds[n - 1][1] if n else 0
        end = bounds[n + 1][0] if n + 1 < len(bounds) else len(looks)
        above, below = looks[top:a], looks[b:end]
        signed = any(seen.shape in _SIGNED for seen in looks[a:b]) or bool(below and below[0].shape == "wire")
        length = max((len(s.flat) for s in looks[a:b] if s.shape not in _SIGNED), default=0)
        found.append(Run(a, b, signed, length, len(above), _size(above), len(below), _size(below)))
    return found


def _is_text(seen: Look) -> bool:
    return seen.size >= _LONG or seen.shape in _TEXT_SHAPES


def _size(looks: Sequence[Look]) -> int:
    return sum(len(seen.flat) for seen in looks)


def habits(looks: Sequence[Look]) -> list[tuple[str, ...]]:
    """For every unit what the page's habits make of it."""
    runs = runs_of(looks)
    signed = [run for run in runs if run.signed]
    share = _step(len(signed) / len(runs), _SHARES) if len(runs) > 2 else -1
    usual = median(run.length for run in signed) if len(signed) > 1 else 0
    told: list[tuple[str, ...]] = [(f"house {share}",)] * len(looks)
    for run in runs:
        kind = "signed" if run.signed else "bare"
        gaps = f"{_count(run.above)} {_count(run.below)}"
        sizes = f"{_step(run.above_size, _LENGTHS)} {_step(run.below_size, _LENGTHS)}"
        lines = run.end - run.start
        for i in range(run.start, run.end):
            own = looks[i]
            place = f"{min(i - run.start, 2)} of {min(lines, 4)}"
            found = [
                f"house {share} {kind}",
                f"house {share} {kind} {own.shape}",
                f"run {place} {kind}",
                f"run {place} {kind} {own.shape}",
                f"gap {gaps} {kind}",
                f"gap {gaps} {min(lines, 2)} {own.shape}",
                f"gap size {sizes} {kind}",
                f"gap size {sizes} {min(lines, 2)} house {share}",
            ]
            if usual:
                apart = len(own.flat) - usual
                like = (
                    "as"
                    if abs(apart) <= 2
                    else "over"
                    if apart > 0
                    else "under"
                    if apart >= -6
                    else "far under"
                )
                found += [f"head {like} {kind}", f"head {like} {kind} {own.shape} {min(lines, 2)}"]
            told[i] = tuple(found)
        if run.end < len(looks):
            told[run.end] = (f"house {share} {kind} text {min(lines, 3)}", f"gap text {gaps} {kind}")
    return told


def _step(value: float, steps: Sequence[float]) -> int:
    return sum(value > step for step in steps)


def _count(n: int) -> str:
    return str(n) if n < 4 else "some" if n < 8 else "many"
