"""What the paper says of itself: name, date, number at the head, and the line at the head of every page."""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date

from syndicate.model import Masthead, Publication
from syndicate.split import text
from syndicate.split.blocks import Block

_NUMERALS = {c: n for n, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_NUMERAL = "[〇零一二三四五六七八九十两]"
_PAGE_NUMBER = rf"(?:[A-Da-d]?\d{{1,3}}|{_NUMERAL}{{1,3}})"
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d) ?(?:年|[-./]) ?(\d{1,2}) ?(?:月|[-./]) ?(\d{1,2}) ?日?")
_WEEKDAY = re.compile(r"(?:星期|礼拜|周)([一二三四五六日天])")
_LUNAR = re.compile(
    r"(?:农历|夏历)? ?([甲乙丙丁戊己庚辛壬癸] ?[子丑寅卯辰巳午未申酉戌亥]) ?年 ?"
    r"(闰?[正一二三四五六七八九十冬腊]{1,2}月) ?((?:初|十|廿|二十|三十|卅)[一二三四五六七八九十]?)"
)
_PAGES = re.compile(rf"(?:今日|本期|本报今日|共|今天) ?共? ?(\d{{1,3}}|{_NUMERAL}{{1,3}}) ?个?版")
_NUMBER = re.compile(r"(?:总第|(?<!统一)第|总) ?(\d{1,6}) ?[期号]|No\.? ?(\d{1,6})\b")
_PUBLISHER = re.compile(r"(?:主办|主管|承办|出版|协办)")

_TITLE = rf"[{text.HAN}A-Za-z0-9·、/&\- ]{{1,16}}"
_USUAL = (  # what a page is called so often that its number needs no 版
    "(?:今日)?(?:要闻|综合|时政|民生|社会|经济|财经|文化|文体|体育|国际|国内|副刊|专题|专版|广告|县域|乡镇|教育|健康|理论|评论|法治|农业|三农|"
    "生活|视点|关注|新闻|科技|天下|人物|旅游|文艺|影像|公告)(?:新闻|周刊|专刊)?"
)
_PAGE_LINES = (
    re.compile(rf"第? ?(?P<n>{_PAGE_NUMBER}) ?版(?: ?[:·|/—-]* ?(?P<title>{_TITLE}))?"),
    re.compile(
        rf"(?P<n>[A-D]?\d{{1,2}}|{_NUMERAL}{{1,3}}) ?版?[ :]*(?P<title>{_TITLE}?) ?(?:19|20)\d\d ?年.{{0,60}}"
    ),
    re.compile(rf"(?P<title>[{text.HAN}·]{{0,6}}) ?第? ?(?P<n>{_PAGE_NUMBER}) ?版"),
    re.compile(rf"(?P<n>\d\d) ?(?P<title>{_USUAL})"),
    re.compile(rf"(?P<n>[A-D]\d{{1,2}})(?P<sep>[ :]+(?P<title>{_TITLE}))?"),
    re.compile(
        rf"(?:19|20)\d\d ?年.{{0,40}}? 第?(?P<n>{_PAGE_NUMBER}) ?版[ :]*(?P<title>{_TITLE})?.{{0,40}}"
    ),
    re.compile(r"(?:Page|PAGE|P\.) ?(?P<n>[A-D]?\d{1,3})(?:[ :|]+(?P<title>[A-Z][\w &]{1,20}))?"),
)
_HEADER_WORD = re.compile(
    r"(?:责任?编辑|责编|版式(?:设计)?|美编|美术编辑|校对|组版|值班\w{0,3}|电话|邮箱|投稿|网址|主编|微信号?|制图|编辑|审读|监制|统筹)[: ] ?\S|"
    r"(?:热线|电话|邮编|传真)[: ]?\d|E-?mail|https?:|www\.|@\w+\.(?:com|cn|net)"
)
_LICENCE = re.compile(r"准印证|国内统一|刊号|邮发代号|每份 ?\d|定价|零售价|印刷:?|本报地址")
_WEATHER = re.compile(r"(?:今日|今天|明日|明天)?(?:天气|晴|多云|阴|有?[小中大]雨).{0,60}(?:℃|°|度|风)")


