"""The search page: what is found, how it is shown, where it leads, and that no query breaks it."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, quote, urlsplit
from xml.etree import ElementTree

import feedparser
import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from syndicate.model import Byline, Part
from syndicate.services import Services
from syndicate.settings import CHECKOUT
from syndicate.web.search import RESULTS_ON_A_PAGE
from tests.render import hostile
from tests.samples import article
from tests.web.conftest import DAYS, FULL, Page, print_issue
from tests.web.test_browser import OVERFLOW, WIDTHS, browser, site, visitor
from tests.web.test_pages import Outline

__all__ = ["browser", "site"]  # fixtures

SEARCH = "/qinglan/search"
FOUND = f"{SEARCH}?q=竹基+项目"


def headlines(text: str) -> list[str]:
    """What is found, as a reader sees it."""
    return [unescape(re.sub("<[^>]*>", "", h)) for h in re.findall(r"<h3[^>]*><a [^>]*>(.*?)</a>", text)]


def links(text: str, rel: str) -> list[str]:
    return [unescape(a) for a in re.findall(rf'<a rel="{rel}"[^>]* href="([^"]*)"', text)]


def test_the_empty_form_asks_and_finds_nothing(page: Page) -> None:
    text = page(SEARCH)

    assert '<form class="query" role="search" action="/qinglan/search">' in text
    assert headlines(text) == []
    assert "没有找到" not in text
    assert "search.atom" not in text


def test_what_is_found_is_shown_with_its_words_marked(page: Page) -> None:
    text = page(FOUND)

    assert headlines(text) == [FULL.headline]
    assert "<mark>竹基</mark>新材料<mark>项目</mark>落户青岚" in text
    assert "年产<mark>竹基</mark>餐具" in text  # the kicker
    assert "11月13日下午，<mark>项目</mark>正式落户。" in text
    assert "找到1篇" in text
    assert 'href="/qinglan/2026-11-18/1/1"' in text
    assert "2026年11月18日" in text


def test_the_form_keeps_what_was_asked(page: Page) -> None:
    text = page(f"{SEARCH}?q=“项目+落户”&section=yaowen&byline=何晓楠")

    assert 'value="“项目 落户”"' in text
    assert '<option value="yaowen" selected>' in text
    assert 'value="何晓楠"' in text


def test_sections_and_names_narrow_the_search(page: Page) -> None:
    assert len(headlines(page(f"{SEARCH}?q=冷空气"))) == 1
    assert len(headlines(page(f"{SEARCH}?q=冷空气&section=zonghe"))) == 1
    assert len(headlines(page(f"{SEARCH}?q=冷空气&section=yaowen"))) == 0
    assert len(headlines(page(f"{SEARCH}?q=冷空气&section=nix"))) == 1
    assert headlines(page(f"{SEARCH}?q=项目&byline=郑文海")) == [FULL.headline]
    assert headlines(page(f"{SEARCH}?q=项目&byline=江照+")) == [FULL.headline]
    assert headlines(page(f"{SEARCH}?q=项目&byline=nobody")) == []


def test_an_empty_answer_is_honest_and_keeps_the_feed(page: Page) -> None:
    text = page(f"{SEARCH}?q=没有这样的词")

    assert "没有找到" in text
    assert headlines(text) == []
    assert links(text, "alternate") != []


def test_the_feed_of_the_search_asks_the_same(page: Page) -> None:
    text = page(f"{SEARCH}?q=a%26b+油茶&section=yaowen&byline=何晓楠&page=3")

    (feed,) = [a for a in links(text, "alternate") if "/feeds/" in a]
    parts = urlsplit(feed)
    assert parts.path == "/qinglan/feeds/search.atom"
    assert parse_qs(parts.query) == {"q": ["a&b 油茶"], "section": ["yaowen"], "byline": ["何晓楠"]}
    told = [link["href"] for link in Outline(text).links("alternate")]
    assert f"https://paper.example{feed}" in told


def test_many_results_are_turned_like_pages(services: Services, client: FlaskClient) -> None:
    total = 2 * RESULTS_ON_A_PAGE + 1
    print_issue(
        services, *(article(n, headline=f"第{n}号油茶消息", paragraphs=()) for n in range(1, total + 1))
    )
    seen, address = [], f"{SEARCH}?q=油茶&lang=en"

    for _ in range(3):
        text = client.get(address).text
        seen += headlines(text)
        (address, *_) = [*links(text, "next"), ""]
        for other in ("section=", "byline=", "page=1&", "page=None"):
            assert other not in address

    assert seen == [f"第{n}号油茶消息" for n in range(1, total + 1)]
    assert address == ""
    assert links(text, "prev") == [f"{SEARCH}?page=2&q=%E6%B2%B9%E8%8C%B6&lang=en"]
    back = client.get(links(text, "prev")[0]).text
    assert links(back, "prev") == [f"{SEARCH}?q=%E6%B2%B9%E8%8C%B6&lang=en"]
    assert "41 articles found" in text
    assert "21 to 40" in back


@pytest.mark.parametrize("number", ["0", "-1", "x", "", "1e3", "٣", "99999999", "1.5"])
def test_a_page_that_cannot_be_is_the_first(page: Page, number: str) -> None:
    assert headlines(page(f"{FOUND}&page={number}")) == [FULL.headline]


def test_beyond_the_last_page_is_said_to_be_nothing_more(page: Page) -> None:
    text = page(f"{FOUND}&page=7")

    assert "没有更多结果" in text
    assert links(text, "prev") == [f"{SEARCH}?page=6&q=%E7%AB%B9%E5%9F%BA+%E9%A1%B9%E7%9B%AE"]
    assert links(text, "next") == []


def test_crawlers_are_kept_out_and_a_second_visit_costs_nothing(front: FlaskClient) -> None:
    first = front.get(FOUND)

    assert '<meta name="robots" content="noindex">' in first.text
    assert front.get(FOUND, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert "Set-Cookie" not in first.headers


def test_a_withdrawn_article_leaves_the_results(printed: Services, front: FlaskClient) -> None:
    before = front.get(FOUND).headers["ETag"]
    print_issue(printed, article(2), day=DAYS[2])

    answer = front.get(FOUND, headers={"If-None-Match": before})

    assert answer.status_code == 200
    assert headlines(answer.text) == []


def test_no_query_breaks_the_page_or_becomes_a_tag(front: FlaskClient) -> None:
    texts = [*hostile.texts(payloads=False), "“" * 5_000, "油茶" * 3_000, '"><script>alert(1)</script>']
    known = {tag for tag, _ in Outline(front.get(FOUND).text).elements}

    for words in texts:
        asked = quote(words.encode("utf-8", "surrogatepass"))
        answer = front.get(f"{SEARCH}?q={asked}&section={asked}&byline={asked}&page={asked}")
        assert answer.status_code == 200, words
        assert {tag for tag, _ in Outline(answer.text).elements} <= known | {"nav"}, words
        assert not [a for _, attrs in Outline(answer.text).elements for a in attrs if a.startswith("on")]


def test_a_hostile_article_is_found_and_shown_as_text(services: Services, client: FlaskClient) -> None:
    nasty = "油茶<script>alert(1)</script><b>粗</b>&amp;"
    told = article(
        1, headline=nasty, kicker=nasty, paragraphs=(nasty,), byline=Byline((nasty,)), parts=(Part(nasty),)
    )
    print_issue(services, told)

    text = client.get(f"{SEARCH}?q=油茶+alert").text

    assert "<script" not in text
    assert "<b>" not in text
    assert "<mark>油茶</mark>&lt;script&gt;<mark>alert</mark>(1)" in text


def test_every_page_of_a_paper_leads_to_the_search(page: Page) -> None:
    for address in ("/qinglan/", "/qinglan/2026-11-18/1/1", "/qinglan/feeds/"):
        text = page(address)
        assert '<form class="finder" role="search" action="/qinglan/search">' in text, address
        (link,) = Outline(text).links("search")
        assert link["type"] == "application/opensearchdescription+xml"
        assert page(link["href"]).startswith("<?xml")
    assert 'class="finder"' not in page(SEARCH)  # it has its own
    assert 'name="lang" value="en"' in page("/qinglan/?lang=en")


def test_the_search_describes_itself_to_programs(front: FlaskClient) -> None:
    answer = front.get("/qinglan/opensearch.xml")
    root = ElementTree.fromstring(answer.data)
    name = {"o": "http://a9.com/-/spec/opensearch/1.1/"}

    assert answer.headers["Content-Type"] == "application/opensearchdescription+xml; charset=utf-8"
    assert root.findtext("o:ShortName", None, name) == "青岚日报"
    templates = {url.get("type"): url.get("template") for url in root.findall("o:Url", name)}
    assert templates["text/html"] == "https://paper.example/qinglan/search?q={searchTerms}"
    assert templates["application/atom+xml"] == (
        "https://paper.example/qinglan/feeds/search.atom?q={searchTerms}"
    )
    assert (
        front.get("/qinglan/opensearch.xml", headers={"If-None-Match": answer.headers["ETag"]}).status_code
        == 304
    )


def test_no_english_is_left_on_the_chinese_page(page: Page) -> None:
    for address in (SEARCH, FOUND, f"{SEARCH}?q=没有"):
        text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*\blang=\"en\"[^>]*>[^<]*|<[^>]*>", " ", page(address))
        assert re.findall(r"[A-Za-z]{2,}", text.replace("Atom", "")) == [], address


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_and_is_quiet(browser: Browser, site: str, width: int) -> None:
    for scheme in ("light", "dark"):
        with visitor(browser, site, width, color_scheme=scheme) as (shown, wrong):
            for query in (
                "",
                "?q=竹基+项目",
                "?q=没有",
                "?q=" + "永" * 200,
                "?q=消息&lang=en",
                "?q=http+example&page=2",
            ):
                shown.goto(f"{site}{SEARCH}{query}")

                assert shown.evaluate(OVERFLOW) <= 0, query
                assert wrong == [], query


def test_a_reader_searches_without_script(browser: Browser, site: str) -> None:
    with visitor(browser, site, 390, java_script_enabled=False) as (shown, wrong):
        shown.goto(f"{site}/qinglan/?lang=en")
        shown.get_by_label("Words").fill("竹基")
        shown.get_by_role("button", name="Search").click()
        shown.get_by_label("Section", exact=True).select_option("yaowen")
        shown.get_by_role("button", name="Search").click()

        assert shown.locator("mark").first.inner_text() == "竹基"
        assert "1 article found" in shown.inner_text("main")
        assert parse_qs(urlsplit(shown.url).query)["lang"] == ["en"]
        assert wrong == []


def test_marked_words_can_be_read_in_light_and_dark() -> None:
    css = (CHECKOUT / "templates/web/static/search.css").read_text(encoding="utf-8")

    assert "mark { color: var(--ink);" in css  # on a tint of the ground, not in the soft tone around it


def test_a_search_has_a_feed_in_every_form(page: Page, front: FlaskClient) -> None:
    found = headlines(page(FOUND))
    told = {form: front.get(f"/qinglan/feeds/search.{form}?q=竹基+项目") for form in ("rss", "atom", "json")}

    assert found
    assert [item["title"] for item in told["json"].get_json(force=True)["items"]] == found
    for form in ("rss", "atom"):
        parsed = feedparser.parse(told[form].data)
        assert [entry.title for entry in parsed.entries] == found
        assert not parsed.bozo
    itself = told["atom"].headers["Link"]
    assert (
        itself
        == f'<https://paper.example/qinglan/feeds/search.atom?q={quote("竹基")}+{quote("项目")}>; rel="self"'
    )


def test_the_feed_of_a_search_gives_the_ids_of_all_feeds(front: FlaskClient) -> None:
    whole = {e.id for e in feedparser.parse(front.get("/qinglan/feeds/all.atom").data).entries}
    found = {e.id for e in feedparser.parse(front.get("/qinglan/feeds/search.atom?q=竹基").data).entries}

    assert found
    assert found <= whole


def test_a_poll_of_a_search_with_nothing_new_costs_no_body(front: FlaskClient) -> None:
    first = front.get("/qinglan/feeds/search.atom?q=竹基")

    again = front.get("/qinglan/feeds/search.atom?q=竹基", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")


def test_a_feed_of_no_search_is_not_found(front: FlaskClient) -> None:
    assert front.get("/qinglan/feeds/search.atom").status_code == 404
    assert front.get("/qinglan/feeds/search.xml?q=竹基").status_code == 404


def test_sections_filter_the_feed_of_a_search(front: FlaskClient) -> None:
    anywhere = front.get("/qinglan/feeds/search.json?q=竹基").get_json(force=True)["items"]
    nowhere = front.get("/qinglan/feeds/search.json?q=竹基&section=zonghe").get_json(force=True)["items"]
    both = front.get("/qinglan/feeds/search.json?q=竹基&section=zonghe&section=yaowen").get_json(force=True)[
        "items"
    ]

    assert both == anywhere != nowhere


def test_each_search_is_a_feed_of_its_own(front: FlaskClient) -> None:
    asked = ("q=竹基", "q=青岚", "q=青岚&section=yaowen", "q=青岚&byline=何晓楠")
    found = [feedparser.parse(front.get(f"/qinglan/feeds/search.atom?{query}").data).feed for query in asked]

    assert len({feed.id for feed in found}) == 4
    assert [feed.title for feed in found] == [
        "青岚日报 · 竹基",
        "青岚日报 · 青岚",
        "青岚日报 · 青岚 · 要闻",
        "青岚日报 · 青岚 · 何晓楠",
    ]


def test_a_filter_that_nobody_understands_is_no_firehose(front: FlaskClient) -> None:
    assert front.get("/qinglan/feeds/search.atom?q=青岚&section=nix").status_code == 404


def test_a_renamed_section_and_an_empty_byline_filter_as_they_are_meant(front: FlaskClient) -> None:
    def ids(query: str) -> list[str]:
        return [e.id for e in feedparser.parse(front.get(f"/qinglan/feeds/search.atom?{query}").data).entries]

    assert ids("q=青岚&section=toutiao") == ids("q=青岚&section=yaowen")
    assert ids("q=青岚&byline=") == ids("q=青岚")
    assert ids("q=青岚")


def test_a_browser_is_shown_the_feed_of_a_search_with_its_style(front: FlaskClient) -> None:
    shown = front.get("/qinglan/feeds/search.atom?q=青岚", headers={"Accept": "text/html,*/*"})

    assert shown.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert shown.headers["Vary"] == "Accept"
