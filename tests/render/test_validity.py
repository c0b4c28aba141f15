"""Every feed is what the standards ask for: the sample newspaper's, and feeds of text that wants to do harm.

The grammars in tests/schemas are read from the standards; what they cannot say, and what the W3C's feed validator
warns of beyond the standards, is said here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some
from lxml import etree
from lxml import html as tree

from bench.paper import files as sample
from syndicate.jobs import ingest, publish
from syndicate.model import Article, Byline, Feed, FeedKey, Jump, Part, Publication, Section
from syndicate.readers import text
from syndicate.render import articles, feeds
from syndicate.revise import revise
from syndicate.services import Services, open_services
from syndicate.settings import load
from syndicate.split import split
from syndicate.web import create_app
from tests.jobs.conftest import Clock
from tests.jobs.test_publish import old_issue
from tests.render import hostile, paper
from tests.render.test_articles import SAFE, everywhere
from tests.render.test_feeds import read, read_json
from tests.split.shared import shared

SCHEMAS = Path(__file__).parents[1] / "schemas"
ATOM = "{http://www.w3.org/2005/Atom}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
XML_TEXT = etree.XMLParser(huge_tree=True, resolve_entities=False)
REFERENCE = re.compile(r"&(?:#|\w*[\d_]|(?:amp|lt|gt|quot|apos|nbsp|copy)\b)|</?[A-Za-z!]")
"""What makes a reader take plain text for HTML."""

grammar = etree.RelaxNG(etree.parse(SCHEMAS / "atom.rng"))
schema = jsonschema.Draft202012Validator(
    json.loads((SCHEMAS / "jsonfeed.json").read_text("utf-8")), format_checker=jsonschema.FormatChecker()
)


# ── what a valid feed is ─────────────────────────────────────────────────────────────────


def hold_atom(body: bytes) -> None:
    """RFC 4287, and the warnings of the W3C's validator."""
    feed = etree.fromstring(body, XML_TEXT)
    assert grammar.validate(feed), grammar.error_log
    entries = feed.findall(f"{ATOM}entry")
    assert feed.find(f"{ATOM}author") is not None or all(e.find(f"{ATOM}author") is not None for e in entries)
    for of in (feed, *entries):
        alternates = [(a.get("type"), a.get("hreflang")) for a in _links(of, "alternate")]
        assert len(alternates) == len(set(alternates)) == 1  # §4.1.1
    (own,) = _links(feed, "self")
    assert own.get("type") == "application/atom+xml"
    for name in ("id", "updated"):  # two entries with one id are one, with one date a puzzle
        told = [entry.findtext(f"{ATOM}{name}") for entry in entries]
        assert len(told) == len(set(told)), name
    if feed.find(f"{HISTORY}archive") is not None:  # RFC 5005 §4
        assert _links(feed, "current")
        assert _links(feed, "prev-archive") or _links(feed, "next-archive")
    for plain in feed.iter(f"{ATOM}title", f"{ATOM}summary", f"{ATOM}subtitle", f"{ATOM}name"):
        assert plain.get("type") in (None, "text")
        hold_plain(plain.text or "")
    for content in feed.iter(f"{ATOM}content"):
        hold_html(content.text or "")


def hold_rss(body: bytes) -> None:
    """RSS 2.0 with its modules, as the RSS Advisory Board's profile reads it."""
    rss = etree.fromstring(body, XML_TEXT)
    assert (rss.tag, rss.get("version")) == ("rss", "2.0")
    (channel,) = rss
    for name in ("title", "link", "description", "language", "generator", "lastBuildDate"):
        assert len(channel.findall(name)) == 1, name
    (own,) = _links(channel, "self")
    assert own.get("type") == "application/rss+xml"
    hold_plain(channel.findtext("title") or "")
    items = channel.findall("item")
    assert channel[-len(items) :] == items if items else True
    guids = [item.findtext("guid") for item in items]
    assert len(guids) == len(set(guids))
    for item in items:
        assert re.fullmatch(r"tag:[^\s]+", item.findtext("guid") or "")
        assert (item.findtext("link") or "").startswith("https://")
        moment = parsedate_to_datetime(item.findtext("pubDate") or "")
        assert moment.utcoffset() == timedelta(0)
        hold_plain(item.findtext("title") or "")
        hold_html(item.findtext("{http://purl.org/rss/1.0/modules/content/}encoded") or "")
        assert len(item.findall("enclosure")) <= 1
        for book in item.findall("enclosure"):
            assert (book.get("url") or "").startswith("https://")
            assert int(book.get("length") or "") > 0
            assert "/" in (book.get("type") or "")


