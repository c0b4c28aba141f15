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

from syndicate.web import server, waiting

FEED = "/qinglan/relay/all.json"


@dataclass
class Site:
    """A served site, and all that it said when it was started."""

    url: str
    said: Path


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
        yield Site(f"http://127.0.0.1:{port}", said)
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
    assert server.THREADS - waiting.SEATS >= 3
    assert server.WAITING >= server.THREADS
