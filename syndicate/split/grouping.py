"""What lies over several pieces: notes, series, parts, indexes, headlines restored, halves that jump."""

import re
from collections.abc import Sequence

from syndicate.split import jumps, kinds, text
from syndicate.split.articles import Draft
from syndicate.split.blocks import Block

_NOTE = re.compile(r"^\(?(?:编者按|编者的话|编者附言|编后语?|开栏语|开栏的话|编者)[:]")
_NAMED_SERIES = re.compile(r'(?:推出|开设|开辟|设立|刊发|刊登|启动)[^。"《]{0,12}["《]([^"》]{3,24})["》](?:系列|专栏|栏目|专题)?')


def notes(drafts: Sequence[Draft]) -> None:
    """A paragraph that says it is the editor's becomes the editor's note."""
    for draft in drafts:
        for run in draft.paragraphs[:3] + draft.paragraphs[-1:]:
            if _NOTE.match("".join(b.flat for b in run)) and run not in draft.notes and run in draft.paragraphs:
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


def _comes_from(draft: Draft) -> bool:
    return bool(draft.paragraphs) and jumps.from_mark(draft.paragraphs[0][0].raw) is not None


def _shared(headline: str, draft: Draft) -> float:
    body = "".join(b.flat for run in (*draft.kicker, *draft.subheads, *draft.paragraphs[:6]) for b in run)[:1200]
    pairs = [headline[i : i + 2] for i in range(len(headline) - 1)]
    singles = sum(c in body for c in headline) / max(1, len(headline))
    return sum(p in body for p in pairs) / max(1, len(pairs)) + singles / 10


def parts(drafts: list[Draft]) -> list[Draft]:
    """Headlined pieces with a label or profile below a common headline are its parts."""
    kept: list[Draft] = []
    for draft in drafts:
        _cut_label(draft)
        above = kept[-1] if kept else None
        common = above is not None and not above.paragraphs and (above.notes or above.parts) and bool(above.headline)
        if common and above and draft.label and not draft.bylines and not draft.kicker:
            above.parts.append(draft)
        else:
            kept.append(draft)
    return kept


def _cut_label(draft: Draft) -> None:
    """用心用力用情 做好政策处理 人物名片: the last word is a label line."""
    if not draft.headline or len(draft.headline) == 1 and kinds.label_in(draft.headline[0]) == 0:
        return
    last = draft.headline[-1]
    at = kinds.label_in(last)
    if at is None:
        return
    draft.headline.pop()
    if at:
        draft.headline.append(last.cut(0, at, last.part))
    draft.label.append(last.cut(at, len(last.raw), last.part + 1))


def series(drafts: Sequence[Draft]) -> None:
    """A line that names the series an editor's note announces is that article's series."""
    for draft in drafts:
        said = "".join(b.flat for run in draft.notes for b in run)
        found = _NAMED_SERIES.search(said)
        if not found:
            continue
        for other in drafts:
            if other.page == draft.page and _take_series(draft, other, found[1]):
                break


def _take_series(draft: Draft, other: Draft, name: str) -> bool:
    for piece in (*other.parts, other):
        for runs in (piece.paragraphs, piece.subheads, piece.kicker):
            for run in runs:
                flat = "".join(b.flat for b in run)
                if name in flat and len(flat) <= 40:
                    runs.remove(run)
                    draft.series = run
                    return True
        if piece.headline and piece is not draft and not piece.paragraphs:
            flat = "".join(b.flat for b in piece.headline)
            if name in flat and len(flat) <= 40:
                draft.series, piece.headline = piece.headline, []
                return True
    return False


def indexes(drafts: Sequence[Draft]) -> None:
    """The index of the issue is no article."""
    for draft in drafts:
        head = "".join(b.line for b in draft.headline)
        lines = [b.line for run in (*draft.subheads, *draft.paragraphs) for b in run]
        if kinds.is_index(head) or (lines and all(kinds.names_page(line) for line in lines) and len(lines) > 1):
            draft.index = True


def jumped(drafts: list[Draft]) -> list[Draft]:
    """Put the halves of an article that goes on on another page together again."""
    halves = [d for d in drafts if _from_page(d) is not None]
    for half in halves:
        page = _from_page(half)
        open_ones = [d for d in drafts if d is not half and not d.joined and _to_page(d) == half.page and d.page == page]
        if not open_ones:
            continue
        first = max(open_ones, key=lambda d: _kinship(d, half))
        _join(first, half)
        drafts.remove(half)
    return drafts


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
