"""Clean articles → pages as other papers would have printed them, and as OCR would have left them.

The labeller learns from a few papers only. So that it learns the trade and not their habits, their
articles are set again, at random: in narrow columns, with other bylines, other title lines, other
page lines, with headlines lost, glued or scattered, paragraphs cut, broken off or gone to the next page.
"""

import random
import re
from dataclasses import dataclass, field
from typing import Any

from syndicate.split import bylines

Truth = dict[str, Any]

_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰飞红文建国晓海燕春梅志云龙斌宁辉鹏莉琳佳颖宇浩博子轩雨婷晨思远一凡"
_COMMON = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
_TAGS = (
    "民生走笔",
    "读者来信",
    "一线故事",
    "特写",
    "短评",
    "关注",
    "记者观察",
    "新春走基层",
    "乡村振兴",
    "基层党建",
    "平安建设",
    "文明实践",
    "身边好人",
    "百姓故事",
    "经济视点",
    "农业农村",
    "法治在线",
    "健康",
    "教育",
    "文化",
    "体育",
    "社会",
    "民生",
    "时评",
    "今日评论",
    "凡人善举",
    "最美人物",
    "项目建设",
    "招商引资",
)
_ATTEND = ("讲话", "主持", "出席", "参加", "致辞", "率队", "陪同", "出席并讲话", "作批示", "调研", "督查")
_HEADER = (
    "责任编辑:{a} 版式:{b} 电话:2806117",
    "责编 {a} 校对 {b}",
    "编辑:{a} 组版:{b} 电话:0570-3831515",
    "本版编辑 {a}",
)
_SLOGANS = (
    "富强 民主 文明 和谐",
    "务实创新 争先进位",
    "天气预报 今天多云到阴 10℃~18℃ 明天阴有小雨",
    "今日天气 晴 偏北风3级 4℃~15℃",
)
_FORBIDDEN_FIRST = "，。；：！？、）》”’,.;:!?)%…"


_AS_PRINTED = 0.5  # of the articles whose own print is known, those that keep their titles, bylines and notes


@dataclass
class House:
    """How one paper prints and how its OCR reads: chosen once an issue."""

    rng: random.Random
    half: bool = field(init=False)
    narrow: int = field(init=False)
    spaced: float = field(init=False)
    stacked: float = field(init=False)  # title lines that come as one block
    local: float = field(init=False)  # reports that open with 本报讯
    cut: float = field(init=False)
    glued: float = field(init=False)
    lost: float = field(init=False)
    broken: float = field(init=False)
    page_style: int = field(init=False)

    def __post_init__(self) -> None:
        rng = self.rng
        self.half = rng.random() < 0.8
        self.narrow = rng.choice((0, 11, 13, 14, 16, 16, 18, 20, 24, 28))
        self.spaced = rng.choice((0.0, 0.3, 0.9))
        self.stacked = rng.choice((0.1, 0.5, 0.9)) if self.narrow else 0.0
        self.local = rng.choice((0.1, 0.6, 0.9))
        self.cut = rng.choice((0.0, 0.05, 0.15, 0.25))
        self.glued = rng.choice((0.0, 0.05, 0.12))
        self.lost = rng.choice((0.0, 0.04, 0.1))
        self.broken = rng.choice((0.0, 0.05, 0.1))
        self.page_style = rng.randrange(5)

    def name(self) -> str:
        """Somebody's name."""
        return self.rng.choice(_COMMON) + "".join(
            self.rng.choice(_GIVEN) for _ in range(self.rng.choice((1, 2, 2, 2)))
        )

    def names(self, most: int = 3) -> list[str]:
        """Some names, padded to width now and then, or broken by a column."""
        found = []
        for _ in range(self.rng.randint(1, most)):
            name = self.name()
            if len(name) == 2 and self.rng.random() < 0.6:
                name = f"{name[0]} {' ' * self.rng.randint(0, 1)}{name[1]}"
            elif self.rng.random() < 0.04:
                name = f"{name[0]} {name[1:]}"
            found.append(name)
        return found


