"""What one unit shows by itself: its size, how it begins and ends, what the trade calls such a line."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from syndicate.split import bylines, jumps, masthead, text
from syndicate.split.blocks import Block

_SIZES = (4, 8, 12, 18, 26, 40, 60, 100)
_CREDIT = re.compile(
    r"(?:摄|供图|文/图|图/文|摄影报道|制图|绘)(?:\([^()]*\))?$|\(影像中国\)$|\((?:人民|视觉)视觉\)$"
)
_CAPTION = re.compile(r"^(?:图为|[上下左右]图|图①|图一|↑|↓|△|▲)|(?:图为|如图|左图|右图)")
_NOTE = re.compile(
    r"^\(?(?:编者按|编者的话|编后|开栏语|开栏的话|编者附言|核心阅读|核心提示|阅读提示|引言|导语|编辑手记)"
)
_COLUMN = re.compile(r"\([^()]{2,24}\)$")
_AUTHOR = re.compile(r"^\((?:作者|执笔|本文|摘编|据|原载)")
_LIST = re.compile(
    r"^(?:[▲●■◆□○★]|\d{1,2}[.、]|[一二三四五六七八九十]{1,2}、|\([一二三四五六七八九十\d]{1,3}\)|[①-⑳]|第[一二三四五六七八九十]+[,章节条])"
)
_LABEL_LINE = re.compile(
    r"^(?:人物名片|名片|人物小传|人物简介|链接|相关链接|新闻链接|延伸阅读|核心阅读|小贴士|专家点评|记者手记|编后|新闻背景|图片报道|简讯|导读|本期导读)$|人物名片$"
)
_PAGE_REF = re.compile(r"\d{1,2} ?版$|第[一二三四五六七八九十\d]{1,2}版$|见\d{1,2}版")
_CONTACT = re.compile(
    r"1[3-9]\d{9}|\d{3,4}-\d{7,8}|电话[:：]|地址[:：]|热线|特此(?:公告|通知|声明)|广告|招聘|公示|遗失|声明作废"
)
_ATTENDED = re.compile(
    r"(?:讲话|主持|出席|参加|致辞|率队|陪同|批示|调研|督查|会见|作报告)(?: |$)|等(?:参加|出席|陪同)$"
)
_OPENER = re.compile(
    r"^(?:(?:在|当天|当日)?[^,。]{0,14}(?:会上|座谈会上|推进会上|会议上|现场|期间|之后|之前|其间|过程中|上午|下午|当晚|之际|方面)|"
    r"(?:\d{4}年)?(?:\d{1,2}月)?\d{1,2}[日—-][^,。]{0,8}|(?:近|连)?[年日月]来|近日|日前|目前|随后|据了解|据悉|据介绍|下一步|接下来|同时|此外|"
    r"今年以来|截至[^,。]{2,12}|如今|此前|会议(?:指出|强调|要求|认为)|[^,。]{2,12}(?:指出|强调|表示|要求|认为|介绍|说|告诉记者|坦言))[,:]"
)
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
    whole_shape: str  # of the block it was cut from

    @property
    def opener(self) -> bool:
        """It begins as paragraphs begin."""
        return "is opener" in self.features

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
    stops = _stops(flat)
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
    return Look(
        block, flat, size, ends, stops, commas, shape, grams, tuple(features), _whole_shape(block) or shape
    )


def _whole_shape(block: Block) -> str | None:
    if block.whole is None or block.part:
        return None
    line, flat = block.whole.line, block.whole.flat
    ends, starts = _ends(flat), _starts(flat)
    stops = _stops(flat)
    return _shape(len(flat), ends, starts, stops, _marks(line, flat, len(flat)), line)


def _stops(flat: str) -> int:
    return flat.count("。") + flat.count("!") + flat.count("?") + (flat.count(".") if flat.isascii() else 0)


def _ends(flat: str) -> str:
    last = flat[-1:]
    inner = flat.rstrip("\"')")[-1:]
    if last == "。" or (last == "." and flat[-2:-1].isalpha()):
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


_BY_WORDS = ("本报记者", "记者", "本报评论员", "新华社记者", "□")
_LINE_MARKS: tuple[tuple[str, Callable[[str, str], object]], ...] = (  # of a line without a full stop
    ("by-word", lambda _, flat: flat.startswith(_BY_WORDS) and len(flat) < 24),
    ("imprint", lambda line, _: masthead.is_imprint(line)),
    ("header", lambda line, _: masthead.is_header(line)),
    ("column", lambda _, flat: _COLUMN.search(flat)),
    ("page-ref", lambda _, flat: _PAGE_REF.search(flat)),
    ("label", lambda _, flat: _LABEL_LINE.search(flat)),
)
_ANY_MARKS: tuple[tuple[str, Callable[[str, str], object]], ...] = (
    ("wire", lambda line, _: bylines.is_wire(line)),
    ("credit", lambda _, flat: _CREDIT.search(flat)),
    ("caption", lambda _, flat: _CAPTION.search(flat[:60])),
    ("note", lambda _, flat: _NOTE.match(flat)),
    ("author", lambda _, flat: _AUTHOR.match(flat)),
    ("list", lambda _, flat: _LIST.match(flat)),
    ("filed", lambda line, _: bylines.is_filed(line)),
    ("opener", lambda _, flat: _OPENER.match(flat[:40])),
    ("attended", lambda _, flat: len(flat) <= 40 and _ATTENDED.search(flat)),
    ("jump-to", lambda line, _: jumps.to_mark(line)),
    ("jump-from", lambda line, _: jumps.from_mark(line)),
    ("contact", lambda _, flat: _CONTACT.search(flat)),
    ("day", lambda _, flat: len(flat) <= 80 and _DAY.search(flat[:24])),
)


def _marks(line: str, flat: str, n: int) -> list[str]:
    """What the trade calls such a unit, if it has a name for it."""
    marks = [name for name, shows in _ANY_MARKS if shows(line, flat)]
    if n <= 70 and "。" not in flat:
        if said := bylines.credit(line):
            marks.append("byline" if said.roles else "names")
        marks += [name for name, shows in _LINE_MARKS if shows(line, flat)]
    return marks


_TELLING = (
    "wire",
    "byline",
    "jump-from",
    "imprint",
    "header",
    "names",
    "author",
    "filed",
    "credit",
    "note",
    "label",
    "by-word",
    "list",
)


def _shape(n: int, ends: str, starts: str, stops: int, marks: list[str], line: str) -> str:
    """One word for what a unit looks like, for its neighbours to look at."""
    if "jump-to" in marks:
        return "gone"
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
