"""Publishing one issue, against a plain publisher: feedgen, and zlib for the same compression.

The paper is invented: 80 articles an issue, 60 feeds that they touch. The plain way: one FeedGenerator a feed and
format, filled with add_entry, written with atom_str or rss_str, a list through json.dumps, each through zlib, from the
store to files — what a first version of any such service does. Ours is also on the disk for certain (fsync). Then the same issue with a month and with ten years in the store.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import tempfile
import time
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from feedgen.feed import FeedGenerator
from sqlalchemy import update

from syndicate import store
from syndicate.jobs import publish
from syndicate.model import Article, Byline, Issue, Item, Masthead, PrintedPage, Publication, Section, Source
from syndicate.render import articles
from syndicate.revise import revise
from syndicate.services import Services, open_services
from syndicate.settings import load
from syndicate.store import entries, issues, search
from syndicate.store.tables import feed_months

RUNS = 5
PAGES = 8
ARTICLES = 80
REPORTERS = 40
LENGTH = 1500  # Han characters of an article
PAPER = Publication(
    "bench",
    "丈量日报",
    host="bench.example",
    sections=tuple(Section(f"s{n}", f"版块{n}", pages=(n,)) for n in range(1, PAGES + 1)),
)
_WORDS = [chr(0x4E00 + n) + chr(0x5E00 + n * 3) for n in range(700)]


def main(years: int = 10) -> None:
    with tempfile.TemporaryDirectory() as folder:
        services = _services(folder)
        _fill(services, date(2026, 9, 28), 22)
        publish.run(services)
        ours, after = _issue_by_issue(services, date(2026, 10, 28))
        plain, count = _plain(services)
    print(
        f"publish an issue of {ARTICLES} articles, {count} feeds × 3 formats {ours * 1000:8.0f} ms until it is seen"
    )
    print(f"the smaller codings (br, zstd), after that             {after * 1000:8.0f} ms")
    print(f"feedgen plainly, the same feeds, zlib level 6           {plain * 1000:8.0f} ms")
    print(f"plain / ours                                           {plain / ours:8.1f}")
    if years:
        _with_years(ours, years)


def _with_years(short: float, years: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        services = _services(folder)
        _fill(services, date(2016, 1, 4), 1)
        publish.run(services)  # or all months would be archived anew: the configuration is another one
        with patch.object(search, "index"):  # publishing never asks it, and filling it takes most of the time
            _fill(services, date(2026, 10, 27) - timedelta(days=365 * years), years * 250)
        with store.writing(services.db) as db:  # as if each month had been archived when it was over
            db.execute(update(feed_months).values(archived=feed_months.c.changed))
        publish.run(services)
        before = _peak(folder, "nothing")
        long, _ = _issue_by_issue(services, date(2026, 10, 28))
        print(
            f"the same with {years} years in the store                    {long * 1000:8.0f} ms, × {long / short:.2f}"
        )
        print(
            f"peak memory of publishing one issue                    {_peak(folder, 'issue'):8.0f} MB ({before:.0f} idle)"
        )


def _services(folder: str) -> Services:
    services = open_services(load({"SYNDICATE_DATA": folder, "SYNDICATE_BASE_URL": "https://bench.example"}))
    # Fifty entries a feed, as the plain way has them, not thirty days.
    settings = replace(services.settings, publications=(PAPER,), books=False, feed_days=1)
    return replace(services, settings=settings)


def _fill(services: Services, first: date, count: int) -> None:
    day = first
    for _ in range(count):
        while day.weekday() > 4:
            day += timedelta(days=1)
        _take_in(services, day)
        day += timedelta(days=1)


def _take_in(services: Services, day: date) -> None:
    chance = random.Random(day.toordinal())  # an invented paper, the same each time
    issue = Issue(
        Masthead("丈量日报", date=day),
        tuple(PrintedPage(n, None, ()) for n in range(1, PAGES + 1)),
        tuple(_article(chance, n) for n in range(ARTICLES)),
    )
    sources = tuple(Source(f"p{n}", "x", n) for n in range(1, PAGES + 1))
    now = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
    with store.writing(services.db) as db:
        known = entries.of_issue(db, PAPER.slug, day, withdrawn=True)
        issues.save(db, PAPER, issue, sources, revise(PAPER, issue, known, now), now)


def _article(chance: random.Random, n: int) -> Article:
    words = chance.choices(_WORDS, k=LENGTH // 2)
    paragraphs = tuple("".join(words[i : i + 75]) + "。" for i in range(0, len(words), 75))
    by = Byline(reporters=(f"记者{chance.randrange(REPORTERS)}",))
    return Article("".join(words[:8]), byline=by, paragraphs=paragraphs, page=1 + n % PAGES)


def _issue_by_issue(services: Services, day: date) -> tuple[float, float]:
    """Seconds until an issue is seen, and until all its codings are there; the median of some issues."""
    seen, squeezed = [], []
    appear = services.public._appear
    for n in range(RUNS):
        _take_in(services, day + timedelta(days=n))
        start = time.perf_counter()
        marks: list[float] = []

        def marking(slug: str, name: str, fresh: Path, marks: list[float] = marks) -> None:
            appear(slug, name, fresh)
            marks.append(time.perf_counter())

        services.public._appear = marking  # type: ignore[method-assign]  # from then on readers see it
        publish.run(services)
        seen.append(marks[0] - start)
        squeezed.append(time.perf_counter() - marks[0])
    return statistics.median(seen), statistics.median(squeezed)


def _plain(services: Services) -> tuple[float, int]:
    """Seconds that a plain publisher takes from the store to files, each feed by itself, and how many feeds."""
    with store.reading(services.db) as db:
        keys = [k for k in publish.feed_keys(db, PAPER) if k.kind not in ("issues", "corrections")]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        for key in keys:
            _plainly(key.title, _newest(services, key.name), Path(folder, key.name))
        return time.perf_counter() - start, len(keys)


def _newest(services: Services, feed: str) -> list[Item]:
    """The fifty newest items of a feed."""
    with store.reading(services.db) as db:
        listed = entries.in_feed(db, PAPER.slug, feed, since=datetime(2100, 1, 1, tzinfo=UTC), least=50)
        found = {entry.id: entry for entry in entries.with_ids(db, [one.id for one in listed])}
    return [articles.item(found[one.id], PAPER, "https://bench.example") for one in listed]


def _plainly(title: str, items: list[Item], file: Path) -> None:
    """Three formats by feedgen and json, each as it is and through zlib."""
    written = []
    for write in ("atom_str", "rss_str"):
        made = FeedGenerator()
        made.id(title)
        made.title(title)
        made.description(title)
        made.link(href="https://bench.example", rel="alternate")
        for item in items:
            entry = made.add_entry(order="append")
            entry.id(item.id)
            entry.title(item.title)
            entry.link(href=item.url)
            entry.summary(item.summary)
            entry.content(item.html, type="html")
            entry.published(item.published)
            entry.updated(item.updated)
        written.append(getattr(made, write)())
    said = [{"id": i.id, "url": i.url, "title": i.title, "content_html": i.html} for i in items]
    written.append(json.dumps({"items": said}, ensure_ascii=False).encode())
    for n, body in enumerate(written):
        file.with_suffix(f".{n}").write_bytes(body)
        file.with_suffix(f".{n}.gz").write_bytes(zlib.compress(body, 6))


def _peak(folder: str, what: str) -> float:
    """Megabytes at most of a process that publishes one more issue, or nothing."""
    pid = os.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "bench.publish", folder, what])  # ourselves
    return os.wait4(pid, 0)[2].ru_maxrss / 1024


def _publish_once(folder: str, what: str) -> None:
    services = _services(folder)
    if what == "issue":
        _take_in(services, date(2026, 11, 20))
    publish.run(services)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _publish_once(*sys.argv[1:])
    else:
        main(*map(int, sys.argv[1:]))
