"""Three feed readers as they treat identity, dates, content and change (what each project's source says)."""

from __future__ import annotations

import calendar
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers in lower case, body."""

Fetch = Callable[[dict[str, str]], Answer]


@dataclass
class Shown:
    """An item as its reader's user sees it."""

    title: str
    content: str
    date: datetime
    first: str  # its content when it was first seen


@dataclass
class Reader:
    """What all three have in common: conditional GET, and items by their identity."""

    etag: str | None = None
    modified: str | None = None
    asked: datetime | None = None
    items: dict[str, Shown] = field(default_factory=dict)
    bodies: int = 0

    forgets_after: timedelta | None = None
    keeps_gone = True

    def poll(self, fetch: Fetch, now: datetime) -> None:
        """Ask once."""
        if self.forgets_after and self.asked and now - self.asked > self.forgets_after:
            self.etag = self.modified = None
        known = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        status, headers, body = fetch({name: value for name, value in known.items() if value})
        self.asked = now
        if status == 304:
            return
        assert status == 200, status
        self.bodies += 1
        self.etag, self.modified = headers.get("etag"), headers.get("last-modified")
        seen = [self.read(item, now) for item in parsed(body)]
        found = [one for one in seen if one is not None]
        if not self.keeps_gone:
            here = {key for key, _ in found}
            self.items = {key: item for key, item in self.items.items() if key in here}
        for key, item in found:
            if key in self.items:
                self.change(self.items[key], item)
            else:
                self.items[key] = item

    def read(self, item: dict[str, Any], now: datetime) -> tuple[str, Shown] | None:
        """Identity, and what is shown; None for an item that the reader drops."""
        raise NotImplementedError

    def change(self, known: Shown, new: Shown) -> None:
        """Take over what the reader takes over of an item that it knows; never its date."""
        known.title, known.content = new.title, new.content


class Miniflux(Reader):
    """Identity is the hash of the id; read and unread items stay after they left the feed."""

    def read(self, item: dict[str, Any], now: datetime) -> tuple[str, Shown] | None:
        """A missing or unreadable date becomes the present."""
        return hashlib.sha256(item["id"].encode()).hexdigest(), _shown(item, item["published"] or now)


class FreshRSS(Reader):
    """Identity is the guid; an item is compared by a hash of link, title, authors, content and tags."""

    def read(self, item: dict[str, Any], now: datetime) -> tuple[str, Shown] | None:
        """The date may be the update's where there is no other."""
        return item["id"], _shown(item, item["published"] or item["updated"] or now)


class NetNewsWire(Reader):
    """Shows only what is still in the feed; drops what lies more than a day ahead; forgets validators in 8 days."""

    forgets_after = timedelta(days=8)
    keeps_gone = False

    def read(self, item: dict[str, Any], now: datetime) -> tuple[str, Shown] | None:
        """Nothing from the future."""
        date = item["published"] or item["updated"] or now
        return None if date > now + timedelta(days=1) else (item["id"], _shown(item, date))


def _shown(item: dict[str, Any], date: datetime) -> Shown:
    content = item["content"] or item["summary"]
    return Shown(item["title"], content, date, content)


def parsed(body: bytes) -> list[dict[str, Any]]:
    """The items of a feed in any of the three formats."""
    if body.lstrip()[:1] == b"{":
        return [
            {
                "id": item["id"],
                "title": item["title"],
                "content": item.get("content_html") or item.get("content_text"),
                "summary": item.get("summary"),
                "published": datetime.fromisoformat(item["date_published"]),
                "updated": datetime.fromisoformat(item["date_modified"]),
            }
            for item in json.loads(body)["items"]
        ]
    feed = feedparser.parse(body, sanitize_html=False)
    assert not feed.bozo, feed.get("bozo_exception")
    return [
        {
            "id": entry.id,
            "title": entry.title,
            "content": entry.content[-1].value if entry.get("content") else None,
            "summary": entry.get("summary"),
            "published": _moment(entry.get("published_parsed")),
            "updated": _moment(entry.get("updated_parsed")),
        }
        for entry in feed.entries
    ]


def _moment(parsed_time: Any) -> datetime | None:
    return datetime.fromtimestamp(calendar.timegm(parsed_time), UTC) if parsed_time else None
