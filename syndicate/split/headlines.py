"""Headlines that are not simply printed: taken from the lead when the print lost them."""

import re

from syndicate.split import text
from syndicate.split.seams import Seams

_SHORTEST, _LONGEST = 8, 40
_WHEN = re.compile(
    r"^(?:(?:\d{4}年)?(?:\d{1,2}月)?(?:\d{1,2}日)?(?:[至—-]\d{1,2}日)?(?:上午|下午|晚上?|清晨|凌晨|中午|傍晚|\d{1,2}时许?)*|"
    r"近日|日前|近期|最近|昨日|昨天|今日|今天|连日来|近年来|今年以来|目前|据悉|据了解|据介绍|当前|当日|当下|"
    r"记者(?:近日|日前|\d{1,2}日)?从[^，。]{2,30}(?:获悉|了解到)|为[^，。]{4,40})$"
)
_SAID = re.compile(
    r"^(?:记者(?:近日|日前|\d{1,2}日)?从[^，。：]{2,30}(?:获悉|了解到)[：，]?|据[^，。：]{2,20}消息[：，]?)"
)


def derived(lead: str, seams: Seams) -> str | None:
    """The shortest clause of the lead that says who did what; never a cut word. None if it is too short."""
    lead = _SAID.sub("", lead.strip())
    sentence = re.split(r"[。！？]", lead)[0]
    clauses = [c for c in re.split(r"[，；：]", sentence) if c]
    while len(clauses) > 1 and (_WHEN.match(clauses[0]) or len(clauses[0]) < 4):
        clauses.pop(0)
    if not clauses:
        return None
    title = clauses[0]
    for clause in clauses[1:]:
        if len(title) >= _SHORTEST:
            break
        title = f"{title}，{clause}"
    if len(title) > _LONGEST:
        title = _shortened(title, seams)
    title = _balanced(title)
    return title if len(text.flat(title)) >= _SHORTEST else None


def _shortened(title: str, seams: Seams) -> str:
    """As much of a long clause as fits, cut where the characters hold together least."""
    for mark in "，、 ":
        at = title.rfind(mark, _SHORTEST, _LONGEST)
        if at > 0:
            return title[:at]
    cuts = range(_LONGEST // 2, min(_LONGEST, len(title)))
    return title[: min(cuts, key=lambda i: (seams.holds(title[i - 1 : i + 1]), -i))]


def _balanced(title: str) -> str:
    """Without a quotation mark or bracket whose partner was left behind."""
    for opening, closing in ("“”", "《》", "（）", "‘’"):
        if title.count(opening) != title.count(closing):
            title = title.replace(opening, "").replace(closing, "")
    return title.strip("，、；： ")
