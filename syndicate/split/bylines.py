"""Who wrote it, and where it was filed: byline lines, credits in brackets, datelines."""

import re
from dataclasses import dataclass
from datetime import date

from syndicate.model import Byline, Dateline
from syndicate.split import text

_HAN = f"[{text.HAN}]"
_HOUSE = rf"(?:本报|本刊|新华社|中新社|新华每日电讯|{_HAN}{{2,6}}(?:日报|晚报|时报|早报|商报|周报|新闻|电视台|融媒体中心|传媒集团)|晚报|日报)"
_RANK = r"(?:首席|见习|見習|實習|实习|特约|特派|全媒体|融媒体|驻外|驻站)*"
_ROLE = re.compile(
    rf"{_HOUSE}?(?P<place>驻[^\s、()]{{1,8}}?)?{_RANK}(?P<role>记者|通讯员|评论员|实习生|摄影(?!报)|撰文|撰稿|作者|文字|图片)"
)
_DONE = re.compile(
    r"(?:文/图|图/文|文并摄|文图|图文|摄影报道|整理报道|综合报道|采访整理|(?:/[^/ ]{2,6})?报导|报道|参与采写|采写|整理|辑|编辑|供稿|供图|采访|(?<= )[文图]|摄)$"
)
_WROTE_AND_SHOT = re.compile(
    rf" *(?P<wrote>{_HAN}{{3}}|{_HAN} {_HAN}|{_HAN}{{2,3}}(?= ?/)) ?/?文[ /,、]+(?P<shot>{_HAN} ?{_HAN}{{1,2}}) ?/?[摄图]"
)
_BULLETS = "□■◆◇●○▲△★☆▪◎ "

SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方"
    "俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧"
    "计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫"
    "经房裘缪干解应宗丁宣贲邓郁单杭洪包诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊於惠甄曲家封芮羿储靳汲邴糜松井段富巫乌焦巴弓"
    "牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘钭厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙"
    "池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩桑桂濮牛寿通边扈燕冀浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易"
    "慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾毋沙乜养鞠须丰巢关蒯"
    "相查后荆红游竺权逯盖益桓公仉督岳帅缑亢况郈有琴商牟佘佴伯赏墨哈谯笪年爱阳佟言福付肖闫涂代覃苟边晋楚闾法汝鄢钦仝冼"
    "陳張劉黃趙吳孫馬鄭謝許鄧馮蕭韓葉蔣鍾盧蘇譚陸賈龔萬錢嚴賴莊歐顧湯龍羅梁楊周連魏閻鄒呂鄔龐聶齊倫霍祝駱紀龔"
    "旦占青母布雒苑亓邸桑琼次扎卓格拉丹尼洛嘎达"
)
_COMPOUND = frozenset(  # surnames of two characters
    [
        "欧阳",
        "歐陽",
        "上官",
        "司马",
        "司馬",
        "诸葛",
        "諸葛",
        "东方",
        "東方",
        "皇甫",
        "尉迟",
        "公孙",
        "令狐",
        "宇文",
        "长孙",
        "慕容",
        "司徒",
        "端木",
        "夏侯",
        "南宫",
        "闻人",
        "钟离",
        "濮阳",
        "淳于",
        "单于",
        "申屠",
        "仲孙",
        "轩辕",
        "鲜于",
        "赫连",
        "澹台",
        "呼延",
        "拓跋",
        "司空",
        "太史",
        "西门",
        "独孤",
    ]
)
_NAME = re.compile(rf"{_HAN}{{2,4}}|{_HAN}{{1,8}}(?:·{_HAN}{{1,9}})+")
_NO_NAME = re.compile(
    r"(?:广告|专题|策划|人物|小传|名片|看点|阅读|核心|提要|编者|本报|评论|编辑|通讯|报社|小组|课题|中心|集团|公司|大学|学院|日报|部门|委员|协会|图片|新华|综合)"
)


_BY = re.compile(
    r"(?:By|BY) (?P<names>[A-Z][\w.'-]+(?: [A-Z][\w.'-]+){1,3}(?:(?:,? and |, )[A-Z][\w.'-]+(?: [A-Z][\w.'-]+){1,3})*)"
)


@dataclass(frozen=True)
class Credit:
    """Names by role, as one line or one bracket tells them."""

    reporters: tuple[str, ...] = ()
    correspondents: tuple[str, ...] = ()
    photographers: tuple[str, ...] = ()
    roles: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """All names in order of role."""
        return (*self.reporters, *self.correspondents, *self.photographers)


