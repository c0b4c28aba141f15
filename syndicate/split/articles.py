"""Labelled units → articles: which title lines, bylines and paragraphs belong together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from syndicate.split import kinds
from syndicate.split.blocks import Block
from syndicate.split.tagger import Label, Tagged

Run = list[Block]  # the blocks of one field, in the order they are read


@dataclass
class Draft:
    """An article while it is being put together; every block of the source is in one of its fields."""

    page: int
    page_title: str | None = None
    kicker: list[Run] = field(default_factory=list)
    headline: Run = field(default_factory=list)
    subheads: list[Run] = field(default_factory=list)
    bylines: list[Run] = field(default_factory=list)
    paragraphs: list[Run] = field(default_factory=list)
    series: Run = field(default_factory=list)
    notes: list[Run] = field(default_factory=list)
    label: Run = field(default_factory=list)
    parts: list["Draft"] = field(default_factory=list)
    repeated: Run = field(default_factory=list)  # title lines printed again where the article goes on
    restored: bool = False
    joined: bool = False
    index: bool = False
    chances: list[float] = field(default_factory=list)  # of the decisions that this is one article

    @property
    def runs(self) -> list[Run]:
        """Every run of blocks it holds."""
        runs = [*self.kicker, self.headline, *self.subheads, *self.bylines, *self.paragraphs, *self.notes]
        return [run for run in (*runs, self.series, self.repeated, self.label) if run]

    @property
    def first(self) -> Block:
        """The block it begins with."""
        return min((block for run in self.runs for block in run), key=lambda b: (b.file, b.start))


def drafts_of(
    units: Sequence[Block], tags: Sequence[Tagged], page: int, page_title: str | None
) -> tuple[list[Draft], list[Block]]:
    """The articles of one page in printed order, and the blocks that are furniture."""
    drafts: list[Draft] = []
    furniture: list[Block] = []
    field_now: Run | None = None
    in_head = False
    for i, (unit, tag) in enumerate(zip(units, tags, strict=True)):
        label = tag.label
        if label is Label.FURNITURE:
            furniture.append(unit)
            continue
        now = drafts[-1] if drafts else None
        if label in (Label.MORE, Label.CONT) and field_now is not None and now is not None:
            field_now = _around_caption(now, field_now, unit)
            field_now.append(unit)
            continue
        if now is None or _opens(label, now, in_head, _next_text(tags, i)):
            now = Draft(page, page_title)
            drafts.append(now)
            in_head = True
        now.chances.append(tag.probability)
        field_now = [unit]
        match label:
            case Label.KICKER:
                now.kicker.append(field_now)
            case Label.HEADLINE if not now.headline:
                now.headline = field_now
            case Label.SUBHEAD | Label.HEADLINE if in_head:
                now.subheads.append(field_now)
            case Label.BYLINE:
                now.bylines.append(field_now)
            case _:
                now.paragraphs.append(field_now)
                in_head = False
    for draft, following in pairwise(drafts):
        draft.chances += following.chances[:1]  # where it ends is where the next one begins
    return drafts, furniture


def _around_caption(now: Draft, field_now: Run, unit: Block) -> Run:
    """The paragraph that goes on: the one above, when a caption stands between its halves."""
    if (
        unit.part
        or len(now.paragraphs) < 2
        or now.paragraphs[-1] is not field_now
        or not kinds.is_caption(field_now)
    ):
        return field_now
    above = now.paragraphs[-2]
    return above if above[-1].flat[-1:] not in "。!?" else field_now


def index_of(blocks: Sequence[Block], page: int, page_title: str | None) -> Draft:
    """The issue's index as an article of its own kind."""
    return Draft(
        page,
        page_title,
        headline=[blocks[0]],
        paragraphs=[[b] for b in blocks[1:]],
        index=True,
        chances=[1.0],
    )


def _opens(label: Label, now: Draft, in_head: bool, following: Label | None) -> bool:
    """Whether a unit opens a new article after what has been read of the present one."""
    if label is Label.KICKER:
        return not in_head or bool(now.headline or now.subheads or now.bylines)
    if label is Label.HEADLINE:
        return not in_head or bool(now.headline or now.bylines or now.subheads)
    if label is Label.SUBHEAD:
        return not in_head
    if label is Label.LEAD:
        return bool(now.paragraphs)
    if label is Label.BYLINE:
        return not in_head and following is Label.LEAD
    return False


def _next_text(tags: Sequence[Tagged], i: int) -> Label | None:
    """The first label after the bylines that begin at i."""
    for tag in tags[i + 1 : i + 6]:
        if tag.label is not Label.BYLINE:
            return tag.label
    return None
