"""Domains that refused mail for now: how long each is left alone, over restarts and from tick to tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from syndicate.store.tables import resting


@dataclass(frozen=True, slots=True)
class Rest:
    """How many seconds a domain is left alone, and until when; 0: it takes mail again from then on."""

    seconds: float
    until: datetime


def listed(db: Connection) -> dict[str, Rest]:
    """All domains that rest, or did when a letter was last tried."""
    return {row.domain: Rest(row.rest, row.until) for row in db.execute(select(resting))}


def note(db: Connection, rests: Mapping[str, Rest], now: datetime) -> None:
    """These have changed."""
    for domain, rest in rests.items():
        db.execute(delete(resting).where(resting.c.domain == domain))
        if rest.seconds or rest.until > now:
            db.execute(insert(resting).values(domain=domain, rest=rest.seconds, until=rest.until))


def forget(db: Connection, before: datetime) -> int:
    """Domains that nothing was sent to since are not remembered; how many."""
    return db.execute(delete(resting).where(resting.c.until < before)).rowcount
