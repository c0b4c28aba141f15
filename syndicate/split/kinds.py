"""What a printed thing is: article, photo with caption, notice, advertisement, index of the issue."""

import re
from collections.abc import Sequence

from syndicate.model import Kind
from syndicate.split import text
from syndicate.split.blocks import Block

_CREDIT = re.compile(r"(?:摄|供图|摄影报道)(?:\([^()]*\))?$")
_NOTICE = re.compile(
    r"(?:公告|通告|通知|启事|声明|公示|讣告|更正|致歉|遗失|挂失|拍卖|招标|中标|招聘|停电|停水|征稿|征文|告示|布告)"
    r"(?:[（(][^（）()]*[）)])?$"
)
_ADVERTISED = re.compile(
    r"(?:^|\s)广告$|(?:订购|咨询|订货|招商|加盟|服务)(?:电话|热线)|欢迎(?:选购|光临|订购|咨询|惠顾)"
)
_INDEX = re.compile(r"^(?:本期|今日|本报|要闻|内容|版面|新闻)?(?:导读|提要|目录|看点)$")
_BRIEFS = re.compile(r"(?:简讯|短讯|要闻简报|一句话新闻|新闻速览|图片(?:新闻|报道)|图片故事)")
_NOTE = re.compile(r"\(?(?:编者按|编者的话|编者附言|编后语?|开栏语|开栏的话|编者)[:]")
_NUMBERED = re.compile(r"[^)][①-⑳]$")
_PAGE_REF = re.compile(r"(?:第?\d{1,2}|[①-⑳]|[A-D]\d{1,2}|第?[一二三四五六七八九十]{1,3}) ?版$")
_LABEL = re.compile(r"(?:人物名片|人物小传|人物简介|人物档案|个人简介)$")


def is_credit(line: str) -> bool:
    """Whether a line says who took a picture."""
    flat = text.flat(line)
    return len(flat) <= 40 and "。" not in flat and _CREDIT.search(flat) is not None


def is_caption(run: Sequence[Block]) -> bool:
    """A caption with its credit in one printed block: 图为…。 本报记者 甲摄."""
    whole = run[0].whole or run[0]
    if (run[-1].whole or run[-1]) is not whole or run[0].part:
        return False
    flat = "".join(block.flat for block in run)
    return len(flat) <= 90 and "。" in flat[:-3] and _CREDIT.search(flat) is not None


def is_index(line: str) -> bool:
    """The heading of the issue's index."""
    return _INDEX.match(text.flat(line)) is not None


def names_page(line: str) -> bool:
    """A line of an index: it ends with a page."""
    return _PAGE_REF.search(line) is not None


def is_heading_of_its_own(line: str) -> bool:
    """A title that needs no article to be one: 停电通知, 寻狗启事, 简讯, 图片报道."""
    flat = text.flat(line)
    if _BRIEFS.fullmatch(flat):
        return True
    return 3 < len(flat) <= 30 and not re.search("[。,;:!?]", flat) and _NOTICE.search(flat) is not None


def is_advertised(line: str) -> bool:
    """The line that owns up to an advertisement."""
    return len(line) <= 40 and re.search(r"(?:^| )[(]?广告[)]?$", line) is not None


def is_note(line: str) -> bool:
    """The editor's own words: 编者按, 开栏语."""
    return _NOTE.match(text.flat(line)) is not None


def is_series(line: str) -> bool:
    """The line of a series with the number of this part: 我上任后的第一件事 ①."""
    flat = text.flat(line)
    return (
        5 < len(flat) <= 30
        and _NUMBERED.search(flat) is not None
        and flat[0] not in "—("
        and "。" not in flat
    )


def label_in(block: Block) -> int | None:
    """Where a label line (人物名片) begins in a title's text; None if there is none."""
    found = _LABEL.search(block.line)
    if not found:
        return None
    at = text.canonical(block.raw).rstrip().rfind(found.group())
    return at if at >= 0 else None


def is_profile(run: Sequence[Block]) -> bool:
    """Whether it says who somebody is, in a line or two: born when, elected to what."""
    flat = "".join(b.flat for b in run)
    return len(flat) <= 90 and re.search(r"\d{4}年|岁|[男女],|生于|出生", flat[:40]) is not None


def kind_of(headline: str, paragraphs: Sequence[str], *, signed: bool, index: bool) -> Kind:
    """Told by headline, length and the words such things are printed with."""
    body = "\n".join(paragraphs)
    if index:
        return Kind.INDEX
    if len(body) < 400 and _ADVERTISED.search(f"{headline}\n{body}") and not signed:
        return Kind.ADVERTISEMENT
    if (
        _NOTICE.search(headline)
        and len(body) < 1500
        and not signed
        and ("本报" not in body[:12] or headline == "更正")
    ):
        return Kind.NOTICE
    if headline.startswith("图片") and len(body) < 600:
        return Kind.PHOTO
    if paragraphs and len(paragraphs) <= 5 and len(body) < 450 and is_credit(paragraphs[-1]):
        return Kind.PHOTO
    return Kind.ARTICLE
