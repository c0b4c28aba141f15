"""What a printed thing is: article, photo with caption, notice, advertisement, index of the issue."""

import re
from collections.abc import Sequence

from syndicate.model import Kind
from syndicate.split import text
from syndicate.split.articles import Draft, Run
from syndicate.split.blocks import Block

_CREDIT = re.compile(r"(?:摄|供图|摄影报道)(?:\([^()]*\))?$")
_NOTICE = re.compile(
    r"(?:公告|通告|通知|启事|声明|公示|讣告|更正|致歉|遗失|挂失|拍卖|招标|中标|招聘|停电|停水|征稿|征文|告示|布告)"
    r"(?:[（(][^（）()]*[）)])?$"
)
_ADVERTISED = re.compile(r"(?:^|\s)广告$|(?:订购|咨询|订货|招商|加盟|服务)(?:电话|热线)|欢迎(?:选购|光临|订购|咨询|惠顾)")
_INDEX = re.compile(r"^(?:本期|今日|本报|要闻|内容|版面|新闻)?(?:导读|提要|目录|看点)$")
_PAGE_REF = re.compile(r"(?:第?\d{1,2}|[A-D]\d{1,2}|第?[一二三四五六七八九十]{1,3}) ?版$")
_LABEL = re.compile(r"(?:人物名片|名片|人物小传|人物简介|人物档案|个人简介|链接|小贴士)$")


def is_credit(line: str) -> bool:
    """A line that says who took a picture."""
    flat = text.flat(line)
    return len(flat) <= 40 and "。" not in flat and _CREDIT.search(flat) is not None


def is_caption(block: Block) -> bool:
    """A caption with its credit in one block: 图为…。 本报记者 甲摄."""
    flat = block.flat
    return len(flat) <= 110 and "。" in flat[:-3] and _CREDIT.search(flat) is not None


def is_photo(block: Block) -> bool:
    """A caption that tells a story of its own, and so is a photo's text."""
    return len(block.flat) > 90


def is_index(line: str) -> bool:
    """The heading of the issue's index."""
    return _INDEX.match(text.flat(line)) is not None


def names_page(line: str) -> bool:
    """A line of an index: it ends with a page."""
    return _PAGE_REF.search(line) is not None


def label_in(block: Block) -> int | None:
    """Where a label line (人物名片) begins in a title's text; None if there is none."""
    found = _LABEL.search(block.line)
    if not found:
        return None
    at = text.canonical(block.raw).rstrip().rfind(found.group())
    return at if at >= 0 else None


def is_profile(run: Run) -> bool:
    """Who somebody is, in a line or two: 甲,1985年生,…"""
    flat = "".join(b.flat for b in run)
    return len(flat) <= 90 and re.search(r"\d{4}年|岁|[男女],|生于|出生", flat[:40]) is not None


def kind_of(headline: str, paragraphs: Sequence[str], draft: Draft) -> Kind:
    """Told by headline, length and the words such things are printed with."""
    body = "\n".join(paragraphs)
    if draft.index:
        return Kind.INDEX
    if len(body) < 400 and _ADVERTISED.search(f"{headline}\n{body}") and not draft.bylines:
        return Kind.ADVERTISEMENT
    if _NOTICE.search(headline) and len(body) < 1500 and not draft.bylines and "本报" not in body[:12]:
        return Kind.NOTICE
    if headline.startswith("图片") and len(body) < 600:
        return Kind.PHOTO
    if paragraphs and len(paragraphs) <= 5 and len(body) < 450 and is_credit(paragraphs[-1]):
        return Kind.PHOTO
    return Kind.ARTICLE
