"""Digests that were decided on, each once, and those that a person holds."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

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
    opens: datetime | None = None,
    part: str = "",
) -> StoredDigest | None:
    """Decide on a digest, ready now or at `opens`; None when that was done before. Who gets it: see plans.py."""
    if known(db, publication, rhythm, last, part):
        return None
    values = {"publication": publication, "rhythm": rhythm.value, "first": first, "last": last, "part": part}
    made = insert(digests).values(**values, planned=now, opens=opens or now, reached=0)
    return find(db, db.execute(made.returning(digests.c.id)).scalar_one())


def known(db: Connection, publication: str, rhythm: Rhythm, last: date, part: str = "") -> bool:
    """Whether that digest was decided on."""
    query = select(digests.c.id).where(
        digests.c.publication == publication,
        digests.c.rhythm == rhythm.value,
        digests.c.last == last,
        digests.c.part == part,
    )
    return db.execute(query).first() is not None


def unwritten(db: Connection, publication: str) -> StoredDigest | None:
    """The digest decided on first of those whose deliveries are not all written."""
    query = select(digests).where(digests.c.publication == publication, digests.c.reached.is_not(None))
    row = db.execute(query.order_by(digests.c.id).limit(1)).first()
    return None if row is None else _digest(row)


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


def mailed(db: Connection, publication: str, days: Collection[date]) -> frozenset[date]:
    """Those of the days whose issue has a digest."""
    query = select(digests.c.last).where(
        digests.c.publication == publication,
        digests.c.rhythm == Rhythm.ISSUE.value,
        digests.c.last.in_(days),
    )
    return frozenset(db.execute(query).scalars())


def before(db: Connection, digest: StoredDigest) -> StoredDigest | None:
    """The last digest of that paper and rhythm planned before this one; of weekly ones, that of a week earlier."""
    query = select(digests).where(
        digests.c.publication == digest.publication,
        digests.c.rhythm == digest.rhythm.value,
        digests.c.planned < digest.planned,
    )
    if digest.rhythm is Rhythm.WEEKLY:  # one is decided on for each day of the week
        query = query.where(digests.c.last == digest.last - timedelta(days=7))
    row = db.execute(query.order_by(digests.c.planned.desc(), digests.c.id.desc()).limit(1)).first()
    return None if row is None else _digest(row)


def last_of(db: Connection, publication: str, rhythm: Rhythm) -> StoredDigest | None:
    """The digest of that rhythm that was decided on last."""
    query = select(digests).where(digests.c.publication == publication, digests.c.rhythm == rhythm.value)
    row = db.execute(query.order_by(digests.c.id.desc()).limit(1)).first()
    return None if row is None else _digest(row)


def latest(db: Connection, limit: int) -> tuple[StoredDigest, ...]:
    """The digests planned last, newest first."""
    query = select(digests).order_by(digests.c.planned.desc(), digests.c.id.desc()).limit(limit)
    return tuple(_digest(row) for row in db.execute(query))


def hold(db: Connection, number: int, held: str | None, now: datetime, said: str | None = None) -> bool:
    """Pause, cancel, or (None) let go on. False: there is none, or it was cancelled before.

    `said`: by the mail server, where that made us pause it.
    """
    values: dict[str, Any] = {"held": held, "said": said}
    if held is None:
        values["resumed"] = now
    if held == "cancelled":
        values["reached"] = None  # nobody more is written down
    query = update(digests).where(digests.c.id == number, digests.c.held.is_distinct_from("cancelled"))
    return db.execute(query.values(**values)).rowcount == 1


def held(db: Connection) -> dict[int, str]:
    """The digests that a person holds: paused or cancelled."""
    rows = db.execute(select(digests.c.id, digests.c.held).where(digests.c.held.is_not(None)))
    return {row.id: row.held for row in rows}


def refused(db: Connection) -> tuple[StoredDigest, ...]:
    """The digests that are paused for what the mail server said."""
    query = select(digests).where(digests.c.held == "paused", digests.c.said.is_not(None))
    return tuple(_digest(row) for row in db.execute(query.order_by(digests.c.id)))


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


def _digest(row: Row[Any]) -> StoredDigest:
    return StoredDigest(**dict(row._mapping) | {"rhythm": Rhythm(row.rhythm)})
