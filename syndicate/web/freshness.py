"""How long a feed stays fresh: until just after the next issue is expected."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from syndicate.model import Publication

FLOOR = 300
"""Seconds: how often a reader may ask while an issue is late, or about to come."""

CAP = 4 * 3600
"""Seconds: a correction is seen within four hours, wherever the feed was kept."""

STALE = 86_400
"""Seconds for which a cache may show what it has while it asks (RFC 5861 §3)."""

_AFTER = 60  # seconds after its hour by which an issue lies ready


def cache_control(paper: Publication, newest: date | None, now: datetime) -> str:
    """What Cache-Control says of a live feed; `newest`: the day of the newest issue in it."""
    return f"public, max-age={max_age(paper, newest, now)}, stale-while-revalidate={STALE}"


def max_age(paper: Publication, newest: date | None, now: datetime) -> int:
    """Seconds until the next issue is expected, at least FLOOR and at most CAP; FLOOR while one is late."""
    last, following = _around(paper, now)
    if last is not None and (newest is None or newest < last.date()):
        return FLOOR
    if following is None:
        return CAP
    return int(min(CAP, max(FLOOR, (following - now).total_seconds() + _AFTER)))


def _around(paper: Publication, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The print times before and after now; None for a paper that has no print days."""
    local = now.astimezone(ZoneInfo(paper.zone))
    days = [local.date() + timedelta(days=n) for n in range(-8, 9)]
    times = [
        datetime.combine(day, paper.print_time or time(6), ZoneInfo(paper.zone))
        for day in days
        if day.weekday() in paper.print_days
    ]
    before, after = [t for t in times if t <= now], [t for t in times if t > now]
    return (before[-1] if before else None), (after[0] if after else None)
