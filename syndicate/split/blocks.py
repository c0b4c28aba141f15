"""A document's blocks: what stands between blank lines, and the units a block may have to be cut into."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

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
    return 8 <= longest <= 90 and len(line) >= longest * 0.8 and not (flat[-1:] in '。!?"' and len(line) > 40)


# ── units ────────────────────────────────────────────────────────────────────────────────

_SHORT = 90
_SEAM = re.compile(r'(?:[。!?…][")\']*|[。!?")摄图文]) ')
_TAIL = 80
_SENTENCE_END = re.compile(r'[。][")\']*$')


def units_of(block: Block) -> tuple[Block, ...]:
    """A block cut wherever a headline may be glued to a kicker or to the end of a paragraph.

    The cuts are offers: the labeller says which of them part two fields and which part nothing.
    """
    line = text.canonical(block.raw)
    cuts = _cuts(line)
    if not cuts:
        return (block,)
    edges = (0, *cuts, len(line))
    return tuple(block.cut(a, b, n) for n, (a, b) in enumerate(zip(edges, edges[1:], strict=False)))


_NAMED = re.compile(r"记者|通讯员|责编|编辑|版式|摄影|[文图摄]$")


def _cuts(line: str) -> list[int]:
    if " " not in line:
        return []
    if len(line) <= _SHORT and not re.search(r"[。,;]", line[:-1]):
        blanks = [m.end() for m in re.finditer(r" +", line)]
        words = line.split()
        if (
            len(words) > 7
            or any(len(w) < 2 for w in words)
            or max(map(len, words)) < 5
            or _NAMED.search(line)
        ):
            return []
        return blanks
    tail = max(0, len(line) - _TAIL)
    seams = [m.end() for m in _SEAM.finditer(line, tail)][-3:]
    if not seams or _SENTENCE_END.search(line):
        return []
    last = seams[-1]
    rest = line[last:]
    more = [last + m.end() for m in re.finditer(r" +", rest)] if len(rest.split()) <= 5 else []
    return [*seams, *more]
