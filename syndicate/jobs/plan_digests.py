"""Which digests are due, and who gets them; each is decided on once, whoever asks and however often.

an issue is stored           → its digest, a little later (pages come one by one)
a week ended on some weekday → for those who want it on that day
something printed was wrong  → for those who want to hear of that only
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from syndicate import store
from syndicate.model import Publication, Rhythm, StoredDigest
from syndicate.services import Services
from syndicate.store import deliveries, digests, entries
from syndicate.store.deliveries import Days, Opening

WEEK_LATE = timedelta(days=2)  # a weekly digest missed for longer (a new installation, say) is not sent
TOGETHER = timedelta(minutes=10)  # corrections of one sitting at the desk make one mail


def run(services: Services) -> None:
    """Plan what has become due: weeks that ended, corrections."""
    now = services.now()
    for paper in services.settings.publications:
        with store.writing(services.db) as db:
            plan_weeks(db, paper, now)
            plan_corrections(db, paper, now)


def plan_issue(db: Connection, paper: Publication, day: date, now: datetime, pause: timedelta) -> bool:
    """The digest of an issue, to go out after a pause. False: it was planned before."""
    return _plan(db, paper, Rhythm.ISSUE, day, day, now, opens=now + pause)


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
    days: Days = (last.weekday(), None) if last.weekday() == paper.weekly_day else (last.weekday(),)
    return _plan(db, paper, Rhythm.WEEKLY, last - timedelta(days=6), last, now, opens=ended, days=days)


def plan_corrections(db: Connection, paper: Publication, now: datetime) -> bool:
    """A mail on what was corrected since the last one, once nothing more has been for a while."""
    since = digests.last_planned(db, paper.slug, Rhythm.CORRECTIONS)
    found = entries.corrected(db, paper.slug, since or now - timedelta(days=1), now)
    known = [entry for entry, _ in found if digests.of_issue(db, paper.slug, entry.date)]
    if not known or max(at for _, at in found) > now - TOGETHER:
        return False
    days = [entry.date for entry in known]
    return _plan(
        db,
        paper,
        Rhythm.CORRECTIONS,
        min(days),
        max(days),
        now,
        opens=now,
        part=now.isoformat("T", "seconds"),
    )


def opening(paper: Publication, chosen: Opening, moment: datetime) -> datetime:
    """When mail may come to who chose that zone and hour, for a digest that is ready at that moment."""
    zone, hour = chosen
    if hour is None:
        return moment
    local = ZoneInfo(zone or paper.zone)
    return max(moment, datetime.combine(moment.astimezone(local).date(), time(hour), local))


def _plan(
    db: Connection,
    paper: Publication,
    rhythm: Rhythm,
    first: date,
    last: date,
    now: datetime,
    *,
    opens: datetime,
    days: Days = (),
    part: str = "",
) -> bool:
    # Decided on also when nobody wants it: who comes later has missed it.
    digest = digests.decide(db, paper.slug, rhythm, first, last, now, part=part)
    if digest is None:
        return False
    chosen = deliveries.openings(db, paper.slug, rhythm, now, days=days)
    opened = {one: opening(paper, one, opens) for one in chosen}
    deliveries.plan(db, digest, paper.host, opened, days=days)
    return True


def name(digest: StoredDigest) -> str:
    """The digest as a file or a log names it, e.g. qinglan.issue.2026-11-20."""
    part = f".{digest.part}" if digest.part else ""
    return f"{digest.publication}.{digest.rhythm}.{digest.last}{part}"