def issue(truth: Truth, rng: random.Random) -> tuple[str, Truth]:
    """One issue's articles set again: the text, and its truth."""
    house = House(rng)
    articles = [a for a in truth["articles"] if a["paragraphs"]]
    rng.shuffle(articles)
    blocks: list[str] = []
    keys: list[Truth] = []
    ignorable: list[str] = []
    page, on_page, room = 0, 0, 0
    waiting: list[tuple[int, list[str], Truth]] = []
    for article in articles:
        if on_page >= room:
            page, on_page, room = page + 1, 0, rng.randint(3, 9)
            _page_head(house, page, blocks, ignorable)
            for came, rest, _ in waiting:
                blocks += _continued(house, came, rest)
            waiting = []
        on_page += 1
        if "printed" in article and rng.random() < _AS_PRINTED:
            keys.append(_as_printed(house, article, blocks))
            continue
        key = _retold(house, article)
        keys.append(key)
        rest = _set(house, key, blocks, page)
        if rest:
            waiting.append((page, rest, key))
        if rng.random() < 0.06:
            credit = f"本版图片由{house.name()}提供"
            blocks.append(credit)
            ignorable.append(credit)
    for came, rest, _ in waiting:
        _page_head(house, page + 1, blocks, ignorable)
        blocks += _continued(house, came, rest)
    text = "\n\n".join(blocks) + "\n"
    return text, {"issue": {}, "articles": keys, "ignorable": ignorable}


def _page_head(house: House, page: int, blocks: list[str], ignorable: list[str]) -> None:
    rng = house.rng
    titles = ("要闻", "综合", "民生", "文体", "副刊", "专版", "经济", "广告", "县域", "时政")
    title = rng.choice(titles)
    date = f"2024年{rng.randint(1, 12)}月{rng.randint(1, 28)}日 星期{rng.choice('一二三四五六日')}"
    lines = (
        [f"第{page:02}版:{title}", date],
        [f"{page:02} {title} {date}"],
        [f"{page}版 {title}"],
        [f"A{page:02} {title}"],
        [date, f"第{'零一二三四五六七八九十'[page] if page <= 10 else page}版"],
    )[house.page_style]
    blocks += lines
    if rng.random() < 0.4:
        blocks.append(rng.choice(_HEADER).format(a=house.name(), b=house.name()))
    if rng.random() < 0.15:
        slogan = rng.choice(_SLOGANS)
        blocks.append(slogan)
        ignorable.append(slogan)


def _continued(house: House, came: int, rest: list[str]) -> list[str]:
    mark = house.rng.choice(
        (f"(上接第{came}版)", f"(上接{came:02}版)", f"【上接第{came}版】", f"(紧接第{came}版)")
    )
    width = _width(house)
    return [
        block for n, p in enumerate(rest) for block in _column(house, (mark if n == 0 else "") + p, width)
    ]


# ── what the article says ────────────────────────────────────────────────────────────────