@dataclass(frozen=True)
class PageLine:
    """The line a page opens with."""

    number: int
    title: str | None


def page_line(line: str) -> PageLine | None:
    """第02版:要闻, 02 要闻 2020年10月20日 星期二, A01, 三版: what a line says of its page, if it is such a line."""
    line = line.strip(" ·|-—")
    if len(line) > 90 or "。" in line or _PAGES.fullmatch(line):  # 今日 8 版 is how many there are
        return None
    for form in _PAGE_LINES:
        found = form.fullmatch(line)
        if not found:
            continue
        number = number_of(found["n"])
        title = (found["title"] or "").strip(" :·-—|")
        if re.search(r"下转|上接|紧接|转第|见第", line) or number is None or not 0 < number < 200:
            return None
        title = re.sub(r"(?:19|20)\d\d ?年.*|星期.*| ?\d+$", "", title).strip()
        return PageLine(number, title or None)
    return None


def number_of(printed: str) -> int | None:
    """A page number as printed: 2, 02, A3, 二, 十二."""
    digits = re.sub(r"\D", "", printed)
    if digits:
        return int(digits)
    total, unit = 0, 0
    for char in printed:
        if char == "十":
            total += (unit or 1) * 10
            unit = 0
        elif char in _NUMERALS:
            unit = _NUMERALS[char]
        else:
            return None
    return total + unit or None


def is_header(line: str) -> bool:
    """A line that every page or issue carries: a date with its weekday, pages, number, editors."""
    if len(line) > 110 or "。" in line:
        return False
    if page_line(line):
        return True
    if _DATE.match(line) and (_WEEKDAY.search(line) or _LUNAR.search(line) or len(line) < 14):
        return True
    if len(line) <= 60 and (_PAGES.search(line) or _NUMBER.search(line)) and not re.search(r"[,;!?]", line):
        return True
    return len(line) <= 40 and _LUNAR.match(line) is not None


def is_imprint(line: str) -> bool:
    """Editors, telephones, addresses of the paper: printed on the page, no part of any article."""
    if len(line) > 120 or "。" in line:
        return False
    return _HEADER_WORD.search(line[:60]) is not None or bool(
        _WEATHER.match(line) or (len(line) <= 60 and _LICENCE.search(line))
    )


def is_publisher(line: str) -> bool:
    """Who publishes: 中共…委主办 …传媒集团承办."""
    return len(line) <= 70 and "。" not in line and "," not in line and bool(_PUBLISHER.search(line[-24:]))


def read(printed: Sequence[str], publications: Iterable[Publication]) -> tuple[Masthead, Publication | None]:
    """The masthead, from the lines it may be printed in, and the paper it belongs to, if it is known."""
    lines = [text.as_printed(line) for line in printed]
    known = _known(lines, publications)
    masthead = Masthead(publication=known.title if known else _read_off(lines))
    for line in lines:
        masthead = _with(masthead, line)
    return masthead, known


def _with(head: Masthead, printed: str) -> Masthead:
    """What one more line adds; what was said first counts."""
    line = text.squeezed(printed)
    if head.date is None and (found := _DATE.search(line)):
        with suppress(ValueError):
            head = replace(head, date=date(*map(int, found.groups())))
    if head.weekday is None and (found := _WEEKDAY.search(line)):
        head = replace(head, weekday="星期" + found[1].replace("天", "日"))
    if head.lunar_date is None and (found := _LUNAR.search(line)):
        head = replace(head, lunar_date=printed[found.start() : found.end()].replace(" ", ""))
    if head.page_count is None and (found := _PAGES.search(line)):
        head = replace(head, page_count=number_of(found[1]))
    if head.number is None and (found := _NUMBER.search(line)):
        head = replace(head, number=int(found[1] or found[2]))
    if head.publisher is None and is_publisher(line):
        head = replace(head, publisher=printed)
    return head


