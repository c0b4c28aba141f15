"""Which digests are due, and who gets them; each is decided on once, whoever asks and however often.

an issue is stored           → its digest, a little later (pages come one by one)
a week ended on some weekday → for those who want it on that day
something printed was wrong  → for those who want to hear of that only

Who gets one is written down after that, lot by lot.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from syndicate import store
from syndicate.model import Entry, Publication, Rhythm, StoredDigest
from syndicate.services import Services
from syndicate.store import digests, entries, plans
from syndicate.store.plans import Days, Opening

WEEK_LATE = timedelta(days=2)  # a weekly digest missed for longer (a new installation, say) is not sent
TOGETHER = timedelta(minutes=10)  # corrections of one sitting at the desk make one mail
LOOK_BACK = timedelta(days=1)  # for corrections, where no digest told of any before
LOT = 10_000  # deliveries written in one transaction


def run(services: Services) -> None:
    """Decide on what has become due, weeks that ended and corrections; then write down who gets what."""
    now = services.now()
    for paper in services.settings.publications:
        with store.reading(services.db) as db:  # mostly there is nothing to write
            due = _due(db, paper, now)
        if due:
            with store.writing(services.db) as db:
                plan_weeks(db, paper, now)
                plan_corrections(db, paper, now)
        while not services.stopping.is_set() and _write_lot(services, paper):
            pass


def plan_issue(db: Connection, paper: Publication, day: date, now: datetime, pause: timedelta) -> bool:
    """The digest of an issue, to go out after a pause. False: it was planned before."""
    # Decided on also when nobody wants it: who comes later has missed it.
    return digests.decide(db, paper.slug, Rhythm.ISSUE, day, day, now, opens=now + pause) is not None


def plan_weeks(db: Connection, paper: Publication, now: datetime) -> int:
    """The digests of the weeks that ended lately, one for each weekday that people chose; how many are new."""
    return sum(_plan_week(db, paper, ended, now) for ended in week_ends(paper, now))


def week_ends(paper: Publication, now: datetime) -> tuple[datetime, ...]:
    """The moments of late at which a week ended, oldest first: every day has one, at the hour of print."""
    zone = ZoneInfo(paper.zone)
    today = now.astimezone(zone).date()
    days = (today - timedelta(days=back) for back in range(WEEK_LATE.days, -1, -1))
    ends = (datetime.combine(day, paper.print_time, zone) for day in days)
    return tuple(end for end in ends if end <= now < end + WEEK_LATE)


def _plan_week(db: Connection, paper: Publication, ended: datetime, now: datetime) -> bool:
    last = ended.date()
    first = last - timedelta(days=6)
    return digests.decide(db, paper.slug, Rhythm.WEEKLY, first, last, now, opens=ended) is not None


def plan_corrections(db: Connection, paper: Publication, now: datetime) -> bool:
    """A mail on what was corrected since the last one, once nothing more has been for a while.

    It goes by the moment of the newest correction: planned anew from an older database it is the same mail.
    """
    found = _wrong(db, paper, now)
    if not found:
        return False
    days, newest = [entry.date for entry, _ in found], max(at for _, at in found)
    part = newest.astimezone(UTC).isoformat()
    return (
        digests.decide(db, paper.slug, Rhythm.CORRECTIONS, min(days), max(days), now, part=part) is not None
    )


def corrections_since(before: StoredDigest | None, planned: datetime) -> datetime:
    """From when on a digest of corrections tells of them: the newest that the one before told of."""
    return datetime.fromisoformat(before.part) if before and before.part else planned - LOOK_BACK


def opening(paper: Publication, digest: StoredDigest, chosen: Opening) -> datetime:
    """When mail may come to who chose that zone and hour: on the digest's own day, as it is there, at that hour.

    What is ready only later comes at once; so does an issue, where no hour is chosen.
    """
    zone, hour = chosen
    ready = digest.opens or digest.planned
    at = time(hour) if hour is not None else paper.print_time if digest.rhythm is Rhythm.WEEKLY else None
    if at is None:
        return ready
    local = ZoneInfo(zone or paper.zone)
    # A correction is of the day on which it is made: nobody waits for tomorrow's hour.
    day = ready.astimezone(local).date() if digest.rhythm is Rhythm.CORRECTIONS else digest.last
    return max(ready, datetime.combine(day, at, local))


def name(digest: StoredDigest) -> str:
    """The digest as a file or a log names it, e.g. qinglan.issue.2026-11-20."""
    part = f".{digest.part}" if digest.part else ""
    return f"{digest.publication}.{digest.rhythm}.{digest.last}{part}"


def _due(db: Connection, paper: Publication, now: datetime) -> bool:
    """Whether there is anything to decide on."""
    ended = (end.date() for end in week_ends(paper, now))
    new_week = any(not digests.known(db, paper.slug, Rhythm.WEEKLY, last) for last in ended)
    return new_week or bool(_wrong(db, paper, now))


def _wrong(db: Connection, paper: Publication, now: datetime) -> Sequence[tuple[Entry, datetime]]:
    """What was corrected in issues that were mailed and was not told yet; nothing while more may come."""
    last = digests.last_of(db, paper.slug, Rhythm.CORRECTIONS)
    found = entries.corrected(db, paper.slug, corrections_since(last, now), now)
    mailed = digests.mailed(db, paper.slug, {entry.date for entry, _ in found})
    known = [(entry, at) for entry, at in found if entry.date in mailed]
    return () if any(at > now - TOGETHER for _, at in known) else known


def _write_lot(services: Services, paper: Publication) -> bool:
    """Write down some of those who get what was decided on; False when all are."""
    with store.reading(services.db) as db:
        if digests.unwritten(db, paper.slug) is None:
            return False
    with store.writing(services.db) as db:
        digest = digests.unwritten(db, paper.slug)
        if digest is not None:
            write_lot(db, paper, digest, LOT)
    return digest is not None


def write_lot(db: Connection, paper: Publication, digest: StoredDigest, most: int) -> None:
    """Write down some more of those who get the digest, at most so many."""
    recipients = plans.lot(db, digest, most, days=_days(paper, digest))
    opened = {chosen: opening(paper, digest, chosen) for chosen in {one.opening for one in recipients}}
    reached = max(one.subscription for one in recipients) if len(recipients) == most else None
    plans.write(db, digest, paper.host, ((one, opened[one.opening]) for one in recipients), reached)


def _days(paper: Publication, digest: StoredDigest) -> Days:
    """Those who want a weekly digest on its day; all who want another one."""
    if digest.rhythm is not Rhythm.WEEKLY:
        return ()
    day = digest.last.weekday()
    return (day, None) if day == paper.weekly_day else (day,)
