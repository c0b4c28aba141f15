"""What the trade's own rules say of a unit before the labeller votes: what it cannot be, what it must be.

A rule speaks only where print leaves no choice; everything else is left to the votes.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from syndicate.split import bylines, jumps, kinds, text
from syndicate.split.blocks import Block
from syndicate.split.tagger import LABELS, Label, Tagged

_TITLES = frozenset({Label.KICKER, Label.HEADLINE, Label.SUBHEAD, Label.HEADING})
_LINE = 16  # characters: a longer line is a headline, whatever its neighbours
_TEXT = frozenset({Label.BODY, Label.LEAD, Label.CONT})
_ALL = frozenset(LABELS)
_OPENER = re.compile(
    r"(?:\d{1,4}年)?(?:\d{1,2}月)?\d{1,2}日(?:,|上午|下午|晚|凌晨|清晨|中午|至|起|,)"
    r"|(?:会上|会后|会前|席间|会议(?:指出|强调|要求|认为|听取|由|还)|活动(?:中|现场)|座谈会上|推进会上|仪式上|现场|其间|期间)[,上]?"
    r"|在[^,。]{2,16}(?:会|仪式|活动|现场|座谈|村|镇|社区|公司|学校)[^,。]{0,4}(?:上|中|里|内|下),"
    r"|(?:据了解|据介绍|据悉|近年来|今年以来|去年以来|随后|当天|当日|次日|下一步|目前|截至|此外|同时|与此同时|接下来|"
    r"连日来|近日|日前|最后|另外|不仅如此)[,，]?"
)
_SPEAKER = re.compile(r"[^,。\"]{2,24}(?:说|表示|介绍|指出|认为|坦言|告诉记者)[,:]")
_UNFINISHED = ",、;"


def barred(units: Sequence[Block]) -> list[frozenset[Label]]:
    """For every unit of one page the labels that it cannot have."""
    barred_ = []
    for i, unit in enumerate(units):
        no = _barred(units[i - 1] if i else None, unit)
        if i + 1 < len(units) and _is_line(unit):
            below = _before(units[i + 1])
            if i == 0 and "。" in units[1].flat:
                no |= {Label.FURNITURE, Label.HEADING}  # at the head of a page, right above a text
            no |= below
            if below and unit.part and units[i - 1].flat[-1:] in '。!?")':
                no |= {Label.CONT}  # glued to the end of a paragraph, above a report: a headline
            no |= _TITLES if i and _is_cut_row(units[i - 1], unit, units[i + 1]) else frozenset()
        if i > 1 and _is_cut_row(units[i - 2], units[i - 1], unit) and _lacks_an_end(units[i - 1]):
            no |= {Label.BODY, Label.LEAD}
        barred_.append(no if no < _ALL else frozenset())
    return barred_


def _is_line(unit: Block) -> bool:
    """A line that may be a title: short, without an end, and no credit."""
    flat = unit.flat
    if not 4 <= len(flat) <= 60 or "。" in flat or flat[-1] in ",、;" or jumps.to_mark(unit.raw):
        return False
    return not kinds.is_credit(unit.line) and bylines.credit(unit.line) is None


def _is_cut_row(before: Block, unit: Block, following: Block) -> bool:
    """One row of a column between two texts: as long as their rows, and in the midst of an enumeration."""
    if unit.part or len(unit.rows) > 1 or "、" not in unit.flat or following.width == 0:
        return False
    return "。" in before.flat and abs(len(unit.line) - following.width) <= 1 and unit.flat[-1] not in '!?")'


def _lacks_an_end(row: Block) -> bool:
    """Whether the last thing enumerated was cut: 外墙改造、庭院改造、景观; it goes on in the next unit."""
    *whole, last = row.flat.split("、")
    return all(len(last) < len(item) for item in whole)


def _before(following: Block) -> frozenset[Label]:
    """What a line cannot be because of what stands below it."""
    if following.part == 0 and bylines.is_wire(following.line) and bylines.lead(following.raw):
        return frozenset({Label.HEADING, Label.FURNITURE, Label.BODY, Label.LEAD})
    said = bylines.credit(following.line) if following.part == 0 else None
    if said and said.roles and not kinds.is_credit(following.line):
        return frozenset({Label.HEADING, Label.FURNITURE, Label.BODY, Label.LEAD})
    if kinds.label_in(following) == 0:
        return _ALL - {Label.HEADLINE, Label.MORE}
    return frozenset()


def _barred(before: Block | None, unit: Block) -> frozenset[Label]:
    must = _must_be(before, unit)
    return _ALL - must if must else _cannot_be(before, unit)


def _must_be(before: Block | None, unit: Block) -> frozenset[Label]:
    """The only labels a unit may have, where the trade has a word for it; empty where it has none."""
    if jumps.from_mark(unit.raw):
        return frozenset({Label.LEAD, Label.BODY})
    mark = jumps.to_mark(unit.raw)
    if mark and not unit.raw[: mark.start].strip():
        return frozenset({Label.CONT})
    if bylines.is_wire(unit.line) and bylines.lead(unit.raw):
        ours = unit.flat.lstrip("(").startswith("本报讯") and before is not None and _is_text(before)
        return frozenset({Label.LEAD} if ours else {Label.LEAD, Label.BODY})
    if kinds.is_heading_of_its_own(unit.line):
        return frozenset({Label.HEADLINE})
    if kinds.is_credit(unit.line):
        return frozenset({Label.BODY, Label.CONT, Label.FURNITURE})
    if before is not None and unit.whole is None and not _is_text(before) and _says_who(unit):
        return frozenset({Label.BYLINE})
    return _beside_a_label(before, unit) if before is not None else frozenset()


def _beside_a_label(before: Block, unit: Block) -> frozenset[Label]:
    """What stands under 人物名片, and under an editor's note."""
    if kinds.label_in(unit) == 0 and len(before.flat) <= 24 and not _is_signature(before):
        return frozenset({Label.MORE})
    if kinds.label_in(before) == 0:
        return frozenset({Label.BODY})
    if kinds.is_note(before.line) and _is_signature(unit):
        return frozenset({Label.BYLINE})
    return frozenset()