def hold_json(body: bytes) -> None:
    """JSON Feed 1.1."""
    feed = json.loads(body)
    schema.validate(feed)
    ids = [item["id"] for item in feed["items"]]
    assert len(ids) == len(set(ids))
    for item in feed["items"]:
        hold_plain(item["title"])
        hold_html(item.get("content_html", ""))


def hold_plain(text: str) -> None:
    """Plain text that nobody can take for HTML."""
    assert text.strip()
    assert not REFERENCE.search(text), text


def hold_html(text: str) -> None:
    """A fragment with nothing in it that a reader would have to take out, and no address without its host."""
    root = etree.fromstring(f"<div>{text}</div>", XML_TEXT)
    assert {element.tag for element in root.iter()} <= SAFE | {"ul", "li", "a"}
    assert all(link.get("href", "").startswith("https://") for link in root.iter("a"))
    assert {name for element in root.iter() for name in element.attrib} <= {"class", "href"}


HOLD = {"atom": hold_atom, "rss": hold_rss, "json": hold_json}


def _links(of: etree._Element, rel: str) -> list[etree._Element]:
    return of.findall(f"{ATOM}link[@rel='{rel}']")


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (b"<updated>2026-11-16T01:00:00+00:00</updated>", b""),
        (b"<updated>2026-11-16T01:00:00+00:00</updated>", b"<updated>2026-11-16T01:00:00</updated>"),
        (b"<updated>2026-11-16T01:00:00+00:00</updated>", b"<updated>2026-11-16 01:00:00Z</updated>"),
        (b"<id>tag:qinglan.example,2026:qinglan/feeds/all</id>", b"<id>feeds/all</id>"),
        (b"<generator>", b"<id>x:y</id><generator>"),
        (b"<generator>", b"<generator/><generator>"),
        (b"<name>", b"<name></name><name>"),
        (b'rel="self"', b'rel="own"'),
        (b'<content type="html">', b'<content type="CDATA">'),
        (b"</entry>", b'</entry><x xmlns="y"/>'),
    ],
)
def test_the_atom_grammar_refuses_what_the_standard_does(said: bytes, instead: bytes) -> None:
    body = feeds.atom(paper.ALL)
    assert said in body

    assert not grammar.validate(etree.fromstring(body.replace(said, instead, 1)))


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("version/1.1", "version/2"),
        (' "title": "青岚日报",\n', ""),
        ('"id": "', '"guid": "'),
        ('"content_html"', '"content"'),
        ('"content_html"', '"_content"'),
        ("T01:00:00+00:00", " 01:00:00"),
        ('"home_page_url": "https://', '"home_page_url": "//'),
        ('"authors": [{"name": "何晓楠"}', '"authors": ["何晓楠"'),
        ('"kind": "article"', '"kind": "text"'),
    ],
)
def test_the_json_schema_refuses_what_the_standard_does(said: str, instead: str) -> None:
    body = feeds.json(paper.ALL).decode()
    assert said in body

    assert not schema.is_valid(json.loads(body.replace(said, instead, 1)))


# ── the sample newspaper ─────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Two months that are archived and three issues of the third, one of them corrected; books and all."""
    data = tmp_path_factory.mktemp("paper") / "var"
    told = {"SYNDICATE_DATA": str(data), "SYNDICATE_BASE_URL": "https://paper.example"}
    clock = Clock()
    services = replace(open_services(load(told)), now=clock)
    for day in (date(2026, 9, 28), date(2026, 10, 12)):
        ingest.ingest(services, [old_issue(services, day)])
    for n in (16, 17, 18):
        ingest.ingest(services, sample(n))
    ((name, body),) = sample(16)
    clock.pass_(timedelta(minutes=1))
    ingest.ingest(services, [(name, body.replace("落户青岚".encode(), "落户我县".encode()))])
    for day in (date(2026, 10, 12), date(2026, 11, 9)):  # an article less, sealed and live
        clock.pass_(timedelta(minutes=1))
        name, body = old_issue(services, day)
        ingest.ingest(services, [(name, body)])
        less = re.sub("# 柿子红了.*?(?=\n# )", "", body.decode(), flags=re.DOTALL)
        ingest.ingest(services, [(name, less.encode())])
    publish.run(services)
    yield services
    services.db.dispose()


