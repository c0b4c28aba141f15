"""JSON Feed 1.1 (jsonfeed.org): the frame of a feed, and its items."""

from __future__ import annotations

import json
from typing import Any

from syndicate.model import Feed, Item
from syndicate.render.articles import UNTITLED, line


def frame(feed: Feed, title: str, description: str, home: str) -> tuple[bytes, bytes]:
    """What a feed says of itself, up to its items and after them."""
    said: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": home,
        "feed_url": feed.base_url + feed.path("json"),
        "description": description,
        "language": feed.publication.language,
        "authors": [{"name": line(feed.publication.title) or UNTITLED}],
    }
    if feed.before:
        said["next_url"] = feed.base_url + feed.archived(feed.before, "json")
    if feed.hub and not feed.month:
        said["hubs"] = [{"type": "WebSub", "url": feed.hub}]
    lines = (f' "{name}": {json.dumps(value, ensure_ascii=False)},\n' for name, value in said.items())
    return f'{{\n{"".join(lines)} "items": ['.encode(), b"\n ]\n}\n"


def fragment(item: Item, *, brief: bool) -> bytes:
    """One item; `brief`: with its summary for a text."""
    said: dict[str, Any] = {
        "id": item.id,
        "url": item.url,
        "title": item.title,
        "summary": item.summary or item.title,
        **({"content_text": item.summary or item.title} if brief else {"content_html": item.html}),
        "date_published": item.published.isoformat(),
        "date_modified": item.updated.isoformat(),
        **({"authors": [{"name": author} for author in item.authors]} if item.authors else {}),
        **({"tags": list(item.categories)} if item.categories else {}),
        **_attached(item),
        **({"_syndicate": dict(item.printed)} if item.printed else {}),
    }
    # Text from outside may hold halves of surrogate pairs, which UTF-8 has no bytes for.
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")


def _attached(item: Item) -> dict[str, Any]:
    if not item.enclosures:
        return {}
    picture = next((one.url for one in item.enclosures if one.type.startswith("image/")), None)
    return {
        "attachments": [
            {"url": one.url, "mime_type": one.type, "size_in_bytes": one.size} for one in item.enclosures
        ],
        **({"image": picture} if picture else {}),
    }
