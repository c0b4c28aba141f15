"""Files of the public folder over HTTP: codings, what is known already, how long to keep it."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

import brotli
import pytest
import zstandard
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as some

from syndicate.model import Publication
from syndicate.services import Services
from syndicate.web import freshness
from tests.deliver.test_websub import found

FEED = "/qinglan/feeds/all.atom"
PAPER = Publication("qinglan", "青岚日报")
ISSUE = datetime(2026, 11, 16, 6, tzinfo=UTC).replace(hour=22, day=15)  # Monday at six in the paper's town


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, br", "br"),
        ("gzip, zstd;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("identity", None),
        ("", None),
        ("*", "br"),
        ("zstd, br;q=0.1, gzip;q=1.0", "zstd"),
        ("gzip;q=0.5, identity", None),
        ("x-gzip", "gzip"),
        ("deflate, br;q=oh", None),
    ],
)
def test_each_client_gets_the_coding_it_likes_best_then_the_smallest(
    front: FlaskClient, accepted: str, coding: str | None
) -> None:
    plain = front.get(FEED, headers={"Accept-Encoding": "identity"}).data
    unpack = {
        None: bytes,
        "gzip": gzip.decompress,
        "br": brotli.decompress,
        "zstd": zstandard.ZstdDecompressor().decompress,
    }

    answer = front.get(FEED, headers={"Accept-Encoding": accepted})

    assert answer.headers.get("Content-Encoding") == coding
    assert answer.headers["Vary"] == "Accept-Encoding, Accept"
    assert unpack[coding](answer.data) == plain


@pytest.mark.parametrize("said", ["gestern", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999", ""])
def test_a_date_that_nobody_can_read_is_no_date(front: FlaskClient, said: str) -> None:
    assert front.get(FEED, headers={"If-Modified-Since": said}).status_code == 200


def test_codings_have_tags_of_their_own(front: FlaskClient) -> None:
    tags = {
        front.get(FEED, headers={"Accept-Encoding": c}).headers["ETag"] for c in ("", "gzip", "br", "zstd")
    }

    assert len(tags) == 4
    assert not any(tag.startswith("W/") for tag in tags)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '{}, "other"', "*"])
def test_a_list_of_known_tags_costs_no_body(front: FlaskClient, form: str) -> None:
    tag = front.get(FEED).headers["ETag"]

    answer = front.get(FEED, headers={"If-None-Match": form.format(tag)})

    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == tag
    assert "Cache-Control" in answer.headers


def test_a_tag_counts_before_a_date(front: FlaskClient) -> None:
    first = front.get(FEED)
    dated = {"If-Modified-Since": first.headers["Last-Modified"]}

    assert front.get(FEED, headers=dated).status_code == 304
    assert front.get(FEED, headers={**dated, "If-None-Match": '"other"'}).status_code == 200
    assert front.get(FEED, headers={"If-Modified-Since": "yesterday"}).status_code == 200


@pytest.mark.parametrize("status", [200, 304])
@pytest.mark.parametrize(
    "feed", ["all.atom", "issues.rss", "section-yaowen.json", f"byline-{quote('何晓楠')}.rss"]
)
def test_a_feed_names_its_hub_and_itself_as_freshrss_reads_them(
    front: FlaskClient, feed: str, status: int
) -> None:
    address = f"/qinglan/feeds/{feed}"
    known = front.get(address).headers["ETag"] if status == 304 else ""

    answer = front.get(address, headers={"If-None-Match": known})

    assert (answer.status_code, len(answer.headers.getlist("Link"))) == (status, 1)
    assert found(answer.headers["Link"], "hub") == ["https://paper.example/hub"]
    assert found(answer.headers["Link"], "self") == [f"https://paper.example{address}"]


def test_a_search_s_feed_names_itself_and_no_hub(front: FlaskClient) -> None:
    address = f"/qinglan/feeds/search.atom?q={quote('项目')}"

    said = front.get(address).headers["Link"]

    assert (found(said, "hub"), found(said, "self")) == ([], [f"https://paper.example{address}"])


def test_a_packed_file_has_no_address_of_its_own(front: FlaskClient) -> None:
    assert front.get(f"{FEED}.gz").status_code == 404


def test_the_public_files_can_only_be_read(front: FlaskClient) -> None:
    assert front.post(FEED).status_code == 405


@pytest.mark.parametrize("path", ["/qinglan/feeds/../../secret", "/qinglan/feeds/.x", "/nix/feeds/all.atom"])
def test_nothing_else_is_served(front: FlaskClient, path: str) -> None:
    assert front.get(path).status_code == 404


def test_a_feed_is_fresh_until_just_after_the_next_issue() -> None:
    an_hour_before = ISSUE - timedelta(hours=1)

    assert freshness.max_age(PAPER, date(2026, 11, 13), an_hour_before) == 3660


def test_while_an_issue_is_late_readers_may_ask_every_five_minutes() -> None:
    late = ISSUE + timedelta(minutes=20)

    assert freshness.max_age(PAPER, date(2026, 11, 13), late) == freshness.FLOOR
    assert freshness.max_age(PAPER, date(2026, 11, 16), late) == freshness.CAP


def test_a_paper_without_print_days_is_asked_every_few_hours() -> None:
    assert freshness.max_age(Publication("x", "x", print_days=()), None, ISSUE) == freshness.CAP


@given(
    some.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=some.just(UTC)),  # noqa: DTZ001  # given by timezones
    some.lists(some.integers(0, 6), max_size=7, unique=True),
    some.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns"]),
)
def test_a_feed_is_never_kept_longer_than_the_cap_nor_shorter_than_the_floor(
    now: datetime, days: list[int], zone: str
) -> None:
    paper = Publication("x", "x", zone=zone, print_days=tuple(days))

    assert freshness.FLOOR <= freshness.max_age(paper, now.date(), now) <= freshness.CAP


def test_a_renamed_section_is_found_under_its_new_name(front: FlaskClient) -> None:
    answer = front.get("/qinglan/feeds/section-toutiao.rss")

    assert answer.status_code == 301
    assert answer.headers["Location"] == "/qinglan/feeds/section-yaowen.rss"
    assert front.get("/qinglan/feeds/section-nix.rss").status_code == 404


def test_a_browser_is_shown_a_feed_with_its_style(front: FlaskClient) -> None:
    browser = front.get(FEED, headers={"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"})
    reader = front.get(FEED, headers={"Accept": "application/atom+xml, */*"})

    assert browser.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert reader.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert browser.data == reader.data
    assert b'<?xml-stylesheet type="text/css" href="/qinglan/feeds/feed.css"?>' in browser.data
    assert "text/css" in front.get("/qinglan/feeds/feed.css").headers["Content-Type"]


def test_a_renamed_section_s_page_leads_to_its_new_name(front: FlaskClient) -> None:
    answer = front.get("/qinglan/sections/toutiao")

    assert answer.status_code == 301
    assert answer.headers["Location"] == "/qinglan/sections/yaowen"


def test_a_day_s_page_that_is_gone_leads_to_its_month(front: FlaskClient, printed: Services) -> None:
    printed.public.keep("qinglan", "feeds/archive/all-2026-10.atom", b"<feed/>")

    answer = front.get("/qinglan/feeds/archive/all-2026-10-08.atom")

    assert answer.status_code == 301
    assert answer.headers["Location"] == "/qinglan/feeds/archive/all-2026-10.atom"
    assert front.get("/qinglan/feeds/archive/all-2026-09-08.atom").status_code == 404


def test_a_reader_in_a_browser_may_send_what_it_knows(front: FlaskClient) -> None:
    asked = front.options(FEED, headers={"Access-Control-Request-Headers": "if-none-match"})
    got = front.get(FEED)

    assert asked.status_code == 204
    assert "If-None-Match" in asked.headers["Access-Control-Allow-Headers"]
    assert "ETag" in got.headers["Access-Control-Expose-Headers"]
