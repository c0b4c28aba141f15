"""What became of old digests, in numbers: the deliveries themselves are not kept for ever."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from syndicate.model import DeliveryState
from syndicate.store import digests as decided
from syndicate.store.tables import bounces, deliveries, digests, tallies

LEFT = "left"
WEEK = timedelta(days=7)


def oldest(db: Connection, before: datetime) -> int | None:
    """A digest planned before that whose deliveries are still kept."""
    kept = select(deliveries.c.id).where(deliveries.c.digest == digests.c.id).exists()
    query = select(digests.c.id).where(digests.c.planned < before, kept)
    return db.execute(query.order_by(digests.c.id).limit(1)).scalar()


def close(db: Connection, digest: int, most: int) -> None:
    """Count some deliveries of a digest, at most so many, and forget them."""
    if LEFT not in of_digest(db, digest):
        _add(db, digest, LEFT, _left(db, digest))
    query = select(deliveries.c.id, deliveries.c.state).where(deliveries.c.digest == digest).limit(most)
    rows = db.execute(query).all()
    for state, number in Counter(row.state for row in rows).items():
        _add(db, digest, state, number)
    some = select(deliveries.c.id).where(deliveries.c.digest == digest).limit(most).scalar_subquery()
    db.execute(update(bounces).where(bounces.c.delivery.in_(some)).values(delivery=None))
    db.execute(delete(deliveries).where(deliveries.c.id.in_(some)))


def of_digest(db: Connection, digest: int) -> dict[str, int]:
    """What was counted of a digest, by state; `left`: who unsubscribed within a week of it."""
    query = select(tallies.c.what, tallies.c.number).where(tallies.c.digest == digest)
    return {row.what: row.number for row in db.execute(query)}


def counts(db: Connection, digest: int) -> dict[DeliveryState, int]:
    """How many deliveries that are not kept any more there were in each state."""
    told = of_digest(db, digest)
    return {state: told.get(state.value, 0) for state in DeliveryState}


def _left(db: Connection, digest: int) -> int:
    found = decided.find(db, digest)
    return decided.left(db, digest, found.planned + WEEK) if found else 0


def _add(db: Connection, digest: int, what: str, number: int) -> None:
    mine = (tallies.c.digest == digest, tallies.c.what == what)
    if not db.execute(update(tallies).where(*mine).values(number=tallies.c.number + number)).rowcount:
        db.execute(insert(tallies).values(digest=digest, what=what, number=number))