def credit(line: str) -> Credit | None:
    """What a line that is nothing but a credit says; None if it is something else."""
    if english := _BY.fullmatch(text.squeezed(line)):
        return Credit(reporters=tuple(re.split(r",? and |, ", english["names"])), roles=1)
    line = re.sub("记 者", "记者", re.sub("通 ?讯 ?员", "通讯员", text.squeezed(line))).strip(_BULLETS)
    while len(line) > 2 and line[0] == "(" and line[-1] == ")":
        line = line[1:-1].strip()
    line = re.sub(r"\([^()]{0,12}\)$", "", line).strip()  # 张三摄(影像中国)
    line = re.sub(r"(?<=[文图]) [供来]?图?$", "", line)
    if both := _WROTE_AND_SHOT.fullmatch(_ROLE.sub("", line, count=1)):
        return Credit((both["wrote"].replace(" ", ""),), (), (both["shot"].replace(" ", ""),), 1)
    marks = list(_ROLE.finditer(line))
    if not marks or marks[0].start() > 0:
        names = _names(line, strict=True) if not marks else None
        return Credit(reporters=names) if names else None
    people: dict[str, list[str]] = {"reporter": [], "correspondent": [], "photographer": []}
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        said = line[mark.end() : following.start() if following else len(line)].strip(" :,、;/|")
        done = _DONE.search(said)
        names = _names(_DONE.sub("", said).strip(" /,:"))
        if names is None and said and mark["role"] != "评论员":
            return None
        people[_kind(mark["role"], done.group() if done else "")] += names or ()
    reporters, correspondents, photographers = (tuple(dict.fromkeys(names)) for names in people.values())
    return Credit(reporters, correspondents, photographers, len(marks))


def _kind(role: str, done: str) -> str:
    if role in ("摄影", "图片") or done in ("摄", "图", "供图", "摄影"):
        return "photographer"
    return "correspondent" if role == "通讯员" else "reporter"


def signed(line: str) -> Credit | None:
    """What a line says that is known to be a byline: names need no known surname, offices go before them."""
    said = credit(line)
    if said is not None:
        return said
    line = text.squeezed(line).strip(_BULLETS)
    names = _names(line)
    if names and all(len(name) <= 3 or "·" in name or names == (name,) for name in names):
        return Credit(reporters=names)
    last = _names(line.rpartition(" ")[2], strict=True)
    return Credit(reporters=last) if last else None


def is_names(line: str) -> bool:
    """Whether a short line holds names and nothing else."""
    return _names(text.squeezed(line).strip(_BULLETS), strict=True) is not None


def _names(said: str, *, strict: bool = False) -> tuple[str, ...] | None:
    """The names of a list; `strict` asks each to begin with a known surname. None if one is no name."""
    found = [name for piece in re.split(r"[、,;/]+", said) for name in _mended(piece.split())]
    if not found or len(found) > 24:
        return None
    for name in found:
        if not _NAME.fullmatch(name) or _NO_NAME.search(name):
            return None
        if strict and not _is_known(name):
            return None
    if strict and len(found) > 8:
        return None
    return tuple(found)


def _is_known(name: str) -> bool:
    """Whether it begins as names of its length do."""
    if "·" in name:
        return True
    return (len(name) <= 3 and name[0] in SURNAMES) or (3 <= len(name) <= 4 and name[:2] in _COMPOUND)


def _mended(words: list[str]) -> list[str]:
    """林 明, 徐 家和 and 邝西 曦 are one name each: padded to width, or broken by a column."""
    found: list[str] = []
    i = 0
    while i < len(words):
        word = words[i]
        following = words[i + 1] if i + 1 < len(words) else ""
        if len(word) == 1 and found and len(found[-1]) == 2 == len(words[i - 1]) and word not in SURNAMES:
            found[-1] += word
        elif len(word) == 1 and 1 <= len(following) <= 2:
            found.append(word + following)
            i += 1
        elif len(word) == 1 and found and len(found[-1]) == 2:
            found[-1] += word
        else:
            found.append(word)
        i += 1
    return found


# ── at the head of a paragraph ───────────────────────────────────────────────────────────

_DAY = r"(?:(?P<year>\d{4})年)?(?:(?P<month>\d{1,2})月)?(?P<day>\d{1,2})日"
_WIRE = re.compile(
    rf"(?P<wire>\(?据?(?:{_HOUSE}|据)(?P<place>[^,。:;()\d]{{0,14}}?)(?:{_DAY})?(?:专)?(?:电|(?<!通)讯|消息)\)?)(?=[(,:]|.)"
)
_BRACKET = re.compile(r"\((?P<said>[^()]{1,120})\)(?:文/图|摄影报道|报道|文|摄)?")
_OPEN_CREDIT = re.compile(
    rf"(?:{_HOUSE})?{_RANK}(?:记者|通讯员)[^,。:()]{{1,40}}?(?:摄影报[道导]|报[道导]|采写)[:,]?"
)
_HEAD_CREDIT = re.compile(rf"\((?:{_HOUSE})?{_RANK}(?:记者|通讯员)[^()。]{{1,60}}\)(?=[^()]{{6}})")


@dataclass(frozen=True)
class Lead:
    """What stands before the first sentence: offsets into the raw text, and what they say."""

    dateline: Dateline
    byline: Byline
    dateline_at: tuple[int, int] | None
    byline_at: tuple[int, int] | None
    text_at: int


def is_wire(line: str) -> bool:
    """Whether a text opens as a report does: 本报讯, 新华社北京5月2日电, (记者 甲)."""
    squeezed = text.flat(line[:100])
    wire = _WIRE.match(squeezed)
    if wire is not None and _plausible(wire):
        return True
    return bool(_HEAD_CREDIT.match(squeezed) or _OPEN_CREDIT.match(squeezed))


