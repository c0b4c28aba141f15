"""The web server killed at any moment while a bot polls it: each message arrives once, in the paper's order."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import requests

from syndicate.services import open_services
from syndicate.settings import load
from tests.samples import NOW, ingest, issue

KILLS = 6
FIRST = date(2026, 11, 16)
PATIENCE = 180.0  # seconds, on a machine that does much else


@dataclass
class Bot:
    """Asks, posts, keeps the cursor; waits a moment when nobody answers."""

    address: str
    cursor: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    unanswered: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until it is stopped."""
        while not self.stopped.is_set():
            try:
                self.ask()
            except requests.RequestException:
                self.unanswered += 1
            time.sleep(0.05)

    def ask(self) -> None:
        """Once; half of an answer is none."""
        got = requests.get(
            self.address, params={"after": self.cursor or "now", "limit": "2", "wait": "2"}, timeout=20
        )
        if got.status_code == 200:
            answer = got.json()
            self.told += answer["messages"]
            self.cursor = answer["cursor"]


def test_a_bot_misses_nothing_when_its_server_is_killed(tmp_path: Path) -> None:
    chance = random.Random(2026)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        "PATH": os.environ["PATH"],  # noqa: TID251  # a child process of the test
        "SYNDICATE_DATA": str(tmp_path),
        "SYNDICATE_PORT": str(port),
    }
    services = open_services(load(env))
    bot = Bot(f"http://127.0.0.1:{port}/qinglan/relay/all.json")
    server = _start(env)
    _until(lambda: _answered(bot))
    asking = threading.Thread(target=bot.run)
    asking.start()
    try:
        for n in range(KILLS):
            ingest(services.db, issue(day=FIRST + timedelta(days=n), number=None), now=NOW)
            time.sleep(chance.uniform(0, 1))
            _kill(server)
            server = _start(env)
            time.sleep(chance.uniform(0, 3))
        _until(lambda: len(bot.told) >= 3 * KILLS)
    finally:
        bot.stopped.set()
        asking.join()
        _kill(server)
        services.db.dispose()

    days = [FIRST + timedelta(days=n) for n in range(KILLS)]
    assert bot.unanswered > 0
    assert [m["url"].split("/qinglan/")[1] for m in bot.told] == [
        f"{day}/{place}" for day in days for place in ("1/1", "1/2", "2/1")
    ]


def _answered(bot: Bot) -> bool:
    try:
        bot.ask()
    except requests.RequestException:
        return False
    return bool(bot.cursor)


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < end:
        time.sleep(0.1)
    assert done()


def _start(env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "syndicate", "web"],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _kill(server: subprocess.Popen[bytes]) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
