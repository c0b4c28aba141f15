"""A document's blocks: what stands between blank lines, and the units a block may have to be cut into."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from syndicate.model import Document, Source, Span
from syndicate.split import text


@dataclass(frozen=True)
class Block:
    """A printed piece: characters [start, end) of a source; `part` counts the pieces cut from one block."""

    file: int
    start: int
    end: int
    raw: str
    part: int = 0
    whole: "Block | None" = None

    @property
    def span(self) -> Span:
        """Where it was printed."""
        return Span(self.file, self.start, self.end)

    @cached_property
    def line(self) -> str:
        """Canonical, blanks made one."""
        return text.squeezed(self.raw)

    @cached_property
    def flat(self) -> str:
        """Canonical, no blanks."""
        return self.line.replace(" ", "")

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """The lengths of its printed lines, as far as blanks still show where they ended."""
        return tuple(len(row) for row in self.line.split(" "))

    @cached_property
    def width(self) -> int:
        """How many characters its column takes; 0 when it has no three lines to tell from."""
        block = self.whole or self
        if len(block.rows) < 3:
            return 0
        return sorted(block.rows[:-1])[len(block.rows[:-1]) // 2]

    def cut(self, start: int, end: int, part: int) -> "Block":
        """A piece of this block, given by offsets into its raw text, without the blanks around it."""
        raw = self.raw[start:end]
        inner = text.canonical(raw)
        left = len(inner) - len(inner.lstrip())
        right = len(inner.rstrip()) if inner.strip() else left
        at = self.start + start
        return Block(self.file, at + left, at + right, raw[left:right], part, self.whole or self)


def blocks_of(document: Document) -> tuple[Block, ...]:
    """Every block of every source, in the order given."""
    return tuple(block for n, source in enumerate(document.sources) for block in _of_source(n, source))


_LINE = re.compile(r"[^\r\n\f\v\x85\u2028\u2029]+")


def _of_source(file: int, source: Source) -> Iterator[Block]:
    """Lines that no blank line parts make one block if they look wrapped, else each is its own."""
    group: list[tuple[int, int]] = []
    last = 0
    for found in _LINE.finditer(source.text):
        line = text.canonical(found.group())
        if not line.strip():
            continue
        start = found.start() + len(line) - len(line.lstrip())
        end = found.start() + len(line.rstrip())
        if group and _parted(source.text[last:start]):
            yield from _of_group(file, source.text, group)
            group = []
        group.append((start, end))
        last = end
    yield from _of_group(file, source.text, group)


def _parted(between: str) -> bool:
    return between.count("\n") > 1 or "\f" in between or between.replace("\r\n", "").count("\r") > 1


def _of_group(file: int, source: str, group: list[tuple[int, int]]) -> Iterator[Block]:
    start = 0
    longest = max((end - begin for begin, end in group), default=0)
    for i, (_, end) in enumerate(group):
        if i + 1 == len(group) or not _wraps(source[group[i][0] : end], longest):
            yield Block(file, group[start][0], end, source[group[start][0] : end])
            start = i + 1


def _wraps(line: str, longest: int) -> bool:
    """Whether a printed line runs on into the next one: it fills its column, and ends no paragraph."""
    flat = text.flat(line)
    most = 90 if any(map(text.is_han, line)) else 160  # Latin letters are half as wide
    return (
        8 <= longest <= most and len(line) >= longest * 0.8 and not (flat[-1:] in '。!?"' and len(line) > 40)
    )


# ── units ────────────────────────────────────────────────────────────────────────────────

_SHORT = 90
_TAIL = 80
_SEAM = re.compile(r'(?:[。!?…][")\']*|[。!?")摄图文]) ')
_ENDED = re.compile(r'。[")\']*$')
_NAMED = re.compile(r"记者|通讯员|责编|编辑|版式|摄影|[文图摄]$")
_LABEL = re.compile(r"(?:^| )(人物名片|人物小传|人物简介|人物档案|个人简介)\s*$")
_OPENING = re.compile(r" (?=(?:本报讯|新华社[^ ,。]{0,12}电|本报[^ ,。]{2,12}电)[ (])")


def units_of(block: Block) -> tuple[Block, ...]:
    """A block cut wherever a headline may be glued to a kicker or to the end of a paragraph.

    The cuts are offers: the labeller says which of them part two fields and which part nothing.
    """
    line = text.canonical(block.raw)
    cuts = _cuts(line)
    if (label := _LABEL.search(line)) and label.start():
        cuts.append(label.start(1))
    if not cuts:
        return (block,)
    edges = (0, *sorted(set(cuts)), len(line))
    return tuple(block.cut(a, b, n) for n, (a, b) in enumerate(pairwise(edges)))


def _cuts(line: str) -> list[int]:
    if " " not in line or not any(map(text.is_han, line)):
        return []
    opening = _OPENING.search(line[:_SHORT])
    head = [opening.end()] if opening and "。" not in line[: opening.start()] else []
    if _ENDED.search(line):
        return head
    if len(line) <= _SHORT and "。" not in line:
        return head or _between_titles(line)
    tail = max(0, len(line) - _TAIL)
    seams = [m.end() for m in _SEAM.finditer(line, tail) if line[m.end()] not in "(<"][-3:]
    if not seams:
        return head
    return [*head, *seams, *(seams[-1] + cut for cut in _between_titles(line[seams[-1] :]))]


_DATED = re.compile(r"\d{4} ?年 ?\d{1,2} ?月 ?\d{1,2} ?日$")
_PAIR = 10
_COLUMN_NAME = re.compile(r"\([^()]{2,16}\)$")  # 悠悠慢时光 古村韵味长(寻找最美乡村): no part of the phrase


def _between_titles(line: str) -> list[int]:
    """The blanks of a short text, where it may be several title lines; none in a wrapped column."""
    words = line.split()
    if len(words) > 7 or max(map(len, words), default=0) < 4 or _DATED.search(line):
        return []
    if _NAMED.search(line):
        return [m.end() for m in _SEAM.finditer(line)]
    if len(words) > 2 and "," in line and _even(words):
        return []
    ends = [m.end() for m in re.finditer(r" +", line)]
    return [at for at, left, right in zip(ends, words, words[1:], strict=False) if not _one_line(left, right)]


def _one_line(left: str, right: str) -> bool:
    """Phrases that the blank between them does not part: 抓基层强基础 村社换届新气象, 2020 衢州, 论坛 暨年会."""
    if left[-1].isdigit() or right[0] in "暨和与及":
        return True
    right = _COLUMN_NAME.sub("", right) or right
    if min(len(left), len(right)) < 2:
        return True
    twins = abs(len(left) - len(right)) <= 1 and max(len(left), len(right)) <= _PAIR
    return twins and left[-1] not in ":—"


def _even(words: list[str]) -> bool:
    """Whether the rows of a text are as long as each other, the last one apart: then it is a column."""
    full = sorted(map(len, words[:-1]))
    return full[-1] - full[0] <= 3 and len(words[-1]) <= full[-1] + 1
