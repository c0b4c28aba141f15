"""What nobody needs any more is forgotten: sign-ups that were never confirmed, deliveries of old digests."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from syndicate import store
from syndicate.jobs.alone import alone
from syndicate.services import Services
from syndicate.store import resting, subscriptions, tallies

PAUSE = timedelta(days=1)  # between two runs
UNCONFIRMED = timedelta(days=7)  # after the last mail that asked
OLD = timedelta(days=365)  # of a digest, whose numbers stay
RESTED = timedelta(days=1)  # since a domain was last left alone
LOT = 5_000  # deliveries in one transaction: others write between two


def run(services: Services) -> None:
    """Once a day."""
    done = services.settings.data / "prune.lock"
    if not _due(services, done):
        return
    with alone(done) as mine:
        if mine:
            now = services.now().timestamp()
            os.utime(done, (now, now))
            prune(services)


def prune(services: Services) -> None:
    """Forget all that is old enough; cut short, the rest is forgotten the next day."""
    now = services.now()
    with store.writing(services.db) as db:
        subscriptions.forget_unconfirmed(db, now - UNCONFIRMED)
        resting.forget(db, now - RESTED)
    while not services.stopping.is_set():
        with store.writing(services.db) as db:
            digest = tallies.oldest(db, now - OLD)
            if digest is None:
                return
            tallies.close(db, digest, LOT)


def _due(services: Services, done: Path) -> bool:
    with suppress(OSError):
        return abs(services.now().timestamp() - done.stat().st_mtime) >= PAUSE.total_seconds()
    return True
