"""A publisher killed at random moments, and somebody who polls all the while."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import feedparser

from syndicate.deliver.public import PublicFolder

POLLS = 1000
PUBLISHER = """
import sys
from pathlib import Path
from syndicate.deliver.public import PublicFolder
from syndicate.render import packing

public = PublicFolder(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    entries = "".join(f"<entry><id>{number}-{n}</id><title>{number}</title></entry>" for n in range(100))
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'><id>x</id><title>{number}</title>{entries}</feed>".encode()
    with public.edition("paper") as edition:
        for name in ("all", "other"):
            edition.put(f"feeds/{name}.atom", [body], packing.gzipped([body], [packing.packed(body)]))
    public.squeeze("paper")
"""


def test_a_reader_sees_the_old_feed_or_the_new_one_and_never_a_part(tmp_path: Path) -> None:
    chance = random.Random(5)  # moments, not secrets
    public = PublicFolder(tmp_path)
    publisher = _start(tmp_path, 0)
    _await_first(public)
    kills, seen = 0, set()
    try:
        for poll in range(POLLS):
            if chance.random() < 0.03:
                time.sleep(chance.random() * 0.05)
                publisher.send_signal(signal.SIGKILL)
                publisher.wait()
                kills += 1
                publisher = _start(tmp_path, poll * 100_000)
            public._read.clear()
            for ending in ("", ".gz"):
                file = public.find("paper", f"feeds/all.atom{ending}")
                assert file is not None
                if not ending:
                    seen.add(_whole(file.body))
    finally:
        publisher.kill()
        publisher.wait()
    assert kills > 10
    assert len(seen) > 10


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