def test_every_feed_of_the_sample_newspaper_is_valid(services: Services) -> None:
    folder = services.settings.data / "public" / "qinglan" / "feeds"
    found = [file for file in (*folder.iterdir(), *(folder / "archive").iterdir()) if file.suffix[1:] in HOLD]

    for file in found:
        HOLD[file.suffix[1:]](file.read_bytes())

    names = {str(file.relative_to(folder)) for file in found}
    assert len(names) == 3 * len({name.rpartition(".")[0] for name in names}) > 100
    assert {"corrections.atom", "issues.rss", "section-yaowen.json", "archive/all-2026-09.atom"} <= names
    assert {name.partition("-")[0] for name in names if "-" in name} >= {
        "byline",
        "page",
        "section",
        "series",
    }


@pytest.mark.parametrize("feed", ["all", "corrections", "archive/all-2026-10"])
def test_a_withdrawn_entry_is_marked_in_the_head_and_leaves_a_notice(services: Services, feed: str) -> None:
    file = services.settings.data / "public" / "qinglan" / "feeds" / f"{feed}.atom"
    root = etree.fromstring(file.read_bytes(), XML_TEXT)

    marks = root.findall("{http://purl.org/atompub/tombstones/1.0}deleted-entry")
    notices = [entry for entry in root.iter(f"{ATOM}entry") if entry.findtext(f"{ATOM}title") == "（已撤回）"]
    told = [(entry.findtext(f"{ATOM}id"), entry.findtext(f"{ATOM}updated")) for entry in notices]
    assert [(mark.get("ref"), mark.get("when")) for mark in marks] == told != []


def test_an_issue_s_books_are_told_of_in_every_format(services: Services) -> None:
    folder = services.settings.data / "public" / "qinglan" / "feeds"
    atom = etree.fromstring((folder / "issues.atom").read_bytes(), XML_TEXT)
    rss = etree.fromstring((folder / "issues.rss").read_bytes(), XML_TEXT)
    items = json.loads((folder / "issues.json").read_bytes())["items"]

    for entry, item, told in zip(atom.iter(f"{ATOM}entry"), rss.iter("item"), items, strict=True):
        books = [
            (link.get("href"), link.get("type"), link.get("length")) for link in _links(entry, "enclosure")
        ]
        assert books
        assert books[0] == tuple(item.find("enclosure").get(name) for name in ("url", "type", "length"))  # type: ignore[union-attr]
        assert books == [(a["url"], a["mime_type"], str(a["size_in_bytes"])) for a in told["attachments"]]


@pytest.mark.parametrize(
    "asked", ["q=青岚", "q=%3Cb%3E%26amp;&section=yaowen", "q=A%26B&byline=何晓楠", "q=nix"]
)
def test_a_search_is_a_valid_feed_too(services: Services, asked: str) -> None:
    visitor = create_app(services).test_client()

    for form, hold in HOLD.items():
        hold(visitor.get(f"/qinglan/feeds/search.{form}?{asked}").data)


def test_what_stood_in_print_is_told_to_programs(services: Services) -> None:
    folder = services.settings.data / "public" / "qinglan" / "feeds"
    items = json.loads((folder / "all.json").read_bytes())["items"]
    told = [item["_syndicate"] for item in items if item["title"] != "（已撤回）"]

    assert all({"page", "kind"} <= set(one) for one in told)
    for name in ("kicker", "subheads", "series", "byline", "jump"):
        assert any(name in one for one in told), name


def test_kicker_subheads_page_names_by_role_and_jump_are_told() -> None:
    first = json.loads(feeds.json(paper.ALL))["items"][0]["_syndicate"]

    assert first == {
        "kicker": "两岸乡亲等了三十年",
        "subheads": ["石埠到县城缩短十一分钟", "骑车过桥有专道"],
        "page": 1,
        "byline": {
            "reporters": ["何晓楠", "郑文海"],
            "correspondents": ["吴丽君"],
            "photographers": ["丁禾"],
        },
        "jump": {"to_page": 2},
        "kind": "article",
    }


# ── real newspapers ──────────────────────────────────────────────────────────────────────

REAL = {
    "splitting/sources/jinriqujiang-2020-10-20-p1.txt": "今日衢江",
    "splitting/dev/sources/rmrb_20200512.L1.txt": "人民日报",
    "splitting/dev/sources/rmrb_2026-05-30.L2.txt": "人民日报",
    "splitting/dev/sources/xxsb_2026-05-18.L0.txt": "学习时报",
}


