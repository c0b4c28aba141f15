"""An article as a relay bot forwards it: ready messages, none longer than WeChat takes.

Each says the headline first and the article's address last, and between them as much of the text as there is room
for; what is left out is counted. Nothing printed calls anybody of a group, or becomes a link to elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from syndicate.model import (
    Bulletin,
    Entry,
    MessageForm,
    OfficialAccount,
    Publication,
    PushKind,
    RobotKind,
    StoredIssue,
)
from syndicate.render import articles, cards, drafts, robots
from syndicate.render.budget import Unit, cut, noted, size
from syndicate.render.templates import written_day

_ANY = OfficialAccount("", "")  # whose limits are those of most accounts
_HEADLINE, _PAPER = 120, 60  # characters
_ADDRESS = re.compile(r"https?://[!-~]+")  # is a link as it stands


@dataclass(frozen=True, slots=True)
class Told:
    """What a bot is told of an article."""

    kind: PushKind  # new, corrected or withdrawn
    entry: Entry
    issue: StoredIssue
    again: int = 0  # new once more, after it had been taken back: the number of the event


def message(told: Told, publication: Publication, base_url: str) -> dict[str, Any]:
    """The article with all that a bot may forward of it; a withdrawn one as text and markdown only."""
    entry = told.entry
    said: dict[str, Any] = {
        "id": _id(told),
        "kind": told.kind.value,
        "entry": entry.id,
        "issue": entry.date.isoformat(),
        "page": entry.article.page,
        "section": entry.section,
        "url": base_url + quote(entry.path),
        "title": articles.headline(entry.article),
        "published": entry.published.isoformat(),
        "updated": max(entry.updated, entry.withdrawn or entry.updated).isoformat(),
        "text": text_message(told, publication, base_url),
        "markdown": markdown_message(told, publication, base_url),
    }
    if told.kind is PushKind.WITHDRAWN:
        return said
    bulletin = Bulletin(publication, told.kind, told.issue, (entry,), base_url)
    made = robots.message(bulletin, RobotKind.WECOM, MessageForm.NEWS)
    return said | {"news": made["news"]["articles"], "draft": _draft(bulletin)}


def text_message(told: Told, publication: Publication, base_url: str) -> str:
    """At most 2048 bytes of plain text."""
    headline = robots.harmless(cut(articles.headline(told.entry.article), _HEADLINE))
    head = f"{_mark(told, publication)}{headline}\n{_printed(told, publication)}"
    return _filled(head, base_url + quote(told.entry.path), told, publication, robots.TEXT, robots.harmless)


def markdown_message(told: Told, publication: Publication, base_url: str) -> str:
    """At most 4096 bytes of Markdown, in what the dialects of 企业微信 and 钉钉 have in common."""
    headline = literal(cut(articles.headline(told.entry.article), _HEADLINE))
    head = f"#### {_mark(told, publication)}{headline}\n> {literal(_printed(told, publication))}\n"
    read = "阅读全文" if _chinese(publication) else "Read it"
    link = f"\n[{read}]({base_url + quote(told.entry.path)})"
    return _filled(head, link, told, publication, robots.MARKDOWN, literal)


def literal(text: str) -> str:
    """The text in Markdown that shows it as it is; addresses on the web stay as they are."""
    pieces, at = [], 0
    for found in _ADDRESS.finditer(text):
        pieces += [robots.literal(text[at : found.start()]), found[0].translate(_BRACKETS)]
        at = found.end()
    return robots.harmless("".join((*pieces, robots.literal(text[at:]))))


_BRACKETS = str.maketrans("[]()`", "［］（）｀")


def _filled(
    head: str,
    link: str,
    told: Told,
    publication: Publication,
    limit: int,
    safe: Callable[[str], str],
) -> str:
    """Head, as much of the text as there is room for, and the link."""
    room = limit - size(f"{head}\n\n{link}", Unit.BYTES)
    body = "" if told.kind is PushKind.WITHDRAWN else safe(articles.text(told.entry.article)).strip()
    body = re.sub(r"\n{2,}", "\n", body)
    kept = noted(body, room, Unit.BYTES, _note(publication)) if body and room > 0 else ""
    return "\n".join(filter(None, (head, kept, link)))


def _note(publication: Publication) -> Callable[[int], str]:
    chinese = _chinese(publication)
    return lambda left: (
        f"\n（还有{left}字，见链接）" if chinese else f"\n({left} more characters: see the link)"
    )


def _mark(told: Told, publication: Publication) -> str:
    marks = {PushKind.CORRECTED: ("【更正】", "Corrected: "), PushKind.WITHDRAWN: ("【撤稿】", "Withdrawn: ")}
    chinese, english = marks.get(told.kind, ("", ""))
    return chinese if _chinese(publication) else english


def _printed(told: Told, publication: Publication) -> str:
    """Where it stood: 青岚日报 2026年11月16日 星期一 第1版."""
    name = cut(articles.line(publication.title) or articles.UNTITLED, _PAPER)
    page = articles.page_name(told.entry.article.page, None, publication.language)
    return robots.harmless(f"{name} {written_day(told.entry.date, publication.language)} {page}")


def _chinese(publication: Publication) -> bool:
    return publication.language.startswith("zh")


def _draft(bulletin: Bulletin) -> dict[str, Any]:
    """The fields of a draft, without what only an account can give: the cover's media_id."""
    (entry,) = bulletin.entries
    (fields,) = drafts.draft(bulletin, (entry,), ("",), _ANY)
    del fields["thumb_media_id"]
    cover = cards.address(entry, bulletin.publication, bulletin.base_url, "banner")
    return fields | {"pictures": [cover]}


def _id(told: Told) -> str:
    """The same for the same news, whoever asks and when: a bot may keep it to be sure."""
    if told.kind is PushKind.NEW:
        return f"{told.entry.id}#again-{told.again}" if told.again else told.entry.id
    moment = told.entry.withdrawn or told.entry.updated
    return f"{told.entry.id}#{told.kind}-{moment:%Y%m%dT%H%M%S.%f}"  # two corrections may be of one second