def _known(lines: Sequence[str], publications: Iterable[Publication]) -> Publication | None:
    """The paper whose title, or longest other name, stands in the masthead."""
    tight = [text.flat(line).casefold() for line in lines]
    names = [
        (text.flat(name).casefold(), paper) for paper in publications for name in (paper.title, *paper.names)
    ]
    said = [(len(name), paper) for name, paper in names if name and any(name in line for line in tight)]
    return max(said, key=lambda s: s[0])[1] if said else None


_PAPER_NAME = re.compile(
    rf"[{text.HAN}]{{1,6}}(?:日报|晚报|时报|晨报|早报|商报|周报|新闻|导报|都市报|信息报|报|周刊|之声)|今日[{text.HAN}]{{2,4}}"
)


def _read_off(lines: Sequence[str]) -> str | None:
    """The name of a paper nobody told us about: the first line, or first word, that looks like one."""
    for line in lines:
        if _PAPER_NAME.fullmatch(text.flat(line)):
            return line.replace(" ", "")
    for line in lines:
        if found := re.search(rf"(?:^| )({_PAPER_NAME.pattern})(?: |$)", text.squeezed(line)):
            return line[found.start(1) : found.end(1)]
    return next((line for line in lines if 1 < len(line) <= 12 and not is_header(text.squeezed(line))), None)


def calendar_warnings(head: Masthead) -> tuple[str, ...]:
    """Where weekday or lunar date disagree with the date."""
    if head.date is None:
        return ("the masthead has no date",)
    warnings = []
    weekday = "星期" + "一二三四五六日"[head.date.weekday()]
    if head.weekday and head.weekday != weekday:
        warnings.append(f"{head.date.isoformat()} was {weekday}, the masthead says {head.weekday}")
    if head.lunar_date:
        said = _LUNAR.search(text.canonical(head.lunar_date))
        right = _lunar(head.date)
        if said and right and _lunar_key(*said.groups()) != right:
            warnings.append(
                f"{head.date.isoformat()} is {''.join(right)}, the masthead says {head.lunar_date}"
            )
    return tuple(warnings)


def _lunar(day: date) -> tuple[str, str, str]:
    from lunar_python import Solar  # a tenth of a second to import, needed once an issue

    lunar = Solar.fromYmd(day.year, day.month, day.day).getLunar()
    return _lunar_key(lunar.getYearInGanZhi(), lunar.getMonthInChinese() + "月", lunar.getDayInChinese())


def _lunar_key(year: str, month: str, day: str) -> tuple[str, str, str]:
    """One spelling of each: 正 and 冬 and 腊 for months, 廿 and 三十 for days."""
    month = month.replace(" ", "").replace("十一月", "冬月").replace("十二月", "腊月")
    month = "正月" if month == "一月" else month
    day = day.replace(" ", "").replace("卅", "三十")
    if re.fullmatch("二十[一二三四五六七八九]", day):
        day = "廿" + day[2]
    return year.replace(" ", "") + "年", month, day


def head_of(blocks: Sequence[Block]) -> range:
    """Which of the first blocks may be the masthead: up to the last header line before any text or second page."""
    last, first_page = 0, None
    for n, block in enumerate(blocks[:40]):
        if len(block.flat) > 60 or _is_news(block):
            break
        page = page_line(block.line)
        if page and first_page not in (None, page.number):
            break
        first_page = page.number if page else first_page
        if is_header(block.line) or is_publisher(block.line):
            last = n + 1
    return range(last)


def _is_news(block: Block) -> bool:
    """A sentence, or a line with a reporter: no masthead has them."""
    return "。" in block.flat or re.search(r"记者|通讯员|本报讯", block.flat) is not None
