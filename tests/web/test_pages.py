"""The paper's pages: what stands on them, what their heads say, and what is not found."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from syndicate import store
from syndicate.model import Byline, address_part
from syndicate.services import Services
from syndicate.store import entries
from syndicate.web import create_app
from tests.render import hostile
from tests.samples import DAY, PAPER, article
from tests.web.conftest import DAYS, FULL, LOST, NOTICE, SITE, Page, print_issue

FULL_AT = "/qinglan/2026-11-18/1/1"

EVERY_PAGE = (
    "/",
    "/qinglan/",
    "/qinglan/2026-11-16",
    FULL_AT,
    "/qinglan/2026-11-16/1/2",
    "/qinglan/sections/yaowen",
    f"/qinglan/bylines/{address_part('何晓楠')}",
    f"/qinglan/series/{address_part('我在村里有份新工作')}",
    "/qinglan/issues",
    "/qinglan/feeds/",
    "/qinglan/subscribe",
)


class Outline(HTMLParser):
    """Every element of a page, with its attributes and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts.append(data)
            self._script = False

    def links(self, rel: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.elements if tag == "link" and attrs.get("rel") == rel]

    def meta(self, name: str) -> str:
        return next(
            attrs["content"]
            for tag, attrs in self.elements
            if tag == "meta" and name in (attrs.get("name"), attrs.get("property"))
        )


def test_the_front_page_is_the_newest_issue_page_by_page(page: Page) -> None:
    text = page("/qinglan/")

    assert "2026年11月18日 星期三" in text
    assert "第4713期" in text
    positions = [
        text.index(part, text.index("<main"))
        for part in (
            "第1版",
            str(FULL.kicker),
            str(FULL.headline),
            str(FULL.paragraphs[0]),
            "何晓楠",
            "第2版",
        )
    ]
    assert positions == sorted(positions)


def test_a_lost_headline_is_replaced_by_the_lead(page: Page) -> None:
    assert LOST.paragraphs[0][:12] in page("/qinglan/")


def test_notices_are_not_shown(page: Page) -> None:
    assert str(NOTICE.headline) not in page("/qinglan/2026-11-18")


def test_a_single_newspaper_opens_with_its_front_page(page: Page) -> None:
    assert 'rel="canonical" href="https://paper.example/qinglan/"' in page("/")
    assert str(FULL.headline) in page("/")


def test_several_newspapers_are_listed(printed: Services) -> None:
    other = replace(PAPER, slug="other", title="另一报")
    settings = replace(printed.settings, publications=(PAPER, other))
    both = replace(printed, settings=settings)
    print_issue(both, article(1))
    visitor = create_app(both).test_client()

    assert "第4713期" in visitor.get("/").text  # only one has an issue: its front page
    with_two = create_app(
        replace(both, settings=replace(settings, publications=(PAPER, PAPER)))
    ).test_client()

    assert with_two.get("/").text.count("<h2") == 2


def test_a_newspaper_without_issues_says_so(client: FlaskClient) -> None:
    for address in ("/qinglan/", "/qinglan/issues", "/"):
        answer = client.get(address)

        assert answer.status_code == 200
        assert "这里还没有报纸" in answer.text


def test_an_issue_leads_to_the_one_before_and_the_one_after(page: Page) -> None:
    text = page("/qinglan/2026-11-17")

    assert 'rel="prev" href="/qinglan/2026-11-16"' in text
    assert 'rel="next" href="/qinglan/2026-11-18"' in text


def test_an_article_has_all_that_was_printed(page: Page) -> None:
    text = page(FULL_AT)

    for part in (
        FULL.headline,
        FULL.kicker,
        *FULL.subheads,
        FULL.series,
        *FULL.byline.names,
        FULL.dateline.raw,
        FULL.editor_note,
        *FULL.paragraphs,
        FULL.parts[0].headline,
        FULL.parts[0].label,
        FULL.parts[0].profile,
        *FULL.captions,
        "第4713期",
        "第1版",
        "转第2版",
    ):
        assert str(part) in text, part


