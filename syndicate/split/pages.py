"""A document's printed pages: where each begins, what it is called, and which blocks stand on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from syndicate.model import Document, PrintedPage, Span
from syndicate.split import kinds, masthead, scattered, text
from syndicate.split.blocks import Block, blocks_of
from syndicate.split.seams import Seams


@dataclass(frozen=True)
class Sheet:
    """One page's blocks by what they are: text to be split, headlines in single characters, furniture."""

    page: PrintedPage
    content: tuple[Block, ...]
    scattered: tuple[tuple[Block, ...], ...]
    furniture: tuple[Block, ...]
    index: tuple[Block, ...] = ()  # the issue's table of contents
    series: tuple[Block, ...] = ()  # numbered lines that name a series


@dataclass(frozen=True)
class Layout:
    """The whole document, page by page, and the lines that may tell its masthead."""

    sheets: tuple[Sheet, ...]
    head: tuple[str, ...]


def layout(document: Document, seams: Seams) -> Layout:
    """Cut a document at its page lines and set aside what is no news."""
    blocks = blocks_of(document)
    sheets: list[Sheet] = []
    head: list[str] = []
    for file, source in enumerate(document.sources):
        own = [block for block in blocks if block.file == file]
        top = masthead.head_of(own)
        head += [own[i].raw for i in top]
        opens = _openings(own)
        if source.page:  # a page line of another page is a line of the index
            opens = {i: line for i, line in opens.items() if line.number == source.page}
        fallback = source.page or (sheets[-1].page.number + 1 if sheets else 1)
        starts = sorted(
            {0, *opens} - ({min(opens)} - {0} if opens and _only_furniture(own, min(opens), top) else set())
        )
        for n, (a, b) in enumerate(zip(starts, [*starts[1:], len(own)], strict=True)):
            line = opens.get(a) or (opens.get(min(opens)) if n == 0 and opens and min(opens) < b else None)
            number = line.number if line else fallback
            begin = 0 if n == 0 else own[a].start
            end = own[b].start if b < len(own) else len(source.text)
            page = PrintedPage(number, line.title if line else None, (Span(file, begin, end),))
            sheets.append(_sheet(page, own[a:b], [i - a for i in top], seams))
    if not any(masthead.is_header(text.squeezed(line)) for line in head):
        head += [block.raw for sheet in sheets[:2] for block in sheet.furniture]
    return Layout(tuple(sheets), tuple(head))


def _only_furniture(blocks: Sequence[Block], first: int, top: range) -> bool:
    """Whether nothing but the masthead stands before the first page line: it belongs to that page."""
    return all(i in top or len(blocks[i].flat) <= 2 or _is_furniture(blocks[i]) for i in range(first))


def _openings(blocks: Sequence[Block]) -> dict[int, masthead.PageLine]:
    """The blocks that open a page: of all page lines those that rise, so a line of the index misleads nobody."""
    opens: dict[int, masthead.PageLine] = {}
    issue: list[tuple[int, masthead.PageLine]] = []
    for i, block in enumerate(blocks):
        line = masthead.page_line(block.line) if len(block.line) <= 90 else None
        if line and line.number == 1 and issue:  # another issue in the same file
            opens |= _rising(issue)
            issue = []
        if line:
            issue.append((i, line))
    return opens | _rising(issue)


def _rising(found: Sequence[tuple[int, masthead.PageLine]]) -> dict[int, masthead.PageLine]:
    """The longest sequence of page lines with rising numbers."""
    best: list[tuple[int, int]] = []  # of the longest sequence that ends here: its length, the one before
    for n, (_, line) in enumerate(found):
        longest = (0, -1)
        for m in range(max(0, n - 60), n):
            if found[m][1].number < line.number and best[m][0] > longest[0]:
                longest = (best[m][0], m)
        best.append((longest[0] + 1, longest[1]))
    chosen: dict[int, masthead.PageLine] = {}
    at = max(range(len(best)), key=lambda n: (best[n][0], -n), default=-1)
    while at >= 0:
        chosen[found[at][0]] = found[at][1]
        at = best[at][1]
    return chosen


def _sheet(page: PrintedPage, blocks: Sequence[Block], top: Sequence[int], seams: Seams) -> Sheet:
    runs = scattered.runs(blocks)
    headlines = [run for run in runs if scattered.reads_as_headline([blocks[i] for i in run], seams)]
    restored = {i for run in headlines for i in run}
    debris = {i for run in runs for i in run} - restored
    index = _index(blocks)
    series = {i for i, b in enumerate(blocks) if len(b.raw) < 60 and kinds.is_series(b.line)}
    aside = (
        {i for i, b in enumerate(blocks) if i in top or i in debris or _is_furniture(b)} - restored - index
    )
    taken = aside | restored | index | series
    return Sheet(
        page,
        tuple(b for i, b in enumerate(blocks) if i not in taken),
        tuple(tuple(blocks[i] for i in run) for run in headlines),
        tuple(blocks[i] for i in sorted(aside)),
        tuple(blocks[i] for i in sorted(index)),
        tuple(blocks[i] for i in sorted(series - index - aside - restored)),
    )


def _index(blocks: Sequence[Block]) -> set[int]:
    """导读 and the lines below it that name pages."""
    for i, block in enumerate(blocks):
        if not kinds.is_index(block.line):
            continue
        last = i
        for j in range(i + 1, min(len(blocks), i + 16)):
            if len(blocks[j].flat) > 45 or "。" in blocks[j].flat:
                break
            if kinds.names_page(blocks[j].line):
                last = j
            elif j > last + 1:
                break
        if last > i:
            return set(range(i, last + 1))
    return set()


def _is_furniture(block: Block) -> bool:
    line = block.line
    if not line:
        return True
    return len(line) <= 120 and (masthead.is_header(line) or masthead.is_imprint(line))