@pytest.mark.parametrize("name", REAL)
def test_every_feed_of_a_real_issue_is_valid(name: str) -> None:
    file = shared(name)
    of = Publication(
        "real", REAL[name], host="real.example", sections=(Section("zonghe", "综合", "General"),)
    )
    issue = split(text.read([(file.name, file.read_bytes())]), (of,))
    entries = [one.entry for one in revise(of, issue, (), paper.PRINTED).new]
    items = tuple(articles.item(entry, of, paper.BASE) for entry in entries)

    names = {name: FeedKey("byline", f"byline-{name}", name) for item in items for name in item.authors}
    for key in (paper.ALL.key, *names.values()):
        shown = tuple(item for item in items if key.kind == "all" or key.title in item.authors)
        feed = replace(paper.ALL, publication=of, key=key, items=shown)
        for form, hold in HOLD.items():
            hold(feeds.written(feed, form))
    assert len(items) > 5


# ── text that wants to do harm ───────────────────────────────────────────────────────────

piece = some.one_of(
    some.sampled_from(hostile.OWN),
    some.text(max_size=20),
    some.text(some.characters(categories=("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")), max_size=6),
)
harm = some.lists(piece, max_size=4).map("".join)


@some.composite
def harmful(draw: some.DrawFn) -> Article:
    """An article whose every text wants to do harm."""
    few = some.lists(harm, max_size=2).map(tuple)
    name, names, page = draw(harm), draw(few), some.none() | some.integers(1, 99)
    return Article(
        headline=draw(some.none() | harm),
        kicker=name,
        subheads=names,
        series=draw(some.none() | harm),
        byline=Byline(names, draw(few), names, name),
        editor_note=name,
        paragraphs=draw(few),
        parts=(Part(name, name, name, names),),
        captions=names,
        page=draw(some.integers(1, 99)),
        page_title=name,
        jump=Jump(to_page=draw(page), from_page=draw(page)),
    )


def fed(*told: Article) -> Feed:
    """A feed of these articles, under a heading from outside as well."""
    items = tuple(
        articles.item(paper.entry(article, n), paper.PAPER, paper.BASE) for n, article in enumerate(told, 1)
    )
    heading = next(((one.series or one.kicker) for one in told), None) or "题"
    return replace(paper.ALL, key=FeedKey("series", "series-x", heading), items=items)


def hold_all(feed: Feed) -> None:
    """The feed is valid in all three formats, and every reader reads the same from each of them."""
    written = {form: feeds.written(feed, form) for form in HOLD}
    for form, body in written.items():
        HOLD[form](body)
    from_rss, from_atom, from_json = read(written["rss"]), read(written["atom"]), read_json(written["json"])
    for item, one, other, third in zip(feed.items, from_rss, from_atom, from_json, strict=True):
        assert one["title"] == other["title"] == _mended(item.title)
        assert one["summary"] == other["summary"] == _mended(item.summary or item.title)
        assert one["html"] == other["html"] == _mended(item.html)
        for read_back in (one, other):
            assert [*map(_mended, read_back["categories"])] == [*map(_mended, item.categories)]
        assert one["published"] == other["published"] == third["published"] == item.published
        assert (third["title"], third["summary"]) == (item.title, item.summary or item.title)
        assert (third["html"], third["categories"]) == (item.html, item.categories)


def _mended(text: str) -> str:
    """As feedparser gives it, which takes some Latin texts for UTF-8 that was read wrongly."""
    try:
        return text.encode("iso-8859-1").decode("utf-8")
    except UnicodeError:
        return text


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(some.lists(harmful(), max_size=3))
@example([everywhere(one) for one in hostile.OWN])
@example([everywhere("".join(hostile.OWN))])
def test_whatever_is_printed_the_feed_is_valid_and_reads_back_equal(told: list[Article]) -> None:
    hold_all(fed(*told))


@given(harm)
def test_nothing_of_a_paragraph_is_lost_but_what_no_feed_may_carry(said: str) -> None:
    feed = fed(Article("题", paragraphs=("起", said, "讫")))

    for content in (read(feeds.rss(feed))[0]["html"], read_json(feeds.json(feed))[0]["html"]):
        shown = "".join(tree.fromstring(f"<div>{content}</div>").itertext())
        assert "".join(shown.split()) == "".join(articles.clean(f"起{said}讫").split())


@pytest.mark.parametrize(
    "unit", ["桥面上还留着露水，司机把速度放得很慢。", "]]>&amp;<b>\u202e桥面上还留着露水，" * 9, "x" * 70]
)
def test_a_paragraph_of_a_megabyte_is_carried_whole(unit: str) -> None:
    size = 2**20 // len(unit.encode()) + 1
    feed = fed(Article("题", paragraphs=(unit * size,)), Article("又题", paragraphs=("短",)))

    hold_all(feed)

    shown = tree.fromstring(f"<div>{read(feeds.atom(feed))[0]['html']}</div>").text_content()
    assert shown == articles.clean(unit) * size
