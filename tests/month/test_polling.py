"""A publisher killed at random moments, and somebody who polls all the while."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import brotli
import feedparser
import zstandard

from syndicate.deliver.public import PublicFolder
from syndicate.model import Publication
from syndicate.settings import load
from syndicate.web.published import Published

POLLS = 1000
FEED = "/paper/feeds/all.atom"
UNPACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": zstandard.ZstdDecompressor().decompress,
}
PUBLISHER = """
import sys
from pathlib import Path
from syndicate.deliver.public import PublicFolder

public = PublicFolder(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    entries = "".join(f"<entry><id>{number}-{n}</id><title>{number}</title></entry>" for n in range(100))
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'><id>x</id><title>{number}</title>{entries}</feed>".encode()
    with public.edition("paper") as edition:
        for name in ("all", "other"):
            edition.put(f"feeds/{name}.atom", body)
    public.squeeze("paper")
"""


def test_a_reader_sees_the_old_feed_or_the_new_one_and_never_a_part(tmp_path: Path) -> None:
    chance = random.Random(5)  # moments, not secrets
    public = PublicFolder(tmp_path)
    site = _site(public)
    publisher = _start(tmp_path, 0)
    _await_first(public)
    kills, seen = 0, set()
    try:
        for poll in range(POLLS):
            time.sleep(0.002)  # a second of polls sees many editions
            if chance.random() < 0.05:
                time.sleep(chance.random() * 0.4)
                publisher.send_signal(signal.SIGKILL)
                publisher.wait()
                kills += 1
                publisher = _start(tmp_path, poll * 100_000)
            status, headers, body = _asked(site, chance.choice(("", "gzip", "br, gzip", "zstd")))
            assert status == "200 OK"
            told = UNPACKED[headers.get("Content-Encoding", "")](body)
            assert headers["ETag"].startswith(f'"{hashlib.sha256(told).hexdigest()[:32]}')
            seen.add(_whole(told))
    finally:
        publisher.kill()
        publisher.wait()
    assert kills > 10
    assert len(seen) > 10


def _asked(site: Published, accepted: str) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and bytes of the feed as a reader gets them."""
    answered: list[tuple[str, dict[str, str]]] = []

    def start(
        status: str, headers: list[tuple[str, str]], _fault: object = None
    ) -> Callable[[bytes], object]:
        answered.append((status, dict(headers)))
        return lambda _: None

    environ = {"PATH_INFO": FEED, "REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": accepted}
    body = b"".join(site(environ, start))
    return (*answered[0], body)


def _site(public: PublicFolder) -> Published:
    settings = replace(load({}), publications=(Publication("paper", "报"),))
    return Published(
        lambda _environ, _start: [], public, settings, lambda: datetime(2026, 11, 25, tzinfo=UTC)
    )


def _start(folder: Path, number: int) -> subprocess.Popen[bytes]:
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}  # noqa: TID251  # the child's own
    return subprocess.Popen([sys.executable, "-c", PUBLISHER, str(folder), str(number)], env=here)


def _await_first(public: PublicFolder) -> None:
    for _ in range(600):
        if public.find("paper", "feeds/all.atom"):
            return
        time.sleep(0.05)
    raise AssertionError("nothing was published")


def _whole(body: bytes) -> str:
    """The number of a feed that is all there."""
    if not body.endswith(b"</feed>"):
        raise AssertionError("a part of a feed")
    feed = feedparser.parse(body)
    titles = {feed.feed.title, *(entry.title for entry in feed.entries)}
    assert len(feed.entries) == 100
    assert len(titles) == 1
    return str(feed.feed.title)
