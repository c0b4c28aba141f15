"""Publishing one issue, against a plain publisher: feedgen for RSS and Atom, json, and the same compression.

The paper is invented: 80 articles an issue that touch 60 feeds of 50 entries. The plain way: each feed by itself, its
entries read from the store and told as HTML, one FeedGenerator a format, filled with add_entry, written with atom_str
or rss_str, a list through json.dumps, each as a file, and that packed by zlib as a file. Ours is also on the disk for certain
(fsync). A second, kinder figure leaves the plain publisher's reading and telling out: its items are ready in memory; a third
gives it our library for packing, ten times as fast as zlib.
Then the same issue with a month and with ten years in the store. All take turns, issue by issue: ratios are the middle ones.

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
from collections.abc import Callable, Iterator, Sequence
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

ROUNDS = 7
_TOUCHED = 300  # megabytes; a publisher writes 60


def main(years: int = 10) -> None:
    with _folder() as folder, _folder() as old:
        month, decade = _with_a_month(folder), _with_years(old, years)
        before = _peak(old, "nothing")
        rounds = [_round(month, decade, date(2026, 11, 2) + timedelta(days=n)) for n in range(ROUNDS)]
        _told(rounds)
        seen, whole = (statistics.median(ratio) for ratio in zip(*map(_growth, rounds), strict=True))
        print(
            f"with {years} years in the store of that with a month: until seen × {seen:.2f}, until done × {whole:.2f}"
        )
        print(
            f"peak memory of publishing an issue: {_peak(folder, 'issue'):.0f} MB; with {years} years in the store "
            f"{_peak(old, 'issue'):.0f} MB, of publishing nothing {before:.0f} MB"
        )


@dataclass(frozen=True)
class Ours:
    """The seconds until readers see an issue, and until all is done."""

    seen: float
    done: float


@dataclass(frozen=True)
class Plain:
    """How many feeds, and the seconds that a plain publisher takes for each step."""

    feeds: int
    read: float  # from the store to items
    built: float  # to files
    packed: float  # to gzip files
    isal: float  # to gzip files by the library that packs ours
    more: float  # to br and zstd


@dataclass(frozen=True)
class Round:
    """The same issue, published by each after the other."""

    ours: Ours
    plain: Plain
    decade: Ours


def _round(month: Services, decade: Services, day: date) -> Round:
    return Round(_ours(month, day), _plain(month), _ours(decade, day))


def _growth(one: Round) -> tuple[float, float]:
    return one.decade.seen / one.ours.seen, one.decade.done / one.ours.done


def _told(rounds: Sequence[Round]) -> None:
    feeds = rounds[0].plain.feeds
    _say(
        f"publish {ARTICLES} articles in {feeds} feeds × 3 formats, until seen, with gzip",
        [one.ours.seen for one in rounds],
    )
    ways: dict[str, Callable[[Plain], float]] = {
        "feedgen plainly, the same feeds from the store, with gzip": lambda p: p.read + p.built + p.packed,
        "feedgen plainly, its items ready in memory, with gzip": lambda p: p.built + p.packed,
        "feedgen plainly from the store, packed with ISA-L as ours": lambda p: p.read + p.built + p.isal,
    }
    for what, way in ways.items():
        _say(what, [way(one.plain) for one in rounds], [one.ours.seen for one in rounds])
    _say("ours until all is done: br, zstd, fsync, ledger", [one.ours.done for one in rounds])
    _say(
        "feedgen plainly from the store, with gzip, br, zstd",
        [one.plain.read + one.plain.built + one.plain.packed + one.plain.more for one in rounds],
        [one.ours.done for one in rounds],
    )


def _say(what: str, seconds: Sequence[float], ours: Sequence[float] = ()) -> None:
    ratios = [theirs / mine for theirs, mine in zip(seconds, ours, strict=True)] if ours else []
    ratio = f"   plain / ours {statistics.median(ratios):5.1f}" if ratios else ""
    print(f"{what:72} {statistics.median(seconds) * 1000:7.0f} ms{ratio}", flush=True)


def _with_a_month(folder: str) -> Services:
    services = _services(folder)
    fill(services, date(2026, 10, 1), 22)
    publish.run(services)
    return services


def _with_years(folder: str, years: int) -> Services:
    services = _services(folder)
    fill(services, date(2016, 1, 4), 1)
    publish.run(services)  # or all months would be archived anew: the configuration is another one
    # Publishing never asks the search, and filling it takes most of the time.
    with patch.object(search, "index", lambda *_: None):
        fill(services, date(2026, 10, 30) - timedelta(days=365 * years), years * 250)
    with store.writing(services.db) as db:  # as if each month had been archived when it was over
        db.execute(update(feed_months).values(archived=feed_months.c.changed))
    publish.run(services)
    return services


def _keep(folder: Path, day: date) -> None:
    """Link to what is published, so that none of it is deleted before this folder is."""
    shutil.copytree(folder / "public", folder / "kept" / f"{day}", copy_function=os.link)


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


def _ours(services: Services, day: date) -> Ours:
    take_in(services, day)
    _keep(services.settings.data, day)
    _touch_memory(services.settings.data)
    seen: list[float] = []
    appear = services.public._appear

    def appearing(slug: str, name: str, fresh: Path) -> None:
        appear(slug, name, fresh)
        seen.append(time.perf_counter())  # from now on readers see it

    with patch.object(services.public, "_appear", appearing):
        start = time.perf_counter()
        publish.run(services)
        return Ours(seen[0] - start, time.perf_counter() - start)


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