def _retold(house: House, article: Truth) -> Truth:
    """The same article with other title lines, other bylines, and shorter."""
    rng = house.rng
    paragraphs = _shortened(house, article["paragraphs"])
    headline = article.get("headline") or article.get("headline_recoverable") or paragraphs[0][:16]
    if rng.random() < 0.7:
        headline = re.sub(r"[（(][^（）()]{2,24}[）)]$", "", headline) or headline
    kicker, subheads = _title_lines(house, article)
    key: Truth = {
        "headline": headline,
        "kicker": kicker,
        "subheads": [s for s in subheads if s],
        "paragraphs": [],
        "line": None,
        "headline_lost": False,
        "headings": article.get("headings"),
    }
    lead = bylines.lead(paragraphs[0])
    first = paragraphs[0][lead.text_at :] if lead else paragraphs[0]
    choice = rng.random()
    if lead and choice < 0.4:
        first = paragraphs[0]
    elif choice < 0.4 + house.local * 0.5:
        first = _local(house) + first
    elif choice < 0.9:
        key["line"] = _line(house)
    key["paragraphs"] = [first, *paragraphs[1:]]
    key["paragraphs"] = [
        p[: rng.randint(len(p) // 2, len(p) - 4)].rstrip("，。；：！？、”")
        if len(p) > 60 and rng.random() < house.broken
        else p
        for p in key["paragraphs"]
    ]
    return key


def _shortened(house: House, paragraphs: list[str]) -> list[str]:
    """The first paragraphs of a long article, with few inner headings: a small paper has no room."""
    rng = house.rng
    if rng.random() < 0.6:
        paragraphs = paragraphs[: rng.randint(2, 10)]
    if rng.random() < 0.3:
        paragraphs = [p for p in paragraphs if len(p) > 30] or paragraphs
    return list(paragraphs)


def _title_lines(house: House, article: Truth) -> tuple[str | None, list[str]]:
    """Its kicker and subheads, or others."""
    rng = house.rng
    kicker, subheads = article.get("kicker"), list(article.get("subheads") or [])
    if rng.random() < 0.25:
        kicker = None
    if kicker is None and rng.random() < 0.3:
        kicker = rng.choice(_TAGS) if rng.random() < 0.3 else _phrases(house, article["paragraphs"]) or None
    if not subheads and rng.random() < 0.3:
        subheads = [_attending(house) if rng.random() < 0.5 else _phrases(house, article["paragraphs"])]
    return kicker, subheads


def _local(house: House) -> str:
    rng = house.rng
    gap = rng.choice(("", " "))
    comma = rng.choice((" ", "、"))
    who = f"记者{rng.choice(('', ' '))}{comma.join(house.names())}"
    if rng.random() < 0.35:
        who += f" 通讯员{rng.choice(('', ' '))}{comma.join(house.names(2))}"
    return rng.choice(
        (
            f"本报讯{gap}（{who}）",
            f"本报讯{gap}（{who}）",
            f"本报讯{gap}({who})",
            f"本报讯 {who}报道：",
            f"（{who}）",
            f"（{who}）",
            f"本报{who}报道：",
            f"据{rng.choice(('县', '市'))}融媒体中心消息，",
            f"晚报讯 （{who}）",
            "本报讯 ",
        )
    )


def _line(house: House) -> str:
    rng = house.rng
    names = " ".join(house.names())
    return rng.choice(
        (
            f"本报记者 {names}",
            f"记者 {names}",
            f"记者 {names} 通讯员 {' '.join(house.names(2))}",
            f"本报记者 {names} 通讯员 {' '.join(house.names(2))}",
            f"通讯员 {names}",
            f"□ {names}",
            f"□记者 {names}",
            names,
            f"本报记者 {names} 文/图",
            f"文/图 记者 {names}",
            f"本报评论员 {names}",
        )
    )


def _phrases(house: House, paragraphs: list[str]) -> str:
    """One or two phrases that might stand over the headline: inner headings, or clauses of the text."""
    clauses = [
        c for p in paragraphs for c in re.split("[，。；：！？“”‘’（）《》、]", p) if 6 <= len(c) <= 16
    ]
    if not clauses:
        return ""
    return " ".join(house.rng.choice(clauses) for _ in range(house.rng.choice((1, 2, 2))))


def _attending(house: House) -> str:
    rng = house.rng
    said = [house.name() + rng.choice(_ATTEND) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.4:
        said.append(f"{house.name()}{rng.choice(('', ' '))}{house.name()}等参加")
    return " ".join(said)


# ── how it is printed ────────────────────────────────────────────────────────────────────


def _set(house: House, key: Truth, blocks: list[str], page: int) -> list[str]:
    """Print one article; return the paragraphs that go to the next page."""
    rng = house.rng
    width = _width(house)
    titles = [t for t in (key["kicker"], _wrapped_title(house, key["headline"])) if t]
    lost = rng.random() < house.lost
    if lost:
        key["headline_lost"], key["headline"] = True, None
        titles = [key["kicker"]] if key["kicker"] else []
        if rng.random() < 0.6:
            key["kicker"], titles = None, []
            key["subheads"] = []
    if len(titles) == 2 and rng.random() < house.stacked:
        titles = [" ".join(titles)]
    if key["subheads"] and titles and not lost and rng.random() < house.stacked / 3:
        titles = [*titles[:-1], " ".join((titles[-1], *key["subheads"]))]
    else:
        titles += key["subheads"]
    titles = [_marks(house, t) for t in titles]
    if titles and blocks and len(blocks[-1]) > 40 and rng.random() < house.glued:
        blocks[-1] += " " + titles.pop(0)
    blocks += titles
    if key["line"]:
        blocks.append(_marks(house, key["line"]))
    paragraphs: list[str] = key["paragraphs"]
    stays = (
        rng.randint(1, len(paragraphs) - 1)
        if len(paragraphs) > 3 and rng.random() < 0.05
        else len(paragraphs)
    )
    for n, paragraph in enumerate(paragraphs[:stays]):
        printed = paragraph
        if n + 1 == stays < len(paragraphs):
            printed += rng.choice(
                (f"(下转第{page + 1}版)", f" (下转第{page + 1:02}版)", f"【下转第{page + 1}版】")
            )
        blocks += _column(house, printed, width)
    return list(paragraphs[stays:])


def _as_printed(house: House, article: Truth, blocks: list[str]) -> Truth:
    """Print one article as its own paper did, but in this house's columns; return its truth."""
    rng = house.rng
    width = _width(house)
    lines: list[tuple[str, str]] = list(article["printed"])
    for at in range(len(lines) - 1, 0, -1):
        pair = (lines[at - 1][0], lines[at][0])
        if pair in _STACKED and rng.random() < house.stacked:
            lines[at - 1 : at + 1] = [(pair[0], f"{lines[at - 1][1]} {lines[at][1]}")]
    for n, (role, said) in enumerate(lines):
        if role in ("body", "note", "caption"):
            blocks += _column(house, said, width)
        elif n == 0 and blocks and len(blocks[-1]) > 40 and rng.random() < house.glued:
            blocks[-1] += " " + _marks(house, said)
        else:
            blocks.append(_marks(house, said))
    return article


_STACKED = (("series", "kicker"), ("series", "headline"), ("kicker", "headline"))


def _wrapped_title(house: House, title: str) -> str:
    """A headline that took two printed lines keeps a blank where they met."""
    rng = house.rng
    if len(title) < 16 or " " in title or rng.random() > 0.2:
        return title
    at = rng.randint(6, len(title) - 6)
    marks = [
        m.end() for m in re.finditer("[，、：”》]|.(?=[暨和与及在为])", title) if 5 < m.end() < len(title) - 4
    ]
    at = rng.choice(marks) if marks else at
    return f"{title[:at]} {title[at:]}"


def _width(house: House) -> int:
    return max(9, house.narrow + house.rng.choice((-3, -1, 0, 0, 0, 2, 6))) if house.narrow else 0


def _column(house: House, paragraph: str, width: int) -> list[str]:
    """One paragraph in its column: lines joined by blanks, cut in two where the column ended."""
    rng = house.rng
    text = _marks(house, paragraph)
    if house.spaced and rng.random() < house.spaced:
        text = re.sub(r"(?<=[\u4e00-\u9fff])(\d+(?:\.\d+)?%?)(?=[\u4e00-\u9fff])", r" \1 ", text)
    if rng.random() < 0.3:
        text = re.sub(
            r"([,;])(?=[\u4e00-\u9fff])", lambda m: m[1] + (" " if rng.random() < 0.1 else ""), text
        )
    if not width:
        return [text]
    rows, row = [], ""
    for char in text:
        if len(row) >= width and char not in _FORBIDDEN_FIRST and not (row[-1:].isdigit() and char.isdigit()):
            rows.append(row.strip())
            row = ""
        row += char
    rows.append(row.strip())
    rows = [r for r in rows if r]
    if len(rows) > 3 and rng.random() < house.cut:
        at = rng.randint(1, len(rows) - 1)
        return [" ".join(rows[:at]), " ".join(rows[at:])]
    return [" ".join(rows)]


_HALF = str.maketrans("，；：！？（）“”％", ',;:!?()""%')


def _marks(house: House, text: str) -> str:
    return text.translate(_HALF) if house.half else text
