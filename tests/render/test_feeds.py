from __future__ import annotations

import calendar
import html
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as some
from lxml import etree

from syndicate.model import Article, Feed, FeedKey, Item
from syndicate.render import articles, feeds, opml
from tests.golden import Golden
from tests.render import hostile, paper
from tests.render.test_articles import everywhere

ATOM = {"a": "http://www.w3.org/2005/Atom"}
KEYS = (
    FeedKey("all", "all", "全部文章"),
    FeedKey("issues", "issues", "每期一条"),
    FeedKey("section", "section-yaowen", "要闻"),
    FeedKey("series", "series-走乡记", "走乡记"),
    FeedKey("byline", "byline-何晓楠", "何晓楠"),
)


def read(body: bytes) -> list[dict[str, Any]]:
    """The items as feedparser reads them from RSS or Atom."""
    parsed = feedparser.parse(body, response_headers={"content-type": "application/xml"}, sanitize_html=False)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return [
        {
            "id": e.id,
            "url": e.link,
            "title": e.title,
            # RSS says descriptions are HTML, so a reader unescapes them.
            "summary": html.unescape(e.summary) if e.summary_detail.type == "text/html" else e.summary,
            "html": next(c.value for c in e.content if c.type == "text/html"),
            "authors": tuple(a.name for a in e.get("authors", ()) if a),
            "categories": tuple(t.term for t in e.get("tags", ())),
            "published": datetime.fromtimestamp(calendar.timegm(e.published_parsed), UTC),
            "updated": datetime.fromtimestamp(calendar.timegm(e.updated_parsed), UTC),
        }
        for e in parsed.entries
    ]


def read_json(body: bytes) -> list[dict[str, Any]]:
    """The items as a JSON Feed reader reads them."""
    return [
        {
            "id": i["id"],
            "url": i["url"],
            "title": i["title"],
            "summary": i["summary"],
            "html": i["content_html"],
            "authors": tuple(a["name"] for a in i.get("authors", ())),
            "categories": tuple(i.get("tags", ())),
            "published": datetime.fromisoformat(i["date_published"]),
            "updated": datetime.fromisoformat(i["date_modified"]),
        }
        for i in json.loads(body)["items"]
    ]


def expected(feed: Feed) -> list[dict[str, Any]]:
    names = ("id", "url", "title", "summary", "html", "authors", "categories", "published", "updated")
    return [{name: getattr(item, name) for name in names} for item in feed.items]


def test_all_three_formats_read_back_equal() -> None:
    assert read(feeds.rss(paper.ALL)) == expected(paper.ALL)
    assert read(feeds.atom(paper.ALL)) == expected(paper.ALL)
    assert read_json(feeds.json(paper.ALL)) == expected(paper.ALL)


@pytest.mark.parametrize("form", ["rss", "atom", "json"])
def test_a_feed_is_written_as_its_golden_file(form: str, golden: Golden) -> None:
    golden(f"feeds/all.{form}", getattr(feeds, form)(paper.ALL))


def test_the_list_of_feeds_is_written_as_its_golden_file(golden: Golden) -> None:
    golden("feeds/feeds.opml", opml.written(paper.PAPER, KEYS, paper.BASE))


@pytest.mark.parametrize("form", ["rss", "atom", "json"])
def test_the_same_feed_gives_the_same_bytes(form: str) -> None:
    write = getattr(feeds, form)

    assert write(paper.ALL) == write(replace(paper.ALL))


def test_a_channel_links_to_its_page_and_to_itself() -> None:
    for key in KEYS:
        feed = replace(paper.ALL, key=key)
        rss, atom = etree.fromstring(feeds.rss(feed)), etree.fromstring(feeds.atom(feed))

        page = rss.findtext("channel/link")
        assert page == atom.find("a:link[@rel='alternate']", ATOM).get("href")  # type: ignore[union-attr]
        assert page == json.loads(feeds.json(feed))["home_page_url"]
        itself = rss.find("channel/a:link", ATOM)
        assert itself is not None
        assert dict(itself.attrib) == {
            "href": paper.BASE + key.path("qinglan", "rss"),
            "rel": "self",
            "type": "application/rss+xml",
        }
    assert page == "https://news.example/qinglan/bylines/%E4%BD%95%E6%99%93%E6%A5%A0"


def test_entry_links_in_atom_say_what_they_are() -> None:
    links = etree.fromstring(feeds.atom(paper.ALL)).findall("a:entry/a:link", ATOM)

    assert len(links) == len(paper.ALL.items)
    assert all(link.get("rel") == "alternate" and link.get("type") == "text/html" for link in links)


def test_a_guid_is_the_id_and_no_address() -> None:
    guids = etree.fromstring(feeds.rss(paper.ALL)).findall("channel/item/guid")

    assert [g.text for g in guids] == [i.id for i in paper.ALL.items]
    assert {g.get("isPermaLink") for g in guids} == {"false"}


def test_language_and_generator_are_said_without_a_version() -> None:
    rss, atom = etree.fromstring(feeds.rss(paper.ALL)), etree.fromstring(feeds.atom(paper.ALL))

    assert rss.findtext("channel/language") == "zh-CN"
    assert atom.get("{http://www.w3.org/XML/1998/namespace}lang") == "zh-CN"
    generator = atom.find("a:generator", ATOM)
    assert generator is not None
    assert (generator.text, dict(generator.attrib)) == ("Syndicate", {})
    assert rss.findtext("channel/generator") == "Syndicate"


def test_the_feeds_date_is_its_own_and_not_now() -> None:
    rss, atom = etree.fromstring(feeds.rss(paper.ALL)), etree.fromstring(feeds.atom(paper.ALL))

    assert rss.findtext("channel/lastBuildDate") == "Mon, 16 Nov 2026 01:00:00 +0000"
    assert atom.findtext("a:updated", namespaces=ATOM) == "2026-11-16T01:00:00+00:00"


