"""What a group is told: a bulletin in the shape that each kind of robot takes, and within its limits.

企业微信 refuses a message that is too long, and cuts the titles of cards without a word; 飞书 and 钉钉
refuse it. So nothing here is ever longer. What is printed is shown as text: no headline calls everybody
of a group, or becomes a link to elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from syndicate.model import Bulletin, Entry, MessageForm, PushKind, RobotKind
from syndicate.render import articles, budget, cards
from syndicate.render.budget import Unit, cut
from syndicate.render.templates import written_day

Message = dict[str, Any]

# developer.work.weixin.qq.com/document/path/99110 (2025-08), in bytes of UTF-8
TEXT, MARKDOWN, TITLE, DESCRIPTION = 2048, 4096, 128, 512
CARDS = 8
FEISHU = (
    20_000  # bytes of the whole message: "20 KB", open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
)
DINGTALK = 20_000  # likewise, open.dingtalk.com/document/orgapp/custom-robots-send-group-messages

_HEADLINE, _SUMMARY, _ALONE = (
    60,
    80,
    200,
)  # characters in a list of many; of the text, where an article is alone


@dataclass(frozen=True, slots=True)
class Line:
    """An article in a message: its headline, the beginning of its text, its address, its card's."""

    headline: str
    summary: str
    url: str
    picture: str  # empty: there is none to show


Shape = Callable[[Bulletin, Sequence[Line], int], Message]
"""A bulletin with these of its lines; the number tells how many others are left out."""


def message(bulletin: Bulletin, kind: RobotKind, form: MessageForm) -> Message:
    """The message, never longer than that kind of robot takes; what there is no room for is one link away."""
    shape, weight, limit = _SHAPES[kind, form]
    lines = [line(entry, bulletin) for entry in bulletin.entries]
    for shown in range(len(lines), 0, -1):
        made = shape(bulletin, lines[:shown], len(lines) - shown)
        if weight(made) <= limit:
            return made
    return shape(bulletin, (), len(lines))


def heading(bulletin: Bulletin) -> str:
    """The first line: 青岚日报 2026年11月16日 星期一 共23篇."""
    paper = bulletin.publication
    chinese = paper.language.startswith("zh")
    name = harmless(cut(articles.line(paper.title) or articles.UNTITLED, _HEADLINE))
    if bulletin.issue is None:
        return f"{name}：测试消息" if chinese else f"{name}: a test message"
    day, count = written_day(bulletin.issue.date, paper.language), len(bulletin.entries)
    if bulletin.kind is PushKind.CORRECTED:
        return f"【更正】{name} {day}" if chinese else f"Corrected: {name}, {day}"
    if bulletin.kind is PushKind.WITHDRAWN:
        return f"【撤稿】{name} {day}" if chinese else f"Withdrawn: {name}, {day}"
    return f"{name} {day} 共{count}篇" if chinese else f"{name}, {day}: {count} articles"


def address(bulletin: Bulletin) -> str:
    """Where the whole of it stands: the issue's page; the paper's for a test."""
    path = bulletin.issue.path if bulletin.issue else f"/{bulletin.publication.slug}/"
    return bulletin.base_url + quote(path)


def line(entry: Entry, bulletin: Bulletin) -> Line:
    """An article as one line of a list; of a withdrawn one its headline only."""
    withdrawn, base = bulletin.kind is PushKind.WITHDRAWN, bulletin.base_url
    room = _ALONE if len(bulletin.entries) == 1 else _SUMMARY
    headline = harmless(cut(articles.headline(entry.article), _HEADLINE))
    summary = "" if withdrawn else harmless(articles.summary(entry.article, room))
    return Line(
        headline=headline,
        summary="" if summary.startswith(headline.rstrip("…")) else summary,
        url=base + quote(entry.path),
        picture="" if withdrawn else cards.address(entry, bulletin.publication, base, "wide"),
    )


def harmless(text: str) -> str:
    """The text without what would call people (<@all>, <at …>): the same, to the eye."""
    return text.replace("<", "＜").replace(">", "＞")


def literal(text: str) -> str:
    """The text in Markdown that shows it as it is; WeCom's knows no escapes, so brackets become wide ones."""
    return text.translate(str.maketrans("[]()*_`#~|\\!", "［］（）＊＿｀＃～｜＼！"))


def size(made: Mapping[str, Any]) -> int:
    """Bytes of a message as it is sent."""
    return budget.size(json.dumps(made, ensure_ascii=False, separators=(",", ":")), Unit.BYTES)


def _content(made: Mapping[str, Any]) -> int:
    """Bytes of what WeCom counts."""
    return budget.size(made[made["msgtype"]]["content"], Unit.BYTES)


def _rest(bulletin: Bulletin, missing: int) -> str:
    chinese = bulletin.publication.language.startswith("zh")
    if missing:
        return f"另有{missing}篇，查看全部" if chinese else f"{missing} more: the whole issue"
    return "查看全部" if chinese else "The whole issue"


def _plain(bulletin: Bulletin, lines: Sequence[Line], missing: int) -> str:
    alone = len(lines) == 1 and not missing
    told = [
        "\n".join(filter(None, (f"· {one.headline}", one.summary if alone else "", one.url))) for one in lines
    ]
    return "\n".join((heading(bulletin), *told, f"{_rest(bulletin, missing)} {address(bulletin)}"))