_PLAIN = re.compile(r"\(?据?(?:本报|本刊|晚报|日报)[讯电]\)?")


def _plausible(wire: "re.Match[str]") -> bool:
    """据…讯 and 本报…电 alone are words of any sentence; a report has a day, or nothing in between."""
    if wire["day"] or _PLAIN.fullmatch(wire["wire"]):
        return True
    if wire["wire"].endswith("消息"):
        return wire["wire"].startswith("据") and wire.string[wire.end() : wire.end() + 1] in (",", ":")
    return len(wire["place"]) <= 4 and wire["wire"].startswith(("新华社", "据新华社", "本报"))


def lead(raw: str, issue_date: date | None = None) -> Lead | None:
    """The dateline and the byline at the head of a text, if it has any."""
    head = text.canonical(raw[:400])
    offsets = [i for i, char in enumerate(head) if char != " "]
    squeezed = "".join(head[i] for i in offsets)
    offsets.append(offsets[-1] + 1 if offsets else 0)
    wire = _WIRE.match(squeezed)
    if wire and not _plausible(wire):
        wire = None
    at = wire.end("wire") if wire else 0
    if wire and wire["wire"].endswith("消息"):
        at += 1  # the comma after it
    said, by_end = None, at
    bracket = _BRACKET.match(squeezed, at)
    if bracket:
        begin, end = offsets[bracket.start("said")], offsets[bracket.end("said") - 1] + 1
        inner = text.squeezed(raw[begin:end])
        said = credit(inner) if _ROLE.search(inner) else None
        by_end = bracket.end() if said else at
    else:
        loose = _OPEN_CREDIT.match(squeezed, at)
        if loose:
            said = credit(
                text.squeezed(raw[offsets[loose.start()] : offsets[loose.end() - 1] + 1]).rstrip(":, ")
            )
            by_end = loose.end() if said else at
    if not wire and not said:
        return None
    plain = wire is not None and wire["day"] is None and not wire["place"]  # 本报讯: no place, no day
    dateline_at = (offsets[0], offsets[at - 1] + 1) if wire and not (plain and said) else None
    by_from = 0 if plain else at
    byline_at = (offsets[by_from], offsets[by_end - 1] + 1) if said else None
    text_at = offsets[max(at, by_end)]
    return Lead(
        Dateline() if dateline_at is None else _dateline(wire, raw[slice(*dateline_at)], issue_date),
        Byline() if said is None or byline_at is None else byline(said, raw[slice(*byline_at)]),
        dateline_at,
        byline_at,
        text_at,
    )


def byline(said: Credit, raw: str) -> Byline:
    """A byline as printed and as understood."""
    return Byline(said.reporters, said.correspondents, said.photographers, raw)


def _dateline(wire: "re.Match[str] | None", raw: str, issue_date: date | None) -> Dateline:
    if wire is None:
        return Dateline(raw=raw)
    return Dateline(wire["place"] or None, _day(wire, issue_date), raw)


def _day(wire: "re.Match[str]", issue: date | None) -> date | None:
    """The day of a dateline; a year or month it leaves out is the last one that fits before the issue."""
    if not wire["day"] or (issue is None and not wire["year"]):
        return None
    year = int(wire["year"]) if wire["year"] else issue.year if issue else 0
    month = int(wire["month"]) if wire["month"] else issue.month if issue else 0
    try:
        day = date(year, month, int(wire["day"]))
    except ValueError:
        return None
    if issue and day > issue and not wire["year"]:
        try:
            day = day.replace(year=year - 1) if wire["month"] else day.replace(month=month - 1)
        except ValueError:
            return None
    return day


# ── at the end of an article ─────────────────────────────────────────────────────────────

_HELP = re.compile(r"(?:参与|协助)|(?:亦有|对本文)|整理|综合")


def is_closing(line: str) -> bool:
    """A credit as the last line, roles and all: (本报记者甲、乙)."""
    line = text.squeezed(line)
    if (
        len(line) > 120
        or not re.match(rf"[(]?{_ROLE.pattern}", line.lstrip("("))
        or line.endswith(("摄", "图"))
    ):
        return False
    said = credit(line)
    return said is not None and said.roles > 0


def is_help(line: str) -> bool:
    """Those who only took part."""
    return _HELP.search(line) is not None


def is_edited(line: str) -> bool:
    """Those who took down what others said: 本报记者甲采访整理."""
    return text.flat(line).rstrip(")").endswith("整理")


def filed(line: str, issue_date: date | None) -> Dateline:
    """The dateline a line holds that is nothing else."""
    wire = _WIRE.search(text.flat(line) + ",")
    return _dateline(wire if wire and _plausible(wire) else None, line, issue_date)


_FILED = re.compile(r"\((?:据|综合)?(?:本报|新华社)[^()。]{0,18}电[^()。]{0,10}\)")


def is_filed(line: str) -> bool:
    """A dateline at the end: (本报莫斯科5月2日电)."""
    flat = text.flat(line)
    return flat[:1] == "(" and _FILED.fullmatch(flat) is not None
