"""Processes that push and are killed: python -m tests.wechat.nursery <start> <kills> <seed>.

Everything is imported once; each worker is a fork, so a kill costs no second. Time goes sixty times as
fast as it does: a minute's messages, and a crash's lease, take a second.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from syndicate import store
from syndicate.jobs import push_relays
from syndicate.services import Services, open_services
from syndicate.settings import load
from syndicate.store import pushes

BASE = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)  # noon in the paper's town
SPEED = 60


def fast(start: float) -> float:
    """Seconds since 1970 on the fast clock that was BASE at `start`."""
    return BASE.timestamp() + (time.time() - start) * SPEED


def services_at(start: float) -> Services:
    """The services of the environment's settings, with the fast clock."""
    return replace(open_services(load()), now=lambda: datetime.fromtimestamp(fast(start), UTC))


def work(start: float) -> None:
    """Push, again and again, until killed."""
    services = services_at(start)
    http = push_relays.client(services.settings)
    while True:
        push_relays.work(services, http)
        time.sleep(0.02)


def raise_and_kill(start: float, kills: int, seed: int) -> None:
    """So many workers, one after the other, each killed at some moment."""
    chance = random.Random(seed)
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            try:
                work(start)
            finally:
                os._exit(1)
        time.sleep(chance.uniform(0.02, 0.7))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def settle(start: float) -> None:
    """Push in peace until nothing waits, and until what the killed left is known for what it is."""
    services = services_at(start)
    http = push_relays.client(services.settings)
    quiet = 0
    while quiet < 2:
        push_relays.work(services, http)
        time.sleep(push_relays.LEASE / timedelta(seconds=SPEED))
        with store.reading(services.db) as db:
            left = sum(
                pushes.waiting(db, paper.slug, name)
                for paper in services.settings.publications
                for name in (*(r.name for r in paper.robots), "official-account")
            )
        quiet = 0 if left else quiet + 1
    services.db.dispose()


if __name__ == "__main__":
    raise_and_kill(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