def test_an_article_leads_to_its_section_series_names_issue_and_neighbours(page: Page) -> None:
    found = {attrs.get("href") for _, attrs in Outline(page(FULL_AT)).elements}

    assert {
        "/qinglan/sections/yaowen",
        "/qinglan/series/%E6%88%91%E5%9C%A8%E6%9D%91%E9%87%8C%E6%9C%89%E4%BB%BD%E6%96%B0%E5%B7%A5%E4%BD%9C",
        "/qinglan/bylines/%E4%BD%95%E6%99%93%E6%A5%A0",
        "/qinglan/2026-11-18",
        "/qinglan/2026-11-18#page-1",
        "/qinglan/2026-11-18/1/2",
    } <= found


def test_a_derived_headline_is_marked(page: Page) -> None:
    assert "标题取自正文" in page("/qinglan/2026-11-18/2/1")
    assert "标题取自正文" not in page(FULL_AT)


def test_a_corrected_article_says_when(printed: Services, front: FlaskClient) -> None:
    corrected = replace(FULL, paragraphs=(*FULL.paragraphs, "订正：投资额为六亿八千万元。"))
    print_issue(printed, article(9, page=3, section="zonghe"), corrected, day=DAYS[2])

    assert "本文于2026年11月18日 星期三更正" in front.get(FULL_AT).text


def test_a_withdrawn_article_is_gone_everywhere(printed: Services, front: FlaskClient) -> None:
    print_issue(printed, article(2), day=DAYS[2])

    answer = front.get(FULL_AT)

    assert answer.status_code == 410
    assert "已撤回" in answer.text
    assert "青岚日报" in answer.text
    for address in ("/qinglan/", "/qinglan/2026-11-18", "/qinglan/sections/yaowen"):
        assert str(FULL.headline) not in front.get(address).text


def test_a_section_lists_its_articles_newest_first(page: Page) -> None:
    text = page("/qinglan/sections/yaowen")

    days = re.findall(r'<time datetime="(\d{4}-\d\d-\d\d)">', text)
    assert days == sorted(days, reverse=True)
    assert len(set(days)) == 3


def test_names_and_series_have_their_pages(page: Page) -> None:
    for part in (f"bylines/{address_part('何晓楠')}", f"series/{address_part(str(FULL.series))}"):
        text = page(f"/qinglan/{part}")

        assert str(FULL.headline) in text
        assert "第1号消息" not in text


def test_a_long_section_is_turned_over(services: Services, client: FlaskClient) -> None:
    print_issue(services, *(article(n, paragraphs=(f"{n}" * 40,)) for n in range(1, 51)))

    first = client.get("/qinglan/sections/yaowen").text
    second = client.get("/qinglan/sections/yaowen?from=40").text

    assert 'href="/qinglan/sections/yaowen?from=40"' in first
    assert first.count("<h3>") == 40
    assert second.count("<h3>") == 10
    assert 'rel="canonical" href="https://paper.example/qinglan/sections/yaowen?from=40"' in second


@pytest.mark.parametrize("start", ["-1", "x", "9" * 30, "٣", "1e3", ""])
def test_an_odd_place_to_start_is_the_beginning(front: FlaskClient, start: str) -> None:
    assert front.get("/qinglan/sections/yaowen", query_string={"from": start}).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/nix/",
        "/qinglan/2026-11-19",
        "/qinglan/2026-13-45",
        "/qinglan/0000-00-00",
        "/qinglan/2026-11-18/1/99",
        "/qinglan/2026-11-18/0/1",
        "/qinglan/2026-11-18/01/1",
        "/qinglan/2026-11-18/1/-1",
        "/qinglan/2026-11-18/1/99999999999999999999",
        "/qinglan/2026-11-18/٣/1",
        "/qinglan/2026-11-18/2/2",  # a notice
        "/qinglan/sections/nix",
        "/qinglan/sections/%00",
        "/qinglan/bylines/%E4%BD%95",
        "/qinglan/bylines/%FF%FE",
        "/qinglan/bylines/a%00b",
        "/qinglan/series/x",
        "/qinglan/digest/2026-11-19",
        "/qinglan/feeds/nix.rss",
        "/qinglan/feeds/..%2f..%2fsecret",
        "/qinglan/feeds/.hidden",
        "/static/nix.css",
        "/static/../macros.html",
    ],
)
def test_what_is_not_there_is_not_found(front: FlaskClient, address: str) -> None:
    answer = front.get(address)

    assert answer.status_code == 404
    assert "没有这个页面" in answer.text


