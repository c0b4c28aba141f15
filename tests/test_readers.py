"""Real programs read what we publish: newsboat, rss2email and feedparser list the same articles."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import feedparser
import pytest
from werkzeug.serving import make_server

from syndicate.jobs import ingest, publish
from syndicate.services import Services, open_services
from syndicate.settings import load
from syndicate.web import create_app
from tests.conftest import optional
from tests.jobs.conftest import sample


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    services = open_services(load({"SYNDICATE_DATA": str(tmp_path / "var")}))
    for day in (16, 17, 18):
        ingest.ingest(services, sample(day))
    publish.run(services)
    yield services
    services.db.dispose()


@pytest.fixture
def site(services: Services) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(services), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "feed", ["all.atom", "all.rss", "section-yaowen.rss", "section-wenti.atom", "issues.rss"]
)
def test_newsboat_lists_what_feedparser_lists(site: str, tmp_path: Path, feed: str) -> None:
    if not shutil.which("newsboat"):
        optional("newsboat is not installed (apt-get install newsboat)")
    address = f"{site}/qinglan/feeds/{feed}"
    (tmp_path / "urls").write_text(address + "\n")
    (tmp_path / "config").write_text("")
    words = ["-u", "urls", "-C", "config", "-c", "cache.db"]

    for _ in range(2):  # a second reload must find nothing new
        done = subprocess.run(
            ["newsboat", *words, "-x", "reload"],
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},  # noqa: TID251  # a child
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr

    with sqlite3.connect(tmp_path / "cache.db") as cache:
        found = cache.execute("SELECT guid, title, pubDate, length(content) FROM rss_item").fetchall()
    cache.close()
    told = feedparser.parse(address)
    assert not told.bozo
    assert {(guid, title) for guid, title, _, _ in found} == {(e.id, e.title) for e in told.entries}
    assert len(found) == len(told.entries) > 2
    assert len({date for _, _, date, _ in found}) == len(found)
    assert all(length > 0 for _, _, _, length in found)


MAILED = """[DEFAULT]
to = reader@example.org
from = feeds@example.org
email-protocol = maildir
maildir-path = {folder}
maildir-mailbox = mailed
html-mail = True
date-header = True
verbose = warning
[feed.paper]
url = {address}
"""


@pytest.mark.parametrize("feed", ["all.rss", "section-yaowen.atom"])
def test_rss2email_mails_each_article_once(site: str, tmp_path: Path, feed: str) -> None:
    if not shutil.which("r2e"):
        optional("rss2email is not installed (apt-get install rss2email)")
    address = f"{site}/qinglan/feeds/{feed}"
    (tmp_path / "config").write_text(MAILED.format(folder=tmp_path, address=address))

    for _ in range(2):  # a second run must find nothing new
        done = subprocess.run(
            ["r2e", "-c", "config", "-d", "seen.json", "run"],
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},  # noqa: TID251  # a child
            capture_output=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, b"")

    mails = [
        message_from_bytes(file.read_bytes(), EmailMessage, policy=policy.default)
        for file in (tmp_path / "mailed" / "new").iterdir()
    ]
    told = {entry.id: entry for entry in feedparser.parse(address).entries}
    assert len(mails) == len(told) > 2
    for mail in mails:
        entry = told.pop(mail["X-RSS-ID"])
        assert "".join(mail["Subject"].split()) == "".join(entry.title.split())
        assert mail["X-RSS-URL"] == entry.link
        assert mail["Date"].datetime.timetuple()[:6] == entry.published_parsed[:6]
        assert entry.title in mail.get_content()


def test_a_reader_that_comes_again_is_told_nothing_changed(site: str) -> None:
    first = feedparser.parse(f"{site}/qinglan/feeds/all.atom")

    by_tag = feedparser.parse(f"{site}/qinglan/feeds/all.atom", etag=first.etag)
    by_time = feedparser.parse(f"{site}/qinglan/feeds/all.atom", modified=first.modified)

    assert (first.status, by_tag.status, by_time.status) == (200, 304, 304)
