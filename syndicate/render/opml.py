"""OPML 2.0: every feed of a paper, for a reader's import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from lxml import etree

from syndicate.model import Feed, FeedKey, Publication
from syndicate.render import feeds
from syndicate.render.articles import line


def written(publication: Publication, keys: Sequence[FeedKey], base_url: str) -> bytes:
    """The list of these feeds."""
    root = etree.Element("opml", version="2.0")
    head, body = etree.SubElement(root, "head"), etree.SubElement(root, "body")
    etree.SubElement(head, "title").text = line(publication.title)
    for key in keys:
        feed = Feed(publication, key, base_url, (), datetime.min.replace(tzinfo=UTC))
        etree.SubElement(
            body,
            "outline",
            type="rss",  # as the standard wants it for Atom, too
            text=feeds.title(feed),
            title=feeds.title(feed),
            xmlUrl=base_url + feed.path("atom"),
            htmlUrl=feeds.home(feed),
            language=publication.language,
        )
    etree.indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"