def test_a_method_that_is_not_taken_is_refused_with_those_that_are(front: FlaskClient) -> None:
    answer = front.post("/qinglan/")

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_every_page_names_the_paper_s_feeds(page: Page) -> None:
    for address in EVERY_PAGE:
        feeds = {(a["type"], a["href"]) for a in Outline(page(address)).links("alternate") if "type" in a}

        assert feeds >= {
            ("application/atom+xml", f"{SITE}/qinglan/feeds/all.atom"),
            ("application/rss+xml", f"{SITE}/qinglan/feeds/all.rss"),
            ("application/feed+json", f"{SITE}/qinglan/feeds/all.json"),
        }, address


def test_every_feed_named_on_a_page_is_there(page: Page, front: FlaskClient) -> None:
    for address in EVERY_PAGE:
        for attrs in Outline(page(address)).links("alternate"):
            if "type" in attrs:
                assert front.get(attrs["href"].removeprefix(SITE)).status_code == 200, attrs["href"]


def test_every_link_on_every_page_leads_somewhere(page: Page, front: FlaskClient) -> None:
    seen: set[str] = set()
    waiting = [*EVERY_PAGE, "/?lang=en"]
    while waiting:
        address = waiting.pop()
        seen.add(address)
        answer = front.get(address)
        assert answer.status_code == 200, address
        if answer.mimetype == "text/html":
            links = {
                a.get("href", "").split("#")[0] for tag, a in Outline(answer.text).elements if tag == "a"
            }
            waiting += [link for link in links if link.startswith("/") and link not in seen]
    assert len(seen) > 60


def test_an_article_tells_machines_what_it_is(page: Page) -> None:
    outline = Outline(page(FULL_AT))

    assert outline.meta("og:title") == FULL.headline
    assert outline.meta("og:type") == "article"
    assert outline.meta("og:url") == f"{SITE}{FULL_AT}"
    assert outline.meta("description") == FULL.paragraphs[0]
    said = json.loads(outline.scripts[0])
    assert said["@type"] == "NewsArticle"
    assert said["headline"] == FULL.headline
    assert [author["name"] for author in said["author"]] == ["何晓楠", "郑文海", "吴丽君", "江照"]
    assert said["isPartOf"]["issueNumber"] == "4713"


def test_both_languages_know_of_each_other(page: Page) -> None:
    for address in (FULL_AT, f"{FULL_AT}?lang=en"):
        alternates = {
            a["hreflang"]: a["href"] for a in Outline(page(address)).links("alternate") if "hreflang" in a
        }

        assert alternates == {
            "zh-CN": f"{SITE}{FULL_AT}",
            "en": f"{SITE}{FULL_AT}?lang=en",
            "x-default": f"{SITE}{FULL_AT}",
        }


def test_the_interface_is_english_when_asked_for_and_stays_so(page: Page) -> None:
    text = page("/qinglan/?lang=en")

    assert '<html lang="en">' in text
    assert "Page 1" in text
    assert "Wednesday, 18 November 2026" in text
    main = text[text.index("<main") : text.index("</main")]
    inner = re.findall(r'href="(/[^"]+)"', main)
    assert inner
    assert all("lang=en" in link for link in inner)


def test_an_unknown_language_is_the_site_s_own(page: Page) -> None:
    assert page("/qinglan/?lang=xx") == page("/qinglan/")


