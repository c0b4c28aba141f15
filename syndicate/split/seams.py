"""Does a text go on here? Said by the characters on both sides of the seam.

The counts come from the training papers: which character follows which, and with which two
characters paragraphs begin. They hold no words of any paper.
"""

import math
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import pairwise

from syndicate.split import text

_SMOOTH = 4.0
_DIGIT, _LATIN = "0", "A"


@dataclass
class Seams:
    """Counts of characters, of pairs inside paragraphs, and of pairs that open one."""

    singles: dict[str, int] = field(default_factory=dict)
    pairs: dict[str, int] = field(default_factory=dict)
    opening: dict[str, int] = field(default_factory=dict)
    total: int = 0
    openings: int = 0
    opening_first: dict[str, int] = field(default_factory=dict)

    def joins(self, left: str, right: str) -> float:
        """Log-odds that `right` goes on in the sentence `left` broke off in, against its opening a paragraph."""
        a, b = _shaped(left)[-1:], _shaped(right[:3])
        if not a or not b:
            return 0.0
        first, second = b[0], b[1:2]
        within = math.log(self._follows(a, first))
        opens = math.log(self._opens(first))
        if second:
            within += math.log(self._follows(first, second))
            opens += math.log(self._opens_with(first, second))
        return within - opens

    def holds(self, string: str) -> float:
        """How much like running text a string is: the mean log-odds of its pairs against chance."""
        chars = _shaped(string)
        if len(chars) < 2:
            return 0.0
        gains = [math.log(self._follows(a, b) / self._alone(b)) for a, b in pairwise(chars)]
        return sum(gains) / len(gains)

    def is_rare(self, pair: str) -> bool:
        """A pair of characters that tells something of the subject."""
        return self.pairs.get(pair, 0) * 40_000 < self.total

    def _alone(self, char: str) -> float:
        return (self.singles.get(char, 0) + 0.5) / (self.total + 4000)

    def _follows(self, a: str, b: str) -> float:
        return (self.pairs.get(a + b, 0) + _SMOOTH * self._alone(b)) / (self.singles.get(a, 0) + _SMOOTH)

    def _opens(self, a: str) -> float:
        return (self.opening_first.get(a, 0) + 20 * self._alone(a)) / (self.openings + 20)

    def _opens_with(self, a: str, b: str) -> float:
        return (self.opening.get(a + b, 0) + _SMOOTH * self._follows(a, b)) / (
            self.opening_first.get(a, 0) + _SMOOTH
        )

    def count(self, paragraph: str) -> None:
        """Learn from one whole paragraph."""
        chars = _shaped(paragraph)
        for char in chars:
            self.singles[char] = self.singles.get(char, 0) + 1
        for a, b in pairwise(chars):
            self.pairs[a + b] = self.pairs.get(a + b, 0) + 1
        self.total += len(chars)
        self.openings += 1
        self.opening_first[chars[:1]] = self.opening_first.get(chars[:1], 0) + 1
        self.opening[chars[:2]] = self.opening.get(chars[:2], 0) + 1


def _shaped(string: str) -> str:
    """Figures and Latin letters stand for their kind."""
    return "".join(
        _DIGIT if c.isdigit() else _LATIN if c.isascii() and c.isalpha() else c for c in text.flat(string)
    )


def written(seams: Seams, least: int = 3) -> str:
    """The counts as lines: a character, how often it stands, what follows it how often, how often it opens."""
    follow: dict[str, list[str]] = {}
    for pair, n in sorted(seams.pairs.items()):
        if n >= least:
            follow.setdefault(pair[0], []).append(f"{pair[1]}{n}")
    openings: dict[str, list[str]] = {}
    for pair, n in sorted(seams.opening.items()):
        if n >= least and len(pair) == 2:
            openings.setdefault(pair[0], []).append(f"{pair[1]}{n}")
    lines = [f"{seams.total}\t{seams.openings}"]
    for char, n in sorted(seams.singles.items()):
        if n >= least:
            first = seams.opening_first.get(char, 0)
            lines.append(
                f"{char}\t{n}\t{' '.join(follow.get(char, []))}\t{first}\t{' '.join(openings.get(char, []))}"
            )
    return "\n".join(lines) + "\n"


def read(lines: str) -> Seams:
    """The counts as `written` wrote them."""
    head, *rest = lines.split("\n")
    total, openings = map(int, head.split("\t"))
    seams = Seams(total=total, openings=openings)
    for line in rest:
        if not line:
            continue
        char, n, follow, first, opening = line.split("\t")
        seams.singles[char] = int(n)
        if first != "0":
            seams.opening_first[char] = int(first)
        for item in follow.split(" ") if follow else ():
            seams.pairs[char + item[0]] = int(item[1:])
        for item in opening.split(" ") if opening else ():
            seams.opening[char + item[0]] = int(item[1:])
    return seams


@cache
def packaged() -> Seams:
    """The counts that come with the package."""
    return read(resources.files("syndicate.split").joinpath("seams.tsv").read_text("utf-8"))