def _marked(bulletin: Bulletin, lines: Sequence[Line], missing: int, between: str) -> str:
    alone = len(lines) == 1 and not missing
    told = [f"#### {literal(heading(bulletin))}"]
    told += [
        f"- [{literal(one.headline)}]({one.url})" + (f"{between}{literal(one.summary)}" if alone else "")
        for one in lines
    ]
    return between.join((*told, f"[{_rest(bulletin, missing)}]({address(bulletin)})"))


def _wecom_text(bulletin: Bulletin, lines: Sequence[Line], missing: int) -> Message:
    return {"msgtype": "text", "text": {"content": _plain(bulletin, lines, missing)}}


def _wecom_markdown(bulletin: Bulletin, lines: Sequence[Line], missing: int) -> Message:
    return {"msgtype": "markdown", "markdown": {"content": _marked(bulletin, lines, missing, "\n")}}


def _wecom_news(bulletin: Bulletin, lines: Sequence[Line], missing: int) -> Message:
    """Cards, at most eight; where there are more articles, the eighth leads to all of them."""
    if bulletin.kind in (PushKind.WITHDRAWN, PushKind.TEST):  # nothing to show a picture of
        return _wecom_markdown(bulletin, lines, missing)
    over = len(lines) + missing > CARDS
    shown = lines[: CARDS - 1] if over else lines
    made = [_wecom_card(bulletin, one) for one in shown]
    if over:
        more = {"title": _rest(bulletin, len(lines) + missing - len(shown)), "url": address(bulletin)}
        made.append(more | {"description": heading(bulletin), "picurl": shown[0].picture})
    return {"msgtype": "news", "news": {"articles": made}}


def _wecom_card(bulletin: Bulletin, one: Line) -> Message:
    return {
        "title": cut(_titled(bulletin, one), TITLE, Unit.BYTES),
        "description": cut(one.summary, DESCRIPTION, Unit.BYTES),
        "url": one.url,
        "picurl": one.picture,
    }


def _titled(bulletin: Bulletin, one: Line) -> str:
    """The headline on a card, which stands without a heading."""
    if bulletin.kind is not PushKind.CORRECTED:
        return one.headline
    return ("更正：" if bulletin.publication.language.startswith("zh") else "Corrected: ") + one.headline


def _feishu_text(bulletin: Bulletin, lines: Sequence[Line], missing: int) -> Message:
    return {"msg_type": "text", "content": {"text": _plain(bulletin, lines, missing)}}


def _feishu_post(bulletin: Bulletin, lines: Sequence[Line], missing: int) -> Message:
    """A post is made of texts and links, not of Markdown: nothing in it has to be escaped."""
    rows: list[list[dict[str, str]]] = []
    for one in lines:
        rows.append([{"tag": "a", "text": one.headline, "href": one.url}])
        rows += [[{"tag": "text", "text": one.summary}]] if one.summary else []
    rows.append([{"tag": "a", "text": _rest(bulletin, missing), "href": address(bulletin)}])
    post = {"zh_cn": {"title": heading(bulletin), "content": rows}}
    return {"msg_type": "post", "content": {"post": post}}


def _dingtalk_text(bulletin: Bulletin, lines: Sequence[Line], missing: int) -> Message:
    return {"msgtype": "text", "text": {"content": _plain(bulletin, lines, missing)}}


def _dingtalk_markdown(bulletin: Bulletin, lines: Sequence[Line], missing: int) -> Message:
    told = {"title": heading(bulletin), "text": _marked(bulletin, lines, missing, "\n\n")}
    return {"msgtype": "markdown", "markdown": told}


def _dingtalk_cards(bulletin: Bulletin, lines: Sequence[Line], missing: int) -> Message:
    """A feedCard shows each article with its picture; where there is none (withdrawn, a test), Markdown."""
    if bulletin.kind in (PushKind.WITHDRAWN, PushKind.TEST) or not lines:
        return _dingtalk_markdown(bulletin, lines, missing)
    links = [
        {"title": _titled(bulletin, one), "messageURL": one.url, "picURL": one.picture}
        for one in lines[:CARDS]
    ]
    if more := missing + len(lines) - len(links):
        whole = {"title": _rest(bulletin, more), "messageURL": address(bulletin)}
        links.append(whole | {"picURL": lines[0].picture})
    return {"msgtype": "feedCard", "feedCard": {"links": links}}


_SHAPES: dict[tuple[RobotKind, MessageForm], tuple[Shape, Callable[[Message], int], int]] = {
    (RobotKind.WECOM, MessageForm.TEXT): (_wecom_text, _content, TEXT),
    (RobotKind.WECOM, MessageForm.MARKDOWN): (_wecom_markdown, _content, MARKDOWN),
    (RobotKind.WECOM, MessageForm.NEWS): (
        _wecom_news,
        lambda made: 0 if "news" in made else _content(made),
        MARKDOWN,
    ),
    (RobotKind.FEISHU, MessageForm.TEXT): (_feishu_text, size, FEISHU),
    (RobotKind.FEISHU, MessageForm.MARKDOWN): (_feishu_post, size, FEISHU),
    (RobotKind.FEISHU, MessageForm.NEWS): (_feishu_post, size, FEISHU),
    (RobotKind.DINGTALK, MessageForm.TEXT): (_dingtalk_text, size, DINGTALK),
    (RobotKind.DINGTALK, MessageForm.MARKDOWN): (_dingtalk_markdown, size, DINGTALK),
    (RobotKind.DINGTALK, MessageForm.NEWS): (_dingtalk_cards, size, DINGTALK),
}