def _cannot_be(before: Block | None, unit: Block) -> frozenset[Label]:
    flat = unit.flat
    no: set[Label] = set()
    if jumps.to_mark(unit.raw) or "。" in flat[:-1] or (len(flat) > 45 and flat.endswith("。")):
        no |= _TITLES | {Label.BYLINE}
    if len(flat) > 120 and "。" in flat:
        no |= {Label.FURNITURE}
    if flat[-1:] in _UNFINISHED and _ends_block(unit):
        no |= _TITLES | {Label.BYLINE, Label.FURNITURE}
    if before is None:
        no |= {Label.CONT, Label.MORE}
    elif unit.part == 0:
        no |= _after(before, unit)
    return frozenset(no)


def _is_text(unit: Block) -> bool:
    """A paragraph, or its end: not a title line."""
    return "。" in unit.flat or (unit.part > 0 and unit.flat[-1:] in "。!?)")


def _says_who(unit: Block) -> bool:
    """A line of names with their office: 本报记者 甲 通讯员 乙."""
    return unit.flat[:1] != "(" and _is_signature(unit)


def _is_signature(unit: Block) -> bool:
    said = bylines.credit(unit.line)
    return said is not None and said.roles > 0


def _ends_block(unit: Block) -> bool:
    return unit.whole is None or unit.end == unit.whole.end


def _fills_its_row(unit: Block) -> bool:
    """Its last printed line is as long as the others: the column may have ended there, and not the paragraph."""
    return unit.width > 0 and unit.rows[-1] >= unit.width - 1


def _is_cut(unit: Block) -> bool:
    """A paragraph without an end whose last line is full: the column ended, and the text goes on elsewhere."""
    return "。" in unit.flat and len(unit.flat) > 60 and _fills_its_row(unit)


