"""Digests that were decided on, each once, and those that a person holds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from syndicate.model import DeliveryState, Rhythm, StoredDigest
from syndicate.store.tables import clicks, deliveries, digests, subscriptions


def decide(
    db: Connection,
    publication: str,
    rhythm: Rhythm,
    first: date,
    last: date,
    now: datetime,
    *,
    part: str = "",
) -> StoredDigest | None:
    """Decide on a digest; None when that was done before."""
    number = db.execute(
        _insert(db)
        .values(publication=publication, rhythm=rhythm.value, first=first, last=last, part=part, planned=now)
        .on_conflict_do_nothing(index_elements=["publication", "rhythm", "last", "part"])
        .returning(digests.c.id)
    ).scalar_one_or_none()
    return None if number is None else find(db, number)


def find(db: Connection, number: int) -> StoredDigest | None:
    """The digest of that number."""
    row = db.execute(select(digests).where(digests.c.id == number)).first()
    return None if row is None else _digest(row)


def of_issue(db: Connection, publication: str, day: date) -> StoredDigest | None:
    """The digest of an issue."""
    query = select(digests).where(
        digests.c.publication == publication,
        digests.c.rhythm == Rhythm.ISSUE.value,
        digests.c.last == day,
    )
    row = db.execute(query).first()
    return None if row is None else _digest(row)


def before(db: Connection, digest: StoredDigest) -> StoredDigest | None:
    """The last digest of that paper and rhythm planned before this one."""
    query = (
        select(digests)
        .where(
            digests.c.publication == digest.publication,
            digests.c.rhythm == digest.rhythm.value,
            digests.c.planned < digest.planned,
        )
        .order_by(digests.c.planned.desc(), digests.c.id.desc())
        .limit(1)
    )
    row = db.execute(query).first()
    return None if row is None else _digest(row)


def latest(db: Connection, limit: int) -> tuple[StoredDigest, ...]:
    """The digests planned last, newest first."""
    query = select(digests).order_by(digests.c.planned.desc(), digests.c.id.desc()).limit(limit)
    return tuple(_digest(row) for row in db.execute(query))


def hold(db: Connection, number: int, held: str | None) -> bool:
    """Pause, cancel, or (None) let go on. False: there is none, or it was cancelled before."""
    query = update(digests).where(digests.c.id == number, digests.c.held.is_distinct_from("cancelled"))
    return db.execute(query.values(held=held)).rowcount == 1


def held(db: Connection) -> dict[int, str]:
    """The digests that a person holds: paused or cancelled."""
    rows = db.execute(select(digests.c.id, digests.c.held).where(digests.c.held.is_not(None)))
    return {row.id: row.held for row in rows}


def count_click(db: Connection, number: int, entry: str) -> None:
    """Somebody opened an article from that digest: one more, without saying who."""
    mine = (clicks.c.digest == number, clicks.c.entry == entry)
    if not db.execute(update(clicks).where(*mine).values(count=clicks.c.count + 1)).rowcount:
        db.execute(insert(clicks).values(digest=number, entry=entry, count=1))


def clicked(db: Connection, number: int) -> tuple[tuple[str, int], ...]:
    """How often each article was opened from that digest, the most first: the entry's id and the number."""
    query = select(clicks.c.entry, clicks.c.count).where(clicks.c.digest == number)
    return tuple((entry, count) for entry, count in db.execute(query.order_by(clicks.c.count.desc())))


def left(db: Connection, number: int, until: datetime) -> int:
    """How many of those to whom a digest was sent unsubscribed after it, up to that moment."""
    query = (
        select(func.count())
        .select_from(deliveries)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription)
        .join(digests, digests.c.id == deliveries.c.digest)
        .where(
            deliveries.c.digest == number,
            deliveries.c.state == DeliveryState.SENT.value,
            subscriptions.c.ended >= digests.c.planned,
            subscriptions.c.ended <= until,
            func.coalesce(subscriptions.c.why, "left") == "left",
        )
    )
    return db.execute(query).scalar_one()


def last_planned(db: Connection, publication: str, rhythm: Rhythm) -> datetime | None:
    """When a digest of that rhythm was last planned."""
    query = select(func.max(digests.c.planned)).where(
        digests.c.publication == publication, digests.c.rhythm == rhythm.value
    )
    found: datetime | None = db.execute(query).scalar_one()
    return found


def _insert(db: Connection) -> Any:
    # Both write ON CONFLICT the same way, but SQLAlchemy has no common word for it.
    return sqlite.insert(digests) if db.dialect.name == "sqlite" else postgresql.insert(digests)


def _digest(row: Row[Any]) -> StoredDigest:
    return StoredDigest(**dict(row._mapping) | {"rhythm": Rhythm(row.rhythm)})
