"""Feeds become files, once per change."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import date, timedelta

import brotli
import feedparser
import pytest
import zstandard
from lxml import etree

from syndicate import store
from syndicate.deliver.public import PublicFolder
from syndicate.deliver.shelf import Shelf
from syndicate.errors import DeliveryError, SourceError
from syndicate.jobs import feed_keys, ingest, publish
from syndicate.model import Choice, Rhythm, Wish
from syndicate.readers import text
from syndicate.render import feeds
from syndicate.services import Services
from syndicate.split import proof, split
from syndicate.store import entries, issues, search, subscriptions
from tests.jobs.conftest import Clock, sample


def body(services: Services, name: str) -> bytes:
    found = services.public.find("qinglan", name)
    assert found is not None, name
    return found.body


TOMBSTONE = "{http://purl.org/atompub/tombstones/1.0}"


def link(feed: etree._Element, rel: str) -> str | None:
    found = feed.find(f"{{http://www.w3.org/2005/Atom}}link[@rel='{rel}']")
    return None if found is None else found.get("href")


def old_issue(services: Services, day: date, longer: int = 0) -> tuple[str, bytes]:
    """The sample of the 16th, as if it had been printed on that day; `longer`: kilobytes more in each article."""
    issue = split(text.read(sample(16)), services.settings.publications)
    told = tuple(
        replace(a, paragraphs=(*a.paragraphs, f"{day}：" + "水" * (longer * 341))) if longer else a
        for a in issue.articles
    )
    head = replace(issue.masthead, date=day, weekday=None, lunar_date=None, number=None)
    furniture = tuple(line for line in issue.furniture if "2026" not in line)
    written = proof.written(replace(issue, masthead=head, articles=told, furniture=furniture))
    return f"qinglan-{day}.txt", written.encode()


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
        series = [key for key in feed_keys.of_paper(db, paper) if key.kind == "series"]

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


def test_feeds_are_the_same_when_nothing_fits_on_the_shelf(services: Services) -> None:
    small = replace(services, shelf=Shelf(0), public=PublicFolder(services.settings.data / "small"))
    ingest.ingest(services, sample(16))
    publish.run(small)
    with store.writing(services.db) as db:
        issues.mark_published(db, "qinglan", 0, "nothing yet")
    publish.run(services)

    assert body(small, "feeds/all.atom") == body(services, "feeds/all.atom")
    assert body(small, "feeds/all.json") == body(services, "feeds/all.json")


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


def test_a_withdrawn_article_leaves_a_notice_in_its_place(services: Services, clock: Clock) -> None:
    ((name, text),) = sample(16)
    ingest.ingest(services, [(name, text)])
    publish.run(services)
    gone = "一张借书证,用了四十一年".replace(",", "，")
    before = {e.title: e for e in feedparser.parse(body(services, "feeds/all.atom")).entries}

    clock.pass_(timedelta(hours=1))
    start = text.index("一张借书证".encode())
    ingest.ingest(services, [(name, text[:start])])
    publish.run(services)

    for feed in ("all", "section-wenti"):
        after = {e.id: e for e in feedparser.parse(body(services, f"feeds/{feed}.atom")).entries}
        left = after[before[gone].id]
        assert left.title == "（已撤回）"
        assert left.published == before[gone].published
        assert "借书证" not in str(left)
        tombstones = etree.fromstring(body(services, f"feeds/{feed}.atom")).findall(
            f"{TOMBSTONE}deleted-entry"
        )
        assert before[gone].id in [mark.get("ref") for mark in tombstones]
    assert "（已撤回）" in titles(services, "feeds/corrections.rss")


def test_corrections_have_a_feed_and_keep_their_ids(services: Services, clock: Clock) -> None:
    ((name, text),) = sample(16)
    ingest.ingest(services, [(name, text)])
    publish.run(services)
    assert titles(services, "feeds/corrections.atom") == []
    ids = {e.id for e in feedparser.parse(body(services, "feeds/all.atom")).entries}

    clock.pass_(timedelta(hours=1))
    ingest.ingest(
        services, [(name, text.replace("蓝谷竹基新材料项目落户青岚".encode(), "蓝谷项目落户青岚县".encode()))]
    )
    publish.run(services)

    (corrected,) = feedparser.parse(body(services, "feeds/corrections.atom")).entries
    assert corrected.title == "蓝谷项目落户青岚县"
    assert {e.id for e in feedparser.parse(body(services, "feeds/all.atom")).entries} == ids


def test_a_month_that_is_over_is_sealed_and_linked(services: Services) -> None:
    for file in old_issue(services, date(2026, 9, 28)), old_issue(services, date(2026, 10, 12)):
        ingest.ingest(services, [file])
    ingest.ingest(services, sample(16))

    publish.run(services)

    live = etree.fromstring(body(services, "feeds/all.atom"))
    october = etree.fromstring(body(services, "feeds/archive/all-2026-10.atom"))
    september = etree.fromstring(body(services, "feeds/archive/all-2026-09.atom"))
    base = "https://paper.example/qinglan/feeds/"
    assert link(live, "prev-archive") == link(october, "self") == f"{base}archive/all-2026-10.atom"
    assert link(october, "prev-archive") == link(september, "self")
    assert link(october, "current") == link(live, "self") == f"{base}all.atom"
    assert link(september, "prev-archive") is None
    assert brotli.decompress(body(services, "feeds/archive/all-2026-10.atom.br")) == body(
        services, "feeds/archive/all-2026-10.atom"
    )
    assert october.find("{http://purl.org/syndication/history/1.0}archive") is not None
    assert services.public.find("qinglan", "feeds/archive/all-2026-11.atom") is None


def test_a_sealed_page_changes_only_with_its_articles(services: Services, clock: Clock) -> None:
    old = old_issue(services, date(2026, 10, 12))
    ingest.ingest(services, [old])
    ingest.ingest(services, sample(16))
    publish.run(services)
    before = services.public.find("qinglan", "feeds/archive/all-2026-10.atom")

    clock.pass_(timedelta(days=1))
    ingest.ingest(services, sample(17))
    publish.run(services)
    assert services.public.find("qinglan", "feeds/archive/all-2026-10.atom") == before

    ingest.ingest(services, [(old[0], old[1].replace("蓝谷竹基".encode(), "蓝谷竹业".encode()))])
    publish.run(services)
    assert "蓝谷竹业" in body(services, "feeds/archive/all-2026-10.atom").decode()


def test_another_address_of_the_site_renders_everything_anew(services: Services) -> None:
    ingest.ingest(services, sample(16))
    publish.run(services)
    moved = replace(services, settings=replace(services.settings, base_url="https://new.example"))

    publish.run(moved)

    assert b"paper.example" not in body(moved, "feeds/all.atom")
    assert b"https://new.example/qinglan/2026-11-16/" in body(moved, "feeds/section-yaowen.rss")


def test_a_live_feed_stays_under_half_a_megabyte_and_keeps_its_month(services: Services) -> None:
    for day in range(19, 26):
        ingest.ingest(services, [old_issue(services, date(2026, 10, day), longer=12)])
    ingest.ingest(services, sample(16))
    publish.run(services)

    for form in feeds.FORMS:
        assert len(body(services, f"feeds/all.{form}")) <= 512 * 1024
    told = feedparser.parse(body(services, "feeds/all.atom")).entries
    whole = [bool(e.get("content")) for e in told]
    with store.reading(services.db) as db:
        printed = entries.count(db, "qinglan")
    assert len(told) == printed
    assert True in whole
    assert False in whole
    assert whole == sorted(whole, reverse=True)


def test_every_coding_of_a_feed_says_the_same(services: Services) -> None:
    ingest.ingest(services, sample(16))
    publish.run(services)

    for name in ("feeds/all.atom", "feeds/section-yaowen.rss", "feeds/issues.json"):
        whole = body(services, name)
        assert gzip.decompress(body(services, f"{name}.gz")) == whole
        assert brotli.decompress(body(services, f"{name}.br")) == whole
        assert zstandard.ZstdDecompressor().decompress(body(services, f"{name}.zst")) == whole


def test_a_publisher_killed_before_it_could_say_so_writes_the_same_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest.ingest(services, sample(16))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr(issues, "mark_published", killed)
        with pytest.raises(KeyboardInterrupt):
            publish.run(services)
    before = services.public.find("qinglan", "feeds/all.atom")
    publish.run(services)

    assert services.public.find("qinglan", "feeds/all.atom") == before
    assert body(services, "feeds/all.atom.br")


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


def test_a_corrected_page_title_reaches_every_feed(services: Services) -> None:
    ingest.ingest(services, sample(16))
    publish.run(services)
    ((name, printed),) = sample(16)

    ingest.ingest(services, [(name, printed.replace("第02版:要闻".encode(), "第02版:民生".encode()))])
    publish.run(services)

    for feed in ("all", "page-2"):
        told = [item["_syndicate"] for item in json.loads(body(services, f"feeds/{feed}.json"))["items"]]
        assert {one["page_title"] for one in told if one["page"] == 2} == {"民生"}


def test_a_renamed_section_keeps_its_articles_subscribers_and_search(services: Services) -> None:
    def renamed(slug: str, *formerly: str) -> Services:
        (paper,) = (p for p in services.settings.publications if p.slug == "qinglan")
        told = tuple(
            replace(s, slug=slug, formerly=formerly) if s.title == "要闻" else s for s in paper.sections
        )
        settings = replace(services.settings, publications=(replace(paper, sections=told),))
        return replace(services, settings=settings)

    before, after = renamed("toutiao"), renamed("yaowen", "toutiao")
    ingest.ingest(before, sample(16))
    publish.run(before)
    told = titles(before, "feeds/section-toutiao.atom")
    with store.writing(services.db) as db:
        wish = Wish(Choice(("toutiao", "minsheng")), Rhythm.ISSUE, "zh-CN")
        subscriptions.sign_up(db, before.settings.publications[0], "a@example.com", wish, services.now())

    publish.run(after)

    assert told
    assert titles(after, "feeds/section-yaowen.atom") == told
    assert after.public.find("qinglan", "feeds/section-toutiao.atom") is None
    with store.reading(services.db) as db:
        (reader,) = subscriptions.every(db, "qinglan")
        found = search.find(db, "qinglan", "青岚", sections=("yaowen",), limit=50)
    assert reader.sections == ("yaowen", "minsheng")
    assert found
