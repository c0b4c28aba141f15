"""Subscriptions: who asked for mail, who confirmed it, who left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from syndicate.model import Publication, Rhythm, Subscription, SubscriptionState
from syndicate.store.tables import subscriptions

QUIET = timedelta(minutes=10)  # between two confirmation mails to one address: nobody is bombed through us
TRIES = 8  # of one confirmation mail; with the waits between, some four hours

_CONFIRMED, _ENDED, _PENDING = (
    SubscriptionState.CONFIRMED.value,
    SubscriptionState.ENDED.value,
    SubscriptionState.PENDING.value,
)
_FIELDS = [
    column for column in subscriptions.c if column.name not in ("mailbox", "ask_after", "asked", "asks")
]


def ask(
    db: Connection,
    publication: Publication,
    address: str,
    sections: Sequence[str],
    rhythm: Rhythm,
    language: str,
    now: datetime,
) -> Subscription:
    """Note a wish; a confirmation mail is due, unless one went out within the last ten minutes.

    A confirmed subscription stays as it is: whoever asks has not shown that the address is theirs.
    """
    wishes: dict[str, Any] = {
        "address": address,
        "sections": tuple(sections),
        "rhythm": rhythm.value,
        "language": language,
        "state": _PENDING,
    }
    mailbox = address.lower()
    known = db.execute(
        select(subscriptions).where(
            subscriptions.c.publication == publication.slug, subscriptions.c.mailbox == mailbox
        )
    ).first()
    if known is None:
        made = db.execute(
            insert(subscriptions)
            .values(
                publication=publication.slug,
                mailbox=mailbox,
                created=now,
                ask_after=now,
                asks=0,
                bylines=(),
                series=(),
                words=(),
                source="site",
                **wishes,
            )
            .returning(*_FIELDS)
        )
        return _subscription(made.one())
    if known.state == _CONFIRMED:
        wishes = {
            "mailbox": mailbox
        }  # written all the same: the time it takes tells nobody who is subscribed
    elif known.asked is None or now - known.asked >= QUIET:
        wishes |= {"ask_after": now, "asks": 0}
    db.execute(update(subscriptions).where(subscriptions.c.id == known.id).values(**wishes))
    return _existing(db, known.id)


def find(db: Connection, subscription: int) -> Subscription | None:
    """The subscription of that number."""
    row = db.execute(select(*_FIELDS).where(subscriptions.c.id == subscription)).first()
    return None if row is None else _subscription(row)


def confirm(db: Connection, subscription: int, now: datetime) -> Subscription | None:
    """Their mailbox agreed: pending becomes confirmed. None when it has ended or never was."""
    db.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription, subscriptions.c.state == _PENDING)
        .values(state=_CONFIRMED, confirmed=now, ended=None, ask_after=None)
    )
    found = find(db, subscription)
    return found if found and found.state is SubscriptionState.CONFIRMED else None


def end(db: Connection, subscription: int, now: datetime) -> bool:
    """They left. False when they had left before, or never were."""
    done = db.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription, subscriptions.c.state != _ENDED)
        .values(state=_ENDED, ended=now, ask_after=None)
    )
    return done.rowcount == 1


def counts(db: Connection, publication: str) -> dict[SubscriptionState, int]:
    """How many there are in each state."""
    rows = db.execute(
        select(subscriptions.c.state, func.count().label("number"))
        .where(subscriptions.c.publication == publication)
        .group_by(subscriptions.c.state)
    )
    found = {row.state: row.number for row in rows}
    return {state: found.get(state.value, 0) for state in SubscriptionState}


def unasked(db: Connection, now: datetime, limit: int) -> tuple[int, ...]:
    """Whose confirmation mail is due, the longest waiting first."""
    rows = db.execute(
        select(subscriptions.c.id)
        .where(subscriptions.c.state == _PENDING, subscriptions.c.ask_after <= now)
        .order_by(subscriptions.c.ask_after, subscriptions.c.id)
        .limit(limit)
    )
    return tuple(rows.scalars())


def claim_asking(db: Connection, subscription: int, now: datetime) -> Subscription | None:
    """Take the confirmation mail upon oneself; None when it is not due, or another was faster."""
    claimed = db.execute(
        update(subscriptions)
        .where(
            subscriptions.c.id == subscription,
            subscriptions.c.state == _PENDING,
            subscriptions.c.ask_after <= now,
        )
        .values(asked=now, ask_after=None, asks=subscriptions.c.asks + 1)
    )
    return _existing(db, subscription) if claimed.rowcount == 1 else None


def unclaim_asking(db: Connection, subscription: int) -> None:
    """The mail was not accepted: due again after 1, 2, 4 … minutes, and given up after eight tries."""
    row = db.execute(
        select(subscriptions.c.asked, subscriptions.c.asks).where(
            subscriptions.c.id == subscription,
            subscriptions.c.state == _PENDING,
            subscriptions.c.ask_after.is_(None),
        )
    ).first()
    if row is not None and row.asked is not None and row.asks < TRIES:
        again = row.asked + timedelta(minutes=2 ** (row.asks - 1))
        db.execute(update(subscriptions).where(subscriptions.c.id == subscription).values(ask_after=again))


def _existing(db: Connection, subscription: int) -> Subscription:
    return _subscription(db.execute(select(*_FIELDS).where(subscriptions.c.id == subscription)).one())


def _subscription(row: Row[Any]) -> Subscription:
    values = dict(row._mapping)
    return Subscription(**values | {"rhythm": Rhythm(row.rhythm), "state": SubscriptionState(row.state)})