def test_a_feed_without_items_is_a_feed() -> None:
    empty = replace(paper.ALL, items=())

    assert read(feeds.rss(empty)) == read(feeds.atom(empty)) == read_json(feeds.json(empty)) == []


def test_an_article_without_anything_is_an_item() -> None:
    item = articles.item(paper.entry(Article(None), 1), paper.PAPER, paper.BASE)
    feed = replace(paper.ALL, items=(item,))

    for body in (feeds.rss(feed), feeds.atom(feed)):
        entry = feedparser.parse(body).entries[0]
        assert (entry.title, entry.summary) == ("无题", "无题")
    # RFC 4287 §4.1.2: every entry has an author, its own or its feed's.
    assert etree.fromstring(feeds.atom(feed)).findtext("a:author/a:name", namespaces=ATOM) == "青岚日报"


def test_hostile_articles_read_back_equal_in_all_three() -> None:
    feed = replace(
        paper.ALL,
        items=tuple(
            articles.item(paper.entry(everywhere(text), n), paper.PAPER, paper.BASE)
            for n, text in enumerate(hostile.texts(payloads=False), 1)
        ),
    )

    from_rss, from_atom, from_json = (
        read(feeds.rss(feed)),
        read(feeds.atom(feed)),
        read_json(feeds.json(feed)),
    )

    for one, other, third in zip(from_rss, from_atom, from_json, strict=True):
        assert one["title"] == other["title"] == third["title"]
        assert one["summary"] == other["summary"] == third["summary"]
        assert one["html"] == other["html"] == third["html"].strip()
        if not any("@" in author for author in third["authors"]):  # feedparser takes them for mail addresses
            assert one["authors"] == other["authors"] == third["authors"]
        assert one["categories"] == other["categories"] == third["categories"]


@some.composite
def items(draw: some.DrawFn) -> Item:
    text = some.text(max_size=80)
    moment = some.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001  # given by timezones
    return Item(
        id=f"tag:x.example,2026-11-16:x/1/{draw(some.integers(1, 10**9))}",
        url="https://x.example/x/2026-11-16/1/1",
        title=draw(text),
        summary=draw(text),
        html=articles.html(Article("题", paragraphs=(draw(text), draw(text)))),
        authors=tuple(draw(some.lists(text, max_size=2))),
        categories=tuple(draw(some.lists(text, max_size=2))),
        published=draw(moment),
        updated=draw(moment),
    )


@given(some.lists(items(), max_size=3))
def test_any_text_is_well_formed_and_reads_back_equal(drawn: list[Item]) -> None:
    feed = replace(paper.ALL, items=tuple(drawn))

    rss = etree.fromstring(feeds.rss(feed))
    atom = etree.fromstring(feeds.atom(feed))
    read_back = json.loads(feeds.json(feed))["items"]

    for item, in_rss, in_atom, in_json in zip(
        drawn, rss.findall("channel/item"), atom.findall("a:entry", ATOM), read_back, strict=True
    ):
        title = articles.line(item.title) or articles.UNTITLED
        assert in_rss.findtext("title") == in_atom.findtext("a:title", namespaces=ATOM) == title
        assert in_json["title"] == title
        summary = articles.line(item.summary) or title
        assert html.unescape(in_rss.findtext("description") or "") == html.unescape(html.escape(summary))
        assert in_atom.findtext("a:summary", namespaces=ATOM) == in_json["summary"] == summary
        content = articles.clean(item.html)
        assert (in_atom.findtext("a:content", namespaces=ATOM) or "") == in_json["content_html"] == content
        authors = [a for a in map(articles.line, item.authors) if a]
        assert [e.text for e in in_atom.findall("a:author/a:name", ATOM)] == authors
        assert [e.text for e in in_rss.findall("{http://purl.org/dc/elements/1.1/}creator")] == authors
        assert in_atom.findtext("a:published", namespaces=ATOM) == in_json["date_published"]


def test_a_feed_is_the_same_in_every_process() -> None:
    told = "import sys; from syndicate.render import feeds; from tests.render import paper; "
    told += "sys.stdout.buffer.write(feeds.rss(paper.ALL) + feeds.atom(paper.ALL) + feeds.json(paper.ALL))"

    made = {
        subprocess.run(
            [sys.executable, "-c", told],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(made) == 1
    assert made.pop()


def test_days_without_an_issue_are_told_as_greenwich_has_them() -> None:
    days = etree.fromstring(feeds.rss(paper.ALL)).findall("channel/skipDays/day")

    # Six o'clock on Monday in Shanghai is Sunday in Greenwich; Friday's issue, of Thursday, may be asked for a day later.
    assert [day.text for day in days] == ["Saturday"]


@given(items(), some.sampled_from(("rss", "atom")))
def test_a_brief_item_is_the_whole_one_without_its_content(item: Item, form: str) -> None:
    whole, brief = (
        {child.tag: (child.text, dict(child.attrib)) for child in _element(piece)}
        for piece in feeds.both(item, form)
    )

    told = whole.pop("content", None) or whole.pop("{c}encoded", None)
    assert whole == brief
    assert (told[0] if told else None) == (articles.clean(item.html) or None)


def _element(piece: bytes) -> etree._Element:
    """An item out of its feed."""
    spaces = b"xmlns:content='c' xmlns:dc='d' xmlns:atom='a' xmlns:media='m'"
    return etree.fromstring(b"<feed %b>%b</feed>" % (spaces, piece), etree.XMLParser(huge_tree=True))[0]
