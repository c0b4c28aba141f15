"""An article as a relay bot forwards it: ready messages, none longer than WeChat takes."""

from __future__ import annotations

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

_ANY = OfficialAccount("", "")  # whose limits are those of most accounts


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
    bulletin = Bulletin(publication, told.kind, told.issue, (entry,), base_url)
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
        "text": _content(bulletin, MessageForm.TEXT),
        "markdown": _content(bulletin, MessageForm.MARKDOWN),
    }
    if told.kind is PushKind.WITHDRAWN:
        return said
    made = robots.message(bulletin, RobotKind.WECOM, MessageForm.NEWS)
    return said | {"news": made["news"]["articles"], "draft": _draft(bulletin)}


def _content(bulletin: Bulletin, form: MessageForm) -> str:
    made = robots.message(bulletin, RobotKind.WECOM, form)
    return str(made[made["msgtype"]]["content"])


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
    return f"{told.entry.id}#{told.kind}-{moment:%Y%m%dT%H%M%S}"
