"""What HTTP promises: conditional requests, types, caching, and headers that close doors."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from syndicate import store
from syndicate.model import Byline, address_part
from syndicate.services import Services
from syndicate.web import create_app
from tests.samples import article, ingest, issue
from tests.web.conftest import DAYS, FULL, print_issue
from tests.web.test_pages import EVERY_PAGE, FULL_AT

FEEDS = {
    "/qinglan/feeds/all.atom": "application/atom+xml; charset=utf-8",
    "/qinglan/feeds/section-yaowen.rss": "application/rss+xml; charset=utf-8",
    "/qinglan/feeds/issues.json": "application/feed+json",
    "/qinglan/feeds.opml": "text/x-opml; charset=utf-8",
}
EVERYTHING = (*EVERY_PAGE[:-1], *FEEDS, "/qinglan/digest/2026-11-18", "/qinglan/?lang=en")


@pytest.mark.parametrize("address", EVERYTHING)
def test_a_second_visit_costs_nothing(front: FlaskClient, address: str) -> None:
    first = front.get(address)
    tag = first.headers["ETag"]

    assert first.status_code == 200
    assert not tag.startswith("W/")
    for asked in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = front.get(address, headers={"If-None-Match": asked})
        assert again.status_code == 304, asked
        assert again.data == b""
        assert again.headers["ETag"] == tag
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]


@pytest.mark.parametrize("address", EVERYTHING)
def test_a_second_visit_may_ask_by_time(front: FlaskClient, address: str) -> None:
    changed = front.get(address).headers["Last-Modified"]

    assert front.get(address, headers={"If-Modified-Since": changed}).status_code == 304
    # The tag is exact, the time is not: where both are sent the tag decides (RFC 9110 §13.2.2).
    both = {"If-Modified-Since": changed, "If-None-Match": '"other"'}
    assert front.get(address, headers=both).status_code == 200


@pytest.mark.parametrize(
    "address", ["sections/yaowen", f"bylines/{address_part('江照')}", "feeds/", "2026-11-18/1/1"]
)
def test_a_withdrawal_from_an_older_issue_is_news_to_who_asks_by_time(
    services: Services, client: FlaskClient, address: str
) -> None:
    told = article(7, series=FULL.series, byline=Byline(("江照",)))
    print_issue(services, told, article(2), day=DAYS[0])
    print_issue(services, FULL, article(3), day=DAYS[2])
    before = client.get(f"/qinglan/{address}")
    later = datetime(2100, 1, 1, tzinfo=UTC)  # than the templates
    ingest(services.db, issue(article(2), day=DAYS[0], number=4711), now=later)

    asked = {"If-Modified-Since": before.headers["Last-Modified"]}
    assert client.get(f"/qinglan/{address}", headers=asked).status_code == 200


@pytest.mark.parametrize("address", EVERYTHING)
def test_the_same_page_is_the_same_bytes(front: FlaskClient, address: str) -> None:
    assert front.get(address).data == front.get(address).data


@pytest.mark.parametrize("address", EVERYTHING)
def test_head_is_get_without_its_body(front: FlaskClient, address: str) -> None:
    got, asked = front.get(address), front.head(address)

    assert asked.status_code == 200
    assert asked.data == b""
    assert asked.headers["Content-Length"] == str(len(got.data))
    assert asked.headers["ETag"] == got.headers["ETag"]
    assert front.head(address, headers={"If-None-Match": got.headers["ETag"]}).status_code == 304


def test_a_changed_page_has_another_tag(printed: Services, front: FlaskClient) -> None:
    before = front.get("/qinglan/").headers["ETag"]

    print_issue(printed, article(6), day=DAYS[2])

    answer = front.get("/qinglan/", headers={"If-None-Match": before})
    assert answer.status_code == 200
    assert answer.headers["ETag"] != before


@pytest.mark.parametrize(("address", "kind"), FEEDS.items())
def test_feeds_say_what_they_are(printed: Services, front: FlaskClient, address: str, kind: str) -> None:
    answer = front.get(address)

    assert answer.headers["Content-Type"] == kind
    assert "max-age" in answer.headers["Cache-Control"]
    assert "Expires" not in answer.headers  # Miniflux forgets the ETag over it
    published = printed.public.find("qinglan", address.removeprefix("/qinglan/"))
    assert published is not None
    assert answer.data == published.body


@pytest.mark.parametrize("address", [*EVERYTHING, "/nix", "/desk", "/health", "/outbox", "/robots.txt"])
def test_every_answer_closes_the_doors(front: FlaskClient, address: str) -> None:
    headers = front.get(address).headers

    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    # The list of feeds has a script for its buttons, in a file; no other answer has one, and none within a page.
    assert re.findall("script-src [^;]*", policy) == (
        ["script-src 'self'"] if address == "/qinglan/feeds/" else []
    )
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"]
    assert headers["Cache-Control"]
    assert "Set-Cookie" not in headers


def test_the_style_sheet_may_be_kept_for_ever_under_its_mark(front: FlaskClient) -> None:
    text = front.get("/qinglan/").text
    marked = text[text.index("/static/paper.css") :].split('"')[0]

    assert "immutable" in front.get(marked).headers["Cache-Control"]
    assert front.get("/static/paper.css?v=old").headers["Cache-Control"] == "no-cache"
    assert front.get(marked).headers["Content-Type"] == "text/css; charset=utf-8"


def test_a_large_request_is_refused(front: FlaskClient) -> None:
    answer = front.post("/qinglan/subscribe", data={"address": "x" * 20_000})

    assert answer.status_code == 413
    assert "超出" in answer.text


def test_without_its_database_the_site_asks_for_patience(printed: Services, tmp_path: Path) -> None:
    away = store.open_engine(f"sqlite:///{tmp_path}/missing/there.sqlite")
    visitor = create_app(replace(printed, db=away)).test_client()

    answer = visitor.get(FULL_AT)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "请稍候" in answer.text
    assert str(tmp_path) not in answer.text
    assert visitor.get("/qinglan/feeds/all.atom").status_code == 200  # files need no database


def test_a_fault_of_ours_is_told_without_its_cause(printed: Services) -> None:
    def broken() -> str:
        raise RuntimeError("the cause")

    app = create_app(printed)
    app.add_url_rule("/broken", "broken", broken)

    answer = app.test_client().get("/broken")

    assert answer.status_code == 500
    assert "出错了" in answer.text
    assert "the cause" not in answer.text


def test_health_says_what_is_newest(front: FlaskClient) -> None:
    answer = front.get("/health")

    assert answer.json == {"status": "ok", "database": "ok", "newest_issue": {"qinglan": "2026-11-18"}}


def test_health_says_when_the_database_is_away(printed: Services, tmp_path: Path) -> None:
    away = store.open_engine(f"sqlite:///{tmp_path}/missing/there.sqlite")

    answer = create_app(replace(printed, db=away)).test_client().get("/health")

    assert answer.status_code == 503
    assert answer.json == {"status": "ailing", "database": "unreachable"}
