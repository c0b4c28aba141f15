"""The server as it is started: with room for who waits beside those who are answered."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from syndicate.jobs import publish
from syndicate.services import open_services
from syndicate.settings import load
from syndicate.web import front, server, waiting
from tests.samples import article
from tests.web.conftest import DAYS, print_issue

FEED = "/qinglan/relay/all.json"


@dataclass
class Site:
    """A served site, and all that it said when it was started."""

    url: str
    said: Path
    data: Path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        "PATH": os.environ["PATH"],  # noqa: TID251  # a child process of the test
        "SYNDICATE_DATA": str(tmp_path / "var"),
        "SYNDICATE_PORT": str(port),
        "SYNDICATE_TRUSTED_PROXIES": "1",
    }
    said = tmp_path / "said"
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "syndicate", "web"],
            env=env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _until_it_answers(f"http://127.0.0.1:{port}/health")
        yield Site(f"http://127.0.0.1:{port}", said, tmp_path / "var")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _until_it_answers(address: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            requests.get(address, timeout=5)
            return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError(address)


def test_readers_are_answered_while_every_seat_is_taken(site: Site) -> None:
    cursor = requests.get(f"{site.url}{FEED}?after=now", timeout=10).json()["cursor"]

    def wait(n: int) -> float:
        begun = time.monotonic()
        asked = {"after": cursor, "wait": "4"}
        requests.get(site.url + FEED, asked, headers={"X-Forwarded-For": f"198.51.100.{n}"}, timeout=30)
        return time.monotonic() - begun

    with ThreadPoolExecutor(waiting.SEATS) as bots:
        waited = [bots.submit(wait, n) for n in range(1, waiting.SEATS + 1)]
        time.sleep(1.5)
        begun = time.monotonic()
        answer = requests.get(f"{site.url}/qinglan/", timeout=10)
        took = time.monotonic() - begun

        assert answer.status_code == 200
        assert took < 2
        assert min(one.result() for one in waited) > 3

    assert site.said.read_text() == ""


def test_there_is_a_thread_for_every_seat() -> None:
    assert front.THREADS - waiting.SEATS >= 3
    assert server.WAITING >= front.THREADS


def test_a_feed_is_answered_from_memory_as_http_asks(site: Site) -> None:
    services = open_services(load({"SYNDICATE_DATA": str(site.data)}))
    print_issue(services, article(1), day=DAYS[0])
    publish.run(services)
    address = f"{site.url}/qinglan/feeds/all.atom"
    first = requests.get(address, timeout=10)
    known = {"If-None-Match": first.headers["ETag"]}

    whole = requests.get(address, timeout=10)
    head = requests.head(address, timeout=10)
    again = requests.get(address, headers=known, timeout=10)

    assert (whole.status_code, whole.content) == (200, first.content)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    assert requests.options(address, timeout=10).status_code == 204
    assert requests.post(address, timeout=10).status_code == 405
    assert site.said.read_text() == ""


def test_a_form_is_read_by_the_server(site: Site) -> None:
    form = {"address": "reader@example.org", "rhythm": "issue"}

    answer = requests.post(f"{site.url}/qinglan/subscribe", data=form, allow_redirects=False, timeout=10)
    asked = requests.post(
        f"{site.url}/qinglan/subscriptions.json", json={"address": "other@example.org"}, timeout=10
    )

    assert answer.status_code == 303
    assert (asked.status_code, asked.json()) == (202, {"status": "asked"})
