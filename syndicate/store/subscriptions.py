"""Subscriptions: who asked for mail, who confirmed it, what they changed, who left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from syndicate.model import (
    DeliveryState,
    Publication,
    Rhythm,
    Subscription,
    SubscriptionState,
    Wish,
)
from syndicate.store import suppressions
from syndicate.store.tables import Moment, bounces, deliveries, subscriptions

QUIET = timedelta(minutes=10)  # after a mail to an address that has not agreed: nobody is bombed through us
LONGEST_QUIET = timedelta(days=7)
TRIES = 8  # of one such mail; with the waits between, some four hours

LEFT, MOVED, OPERATOR, DELETED = "left", "moved", "operator", "deleted"
"""Why a subscription ended; those of bounces stand in suppressions."""

_CONFIRMED, _ENDED, _PENDING = (
    SubscriptionState.CONFIRMED.value,
    SubscriptionState.ENDED.value,
    SubscriptionState.PENDING.value,
)
_FIELDS = [
    column
    for column in subscriptions.c
    if column.name not in ("mailbox", "ask_after", "asked", "asks", "letters", "moves", "move_asked")
]


# ── signing up ───────────────────────────────────────────────────────────────────────────


def sign_up(
    db: Connection, publication: Publication, address: str, wish: Wish, now: datetime
) -> Subscription:
    """Note a wish; a mail to the address is due, unless one went there lately.

    A confirmed subscription stays as it is: whoever asks has not shown that the address is theirs. Whatever is
    known of the address, it takes one question and one write: the time it takes tells nobody.
    """
    mailbox = address.lower()
    known = _of_mailbox(db, publication.slug, mailbox)
    if known is None:
        new = {"created": now, "ask_after": now, "asks": 0, "letters": 0, "source": "site"}
        values = {"publication": publication.slug, "mailbox": mailbox, "state": _PENDING}
        made = insert(subscriptions).values(address=address, **values, **new, **columns(wish))
        return _subscription(db.execute(made.returning(*_FIELDS)).one())
    asked: dict[str, Any] = {"mailbox": mailbox}
    if known.state != _CONFIRMED:
        asked |= {"address": address, "state": _PENDING, "moving": None, **columns(wish)}
    if known.asked is None or now - known.asked >= quiet(known.letters):
        asked |= {"ask_after": now, "asks": 0}
    db.execute(update(subscriptions).where(subscriptions.c.id == known.id).values(**asked))
    return _existing(db, known.id)


def quiet(letters: int) -> timedelta:
    """How long no further mail goes to an address that did not agree after so many: 10 min, 40 min … a week."""
    return min(QUIET * int(4 ** max(0, min(letters, 9) - 1)), LONGEST_QUIET)


def confirm(db: Connection, subscription: int, now: datetime) -> Subscription | None:
    """Their mailbox agreed: pending becomes confirmed. None when it has ended or never was."""
    agreed = update(subscriptions).where(
        subscriptions.c.id == subscription, subscriptions.c.state == _PENDING
    )
    mailbox = db.execute(agreed.values(**_agreed(now)).returning(subscriptions.c.mailbox)).scalar()
    if mailbox is not None:
        suppressions.lift(db, mailbox)
    found = find(db, subscription)
    return found if found and found.state is SubscriptionState.CONFIRMED else None


# ── having one ───────────────────────────────────────────────────────────────────────────


def find(db: Connection, subscription: int) -> Subscription | None:
    """The subscription of that number."""
    row = db.execute(select(*_FIELDS).where(subscriptions.c.id == subscription)).first()
    return None if row is None else _subscription(row)


def current(db: Connection, subscription: int) -> Subscription | None:
    """The subscription of that number, or the one that it has moved to."""
    found = find(db, subscription)
    while found and found.why == MOVED and found.moving:
        there = _of_mailbox(db, found.publication, found.moving.lower())
        found = there and find(db, there.id)
    return found


def of_address(db: Connection, address: str) -> tuple[Subscription, ...]:
    """The subscriptions of an address, in all papers."""
    query = select(*_FIELDS).where(subscriptions.c.mailbox == address.lower()).order_by(subscriptions.c.id)
    return tuple(map(_subscription, db.execute(query)))


def every(db: Connection, publication: str, state: SubscriptionState | None = None) -> Iterator[Subscription]:
    """All of a paper by number, but those who were erased, a thousand at a time in memory; `state`: only these."""
    query = select(*_FIELDS).where(
        subscriptions.c.publication == publication, subscriptions.c.why.is_distinct_from(DELETED)
    )
    if state is not None:
        query = query.where(subscriptions.c.state == state.value)
    rows = db.execute(query.order_by(subscriptions.c.id), execution_options={"yield_per": 1000})
    return map(_subscription, rows)


def counts(db: Connection, publication: str) -> dict[SubscriptionState, int]:
    """How many there are in each state."""
    rows = db.execute(
        select(subscriptions.c.state, func.count().label("number"))
        .where(subscriptions.c.publication == publication)
        .group_by(subscriptions.c.state)
    )
    found = {row.state: row.number for row in rows}
    return {state: found.get(state.value, 0) for state in SubscriptionState}


def change(db: Connection, subscription: int, wish: Wish, now: datetime) -> bool:
    """They want something else. False: they are not subscribed."""
    if wish.rhythm is Rhythm.NONE:
        drop_due(db, subscription, "no mail wanted", now)
    return _set(db, subscription, **columns(wish))


def pause(db: Connection, subscription: int, until: datetime | None, now: datetime) -> bool:
    """No mail before then, also none that is planned already; None: from now on again. False: not subscribed."""
    if until is not None:
        drop_due(db, subscription, "paused", now)
    return _set(db, subscription, paused_until=until)


def end(db: Connection, subscription: int, now: datetime, why: str = LEFT) -> bool:
    """They left. False when they had left before, or never were.

    A link in a mail that came before they moved ends what they moved to.
    """
    known = current(db, subscription)
    if known is None or known.state is SubscriptionState.ENDED:
        return False
    gone = {"state": _ENDED, "ended": now, "why": why, "ask_after": None, "moving": None}
    db.execute(update(subscriptions).where(subscriptions.c.id == known.id).values(**gone))
    return True


# ── moving to another address ────────────────────────────────────────────────────────────


def ask_move(db: Connection, subscription: int, address: str | None, now: datetime) -> bool:
    """They want mail at another address; a mail there is due. None: they do not any more. False: not subscribed.

    Nobody is bombed through us: it waits while another mail went to that address, or for a move from here, a moment
    ago. What strangers make us write to the present address does not count.
    """
    if address is None:
        return _set(db, subscription, moving=None, ask_after=None)
    their = subscriptions.c
    recent = select(func.max(their.asked)).where(
        or_(their.mailbox == address.lower(), their.moving == address), their.id != subscription
    )
    there = db.execute(recent).scalar()
    here = db.execute(select(their.move_asked, their.moves).where(their.id == subscription)).first()
    waits = [now, *([there + QUIET] if there else [])]
    if here and here.move_asked:
        waits.append(here.move_asked + quiet(here.moves))
    return _set(db, subscription, moving=address, ask_after=max(waits), asks=0)


def move(db: Connection, subscription: int, now: datetime) -> Subscription | None:
    """The other address agreed: what was chosen is subscribed there, and ends here. None: it is not asked for.

    It is another subscription, with links of its own: those in older mails, which may lie where their reader has
    no longer access, open nothing of it. One that the other address has already stays as it is.
    """
    old = find(db, subscription)
    if old is None or old.moving is None or old.state is not SubscriptionState.CONFIRMED:
        return None
    mailbox = old.moving.lower()
    there = _of_mailbox(db, old.publication, mailbox)
    number: int | None = there and there.id
    gone: dict[str, Any] = {"state": _ENDED, "ended": now, "why": MOVED, "ask_after": None}
    if there is None or there.state != _CONFIRMED:
        number = _arrive(db, old, old.moving, number, now)
        _take_along(db, old.id, number, mailbox)
    else:
        gone["moving"] = None  # that one is not ended by old links
    suppressions.lift(db, mailbox)
    db.execute(update(subscriptions).where(subscriptions.c.id == old.id).values(**gone))
    return None if number is None else find(db, number)


def _arrive(db: Connection, old: Subscription, address: str, known: int | None, now: datetime) -> int:
    values = columns(old.wish) | _agreed(now) | {"address": address, "source": old.source}
    values |= {"paused_until": old.paused_until}
    if known is not None:
        db.execute(update(subscriptions).where(subscriptions.c.id == known).values(**values))
        return known
    new = {"publication": old.publication, "mailbox": address.lower(), "created": now, "asks": 0}
    made = insert(subscriptions).values(**values, **new).returning(subscriptions.c.id)
    return int(db.execute(made).scalar_one())


def _take_along(db: Connection, old: int, new: int, mailbox: str) -> None:
    """What is planned and not yet sent goes to the new address, unless that gets it anyhow."""
    theirs = select(deliveries.c.digest).where(deliveries.c.subscription == new).scalar_subquery()
    due = update(deliveries).where(
        deliveries.c.subscription == old,
        deliveries.c.state == DeliveryState.DUE.value,
        deliveries.c.digest.not_in(theirs),
    )
    db.execute(due.values(subscription=new, domain=mailbox.rpartition("@")[2]))


# ── the mails that ask ───────────────────────────────────────────────────────────────────


def unasked(db: Connection, now: datetime, limit: int) -> tuple[int, ...]:
    """To whom a mail is due that asks or reminds, the longest waiting first."""
    rows = db.execute(
        select(subscriptions.c.id)
        .where(subscriptions.c.state.in_((_PENDING, _CONFIRMED)), subscriptions.c.ask_after <= now)
        .order_by(subscriptions.c.ask_after, subscriptions.c.id)
        .limit(limit)
    )
    return tuple(rows.scalars())


def claim_asking(db: Connection, subscription: int, now: datetime) -> Subscription | None:
    """Take that mail upon oneself; None when it is not due, or another was faster."""
    due = update(subscriptions).where(
        subscriptions.c.id == subscription,
        subscriptions.c.state.in_((_PENDING, _CONFIRMED)),
        subscriptions.c.ask_after <= now,
    )
    their, moves = subscriptions.c, subscriptions.c.moving.is_not(None)
    counted = {"asks": their.asks + 1, "letters": their.letters + 1, "moves": their.moves + _one(moves)}
    asked = {"asked": now, "move_asked": case((moves, literal(now, Moment)), else_=their.move_asked)}
    claimed = db.execute(due.values(ask_after=None, **counted, **asked))
    return _existing(db, subscription) if claimed.rowcount == 1 else None


def unclaim_asking(db: Connection, subscription: int) -> None:
    """The mail was not accepted: due again after 1, 2, 4 … minutes, and given up after eight tries."""
    row = db.execute(
        select(subscriptions.c.asked, subscriptions.c.asks).where(
            subscriptions.c.id == subscription,
            subscriptions.c.state.in_((_PENDING, _CONFIRMED)),
            subscriptions.c.ask_after.is_(None),
        )
    ).first()
    if row is not None and row.asked is not None and 0 < row.asks < TRIES:
        again = row.asked + timedelta(minutes=2 ** (row.asks - 1))
        known = update(subscriptions).where(subscriptions.c.id == subscription)
        moves = subscriptions.c.moves - _one(subscriptions.c.moving.is_not(None))
        db.execute(known.values(ask_after=again, letters=subscriptions.c.letters - 1, moves=moves))


def forget_unconfirmed(db: Connection, before: datetime) -> int:
    """Who was last asked before that and never answered is forgotten; who had left before has left; how many."""
    their = subscriptions.c
    silent = (
        their.state == _PENDING,
        their.ask_after.is_(None),
        func.coalesce(their.asked, their.created) < before,
    )
    again = update(subscriptions).where(*silent, or_(their.confirmed.is_not(None), their.ended.is_not(None)))
    back = db.execute(again.values(state=_ENDED, ended=func.coalesce(their.ended, before))).rowcount
    gone = select(their.id).where(*silent).scalar_subquery()
    db.execute(update(bounces).where(bounces.c.subscription.in_(gone)).values(subscription=None))
    return back + db.execute(delete(subscriptions).where(*silent)).rowcount


# ── for the modules beside this one ──────────────────────────────────────────────────────


def columns(wish: Wish) -> dict[str, Any]:
    """A wish as it is stored."""
    values = {"rhythm": wish.rhythm.value, "language": wish.language, "zone": wish.zone}
    return asdict(wish.choice) | values | {"weekly_day": wish.weekly_day, "hour": wish.hour}


def drop_due(db: Connection, subscription: int, why: str, now: datetime) -> None:
    """What is planned and not yet sent is not sent."""
    due = update(deliveries).where(
        deliveries.c.subscription == subscription, deliveries.c.state == DeliveryState.DUE.value
    )
    db.execute(due.values(state=DeliveryState.VOID.value, error=why, touched=now))


def _one(so: ColumnElement[bool]) -> ColumnElement[int]:
    return case((so, 1), else_=0)


def _agreed(now: datetime) -> dict[str, Any]:
    """What is so when a mailbox has just agreed."""
    nothing = dict.fromkeys(("ended", "why", "ask_after", "paused_until", "moving"))
    return {"state": _CONFIRMED, "confirmed": now, "letters": 0, "moves": 0, **nothing}


def _set(db: Connection, subscription: int, **values: Any) -> bool:
    theirs = update(subscriptions).where(
        subscriptions.c.id == subscription, subscriptions.c.state == _CONFIRMED
    )
    return db.execute(theirs.values(**values)).rowcount == 1


def _of_mailbox(db: Connection, publication: str, mailbox: str) -> Row[Any] | None:
    return db.execute(
        select(subscriptions).where(
            subscriptions.c.publication == publication, subscriptions.c.mailbox == mailbox
        )
    ).first()


def _existing(db: Connection, subscription: int) -> Subscription:
    return _subscription(db.execute(select(*_FIELDS).where(subscriptions.c.id == subscription)).one())


def _subscription(row: Row[Any]) -> Subscription:
    values = dict(row._mapping)
    return Subscription(**values | {"rhythm": Rhythm(row.rhythm), "state": SubscriptionState(row.state)})
