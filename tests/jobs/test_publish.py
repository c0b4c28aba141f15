"""Feeds become files, once per change."""

from __future__ import annotations

import json
from datetime import timedelta

import feedparser
import pytest

from syndicate import store
from syndicate.errors import DeliveryError, SourceError
from syndicate.jobs import ingest, publish
from syndicate.services import Services
from syndicate.store import issues
from tests.jobs.conftest import Clock, sample


def body(services: Services, name: str) -> bytes:
    found = services.public.find("qinglan", name)
    assert found is not None, name
    return found.body


def titles(services: Services, name: str) -> list[str]:
    return [e.title for e in feedparser.parse(body(services, name)).entries]


def test_every_feed_has_three_formats_with_the_same_articles(services: Services) -> None:
    ingest.ingest(services, sample(16))

    publish.run(services)

    for name in ("all", "issues", "section-yaowen", "section-zonghe", "byline-何晓楠"):
        told = titles(services, f"feeds/{name}.atom")
        assert told == titles(services, f"feeds/{name}.rss")
        assert told == [item["title"] for item in json.loads(body(services, f"feeds/{name}.json"))["items"]]
    assert len(titles(services, "feeds/all.atom")) >= 16
    assert len(titles(services, "feeds/issues.atom")) == 1
    assert b"byline-" in body(services, "feeds.opml")


def test_every_article_stands_in_exactly_one_section_feed(services: Services) -> None:
    ingest.ingest(services, sample(16))
    publish.run(services)
    paper = services.settings.publication("qinglan")
    assert paper is not None

    ids = [
        entry.id
        for section in paper.sections
        for entry in feedparser.parse(body(services, f"feeds/section-{section.slug}.atom")).entries
    ]

    everything = [e.id for e in feedparser.parse(body(services, "feeds/all.atom")).entries]
    assert sorted(ids) == sorted(everything)


def test_a_series_runs_through_issues_in_one_feed(services: Services) -> None:
    for day in (16, 17, 18):
        ingest.ingest(services, sample(day))
    publish.run(services)

    with store.reading(services.db) as db:
        paper = services.settings.publication("qinglan")
        assert paper is not None
        series = [key for key in publish.feed_keys(db, paper) if key.kind == "series"]

    assert any("我在村里有份新工作" in key.title for key in series)
    assert any("溪边谈" in key.title for key in series)


def test_feeds_are_in_page_order_and_no_two_entries_share_a_second(services: Services) -> None:
    ingest.ingest(services, sample(17))
    ingest.ingest(services, sample(16))
    publish.run(services)

    found = feedparser.parse(body(services, "feeds/all.rss")).entries
    dates = [e.published_parsed for e in found]
    links = [tuple(e.link.rsplit("/", 3)[1:]) for e in found]

    assert dates == sorted(dates, reverse=True)
    assert len(set(dates)) == len(dates)
    in_print = sorted(links, key=lambda link: (-int(link[0].replace("-", "")), int(link[1]), int(link[2])))
    assert links == in_print


def test_publishing_again_changes_no_byte_and_no_time(services: Services, clock: Clock) -> None:
    ingest.ingest(services, sample(16))
    publish.run(services)
    before = services.public.find("qinglan", "feeds/all.atom")

    clock.pass_(timedelta(hours=3))
    ingest.ingest(services, sample(16))
    publish.run(services)

    assert services.public.find("qinglan", "feeds/all.atom") == before


def test_a_new_issue_leaves_other_feeds_alone(services: Services, clock: Clock) -> None:
    ingest.ingest(services, sample(16))
    publish.run(services)
    before = services.public.find("qinglan", "feeds/byline-梅若溪.atom")
    assert before is not None

    (name, page_one), *_ = sample(17)
    ingest.ingest(services, [(name, page_one)])
    publish.run(services)

    assert services.public.find("qinglan", "feeds/byline-梅若溪.atom") == before
    assert len(titles(services, "feeds/issues.rss")) == 2


def test_a_withdrawn_article_leaves_every_feed(services: Services, clock: Clock) -> None:
    ((name, text),) = sample(16)
    ingest.ingest(services, [(name, text)])
    publish.run(services)
    gone = "一张借书证,用了四十一年".replace(",", "，")
    assert gone in titles(services, "feeds/all.atom")

    clock.pass_(timedelta(hours=1))
    start = text.index("一张借书证".encode())
    ingest.ingest(services, [(name, text[:start])])
    publish.run(services)

    assert gone not in titles(services, "feeds/all.atom")
    assert gone not in titles(services, "feeds/section-wenti.rss")


def test_a_disk_that_refuses_leaves_the_old_feeds_and_the_paper_due(services: Services) -> None:
    ingest.ingest(services, sample(16))
    publish.run(services)
    before = services.public.find("qinglan", "feeds/all.atom")
    ingest.ingest(services, sample(17))
    generations = services.settings.data / "public" / ".generations"
    generations.rename(generations.with_name("elsewhere"))
    generations.write_text("in the way")

    with pytest.raises(DeliveryError, match="cannot publish qinglan"):
        publish.run(services)

    generations.unlink()
    generations.with_name("elsewhere").rename(generations)
    assert services.public.find("qinglan", "feeds/all.atom") == before
    with store.reading(services.db) as db:
        assert [slug for slug, _ in issues.due_for_publishing(db)] == ["qinglan"]
    publish.run(services)
    assert services.public.find("qinglan", "feeds/all.atom") != before


def test_a_lock_that_cannot_be_made_is_named(services: Services) -> None:
    (services.settings.data / "publish.lock").mkdir()

    with pytest.raises(SourceError, match=r"publish\.lock: Is a directory"):
        publish.run(services)
