"""One Feed as RSS 2.0, Atom 1.0 and JSON Feed 1.1 with equal items.

A feed is a frame, which says what it is, around one fragment for each item. A fragment is the same in every feed,
so it is rendered once a change and kept; `written` puts both together.

The only module that knows feedgen, and where each of its traps is disarmed (measured with 1.0.0).
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote
from zoneinfo import ZoneInfo

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml import etree

from syndicate.model import Feed, Item, Publication
from syndicate.render import jsonfeed
from syndicate.render.articles import UNTITLED, clean, line, unmistakable

FORMS = ("rss", "atom", "json")
TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}
GENERATOR = "Syndicate"  # without a version: a release must not change every feed
STYLE = "feed.css"
TTL = 60  # minutes: how often a reader may ask where it goes by nothing else

Frame = tuple[bytes, bytes]
"""What stands before the first item of a feed, and after the last."""

_ATOM = "{http://www.w3.org/2005/Atom}"
_HISTORY = "{http://purl.org/syndication/history/1.0}"  # RFC 5005
_TOMBSTONE = "http://purl.org/atompub/tombstones/1.0"  # RFC 6721
_MEDIA = "{http://search.yahoo.com/mrss/}"  # Media RSS 1.5.1
_SPACES: dict[str, dict[str | None, str]] = {
    "rss": {
        "atom": _ATOM[1:-1],
        "content": "http://purl.org/rss/1.0/modules/content/",
        "dc": "http://purl.org/dc/elements/1.1/",
        "fh": _HISTORY[1:-1],
        "media": _MEDIA[1:-1],
    },
    "atom": {None: _ATOM[1:-1], "fh": _HISTORY[1:-1]},
}
_ITEM = {"rss": (b"<item>", b"</item>"), "atom": (b"<entry>", b"</entry>")}
_CONTENT = {
    "rss": (b"      <content:encoded>", b"</content:encoded>"),
    "atom": (b'    <content type="html">', b"</content>"),
}
_MARGIN = {"rss": b"\n    ", "atom": b"\n  ", "json": b"\n  "}
_END = {"rss": b"\n  </channel>", "atom": b"\n</feed>"}
_UPDATED: dict[str, tuple[bytes, Callable[[datetime], str]]] = {
    "rss": (b"lastBuildDate", format_datetime),
    "atom": (b"updated", datetime.isoformat),
}
_NO_DAY = datetime(1000, 1, 1, tzinfo=UTC)
_MONTH, _PAGE = "\ufdd0", "\ufdd1"  # stand for months: characters that no text keeps, see articles.clean
_FRAMES = 1024  # what so many feeds say of themselves is remembered: 3 MB
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def rss(feed: Feed) -> bytes:
    """RSS 2.0 with the content, dc, media and atom modules."""
    return written(feed, "rss")


def atom(feed: Feed) -> bytes:
    """Atom 1.0 (RFC 4287)."""
    return written(feed, "atom")


def json(feed: Feed) -> bytes:
    """JSON Feed 1.1."""
    return written(feed, "json")


def written(feed: Feed, form: str) -> bytes:
    """The feed in one of FORMS."""
    gone = tuple((item.id, item.withdrawn) for item in feed.items if item.withdrawn)
    head = frame(replace(feed, tombstones=gone), form)
    return b"".join(joined(head, [fragment(item, form) for item in feed.items], form))


def joined(frame: Frame, fragments: Sequence[bytes], form: str) -> Iterator[bytes]:
    """A frame and the fragments in it, piece by piece."""
    yield frame[0]
    for n, piece in enumerate(fragments):
        yield separator(form, first=n == 0)
        yield piece
    yield frame[1]


def separator(form: str, *, first: bool) -> bytes:
    """What stands before a fragment."""
    return b",\n  " if form == "json" and not first else _MARGIN[form]


# ── one item ─────────────────────────────────────────────────────────────────────────────


def fragment(item: Item, form: str, *, brief: bool = False) -> bytes:
    """An item as it stands in any feed; `brief`: its summary without the text."""
    whole, short = both(item, form)
    return short if brief else whole


def both(item: Item, form: str) -> tuple[bytes, bytes]:
    """An item as it stands in any feed: whole, and its summary without the text."""
    return _both(_cleaned(item), form)


def _both(item: Item, form: str) -> tuple[bytes, bytes]:
    if form == "json":
        return jsonfeed.fragment(item, brief=False), jsonfeed.fragment(item, brief=True)
    return _shortened(_rss(item) if form == "rss" else _atom(item), form)


def fragments(item: Item) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """An item in each of FORMS: whole, and its summary without the text."""
    item = _cleaned(item)
    whole, brief = zip(*(_both(item, form) for form in FORMS), strict=True)
    return whole, brief


def _rss(item: Item) -> bytes:
    entry = FeedEntry()
    entry.load_extension("dc", atom=False, rss=True)
    _fill_rss(entry, item)
    element = entry.rss_entry()
    _mend_rss(element, item)
    root = etree.Element("rss", nsmap=_SPACES["rss"])
    etree.SubElement(root, "channel").append(element)  # as deep as in a feed, for the margin
    return _cut_out(root, "rss")


def _atom(item: Item) -> bytes:
    entry = FeedEntry()
    _fill_atom(entry, item)
    element = entry.atom_entry()
    _mend_atom(element, item)
    root = etree.Element(
        "feed"
    )  # without its name space: feedgen gives entries none until they are read again
    root.append(element)
    return _cut_out(root, "atom")


def _cut_out(root: etree._Element, form: str) -> bytes:
    etree.indent(root)
    body = etree.tostring(root, encoding="UTF-8")
    begin, end = _ITEM[form]
    return body[body.index(begin) : body.rindex(end) + len(end)]


def _shortened(whole: bytes, form: str) -> tuple[bytes, bytes]:
    """A fragment, and the same without its content."""
    opened = b"\n" + _CONTENT[form][0]  # texts are escaped: only the element itself reads so
    begin = whole.find(opened)
    if begin < 0:  # there is none, or nothing in it
        return whole, whole.replace(opened[:-1] + b"/>", b"")
    end = whole.index(_CONTENT[form][1], begin) + len(_CONTENT[form][1])
    return whole, whole[:begin] + whole[end:]


def _fill_rss(entry: FeedEntry, item: Item) -> None:
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
    if item.enclosures:
        book = item.enclosures[0]  # RSS 2.0 has one; all are told as media
        entry.enclosure(book.url, str(book.size), book.type)


def _mend_rss(element: etree._Element, item: Item) -> None:
    etree.SubElement(element, f"{_ATOM}updated").text = item.updated.isoformat()  # RSS knows no such date
    for one in item.enclosures:
        medium = "image" if one.type.startswith("image/") else "document"
        etree.SubElement(
            element, f"{_MEDIA}content", url=one.url, type=one.type, fileSize=str(one.size), medium=medium
        )


def _fill_atom(entry: FeedEntry, item: Item) -> None:
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


def _mend_atom(entry: etree._Element, item: Item) -> None:
    for link in entry.iterfind("link"):
        link.set("rel", "alternate")  # feedgen loses rel and type of entry links
        link.set("type", "text/html")
    for one in item.enclosures:
        etree.SubElement(entry, "link", href=one.url, rel="enclosure", type=one.type, length=str(one.size))


def _cleaned(item: Item) -> Item:
    """The item with texts that XML can hold, and dates as all three formats can say them."""
    return replace(
        item,
        title=line(item.title) or UNTITLED,
        summary=line(item.summary),
        html=clean(item.html),
        authors=tuple(filter(None, map(line, item.authors))),
        categories=tuple(filter(None, map(line, item.categories))),
        published=_second(item.published),
        updated=_second(item.updated),
    )


# ── around the items ─────────────────────────────────────────────────────────────────────


def frame(feed: Feed, form: str) -> Frame:
    """What a feed says of itself."""
    month, page = feed.month and _MONTH, feed.before and _PAGE
    before, after = _timeless(replace(feed, items=(), updated=_NO_DAY, month=month, before=page), form)
    for mark, said in ((_MONTH, feed.month), (_PAGE, feed.before)):
        before = before.replace(mark.encode(), said.encode()) if said else before
    if form == "json":  # says no date of itself
        return before, after
    name, write = _UPDATED[form]
    no_day, day = (
        b"<%b>%b</%b>" % (name, write(at).encode(), name) for at in (_NO_DAY, _second(feed.updated))
    )
    return before.replace(no_day, day, 1), after  # no text reads so: "<" is escaped


@lru_cache(_FRAMES)
def _timeless(feed: Feed, form: str) -> Frame:
    """What it says each day: when it changed and which pages there are stands for itself."""
    if form == "json":
        return jsonfeed.frame(feed, title(feed), description(feed), home(feed))
    made = _generator(feed, form)
    root = _rooted(made.rss_str() if form == "rss" else made.atom_str(), form)
    head = _at(root, "channel") if form == "rss" else root
    _link(head, feed, form)
    if form == "rss" and not feed.month:
        _skip_days(head, feed.publication)
    body = _serialized(root)
    style = f"/{feed.publication.slug}/feeds/{STYLE}"  # under whatever name the site is visited
    after_declaration = body.index(b"?>") + 2
    begin = body.rindex(_END[form])
    told = f'\n<?xml-stylesheet type="text/css" href="{style}"?>'.encode()
    return body[:after_declaration] + told + body[after_declaration:begin], body[begin:]


def _generator(feed: Feed, form: str) -> FeedGenerator:
    made = FeedGenerator()
    asked = f"?{feed.query}" if feed.query else ""  # each search is a feed of its own
    made.id(f"tag:{feed.publication.host},2026:{feed.publication.slug}/feeds/{quote(feed.key.name)}{asked}")
    made.title(title(feed))
    made.description(description(feed))
    made.language(feed.publication.language)
    made.generator(GENERATOR)
    made.updated(feed.updated)  # lastBuildDate, too; else: now
    made.link(href=feed.base_url + feed.path(form), rel="self", type=TYPES[form])
    made.link(href=home(feed), rel="alternate", type="text/html")  # last: RSS takes the last for its own
    if form == "atom":
        made.author(name=line(feed.publication.title) or UNTITLED)  # stands for entries without a byline
    elif not feed.month:
        made.ttl(TTL)
    return made


def _link(head: etree._Element, feed: Feed, form: str) -> None:
    """The links that feedgen cannot write, or not in RSS."""
    links = {
        "hub": feed.hub if not feed.month else None,
        "current": feed.base_url + feed.key.path(feed.publication.slug, form) if feed.month else None,
        "prev-archive": feed.base_url + feed.archived(feed.before, form) if feed.before else None,
    }
    for rel, href in links.items():
        if href:
            etree.SubElement(head, f"{_ATOM}link", href=href, rel=rel)
    if form == "atom":
        _tombstones(head, feed)
    if feed.month and feed.before:  # the W3C's validator wants the mark only beside a link to another archive
        etree.SubElement(head, f"{_HISTORY}archive")


def _tombstones(head: etree._Element, feed: Feed) -> None:
    """RFC 6721 §3, before the entries as RFC 4287 wants it (appendix B); those with a notice stay below.

    They declare their own name space: the W3C's validator warns of it, and should do so only where it is used.
    """
    for ref, since in feed.tombstones:
        mark = etree.SubElement(head, f"{{{_TOMBSTONE}}}deleted-entry", nsmap={"at": _TOMBSTONE})
        mark.set("ref", ref)
        mark.set("when", _second(since).isoformat())


def _skip_days(channel: etree._Element, publication: Publication) -> None:
    """Ours, because feedgen keeps the days in a set and writes them in another order each time."""
    if days := list(_silent_days(publication)):
        skipped = etree.SubElement(channel, "skipDays")
        for day in days:
            etree.SubElement(skipped, "day").text = day


def title(feed: Feed) -> str:
    """What a feed is called."""
    paper = line(feed.publication.title) or UNTITLED
    name = paper if feed.key.kind == "all" else f"{paper} · {line(feed.key.title)}"
    return unmistakable(f"{name} · {feed.month}" if feed.month else name)


def description(feed: Feed) -> str:
    """What a feed is called, and who publishes the paper."""
    return " · ".join(filter(None, (title(feed), line(feed.publication.publisher))))


def home(feed: Feed) -> str:
    """The page that shows what the feed holds."""
    front = f"{feed.base_url}/{feed.publication.slug}/"
    folder = {"section": "sections/", "byline": "bylines/", "series": "series/"}.get(feed.key.kind)
    if folder:
        return front + folder + quote(feed.key.name.removeprefix(f"{feed.key.kind}-"))
    if feed.key.kind == "search":
        return f"{front}search?{feed.query}"
    return f"{front}issues" if feed.key.kind == "issues" else front


def _silent_days(publication: Publication) -> Iterable[str]:
    """Days in Greenwich on which nobody need ask, summer or winter (RSS 2.0, skipDays).

    The day after an issue is kept, too: who asks once a day, or an issue that is late, would else wait for the next one.
    """
    zone = ZoneInfo(publication.zone)
    monday = (date(2026, 1, 5), date(2026, 7, 6))
    issues = [
        datetime.combine(day.replace(day=day.day + weekday), publication.print_time, zone).astimezone(UTC)
        for day in monday
        for weekday in publication.print_days
    ]
    spoken = {(at + timedelta(days=later)).weekday() for at in issues for later in (0, 1)}
    return [name for number, name in enumerate(_DAYS) if number not in spoken]


# ── XML ──────────────────────────────────────────────────────────────────────────────────


def _rooted(body: bytes, form: str) -> etree._Element:
    """What feedgen wrote, with every name space declared at the root: fragments must need none of their own."""
    old = etree.fromstring(body, etree.XMLParser(resolve_entities=False, huge_tree=True))
    root = etree.Element(old.tag, dict(old.attrib), nsmap=_SPACES[form])
    root.extend(list(old))
    return root


def _at(root: etree._Element, path: str) -> etree._Element:
    return next(root.iterfind(path))


def _serialized(root: etree._Element) -> bytes:
    etree.indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def _second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
