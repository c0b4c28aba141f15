"""The configuration in docs/nginx.conf, under Debian's nginx."""

from __future__ import annotations

import gzip
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from syndicate.jobs import publish
from syndicate.services import Services
from syndicate.web import create_app
from tests.conftest import optional
from tests.samples import article
from tests.web.conftest import DAYS, print_issue

CONFIGURATION = Path(__file__).parents[2] / "docs" / "nginx.conf"


@pytest.fixture
def nginx(printed: Services, tmp_path: Path) -> Iterator[str]:
    """The address of an nginx that serves the public folder of a paper; the application behind it is away."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if program is None:
        optional("nginx is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = CONFIGURATION.read_text("utf-8")
    print_issue(printed, article(5), day=DAYS[0].replace(month=10))  # there is an archive, too
    publish.run(printed)
    public = printed.settings.data / "public"
    for theirs, ours in (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("/var/lib/syndicate/public", str(public)),
        ("127.0.0.1:8000", "127.0.0.1:1"),
    ):
        assert theirs in server
        server = server.replace(theirs, ours)
    for folder in (*public.parents, tmp_path, *tmp_path.parents):
        if folder.owner() == Path.home().owner() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)  # nginx drops its rights
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/errors; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy;"
        f" fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n{server} }}\n",
        "utf-8",
    )
    process = subprocess.Popen([str(program), "-c", str(whole), "-e", str(tmp_path / "errors")])
    try:
        address = f"http://127.0.0.1:{port}"
        _await(address)
        yield address
    finally:
        process.terminate()
        process.wait()


def test_a_feed_is_served_as_it_lies_there_ready_packed(nginx: str, printed: Services) -> None:
    file = printed.public.find("qinglan", "feeds/all.atom")
    assert file is not None

    answer = requests.get(f"{nginx}/qinglan/feeds/all.atom", headers={"Accept-Encoding": "gzip"}, timeout=5)

    assert answer.status_code == 200
    assert answer.content == file.body
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert "max-age" in answer.headers["Cache-Control"]
    packed = printed.public.find("qinglan", "feeds/all.atom.gz")
    if len(file.body) >= 1000:
        assert packed is not None
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.body) == file.body


def test_a_poll_with_nothing_new_costs_no_body(nginx: str) -> None:
    first = requests.get(f"{nginx}/qinglan/feeds/all.rss", timeout=5)

    again = requests.get(
        f"{nginx}/qinglan/feeds/all.rss", headers={"If-None-Match": first.headers["ETag"]}, timeout=5
    )

    assert (again.status_code, again.content) == (304, b"")


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FEEDS = (
    "all.atom",
    "section-yaowen.rss",
    "all.json",
    "archive/all-2026-10.atom",
    f"byline-{quote('何晓楠')}.atom",
)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_is_answered_with_the_links_that_the_application_gives(
    nginx: str, printed: Services, feed: str
) -> None:
    path = f"/qinglan/feeds/{feed}"
    application = create_app(printed).test_client().get(path)

    answer = requests.get(nginx + path, timeout=5)

    assert (answer.status_code, application.status_code) == (200, 200)
    for name in ("Link", "Content-Type", "Access-Control-Allow-Origin", "X-Content-Type-Options"):
        assert answer.headers[name] == application.headers[name], name
    assert answer.content == application.data
    assert ("immutable" in answer.headers["Cache-Control"]) == ("archive" in feed)


def test_a_question_behind_a_feed_s_address_is_not_its_own(nginx: str) -> None:
    said = requests.get(f"{nginx}/qinglan/feeds/all.rss?from=me", timeout=5).headers["Link"]

    assert said.endswith('<https://paper.example/qinglan/feeds/all.rss>; rel="self"')


@pytest.mark.parametrize("feed", ["all.atom", "section-yaowen.rss", "archive/all-2026-10.atom"])
def test_a_browser_is_shown_a_feed_as_xml_and_a_reader_is_told_what_it_is(nginx: str, feed: str) -> None:
    address = f"{nginx}/qinglan/feeds/{feed}"
    packed = {"Accept-Encoding": "gzip"}

    reader = requests.get(address, headers={"Accept": "application/atom+xml, */*", **packed}, timeout=5)
    browser = requests.get(address, headers={"Accept": BROWSER, **packed}, timeout=5)

    assert reader.headers["Content-Type"] == f"application/{feed.rpartition('.')[2]}+xml; charset=utf-8"
    assert browser.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert browser.content == reader.content
    for name in ("Link", "Cache-Control", "ETag", "Content-Encoding"):
        assert browser.headers.get(name) == reader.headers.get(name), name
    assert {"accept", "accept-encoding"} >= set(browser.headers["Vary"].lower().split(", ")) >= {"accept"}


def test_a_style_sheet_is_no_feed(nginx: str) -> None:
    answer = requests.get(f"{nginx}/qinglan/feeds/feed.css", headers={"Accept": BROWSER}, timeout=5)

    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "Link" not in answer.headers


def test_a_feed_that_is_not_there_is_left_to_the_application(nginx: str) -> None:
    for accepted in (BROWSER, "*/*"):
        answer = requests.get(f"{nginx}/qinglan/feeds/nix.atom", headers={"Accept": accepted}, timeout=5)
        assert answer.status_code == 502


@pytest.mark.parametrize(
    "path",
    [
        "/.xml/qinglan/feeds/all.atom",
        "/.generations/",
        "/.kept/",
        "/qinglan/feeds/all.atom.gz",
        "/qinglan/feeds/.x",
        "/.qinglan.link",
    ],
)
def test_what_is_behind_the_files_has_no_address(nginx: str, path: str) -> None:
    assert requests.get(nginx + path, timeout=5).status_code == 404


def test_pages_are_left_to_the_application(nginx: str) -> None:
    assert requests.get(f"{nginx}/qinglan/", timeout=5).status_code == 502


def _await(address: str) -> None:
    for _ in range(100):
        try:
            requests.get(address, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx did not start")