def test_no_page_stores_a_cookie_or_asks_outside(page: Page, front: FlaskClient) -> None:
    for address in EVERY_PAGE:
        answer = front.get(address)

        assert "Set-Cookie" not in answer.headers
        for tag, attrs in Outline(answer.text).elements:
            assert tag not in ("iframe", "object", "embed", "video"), address
            if tag == "script" and attrs != {"type": "application/ld+json"}:
                assert attrs["src"].startswith("/static/copy.js?v="), address
            if tag in ("img", "link") and attrs.get("rel") in ("stylesheet", "icon", None):
                assert attrs.get("href", attrs.get("src", "")).startswith("/static/"), address


def test_hostile_text_stays_text(services: Services, client: FlaskClient) -> None:
    texts = [text for text in hostile.texts(payloads=False) if text.strip()]
    harmless = {
        name for tag, attrs in Outline(_text_of(services, client, "无害")).elements for name in (tag, *attrs)
    }

    for i in range(0, len(texts), 40):
        some = texts[i : i + 40]
        whole = "\n".join(some)
        text = _text_of(services, client, whole, *some)
        outline = Outline(text)

        found = {name for tag, attrs in outline.elements for name in (tag, *attrs)}
        assert found <= harmless | {"br"}, found - harmless
        json.loads(outline.scripts[0])
        assert len(outline.scripts) == 1


def test_hostile_names_have_pages(services: Services, client: FlaskClient) -> None:
    names = ("İrem Çelik", *(t for t in hostile.OWN if t.strip()))
    print_issue(services, article(1, byline=Byline(reporters=names), series=names[0]))

    for attrs in (a for tag, a in Outline(client.get("/qinglan/2026-11-16/1/1").text).elements if tag == "a"):
        if attrs.get("rel") == "author":
            assert client.get(attrs["href"]).status_code == 200, attrs["href"]


@pytest.mark.parametrize(
    "address", ["//evil.example/%2f..", "/%5cevil.example", "/%09/evil.example", "/qinglan"]
)
def test_no_redirect_leads_outside(front: FlaskClient, address: str) -> None:
    answer = front.get(address, headers={"Host": "evil.example"})

    location = answer.headers.get("Location", "/")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


def test_hostile_addresses_are_answered(front: FlaskClient) -> None:
    for text in hostile.texts():
        path = "/" + text.encode("utf-8", "replace").decode().lstrip("/")
        answer = front.get(path.replace("?", "%3F").replace("#", "%23"))

        assert answer.status_code in (200, 308, 404), path
        assert "crlf" not in answer.headers
        assert (answer.headers.get("Location") or "/").startswith("/"), path


def test_the_digest_of_an_issue_can_be_looked_at(page: Page, front: FlaskClient) -> None:
    assert str(FULL.headline) in page("/qinglan/digest/2026-11-18")
    assert "'unsafe-inline'" in front.get("/qinglan/digest/2026-11-18").headers["Content-Security-Policy"]


def test_an_article_on_page_two_keeps_its_address_when_it_moves(
    services: Services, client: FlaskClient
) -> None:
    print_issue(services, article(1, page=2, page_title="综合"))
    print_issue(services, article(1, page=1))

    assert client.get("/qinglan/2026-11-16/2/1").status_code == 200
    assert 'href="/qinglan/2026-11-16/2/1"' in client.get("/qinglan/").text


def _text_of(services: Services, client: FlaskClient, text: str, *more: str) -> str:
    """The page of an article that has the text everywhere."""
    told = article(
        1,
        headline=text,
        kicker=text,
        subheads=(text,),
        series=text,
        editor_note=text,
        byline=Byline((text, *more), (), (), text),
        paragraphs=(*FULL.paragraphs, text),
        captions=(text,),
    )
    print_issue(services, told, article(2))
    with store.reading(services.db) as db:
        (entry,) = (e for e in entries.of_issue(db, "qinglan", DAY) if e.article.kicker == text)
    return client.get(entry.path).text
