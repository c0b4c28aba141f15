"""What came back: recorded once, and what it does to deliveries, subscriptions and addresses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select, update

from syndicate import returns
from syndicate.model import Bounce, BounceKind, DeliveryState, Report, SubscriptionState
from syndicate.store import deliveries, suppressions
from syndicate.store.tables import bounces, subscriptions
from syndicate.store.tables import deliveries as ledger


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a report is about: by its delivery, or as the confirmation that never reached them."""

    subscription: int
    mailbox: str
    delivery: int | None = None
    moved: bool = False  # the subscription has another address since: nothing follows for that


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a report changed."""

    kind: BounceKind
    subscription: int
    new: bool  # False: it was known already, and nothing changed
    ended: bool = False


def of_delivery(db: Connection, number: int) -> Subject | None:
    """Whom a delivery went to."""
    return _subject(db, ledger.c.id == number)


def of_letters(db: Connection, message_ids: tuple[str, ...]) -> Subject | None:
    """Whom a letter with one of these Message-IDs went to; they cannot be guessed."""
    return _subject(db, ledger.c.message_id.in_(message_ids)) if message_ids else None


def of_confirmation(db: Connection, subscription: int) -> Subject | None:
    """Whom a confirmation mail went to."""
    row = db.execute(select(subscriptions.c.mailbox).where(subscriptions.c.id == subscription)).first()
    return None if row is None else Subject(subscription, row.mailbox)


def record(db: Connection, subject: Subject, kind: BounceKind, report: Report, now: datetime) -> Recorded:
    """Write down what came back, once, and do what follows from it."""
    if db.execute(select(bounces.c.id).where(bounces.c.report == report.key)).first():
        return Recorded(kind, subject.subscription, new=False)
    db.execute(
        insert(bounces).values(
            report=report.key,
            delivery=subject.delivery,
            subscription=subject.subscription,
            kind=kind.value,
            status=report.status,
            said=report.said,
            at=now,
        )
    )
    if subject.delivery is not None and kind is not BounceKind.COMPLAINT:
        deliveries.came_back(db, subject.delivery, report.said or report.status or "it came back", now)
    return Recorded(kind, subject.subscription, new=True, ended=_follow(db, subject, report, kind, now))


def record_refusal(
    db: Connection, delivery: int, code: int | None, status: str | None, said: str, now: datetime
) -> Recorded | None:
    """Write down that a server refused a letter for good while it was sent (RFC 5321: 5xx).

    None: there is no such delivery.
    """
    subject = of_delivery(db, delivery)
    if subject is None:
        return None
    judged = returns.judged(said, status=status, code=code)
    key = hashlib.sha256(f"refused {delivery}".encode()).hexdigest()
    return record(db, subject, judged.kind, Report(key, judged.kind, status=judged.status, said=said), now)


def history(db: Connection, subscription: int) -> tuple[Bounce, ...]:
    """All that came back from a subscription, oldest first."""
    rows = db.execute(select(bounces).where(bounces.c.subscription == subscription).order_by(bounces.c.id))
    return tuple(
        Bounce(row.delivery, row.subscription, BounceKind(row.kind), row.status, row.said, row.at)
        for row in rows
    )


def _follow(db: Connection, subject: Subject, report: Report, kind: BounceKind, now: datetime) -> bool:
    """End what is to end. A complaint and a hard bounce are about the address, so about all its papers."""
    if subject.moved:
        return False
    known = _since_they_agreed(db, subject.subscription)
    if not returns.ends(kind, known, _arrived(db, subject.subscription, known), now):
        return False
    reason = suppressions.COMPLAINED if kind is BounceKind.COMPLAINT else suppressions.BOUNCED
    said = " ".join(filter(None, (report.status, report.said)))
    suppressions.add(db, subject.mailbox, reason, said, now)
    ended = db.execute(
        update(subscriptions)
        .where(
            or_(subscriptions.c.mailbox == subject.mailbox, subscriptions.c.id == subject.subscription),
            subscriptions.c.state != SubscriptionState.ENDED.value,
        )
        .values(state=SubscriptionState.ENDED.value, ended=now, why=reason, ask_after=None)
    )
    return ended.rowcount > 0


def _since_they_agreed(db: Connection, subscription: int) -> tuple[Bounce, ...]:
    """What came back since they last confirmed: what was before has been paid for."""
    query = select(subscriptions.c.confirmed).where(subscriptions.c.id == subscription)
    agreed = db.execute(query).scalar()
    return tuple(one for one in history(db, subscription) if agreed is None or one.at >= agreed)


def _arrived(db: Connection, subscription: int, known: tuple[Bounce, ...]) -> int:
    """The newest delivery, before the newest that came back, which did not come back; 0 for none.

    Later ones prove nothing: what is under way may come back for days yet.
    """
    newest = max((b.delivery for b in known if b.delivery), default=0)
    query = select(func.max(ledger.c.id)).where(
        ledger.c.subscription == subscription,
        ledger.c.state == DeliveryState.SENT.value,
        ledger.c.id < newest,
    )
    return db.execute(query).scalar_one() or 0


def _subject(db: Connection, which: object) -> Subject | None:
    query = select(ledger.c.id, ledger.c.subscription, ledger.c.domain, subscriptions.c.mailbox).join(
        subscriptions, subscriptions.c.id == ledger.c.subscription
    )
    row = db.execute(query.where(which)).first()  # type: ignore[arg-type]  # a comparison of columns
    if row is None:
        return None
    moved = row.mailbox.rpartition("@")[2] != row.domain
    return Subject(row.subscription, row.mailbox, row.id, moved)
