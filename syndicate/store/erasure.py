"""Everything that is stored about an address in one paper: told to its owner, and erased."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from syndicate.model import DeliveryState, Rhythm, SubscriptionState
from syndicate.store import subscriptions as living
from syndicate.store import suppressions
from syndicate.store.tables import bounces, deliveries, digests, subscriptions
from syndicate.store.tables import suppressions as listed

Told = dict[str, Any]
"""Columns and what stands in them."""

ERASED = "deleted:"
"""What the mailbox of an erased subscription begins with: no address does."""

_INTERNAL = {"mailbox", "ask_after", "asks", "letters", "moves", "move_asked"}


def told(db: Connection, subscription: int) -> Told:
    """The subscription, its deliveries with dates and states, what came back, and whether it is written to at all.

    Where it moved to is told there only.
    """
    their = subscriptions.c
    row = db.execute(select(subscriptions).where(their.id == subscription)).one()
    kept = {name: value for name, value in row._mapping.items() if name not in _INTERNAL}
    if row.why == living.MOVED:
        del kept["moving"]
    sent = (
        select(
            digests.c.rhythm, digests.c.first, digests.c.last, deliveries.c.state, deliveries.c.touched
        ).add_columns(deliveries.c.attempts, deliveries.c.message_id, deliveries.c.error)
    ).join(digests, digests.c.id == deliveries.c.digest)
    came_back = select(bounces.c.kind, bounces.c.status, bounces.c.said, bounces.c.at)
    refused = select(listed.c.reason, listed.c.said, listed.c.since).where(listed.c.mailbox == row.mailbox)
    return {
        "subscription": kept,
        "deliveries": _rows(
            db, sent.where(deliveries.c.subscription == subscription).order_by(deliveries.c.id)
        ),
        "bounces": _rows(db, came_back.where(bounces.c.subscription == subscription).order_by(bounces.c.id)),
        "suppressions": _rows(db, refused),
    }


def erase(db: Connection, subscription: int, mark: str, now: datetime) -> bool:
    """Forget address and choices; deliveries and what came back stay, as numbers. False: it is erased already.

    `mark` is what is kept of the address, so that no list brings it back. An address that complained, or that a
    person has ruled out, stays among those that get no mail; one that bounced does not.
    """
    row = db.execute(select(subscriptions).where(subscriptions.c.id == subscription)).first()
    if row is None or row.why == living.DELETED:
        return False
    living.drop_due(db, subscription, "erased", now)
    _forget_letters(db, subscription)
    _forget_suppression(db, row.mailbox, subscription)
    moving = (subscriptions.c.publication == row.publication, subscriptions.c.moving == row.address)
    db.execute(update(subscriptions).where(*moving).values(moving=None))
    nothing = dict.fromkeys(("weekly_day", "hour", "zone", "paused_until", "moving"))
    nothing |= dict.fromkeys(("ask_after", "asked", "move_asked"))
    chosen = dict.fromkeys(("sections", "bylines", "series", "words"), ())
    gone = {
        "address": "",
        "mailbox": f"{ERASED}{mark}.{subscription}",
        "rhythm": Rhythm.NONE.value,
        "language": "zh-CN",
        "source": "",
        "state": SubscriptionState.ENDED.value,
        "ended": row.ended if row.state == SubscriptionState.ENDED.value else now,
        "why": living.DELETED,
    }
    theirs = update(subscriptions).where(subscriptions.c.id == subscription)
    db.execute(theirs.values(**nothing, **chosen, **gone))
    return True


def marks(db: Connection, publication: str) -> frozenset[str]:
    """What is kept of the addresses that were erased."""
    query = select(subscriptions.c.mailbox).where(
        subscriptions.c.publication == publication, subscriptions.c.why == living.DELETED
    )
    return frozenset(
        mailbox.removeprefix(ERASED).partition(".")[0] for mailbox in db.execute(query).scalars()
    )


def _forget_letters(db: Connection, subscription: int) -> None:
    """Servers quote addresses in what they say; a domain may be one person's."""
    theirs = deliveries.c.subscription == subscription
    under_way = deliveries.c.state == DeliveryState.CLAIMED.value
    db.execute(update(deliveries).where(theirs, ~under_way).values(error=None, domain=""))
    db.execute(update(bounces).where(bounces.c.subscription == subscription).values(said=""))


def _forget_suppression(db: Connection, mailbox: str, subscription: int) -> None:
    others = select(subscriptions.c.id).where(
        subscriptions.c.mailbox == mailbox, subscriptions.c.id != subscription
    )
    if db.execute(others).first() is None:
        db.execute(delete(listed).where(listed.c.mailbox == mailbox, listed.c.reason == suppressions.BOUNCED))
    theirs = (listed.c.mailbox == mailbox, listed.c.reason != suppressions.OPERATOR)
    db.execute(update(listed).where(*theirs).values(said=""))


def _rows(db: Connection, query: Any) -> list[Told]:
    return [dict(row._mapping) for row in db.execute(query)]