def _after(before: Block, unit: Block) -> set[Label]:
    """What a unit that begins a printed block cannot be, seen from how the block before ended."""
    ended = before.flat.rstrip("\"')")[-1:]
    if ended == "." and before.flat.isascii():
        return {Label.CONT}
    opens = _OPENER.match(unit.flat) or _SPEAKER.match(unit.flat)
    if ended in "。!?…" and (opens or not _fills_its_row(before)):
        return {Label.CONT}
    if len(before.flat) > 20 and _OPENER.match(unit.flat):
        return {Label.CONT}
    if ended in _UNFINISHED and not bylines.credit(unit.line):
        # A comma at a column's end: the sentence goes on below, under a caption or above a jump at most.
        goes_on = len(before.flat) > 12 and "。" in unit.flat and not _SPEAKER.match(unit.flat)
        return {Label.LEAD, Label.BODY} if goes_on else set()
    if (
        text.is_han(ended)
        and not opens
        and _is_cut(before)
        and "。" in unit.flat
        and not kinds.is_caption([unit])
    ):
        return {Label.LEAD, Label.BODY}
    return set()


# ── headlines without an article ─────────────────────────────────────────────────────────


def with_leads(units: Sequence[Block], tags: Sequence[Tagged], lost: Sequence[str]) -> list[Tagged]:
    """Where headlines were found scattered, as many articles begin without one: at the texts that echo them."""
    told = list(tags)
    missing = len(lost) - sum(
        tag.label is Label.LEAD and not jumps.from_mark(u.raw) for u, tag in zip(units, tags, strict=True)
    )
    missing -= sum(_headless(tags, i) for i in range(len(tags)))
    for headline in sorted(lost, key=len, reverse=True):
        if missing <= 0:
            break
        at = _echo(units, told, headline)
        if at is not None:
            told[at] = replace(told[at], label=Label.LEAD)
            missing -= 1
    return told


def _headless(tags: Sequence[Tagged], i: int) -> bool:
    """A kicker or subhead that opens an article in which no headline follows."""
    if tags[i].label not in (Label.KICKER, Label.SUBHEAD) or (
        i and tags[i - 1].label not in _TEXT | {Label.FURNITURE}
    ):
        return False
    for tag in tags[i:]:
        if tag.label is Label.HEADLINE:
            return False
        if tag.label in _TEXT:
            return True
    return False


def _echo(units: Sequence[Block], tags: Sequence[Tagged], headline: str) -> int | None:
    """The paragraph from which on a headline's words are said, and above which they are not."""
    pairs = {headline[i : i + 2] for i in range(len(headline) - 1)}
    best, found = 0.3, None
    for i, (unit, tag) in enumerate(zip(units, tags, strict=True)):
        if (
            tag.label is not Label.BODY
            or unit.part
            or (i and tags[i - 1].label not in _TEXT | {Label.FURNITURE})
        ):
            continue
        below = _said(pairs, units, tags, range(i, min(len(units), i + 6)))
        above = _said(pairs, units, tags, range(i - 1, max(-1, i - 6), -1))
        own = sum(pair in unit.flat for pair in pairs) / max(1, len(pairs))
        score = below - above + own / 3 + 0.15 * bylines.is_wire(unit.line)
        if score > best:
            best, found = score, i
    return found


def _said(pairs: set[str], units: Sequence[Block], tags: Sequence[Tagged], where: range) -> float:
    """How many of the pairs the text of a stretch says, as far as the next title."""
    heard: set[str] = set()
    for at in where:
        if tags[at].label not in _TEXT | {Label.HEADING}:
            break
        heard |= {pair for pair in pairs if pair in units[at].flat}
    return len(heard) / max(1, len(pairs))


def siblings(units: Sequence[Block], tags: Sequence[Tagged]) -> list[Tagged]:
    """Inner headings come in families: a bare line as long as the heading before it is one, too."""
    told = list(tags)
    size = 0  # of the last inner heading of this article
    for i, (unit, tag) in enumerate(zip(units, tags, strict=True)):
        if tag.label is Label.HEADING:
            size = len(unit.flat)
        elif tag.label in _TITLES:
            if tag.label is Label.HEADLINE and len(unit.flat) == size <= _LINE and _bare(units, tags, i):
                told[i] = replace(tag, label=Label.HEADING)
            else:
                size = 0
    return told


def _bare(units: Sequence[Block], tags: Sequence[Tagged], i: int) -> bool:
    """A title line between two texts, the second of which does not open as a report does."""
    if not 0 < i < len(units) - 1:
        return False
    before, after = tags[i - 1].label, tags[i + 1].label
    return before in _TEXT and after is Label.BODY and not bylines.is_wire(units[i + 1].line)
