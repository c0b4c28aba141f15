"""Publishing one issue, against a plain publisher: feedgen for RSS and Atom, json, and the same compression.

The paper is invented: 80 articles an issue that touch 60 feeds of 50 entries. The plain way: each feed by itself, its
entries read from the store and told as HTML, one FeedGenerator a format, filled with add_entry, written with atom_str
or rss_str, a list through json.dumps, each as a file, and that packed by zlib as a file. Ours is also on the disk for certain
(fsync). A second, kinder figure leaves the plain publisher's reading and telling out: its items are ready in memory; a third
gives it our library for packing, ten times as fast as zlib.
Then the same issue with a month and with ten years in the store.

Whoever publishes gets memory that was used before: a virtual machine is given its memory when that is first touched, and
until then a copy into it takes up to ten times as long (measured), for both. And an issue does not follow another within
seconds, as it does here: what a publisher replaces is kept by a second link until all are measured, for ext4 makes a file
the slower, the more were deleted beside it in the last five minutes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from feedgen.feed import FeedGenerator
from sqlalchemy import update

from bench.invented import ARTICLES, PAPER, fill, take_in
from syndicate import store
from syndicate.deliver.codings import coded
from syndicate.jobs import feed_keys, publish
from syndicate.model import Item
from syndicate.render import articles
from syndicate.services import Services, open_services
from syndicate.settings import load
from syndicate.store import entries, search
from syndicate.store.tables import feed_months

RUNS = 5
_TOUCHED = 300  # megabytes; a publisher writes 60


def main(years: int = 10) -> None:
    with _folder() as folder:
        services = _services(folder)
        fill(services, date(2026, 10, 1), 22)
        publish.run(services)
        ours, whole = _issue_by_issue(services, date(2026, 11, 2))
        plain = _plain(services)
        month = _peak(folder, "issue")
    _say(f"publish {ARTICLES} articles in {plain.feeds} feeds × 3 formats, until seen, with gzip", ours)
    _say(
        "feedgen plainly, the same feeds from the store, with gzip",
        plain.read + plain.built + plain.packed,
        ours,
    )
    _say("feedgen plainly, its items ready in memory, with gzip", plain.built + plain.packed, ours)
    _say(
        "feedgen plainly from the store, packed with ISA-L as ours",
        plain.read + plain.built + plain.isal,
        ours,
    )
    _say("ours until all is done: br, zstd, fsync, ledger", whole)
    plain_whole = plain.read + plain.built + plain.packed + plain.more
    _say("feedgen plainly from the store, with gzip, br, zstd", plain_whole, whole)
    print(f"peak memory of publishing an issue {month:.0f} MB")
    if years:
        _with_years(ours, years)


def _say(what: str, seconds: float, ours: float | None = None) -> None:
    ratio = "" if ours is None else f"   plain / ours {seconds / ours:5.1f}"
    print(f"{what:72} {seconds * 1000:7.0f} ms{ratio}", flush=True)


def _with_years(short: float, years: int) -> None:
    with _folder() as folder:
        services = _services(folder)
        fill(services, date(2016, 1, 4), 1)
        publish.run(services)  # or all months would be archived anew: the configuration is another one
        # Publishing never asks the search, and filling it takes most of the time.
        with patch.object(search, "index", lambda *_: None):
            fill(services, date(2026, 10, 30) - timedelta(days=365 * years), years * 250)
        with store.writing(services.db) as db:  # as if each month had been archived when it was over
            db.execute(update(feed_months).values(archived=feed_months.c.changed))
        publish.run(services)
        before = _peak(folder, "nothing")
        long, _ = _issue_by_issue(services, date(2026, 11, 2))
        print(f"with {years} years in the store, until seen: {long * 1000:.0f} ms, × {long / short:.2f}")
        peak = _peak(folder, "issue")
        print(f"peak memory of publishing an issue {peak:.0f} MB, of publishing nothing {before:.0f} MB")


def _keep(folder: Path, n: int) -> None:
    """Link to what is published, so that none of it is deleted before this folder is."""
    shutil.copytree(folder / "public", folder / "kept" / str(n), copy_function=os.link)


def _touch_memory(folder: Path) -> None:
    """Write a file and let it go, so that no page of memory is new to what comes next."""
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_TOUCHED):
            file.write(bytes(1 << 20))


@contextmanager
def _folder() -> Iterator[str]:
    """A folder away from others, in which nothing was deleted."""
    with tempfile.TemporaryDirectory() as top:
        # As if it were at the top of the disk; not all file systems know that.
        if chattr := shutil.which("chattr"):
            subprocess.run([chattr, "+T", top], check=False, capture_output=True)
        folder = Path(top, "folder")
        folder.mkdir()
        yield str(folder)


def _services(folder: str) -> Services:
    services = open_services(load({"SYNDICATE_DATA": folder, "SYNDICATE_BASE_URL": "https://bench.example"}))
    # Fifty entries a feed, as the plain way has them, not thirty days.
    settings = replace(services.settings, publications=(PAPER,), books=False, feed_days=1)
    return replace(services, settings=settings)


def _issue_by_issue(services: Services, day: date) -> tuple[float, float]:
    """Seconds until an issue is seen, and until all is done; the median of some issues."""
    seen, done = [], []
    appear = services.public._appear
    for n in range(RUNS):
        take_in(services, day + timedelta(days=n))
        _keep(services.settings.data, n)
        _touch_memory(services.settings.data)
        start = time.perf_counter()
        marks: list[float] = []

        def marking(slug: str, name: str, fresh: Path, marks: list[float] = marks) -> None:
            appear(slug, name, fresh)
            marks.append(time.perf_counter())

        services.public._appear = marking  # type: ignore[method-assign]  # from then on readers see it
        publish.run(services)
        seen.append(marks[0] - start)
        done.append(time.perf_counter() - start)
    services.public._appear = appear  # type: ignore[method-assign]
    return statistics.median(seen), statistics.median(done)


@dataclass(frozen=True)
class Plain:
    """How many feeds, and the seconds that a plain publisher takes for each step."""

    feeds: int
    read: float  # from the store to items
    built: float  # to files
    packed: float  # to gzip files
    isal: float  # to gzip files by the library that packs ours
    more: float  # to br and zstd


def _plain(services: Services) -> Plain:
    with store.reading(services.db) as db:
        keys = [k for k in feed_keys.of_paper(db, PAPER) if k.kind not in ("issues", "corrections")]
    _touch_memory(services.settings.data)
    start = time.perf_counter()
    ready = [(key, _newest(services, key.name)) for key in keys]
    read = time.perf_counter()
    with _folder() as folder:
        for key, items in ready:
            _plainly(key.title, items, Path(folder, key.name))
        built = time.perf_counter() - read
        packed = _packing(folder, {"gz": lambda body: zlib.compress(body, 6, wbits=31)})
        isal = _packing(folder, {"isal": lambda body: coded(body, "gzip")})
        more = _packing(
            folder, {"br": lambda body: coded(body, "br"), "zst": lambda body: coded(body, "zstd")}
        )
        return Plain(len(keys), read - start, built, packed, isal, more)


def _packing(folder: str, ways: dict[str, Callable[[bytes], bytes]]) -> float:
    """Seconds for packing the files of feeds in these ways."""
    files = list(Path(folder).glob("*.[0-2]"))
    bodies = [file.read_bytes() for file in files]
    start = time.perf_counter()
    for ending, way in ways.items():
        for file, body in zip(files, bodies, strict=True):
            Path(f"{file}.{ending}").write_bytes(way(body))
    return time.perf_counter() - start


def _newest(services: Services, feed: str) -> list[Item]:
    """The fifty newest items of a feed."""
    with store.reading(services.db) as db:
        since = datetime(2100, 1, 1, tzinfo=UTC)
        listed = entries.in_feeds(db, PAPER.slug, [feed], since=since, least=50)[feed]
        found = {entry.id: entry for entry in entries.with_ids(db, [one.id for one in listed])}
    return [articles.item(found[one.id], PAPER, "https://bench.example") for one in listed]


def _plainly(title: str, items: list[Item], file: Path) -> None:
    """Three formats by feedgen and json."""
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
        Path(f"{file}.{n}").write_bytes(body)


def _peak(folder: str, what: str) -> float:
    """Megabytes at most of a process that publishes one more issue, or nothing, as it says itself."""
    command = [sys.executable, "-m", "bench.publish", folder, what]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _publish_once(folder: str, what: str) -> None:
    services = _services(folder)
    if what == "issue":
        take_in(services, date(2026, 11, 20))
    publish.run(services)
    status = Path("/proc/self/status").read_text()  # not getrusage, which counts what its parent was, too
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    print(int(found[1]) / 1024 if found else 0.0)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _publish_once(*sys.argv[1:])
    else:
        main(*map(int, sys.argv[1:]))
