"""What can be seen of a unit on its page: the features the labeller votes by, in plain sight."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from syndicate.split import bylines, jumps, masthead, text
from syndicate.split.blocks import Block
from syndicate.split.seams import Seams

_SIZES = (4, 8, 12, 18, 26, 40, 60, 100)
_CREDIT = re.compile(r"(?:摄|供图|文/图|图/文|摄影报道|制图|绘)(?:\([^()]*\))?$|\(影像中国\)$|\((?:人民|视觉)视觉\)$")
_CAPTION = re.compile(r"^(?:图为|[上下左右]图|图①|图一|↑|↓|△|▲)|(?:图为|如图|左图|右图)")
_NOTE = re.compile(r"^\(?(?:编者按|编者的话|编后|开栏语|开栏的话|编者附言|核心阅读|核心提示|阅读提示|引言|导语|编辑手记)")
_COLUMN = re.compile(r"\([^()]{2,24}\)$")
_AUTHOR = re.compile(r"^\((?:作者|执笔|本文|摘编|据|原载)")
_LIST = re.compile(r"^(?:[▲●■◆□○★]|\d{1,2}[.、]|[一二三四五六七八九十]{1,2}、|\([一二三四五六七八九十\d]{1,3}\)|[①-⑳]|第[一二三四五六七八九十]+[,章节条])")
_LABEL_LINE = re.compile(r"^(?:人物名片|名片|人物小传|人物简介|链接|相关链接|新闻链接|延伸阅读|核心阅读|小贴士|专家点评|记者手记|编后|新闻背景|图片报道|简讯|导读|本期导读)$|人物名片$")
_PAGE_REF = re.compile(r"\d{1,2} ?版$|第[一二三四五六七八九十\d]{1,2}版$|见\d{1,2}版")
_CONTACT = re.compile(r"1[3-9]\d{9}|\d{3,4}-\d{7,8}|电话[:：]|地址[:：]|热线|特此(?:公告|通知|声明)|广告|招聘|公示|遗失|声明作废")
_DAY = re.compile(r"\d{1,2}月\d{1,2}日|\d{1,2}日(?:上午|下午|晚|,)")


@dataclass(frozen=True)
class Look:
    """One unit, looked at without its neighbours."""

    block: Block
    flat: str
    size: int
    ends: str
    stops: int
    commas: int
    shape: str
    grams: frozenset[str]
    features: tuple[str, ...]

    @property
    def open(self) -> bool:
        """Its last sentence has not ended."""
        return self.ends not in ("stop", "stop-quote", "bracket", "ask")


def look(block: Block) -> Look:
    """All that one unit shows by itself."""
    line, flat = block.line, block.flat
    n = len(flat)
    size = next((i for i, most in enumerate(_SIZES) if n <= most), len(_SIZES))
    ends, starts = _ends(flat), _starts(flat)
    stops = flat.count("。") + flat.count("!") + flat.count("?")
    commas = flat.count(",") + flat.count(";")
    words = line.count(" ") + 1
    marks = list(_marks(line, flat, n))
    shape = _shape(n, ends, starts, stops, marks, line)
    short = n <= 60
    features = [
        "bias",
        f"size {size}",
        f"ends {ends}",
        f"starts {starts}",
        f"stops {min(stops, 3)}",
        f"commas {min(commas, 4)}",
        f"size {size} ends {ends}",
        f"size {size} stops {min(stops, 2)}",
        f"ends {ends} starts {starts}",
        f"shape {shape}",
        *(f"is {mark}" for mark in marks),
        *(f"is {mark} size {size}" for mark in marks),
    ]
    if short:
        features += (
            f"words {min(words, 6)}",
            f"words {min(words, 6)} size {size}",
            f"last {flat[-2:]}",
            f"last {flat[-1:]}",
            f"first {flat[:1]}",
            f"first {flat[:2]}",
        )
    else:
        features.append(f"opens {flat[:2]}")
    if block.whole is not None:
        whole = len(block.whole.flat)
        features += (
            f"part {min(block.part, 2)}",
            f"part {min(block.part, 2)} size {size} ends {ends}",
            f"whole {next((i for i, most in enumerate(_SIZES) if whole <= most), len(_SIZES))} part {min(block.part, 2)}",
            "last part" if block.end == block.whole.end else "inner part",
        )
    han = "".join(c for c in flat[:400] if text.is_han(c) or c.isdigit())
    grams = frozenset(han[i : i + 2] for i in range(len(han) - 1))
    return Look(block, flat, size, ends, stops, commas, shape, grams, tuple(features))


def _ends(flat: str) -> str:
    last = flat[-1:]
    inner = flat.rstrip("\"')")[-1:]
    if last == "。" or (last == "." and text.is_han(flat[-2:-1])):
        return "stop"
    if last in "!?":
        return "ask"
    if last in "\"'":
        return "stop-quote" if inner in "。!?…" else "quote"
    if last == ")":
        return "bracket"
    if last in ":,;、…—":
        return last
    if last.isdigit():
        return "digit"
    return "han" if text.is_han(last) else "latin" if last.isalpha() else "sign"


def _starts(flat: str) -> str:
    first = flat[:1]
    if first in "\"'":
        return "quote"
    if first in "—-":
        return "dash"
    if first in "(《":
        return first
    if first.isdigit():
        return "digit"
    return "han" if first and text.is_han(first) else "latin" if first.isalpha() else "sign"


def _marks(line: str, flat: str, n: int) -> list[str]:
    """What the trade calls such a unit, if it has a name for it."""
    marks = []
    if bylines.is_wire(line):
        marks.append("wire")
    if n <= 70 and "。" not in flat:
        said = bylines.credit(line)
        if said and said.roles:
            marks.append("byline")
        elif said:
            marks.append("names")
        if flat.startswith(("本报记者", "记者", "本报评论员", "新华社记者", "□")) and n < 24:
            marks.append("by-word")
        if masthead.is_imprint(line):
            marks.append("imprint")
        if masthead.is_header(line):
            marks.append("header")
        if _COLUMN.search(flat):
            marks.append("column")
        if _PAGE_REF.search(flat):
            marks.append("page-ref")
        if _LABEL_LINE.search(flat):
            marks.append("label")
    if _CREDIT.search(flat):
        marks.append("credit")
    if _CAPTION.search(flat[:60]):
        marks.append("caption")
    if _NOTE.match(flat):
        marks.append("note")
    if _AUTHOR.match(flat):
        marks.append("author")
    if _LIST.match(flat):
        marks.append("list")
    if bylines.is_filed(line):
        marks.append("filed")
    if jumps.to_mark(line):
        marks.append("jump-to")
    if jumps.from_mark(line):
        marks.append("jump-from")
    if _CONTACT.search(flat):
        marks.append("contact")
    if n <= 80 and _DAY.search(flat[:24]):
        marks.append("day")
    return marks


_TELLING = ("wire", "byline", "jump-from", "imprint", "header", "names", "author", "filed", "credit", "note", "label", "by-word", "list")


def _shape(n: int, ends: str, starts: str, stops: int, marks: list[str], line: str) -> str:
    """One word for what a unit looks like, for its neighbours to look at."""
    for mark in _TELLING:
        if mark in marks:
            return mark
    closed = ends in ("stop", "stop-quote", "ask")
    if n > 60 or (n > 30 and stops):
        return "text" if closed else "text-open"
    if starts == "dash":
        return "dash"
    if closed:
        return "sentence"
    if ends in ":—":
        return "announce"
    if ends == "bracket":
        return "titled"
    if n <= 5:
        return "tiny"
    return "line" if n <= 14 else "line-spaced" if " " in line else "long-line"


# ── with the neighbours ──────────────────────────────────────────────────────────────────

_EDGE = "edge"
_STEPS = (0.02, 0.12, 0.25, 0.4, 0.6)
_ODDS = (-4.0, -2.0, -0.5, 0.5, 2.0, 4.0)


def features_of(units: Sequence[Block], seams: Seams, lost: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """The features of every unit of one page; `lost` are the headlines found scattered on it."""
    looks = [look(unit) for unit in units]
    lost_grams = [_grams(headline) for headline in lost]
    widths = _widths(looks)
    return [
        (*looks[i].features, *_around(looks, i), *_seam(looks, i, seams), *_width(widths, i), *_echo(looks, i, lost_grams))
        for i in range(len(looks))
    ]


def _around(looks: Sequence[Look], i: int) -> tuple[str, ...]:
    def shape(at: int) -> str:
        return looks[at].shape if 0 <= at < len(looks) else _EDGE

    pp, p, own, n, nn, nnn = (shape(i + d) for d in (-2, -1, 0, 1, 2, 3))
    size = looks[i].size
    glue = "=" if looks[i].block.part else ""
    next_glue = "=" if i + 1 < len(looks) and looks[i + 1].block.part else ""
    return (
        f"before {glue}{p}",
        f"before2 {pp} {p}",
        f"after {next_glue}{n}",
        f"after2 {n} {nn}",
        f"{glue}{p} . {own}",
        f"{own} . {next_glue}{n}",
        f"{p} . {own} . {n}",
        f"{own} . {n} . {nn}",
        f"{own} . {n} . {nn} . {nnn}",
        f"{pp} . {p} . {own}",
        f"size {size} after {next_glue}{n}",
        f"size {size} before {glue}{p}",
    )


def _seam(looks: Sequence[Look], i: int, seams: Seams) -> tuple[str, ...]:
    """Whether the text before goes on here."""
    if not i:
        return ("first",)
    before, own = looks[i - 1], looks[i]
    odds = seams.joins(before.flat[-1:], own.flat[:3])
    level = sum(odds > step for step in _ODDS)
    state = "open" if before.open else "shut"
    long = "long" if before.size >= 6 else "short"
    rows = before.block.rows
    width = before.block.width
    full = "none" if not width else "full" if rows[-1] >= width - 1 else "ragged"
    glue = "=" if own.block.part else ""
    return (
        f"seam {glue}{state} {level}",
        f"seam {glue}{state} {long} {level} {full}",
        f"row {full} {before.ends}",
        f"seam {glue}{before.ends} {level}",
        f"seam {glue}{state} {long} own {own.shape}",
    )


def _widths(looks: Sequence[Look]) -> list[tuple[int, int]]:
    """For every unit the column width of the last wrapped block before it and of the next one from it."""
    last, before = 0, []
    for seen in looks:
        before.append(last)
        last = seen.block.width or last
    following, after = 0, []
    for seen in reversed(looks):
        following = seen.block.width or following
        after.append(following)
    return list(zip(before, reversed(after), strict=True))


def _width(widths: Sequence[tuple[int, int]], i: int) -> tuple[str, ...]:
    before, after = widths[i]
    if not before or not after:
        return ("column none",)
    change = abs(before - after)
    return (f"column {'same' if change <= 1 else 'near' if change == 2 else 'other'}",)


def _echo(looks: Sequence[Look], i: int, lost: Sequence[frozenset[str]]) -> tuple[str, ...]:
    """A headline's words come again below it and were not said above it."""
    own = looks[i]
    found = []
    if own.size <= 6 and len(own.grams) >= 2:
        below, above = _share(own.grams, looks, range(i + 1, i + 5)), _share(own.grams, looks, range(i - 1, i - 5, -1))
        b, a = sum(below > s for s in _STEPS), sum(above > s for s in _STEPS)
        found += [f"echo below {b}", f"echo above {a}", f"echo {b} {a}"]
    if lost and own.size >= 4:
        best = max(len(h & own.grams) / max(1, len(h)) for h in lost)
        before = max(max(len(h & looks[j].grams) / max(1, len(h)) for h in lost) for j in range(max(0, i - 2), i)) if i else 0.0
        found += [
            f"lost {sum(best > s for s in _STEPS)}",
            f"lost {sum(best > s for s in _STEPS)} {sum(before > s for s in _STEPS)} {own.shape}",
        ]
    return tuple(found)


def _share(grams: frozenset[str], looks: Sequence[Look], where: range) -> float:
    """How many of the pairs are found in the texts of that stretch, the nearest four hundred characters of each."""
    seen: set[str] = set()
    for at in where:
        if 0 <= at < len(looks) and looks[at].size >= 5:
            seen |= grams & looks[at].grams
    return len(seen) / len(grams)


def _grams(string: str) -> frozenset[str]:
    han = "".join(c for c in text.flat(string) if text.is_han(c) or c.isdigit())
    return frozenset(han[i : i + 2] for i in range(len(han) - 1))
