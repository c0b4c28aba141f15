"""OPML 2.0: every feed of a paper, for a reader's import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from lxml import etree

from syndicate.model import Feed, FeedKey, Publication
from syndicate.render import feeds
from syndicate.render.articles import line

GROUPS = {"section": "版块", "page": "版面", "series": "栏目", "byline": "作者"}
"""Kinds of feeds that are many, with the names of the folders that readers put them into."""


def written(publication: Publication, keys: Sequence[FeedKey], base_url: str) -> bytes:
    """The list of these feeds; those of a kind together."""
    root = etree.Element("opml", version="2.0")
    head, body = etree.SubElement(root, "head"), etree.SubElement(root, "body")
    etree.SubElement(head, "title").text = line(publication.title)
    groups: dict[str, etree._Element] = {}
    for key in keys:
        above = body
        if name := GROUPS.get(key.kind):
            if name not in groups:
                groups[name] = etree.SubElement(body, "outline", text=name)
            above = groups[name]
        _outline(above, Feed(publication, key, base_url, (), datetime.min.replace(tzinfo=UTC)))
    etree.indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def _outline(above: etree._Element, feed: Feed) -> None:
    etree.SubElement(
        above,
        "outline",
        type="rss",  # as the standard wants it for Atom, too
        text=feeds.title(feed),
        title=feeds.title(feed),
        xmlUrl=feed.base_url + feed.path("atom"),
        htmlUrl=feeds.home(feed),
        language=feed.publication.language,
    )
