"""What lies over several pieces: notes, series, parts, indexes, headlines restored, halves that jump."""

import re
from collections.abc import Sequence

from syndicate.split import jumps, kinds, text
from syndicate.split.articles import Draft
from syndicate.split.blocks import Block

_QUOTED = re.compile(r'["《]([^"》]{3,24})["》]')

_COLUMN = re.compile(r"(?:谈|评|论|谭|话|语|眼|观|札记|随笔|茶座|论坛|观察|时评|夜话)$")


def notes(drafts: Sequence[Draft]) -> None:
    """A paragraph that says it is the editor's becomes the editor's note."""
    for draft in drafts:
        for run in draft.paragraphs[:3] + draft.paragraphs[-1:]:
            if (
                kinds.is_note("".join(b.line for b in run))
                and run not in draft.notes
                and run in draft.paragraphs
            ):
                draft.paragraphs.remove(run)
                draft.notes.append(run)


def headlines(drafts: Sequence[Draft], scattered: Sequence[tuple[Block, ...]]) -> list[tuple[Block, ...]]:
    """Give each scattered headline to the article without one that speaks of the same; return what is left."""
    left = []
    for run in scattered:
        headline = "".join(b.flat for b in run)
        without = [d for d in drafts if not d.headline and d.paragraphs and not _comes_from(d)]
        best = max(without, key=lambda d: _shared(headline, d), default=None)
        if best is None:
            left.append(run)
        else:
            best.headline = list(run)
            best.restored = True
    return left


def promote(drafts: Sequence[Draft]) -> None:
    """A title line above a text without a headline is no kicker: it is the headline."""
    for draft in drafts:
        if draft.kicker and draft.paragraphs and not draft.headline:
            draft.headline = draft.kicker.pop()


def _comes_from(draft: Draft) -> bool:
    return bool(draft.paragraphs) and jumps.from_mark(draft.paragraphs[0][0].raw) is not None


def _shared(headline: str, draft: Draft) -> float:
    body = "".join(b.flat for run in (*draft.kicker, *draft.subheads, *draft.paragraphs[:6]) for b in run)[
        :1200
    ]
    pairs = [headline[i : i + 2] for i in range(len(headline) - 1)]
    singles = sum(c in body for c in headline) / max(1, len(headline))
    return sum(p in body for p in pairs) / max(1, len(pairs)) + singles / 10


def parts(drafts: list[Draft]) -> list[Draft]:
    """Headlined pieces with a label line below a common headline are its parts."""
    kept: list[Draft] = []
    for draft in drafts:
        above = kept[-1] if kept else None
        if above and _is_common(above) and not draft.bylines and not draft.kicker and _takes_label(draft):
            above.parts.append(draft)
        else:
            kept.append(draft)
    return kept


def _is_common(above: Draft) -> bool:
    """A headline with a note or a byline and no text yet: what follows hangs on it."""
    return bool(above.headline) and not above.paragraphs and bool(above.notes or above.parts or above.bylines)


def _takes_label(draft: Draft) -> bool:
    """用心用力用情 做好政策处理 人物名片: the last word of the title is a label line."""
    if not draft.headline:
        return False
    last = draft.headline[-1]
    at = kinds.label_in(last)
    if at is None or (at == 0 and len(draft.headline) == 1):
        return False
    draft.headline.pop()
    if at:
        draft.headline.append(last.cut(0, at, last.part))
    draft.label.append(last.cut(at, len(last.raw), last.part + 1))
    return True


def series(drafts: Sequence[Draft], lines: Sequence[tuple[int, Block]]) -> list[Block]:
    """Give each line of a series to its article: the one whose note names it, the one in parts, or the next one."""
    left = []
    placed = [(draft.first, draft) for draft in drafts] if lines else []
    for page, line in lines:
        here = [
            (first, d) for first, d in placed if d.page == page and first.file == line.file and not d.series
        ]
        best = next((d for _, d in here if _announces(d, line)), None)
        best = best or next((d for _, d in here if d.parts), None)
        best = best or next((d for first, d in here if first.start > line.start), None)
        if best is None:
            left.append(line)
        else:
            best.series = [line]
    return left


def _announces(draft: Draft, line: Block) -> bool:
    """Whether the editor's note names the series: 本报推出“村社换届进行时”系列报道."""
    said = "".join(b.flat for run in draft.notes for b in run)
    return any(name in line.flat for name in _QUOTED.findall(said))


def columns(drafts: Sequence[Draft]) -> None:
    """A short name of a column over an opinion piece is its series: 溪边谈."""
    for draft in drafts:
        above = draft.kicker or ([draft.headline] if draft.subheads and not draft.restored else [])
        if len(above) != 1 or draft.series:
            continue
        name = "".join(b.flat for b in above[0])
        if not (2 < len(name) <= 6 and _COLUMN.search(name)):
            continue
        draft.series = above[0]
        if draft.kicker:
            draft.kicker = []
        else:
            draft.headline = draft.subheads.pop(0)


_NEAR = 8


def jumped(drafts: list[Draft]) -> list[Draft]:
    """Put the halves of an article that goes on on another page together again."""
    going = {id(draft): page for draft in drafts if (page := _to_page(draft)) is not None}
    gone: set[int] = set()
    for n, half in enumerate(drafts):
        page = _from_page(half)
        if page is None:
            continue
        around = (*reversed(drafts[max(0, n - 400) : n]), *drafts[n + 1 : n + 200])
        firsts = [
            d for d in around if going.get(id(d)) == half.page and d.page == page and id(d) not in gone
        ][:_NEAR]
        if firsts:
            first = max(firsts, key=lambda d: _kinship(d, half)) if len(firsts) > 1 else firsts[0]
            _join(first, half)
            del going[id(first)]
            gone.add(id(half))
    return [draft for draft in drafts if id(draft) not in gone]


def _from_page(draft: Draft) -> int | None:
    mark = jumps.from_mark(draft.paragraphs[0][0].raw) if draft.paragraphs else None
    return mark.page if mark else None


def _to_page(draft: Draft) -> int | None:
    for run in reversed(draft.paragraphs):
        if mark := jumps.to_mark(run[-1].raw):
            return mark.page
    return None


def _kinship(first: Draft, half: Draft) -> int:
    """How many pairs of characters both halves share."""
    return len(_pairs(first) & _pairs(half))


def _pairs(draft: Draft) -> set[str]:
    flat = "".join(b.flat for run in (draft.headline, *draft.paragraphs) for b in run)
    han = "".join(c for c in flat if text.is_han(c))
    return {han[i : i + 2] for i in range(len(han) - 1)}


def _join(first: Draft, half: Draft) -> None:
    """The second half's text follows the first's; its title lines were only printed again."""
    for run in (*half.kicker, half.headline, *half.subheads):
        first.repeated += run
    first.bylines += half.bylines
    last = first.paragraphs[-1] if first.paragraphs else None
    rest = half.paragraphs
    if last and _breaks_off(last):
        last += rest[0]
        rest = rest[1:]
    first.paragraphs += rest
    first.joined = True
    first.chances += half.chances


def _breaks_off(run: list[Block]) -> bool:
    raw = run[-1].raw
    mark = jumps.to_mark(raw)
    said = text.flat(raw[: mark.start] if mark else raw)
    if not said and len(run) > 1:
        said = run[-2].flat
    return bool(said) and said.rstrip("\"')")[-1:] not in "。!?…"
