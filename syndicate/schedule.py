"""Which job runs when; the only module that knows APScheduler.

It only ticks: what is due stands in the inbox and in the database, so a tick may be missed, doubled
or killed. It has a process of its own (`clock:` in the Procfile), never a web worker's.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from types import FrameType

from apscheduler.schedulers.background import BackgroundScheduler

from syndicate.errors import SyndicateError
from syndicate.jobs import (
    ingest,
    mail_confirmations,
    mail_digests,
    prune,
    publish,
    push_relays,
    record_bounces,
    websub,
)
from syndicate.services import Services

log = logging.getLogger(__name__)

Job = Callable[[Services], None]


def _take_in_and_publish(services: Services) -> None:
    try:
        ingest.run(services)
    finally:  # what is stored wants to be seen, whatever lies in the inbox
        publish.run(services)


JOBS: tuple[tuple[str, Job], ...] = (
    ("ingest", _take_in_and_publish),
    ("confirmations", mail_confirmations.run),
    ("digests", mail_digests.run),
    ("bounces", record_bounces.run),
    ("websub", websub.run),
    ("pushes", push_relays.run),
    ("prune", prune.run),
)
"""Every job, each run once a tick (`tick_seconds`)."""


def run(services: Services) -> None:
    """Tick until SIGTERM or SIGINT; the job under way is finished first."""
    scheduler = BackgroundScheduler(timezone="UTC")
    for name, job in JOBS:
        scheduler.add_job(
            _guarded,
            "interval",
            (name, job, services),
            seconds=services.settings.tick_seconds,
            next_run_time=services.now(),
            id=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,  # late is better than never: what is due is read from the database
        )

    def stop(_number: int, _frame: FrameType | None) -> None:
        services.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    scheduler.start()
    services.stopping.wait()
    scheduler.shutdown(wait=True)  # here: an interpreter that is ending starts no threads for a job any more
    log.info("the clock has stopped")


def tick(services: Services) -> None:
    """Every job once, in order: what the scheduler does, without waiting."""
    for name, job in JOBS:
        _guarded(name, job, services)


def _guarded(name: str, job: Job, services: Services) -> None:
    try:
        job(services)
    except SyndicateError as e:
        log.error("%s: %s", name, e)  # the line says all a person can mend
    except Exception:
        log.exception("%s: a fault in the program", name)
