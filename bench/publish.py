"""Taking in and publishing one issue, against feedgen building the same feeds the plain way.

The plain way: one FeedGenerator a feed and format, filled with add_entry, written with atom_str or
rss_str — what a first version of any such service does.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from feedgen.feed import FeedGenerator

from bench import paper
from syndicate import store
from syndicate.jobs import publish
from syndicate.model import Feed
from syndicate.services import Services, open_services
from syndicate.settings import load

RUNS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        services = open_services(load({"SYNDICATE_DATA": folder}))
        took_in = _seconds(lambda: paper.fill(services), 1)
        qinglan = services.settings.publications[-1]
        with store.reading(services.db) as db:
            feeds = tuple(publish.every_feed(db, services, qinglan))
        ours = _seconds(lambda: _publish_anew(services), RUNS)
        plain = _seconds(lambda: _plainly(feeds), RUNS)
    count = len(feeds)
    print(f"take in and publish twelve pages          {took_in * 1000:8.0f} ms")
    print(f"publish {count} feeds × 3 formats               {ours * 1000:8.0f} ms")
    print(f"feedgen, plainly, {count} feeds × 2 formats     {plain * 1000:8.0f} ms")
    print(f"ours / feedgen, per feed and format       {ours / 3 / (plain / 2):8.2f}")


def _seconds(work: Callable[[], None], runs: int) -> float:
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def _publish_anew(services: Services) -> None:
    with tempfile.TemporaryDirectory() as public:
        fresh = replace(services, public=type(services.public)(Path(public)))
        with store.reading(services.db) as db:
            qinglan = services.settings.publications[-1]
            fresh.public.publish(qinglan.slug, publish.files(db, fresh, qinglan))


def _plainly(feeds: tuple[Feed, ...]) -> None:
    for feed in feeds:
        for write in ("atom_str", "rss_str"):
            made = FeedGenerator()
            made.id(feed.key.name)
            made.title(feed.key.title)
            made.description(feed.key.title)
            made.link(href=feed.base_url, rel="alternate")
            for item in feed.items:
                entry = made.add_entry(order="append")
                entry.id(item.id)
                entry.title(item.title)
                entry.link(href=item.url)
                entry.summary(item.summary)
                entry.content(item.html, type="html")
                entry.published(item.published)
                entry.updated(item.updated)
            getattr(made, write)()


if __name__ == "__main__":
    main()
