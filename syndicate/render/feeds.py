"""One Feed as RSS 2.0, Atom 1.0 and JSON Feed 1.1 with equal items, and the list of feeds as OPML.

The only module that knows feedgen, and where each of its traps is disarmed (measured with 1.0.0).
"""

from __future__ import annotations

import html
import json as notation
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from feedgen.feed import FeedGenerator
from lxml import etree

from syndicate.model import Feed, FeedKey, Item, Publication
from syndicate.render.articles import UNTITLED, clean, line

GENERATOR = "Syndicate"  # without a version: a release must not change every feed
TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}

_ATOM = "{http://www.w3.org/2005/Atom}"


def rss(feed: Feed) -> bytes:
    """RSS 2.0 with the content, dc and atom modules."""
    feed = _cleaned(feed)
    made = _generator(feed, "rss")
    made.load_extension("dc", atom=False, rss=True)
    for item in feed.items:
        entry = made.add_entry(order="append")  # the default puts the last one first
        entry.guid(item.id, permalink=False)
        entry.title(item.title)
        entry.link(href=item.url)
        # A description is HTML by definition, and must be there or feedgen puts the content in its place.
        entry.description(html.escape(item.summary or item.title, quote=False))
        entry.content(item.html)  # becomes content:encoded
        if item.authors:
            entry.dc.dc_creator(list(item.authors))  # author() without a mail address is dropped
        for category in item.categories:
            entry.category(term=category)
        entry.published(item.published)
    root = _tree(made.rss_str())
    for element, item in zip(root.iterfind("channel/item"), feed.items, strict=True):
        etree.SubElement(element, f"{_ATOM}updated").text = item.updated.isoformat()  # RSS knows no such date
    return _written(root)


def atom(feed: Feed) -> bytes:
    """Atom 1.0 (RFC 4287)."""
    feed = _cleaned(feed)
    made = _generator(feed, "atom")
    made.author(name=line(feed.publication.title) or UNTITLED)  # stands for entries without a byline
    for item in feed.items:
        entry = made.add_entry(order="append")
        entry.id(item.id)
        entry.title(item.title)
        entry.link(href=item.url)
        entry.summary(item.summary or item.title)
        entry.content(item.html, type="html")  # type CDATA is not valid Atom
        for author in item.authors:
            entry.author(name=author)
        for category in item.categories:
            entry.category(term=category)
        entry.published(item.published)
        entry.updated(item.updated)  # else: now
    root = _tree(made.atom_str())
    for link in root.iterfind(f"{_ATOM}entry/{_ATOM}link"):
        link.set("rel", "alternate")  # feedgen loses rel and type of entry links
        link.set("type", "text/html")
    return _written(root)


def json(feed: Feed) -> bytes:
    """JSON Feed 1.1."""
    feed = _cleaned(feed)
    written = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": _title(feed),
        "home_page_url": _home(feed),
        "feed_url": feed.base_url + feed.key.path(feed.publication.slug, "json"),
        "description": _description(feed),
        "language": feed.publication.language,
        "authors": [{"name": line(feed.publication.title) or UNTITLED}],
        "items": [_json_item(item) for item in feed.items],
    }
    return notation.dumps(written, ensure_ascii=False, indent=1).encode() + b"\n"


def opml(publication: Publication, keys: Sequence[FeedKey], base_url: str) -> bytes:
    """OPML 2.0: every feed of the paper, for a reader's import."""
    root = etree.Element("opml", version="2.0")
    head, body = etree.SubElement(root, "head"), etree.SubElement(root, "body")
    etree.SubElement(head, "title").text = line(publication.title)
    for key in keys:
        feed = Feed(publication, key, base_url, (), datetime.min.replace(tzinfo=UTC))
        etree.SubElement(
            body,
            "outline",
            type="rss",  # as the standard wants it for Atom, too
            text=_title(feed),
            title=_title(feed),
            xmlUrl=base_url + key.path(publication.slug, "atom"),
            htmlUrl=_home(feed),
            language=publication.language,
        )
    return _written(root)


def _generator(feed: Feed, form: str) -> FeedGenerator:
    made = FeedGenerator()
    made.id(f"tag:{feed.publication.host},2026:{feed.publication.slug}/feeds/{quote(feed.key.name)}")
    made.title(_title(feed))
    made.description(_description(feed))
    made.language(feed.publication.language)
    made.generator(GENERATOR)
    made.updated(feed.updated)  # lastBuildDate, too; else: now
    made.link(href=feed.base_url + feed.key.path(feed.publication.slug, form), rel="self", type=TYPES[form])
    made.link(href=_home(feed), rel="alternate", type="text/html")  # last: RSS takes the last for its own
    return made


def _tree(body: bytes) -> etree._Element:
    return etree.fromstring(body, etree.XMLParser(resolve_entities=False, huge_tree=True))


def _written(root: etree._Element) -> bytes:
    etree.indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def _title(feed: Feed) -> str:
    paper = line(feed.publication.title) or UNTITLED
    return paper if feed.key.kind == "all" else f"{paper} · {line(feed.key.title)}"


def _description(feed: Feed) -> str:
    return " · ".join(filter(None, (_title(feed), line(feed.publication.publisher))))


def _home(feed: Feed) -> str:
    """The page that shows what the feed holds."""
    front = f"{feed.base_url}/{feed.publication.slug}/"
    folder = {"section": "sections/", "byline": "bylines/", "series": "series/"}.get(feed.key.kind)
    if folder:
        return front + folder + quote(feed.key.name.removeprefix(f"{feed.key.kind}-"))
    return f"{front}issues" if feed.key.kind == "issues" else front


def _json_item(item: Item) -> dict[str, object]:
    return {
        "id": item.id,
        "url": item.url,
        "title": item.title,
        "summary": item.summary or item.title,
        "content_html": item.html,
        "content_text": item.text,
        "date_published": item.published.isoformat(),
        "date_modified": item.updated.isoformat(),
        **({"authors": [{"name": author} for author in item.authors]} if item.authors else {}),
        **({"tags": list(item.categories)} if item.categories else {}),
    }


def _cleaned(feed: Feed) -> Feed:
    """The feed with texts that XML can hold, and dates as all three formats can say them."""
    return replace(
        feed, updated=_second(feed.updated), items=tuple(_cleaned_item(item) for item in feed.items)
    )


def _cleaned_item(item: Item) -> Item:
    return replace(
        item,
        title=line(item.title) or UNTITLED,
        summary=line(item.summary),
        html=clean(item.html),
        text=clean(item.text),
        authors=tuple(filter(None, map(line, item.authors))),
        categories=tuple(filter(None, map(line, item.categories))),
        published=_second(item.published),
        updated=_second(item.updated),
    )


def _second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
