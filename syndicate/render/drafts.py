"""An issue as the fields of an Official Account's draft, each within what the account takes.

developers.weixin.qq.com/doc/service/api/draftbox/draftmanage/api_draft_add.html (2025)
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any
from urllib.parse import quote

from syndicate.model import Bulletin, Entry, OfficialAccount
from syndicate.render import articles, budget
from syndicate.render.budget import Unit, cut
from syndicate.render.templates import written_day

AUTHOR, DIGEST = 16, 120  # characters; 128 are taken of a digest, and only where the article is alone
CONTENT, CONTENT_BYTES = 19_800, 950_000  # under 20 000 characters and 1 MB, tags counted
SOURCE = 1024  # bytes of the address of 阅读原文


def draft(
    bulletin: Bulletin,
    shown: Sequence[Entry],
    covers: Sequence[str],
    account: OfficialAccount,
    pictures: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The draft's articles. `covers`: the media_id of each one's picture; `pictures`: the account's address of what stands above the text."""
    made = [
        _fields(entry, cover, picture or "", bulletin, account)
        for entry, cover, picture in zip_longest(shown, covers, pictures[: len(shown)])
    ]
    if len(made) == 1:
        said = articles.summary(shown[0].article, DIGEST) or articles.headline(shown[0].article)
        made[0]["digest"] = cut(said, DIGEST, Unit.UTF16)
    return made


def _fields(
    entry: Entry, cover: str, picture: str, bulletin: Bulletin, account: OfficialAccount
) -> dict[str, Any]:
    source = bulletin.base_url + quote(entry.path)
    author = account.author or "、".join(map(articles.line, entry.article.byline.names))
    return {
        "title": cut(articles.headline(entry.article), account.title_limit, Unit.UTF16),
        "author": cut(articles.line(author), AUTHOR, Unit.UTF16).rstrip("…、"),
        "content": _content(entry, bulletin, picture),
        "content_source_url": source if budget.size(source, Unit.BYTES) <= SOURCE else "",
        "thumb_media_id": cover,
        "need_open_comment": 0,
    }


def _content(entry: Entry, bulletin: Bulletin, picture: str) -> str:
    """The article as HTML: its picture, as much of it as there is room for, and where it was printed."""
    blocks = [_styled(block) for block in articles.html(entry.article).split("\n") if block]
    if not blocks:  # a photo without a word
        blocks = [f"<p>{articles.escape(articles.headline(entry.article))}</p>"]
    if picture:
        alt = html.escape(articles.headline(entry.article))
        blocks.insert(
            0,
            f'<p style="{_STYLES["p"]}"><img src="{html.escape(picture)}" alt="{alt}" style="width:100%"></p>',
        )
    end = _printed(entry, bulletin)
    room = CONTENT - budget.size(end, Unit.UTF16)
    whole = budget.whole_blocks(blocks, ((room, Unit.UTF16), (CONTENT_BYTES, Unit.BYTES)))
    kept = blocks[:whole]
    if whole < len(blocks):
        more = _more(bulletin)
        room -= sum(budget.size(block, Unit.UTF16) for block in (*kept, more))
        kept += [_begun(_plain(blocks[whole]), room), more]
    return "".join((*kept, end))


def _begun(text: str, room: int) -> str:
    """The beginning of a paragraph, as much of it as there is room for: what a mark becomes in HTML is counted."""
    text, empty = articles.clean(text), _styled("<p></p>")
    left, units = room - len(empty) - 1, 0  # an ellipsis may follow
    for char in text:
        left -= budget.size(html.escape(char, quote=False), Unit.UTF16)
        if left < 0:
            break
        units += budget.size(char, Unit.UTF16)
    begun = cut(text, units, Unit.UTF16)
    return empty.replace("><", f">{articles.escape(begun)}<") if begun.strip("…") else ""


_STYLES = {
    "kicker": "margin:0 0 8px;color:#888;font-size:15px",
    "subhead": "margin:0 0 8px",
    "byline": "margin:0 0 20px;color:#888;font-size:14px",
    "label": "margin:24px 0 8px",
    "profile": "margin:0 0 20px;color:#555;font-size:15px",
    "caption": "margin:0 0 20px;color:#888;font-size:14px",
    "jump": "margin:0 0 20px;color:#888;font-size:14px",
    "editor-note": "margin:0 0 20px;padding-left:12px;border-left:3px solid #ccc;color:#555",
    "p": "margin:0 0 20px",
    "h2": "margin:32px 0 16px;font-size:18px",
    "h3": "margin:24px 0 12px;font-size:16px",
}


def _styled(block: str) -> str:
    """The block with its style in the tag: an account drops classes, and sets paragraphs without a gap."""
    return re.sub(
        r'<(p|h2|h3|blockquote)(?: class="([\w-]+)")?>',
        lambda tag: f'<{tag[1]} style="{_STYLES[tag[2] or tag[1]]}">',
        block,
    )


def _plain(block: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", " ", block))


def _printed(entry: Entry, bulletin: Bulletin) -> str:
    paper = bulletin.publication
    name = articles.escape(cut(articles.line(paper.title), 60))
    day, page = written_day(entry.date, paper.language), entry.article.page
    if paper.language.startswith("zh"):
        return f"<p>（{name} {day} 第{page}版）</p>"
    return f"<p>({name}, {day}, page {page})</p>"


def _more(bulletin: Bulletin) -> str:
    chinese = bulletin.publication.language.startswith("zh")
    return "<p>未完，请点“阅读原文”看全文。</p>" if chinese else "<p>The whole text is at the source.</p>"
