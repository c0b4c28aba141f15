"""The hub's memory: who wants which feed sent, which wishes are to be verified, what is to be delivered.

A wish lies in its subscription's row until the callback has agreed to it; what was agreed before
stays in force meanwhile. A delivery is one row for each subscription: a feed that changes twice
before it went out goes out once, with its newest contents. Whoever works on a row has written a
token into it, by an UPDATE that must change exactly one row, and settles it only with that token.

Delivering is at least once: a crash between the subscriber's answer and the settling repeats it.
That does no harm, the feed comes twice with the same ids in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from syndicate.store.tables import Moment, hub_deliveries, hub_subscriptions

OWN, NONE = "own", "none"  # what the setting `websub_hub` says, where it is not the address of a hub

MINUTE = timedelta(minutes=1)
QUIET = timedelta(seconds=20)  # between two verifications of one subscription
HOST_A_MINUTE = 20  # subscriptions of one host that are verified in a minute: with QUIET, 60 requests at most
ALL_A_MINUTE = 200  # likewise of all hosts: many names may lead to one machine
HOST_WAITING = 100  # wishes of one host that may wait for their verification
ALL_WAITING = 1000
HOST_SUBSCRIPTIONS = 2000  # of one host; a large reader service has one for each feed
ALL_SUBSCRIPTIONS = 20_000
SLICE = 500  # topics in one statement; databases limit how many values one may hold


class Mode(StrEnum):
    """What a subscriber asks for."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is claimed to be verified: the callback is asked whether it agrees."""

    subscription: int
    mode: Mode
    topic: str  # in the words of who asked
    callback: str
    lease: timedelta
    challenge: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A delivery that is claimed: a topic's contents to a subscriber, or a notice to an outside hub."""

    id: int
    topic: str
    callback: str | None  # None: a notice
    secret: str | None = field(repr=False)
    attempts: int
    claim: str


def ask(
    db: Connection,
    mode: Mode,
    topic: str,
    callback: str,
    host: str,
    now: datetime,
    *,
    lease: timedelta,
    secret: str | None = None,
    asked_topic: str | None = None,
) -> bool:
    """Note a wish, in place of an older one that waits. False: too much waits already, of this host or of all.

    `topic` is the feed's own address, `asked_topic` the same as it was written.
    """
    known = db.execute(
        select(hub_subscriptions).where(
            hub_subscriptions.c.topic == topic, hub_subscriptions.c.callback == callback
        )
    ).first()
    if _full(db, host, known, now):
        return False
    wish = {
        "wish": mode.value,
        "wish_topic": asked_topic or topic,
        "wish_secret": secret,
        "wish_lease": int(lease.total_seconds()),
        "wish_attempts": 0,
        "wish_after": max(now, known.asked + QUIET) if known and known.asked else now,
        "challenge": None,
    }
    if known:
        db.execute(update(hub_subscriptions).where(hub_subscriptions.c.id == known.id).values(**wish))
    else:
        new = {"topic": topic, "callback": callback, "host": host, "failures": 0}
        db.execute(hub_subscriptions.insert().values(**new, **wish))
    return True


def wishes(db: Connection, now: datetime, limit: int) -> tuple[tuple[int, str], ...]:
    """Wishes to be verified, each with its host: of subscriptions in force first, then the longest waiting."""
    rows = db.execute(
        select(hub_subscriptions.c.id, hub_subscriptions.c.host)
        .where(
            hub_subscriptions.c.wish_after <= now,
            hub_subscriptions.c.challenge.is_(None),
            hub_subscriptions.c.host.not_in(_busy_hosts(now)),
        )
        .order_by(
            case((hub_subscriptions.c.expires > now, 0), else_=1),
            hub_subscriptions.c.wish_after,
            hub_subscriptions.c.id,
        )
        .limit(max(0, min(limit, ALL_A_MINUTE - _asked(db, now))))
    )
    return tuple((row.id, row.host) for row in rows)


def claim_wish(db: Connection, subscription: int, challenge: str, now: datetime) -> Wish | None:
    """Take a verification upon oneself; None when it is not due, or another was faster, or enough were asked."""
    claimed = db.execute(
        update(hub_subscriptions)
        .where(
            hub_subscriptions.c.id == subscription,
            hub_subscriptions.c.wish_after <= now,
            hub_subscriptions.c.challenge.is_(None),
            hub_subscriptions.c.host.not_in(_busy_hosts(now)),
            literal(_asked(db, now)) < ALL_A_MINUTE,
        )
        .values(challenge=challenge, asked=now, wish_attempts=hub_subscriptions.c.wish_attempts + 1)
    )
    if claimed.rowcount != 1:
        return None
    row = db.execute(select(hub_subscriptions).where(hub_subscriptions.c.id == subscription)).one()
    return Wish(
        row.id,
        Mode(row.wish),
        row.wish_topic,
        row.callback,
        timedelta(seconds=row.wish_lease),
        challenge,
        row.wish_attempts,
    )


def agree(db: Connection, wish: Wish) -> bool:
    """The callback agreed: the wish is in force. False: another wish has come since, this one is void.

    The lease counts from the moment at which the callback was asked (WebSub §5.3).
    """
    if wish.mode is Mode.UNSUBSCRIBE:
        return db.execute(delete(hub_subscriptions).where(_is(wish))).rowcount == 1
    asked = db.execute(select(hub_subscriptions.c.asked).where(_is(wish))).scalar_one_or_none()
    if asked is None:
        return False
    agreed = {"secret": hub_subscriptions.c.wish_secret, "expires": asked + wish.lease, "failures": 0}
    db.execute(update(hub_subscriptions).where(_is(wish)).values(**agreed, **_NO_WISH))
    return True


def disagree(db: Connection, wish: Wish) -> None:
    """The callback did not agree: all is as it was before."""
    db.execute(update(hub_subscriptions).where(_is(wish)).values(**_NO_WISH))


def ask_again(db: Connection, wish: Wish, later: datetime) -> None:
    """The callback could not be asked: the wish waits until then."""
    db.execute(update(hub_subscriptions).where(_is(wish)).values(challenge=None, wish_after=later))


def announce(db: Connection, topics: Collection[str], now: datetime, *, hub: str) -> None:
    """Feeds have changed: what that makes due is written down. `hub` is the setting `websub_hub`.

    With our own hub a delivery to each live subscription, with an outside one a notice for each
    topic, with none nothing. What is due already stays one row, and is due at once.
    """
    if hub == NONE:
        return
    columns = ["subscription", "topic", "attempts", "not_before", "touched", "again"]
    for some in _slices(sorted(set(topics))):
        if hub == OWN:
            live = select(
                hub_subscriptions.c.id,
                hub_subscriptions.c.topic,
                literal(0),
                literal(now, Moment),
                literal(now, Moment),
                false(),
            ).where(hub_subscriptions.c.topic.in_(some), hub_subscriptions.c.expires > now)
            made = _insert(db).from_select(columns, live)
            db.execute(made.on_conflict_do_update(index_elements=["subscription"], set_=_renewed(now)))
        else:
            notices = [dict(zip(columns, (None, topic, 0, now, now, False), strict=True)) for topic in some]
            made = _insert(db).values(notices)
            db.execute(
                made.on_conflict_do_update(
                    index_elements=["topic"],
                    index_where=hub_deliveries.c.subscription.is_(None),
                    set_=_renewed(now),
                )
            )


def due(db: Connection, now: datetime, limit: int, *, notices: bool = False) -> tuple[tuple[int, str], ...]:
    """What is to be delivered, each with its host ("" for notices); who failed last time comes last."""
    rows = db.execute(
        select(hub_deliveries.c.id, func.coalesce(hub_subscriptions.c.host, "").label("host"))
        .outerjoin(hub_subscriptions, hub_subscriptions.c.id == hub_deliveries.c.subscription)
        .where(
            hub_deliveries.c.not_before <= now,
            hub_deliveries.c.claim.is_(None),
            hub_deliveries.c.subscription.is_(None) if notices else hub_subscriptions.c.expires > now,
        )
        .order_by(
            func.coalesce(hub_subscriptions.c.failures, 0), hub_deliveries.c.not_before, hub_deliveries.c.id
        )
        .limit(limit)
    )
    return tuple((row.id, row.host) for row in rows)


def claim(db: Connection, number: int, token: str, now: datetime) -> Outgoing | None:
    """Take a delivery upon oneself; None when it is not due, or another was faster."""
    claimed = db.execute(
        update(hub_deliveries)
        .where(
            hub_deliveries.c.id == number,
            hub_deliveries.c.claim.is_(None),
            hub_deliveries.c.not_before <= now,
        )
        .values(claim=token, touched=now, again=False, attempts=hub_deliveries.c.attempts + 1)
    )
    if claimed.rowcount != 1:
        return None
    row = db.execute(
        select(hub_deliveries, hub_subscriptions.c.callback, hub_subscriptions.c.secret)
        .outerjoin(hub_subscriptions, hub_subscriptions.c.id == hub_deliveries.c.subscription)
        .where(hub_deliveries.c.id == number)
    ).one()
    return Outgoing(row.id, row.topic, row.callback, row.secret, row.attempts, token)


def done(db: Connection, outgoing: Outgoing, now: datetime) -> bool:
    """It arrived; due once more when the topic changed meanwhile. False: the claim was not ours any more."""
    _count_failure(db, outgoing, literal(0))
    return _finish(db, outgoing, now)


def put_off(db: Connection, outgoing: Outgoing, later: datetime, now: datetime) -> bool:
    """It did not arrive: due again then. What is new since then is tried as often as anything new."""
    _count_failure(db, outgoing, hub_subscriptions.c.failures + 1)
    attempts = case((hub_deliveries.c.again, 0), else_=hub_deliveries.c.attempts)
    values = {"claim": None, "not_before": later, "touched": now, "again": False, "attempts": attempts}
    return db.execute(update(hub_deliveries).where(_holds(outgoing)).values(**values)).rowcount == 1


def give_up(db: Connection, outgoing: Outgoing, now: datetime) -> bool:
    """It is not tried any more. The subscription stays until its lease ends (WebSub §7)."""
    _count_failure(db, outgoing, hub_subscriptions.c.failures + 1)
    return _finish(db, outgoing, now)


def gone(db: Connection, outgoing: Outgoing) -> bool:
    """The subscriber says that there is no such subscription (410): now there is none; a new wish stays."""
    ours = select(hub_deliveries.c.subscription).where(_holds(outgoing))
    ended = (
        update(hub_subscriptions).where(hub_subscriptions.c.id.in_(ours)).values(expires=None, secret=None)
    )
    if db.execute(ended).rowcount != 1:
        return False
    db.execute(delete(hub_deliveries).where(_holds(outgoing)))
    return True


def sweep(db: Connection, now: datetime) -> int:
    """Remove what has expired, and what never was agreed to. How many subscriptions that were."""
    ended = or_(hub_subscriptions.c.expires.is_(None), hub_subscriptions.c.expires <= now)
    quiet = or_(
        hub_subscriptions.c.asked.is_(None), hub_subscriptions.c.asked <= now - MINUTE
    )  # limits count it
    return db.execute(
        delete(hub_subscriptions).where(hub_subscriptions.c.wish.is_(None), ended, quiet)
    ).rowcount


def recover(db: Connection, now: datetime, lease: timedelta) -> int:
    """What was claimed longer ago than `lease` is due again: whoever claimed it is gone. How many."""
    asked = db.execute(
        update(hub_subscriptions)
        .where(hub_subscriptions.c.challenge.is_not(None), hub_subscriptions.c.asked <= now - lease)
        .values(challenge=None)
    )
    delivered = db.execute(
        update(hub_deliveries)
        .where(hub_deliveries.c.claim.is_not(None), hub_deliveries.c.touched <= now - lease)
        .values(claim=None, touched=now)
    )
    return asked.rowcount + delivered.rowcount


def live(db: Connection, now: datetime) -> int:
    """How many subscriptions are in force."""
    counted: int = db.execute(
        select(func.count()).select_from(hub_subscriptions).where(hub_subscriptions.c.expires > now)
    ).scalar_one()
    return counted


_NO_WISH = dict.fromkeys(("wish", "wish_topic", "wish_secret", "wish_lease", "wish_after", "challenge")) | {
    "wish_attempts": 0
}


def _is(wish: Wish) -> ColumnElement[bool]:
    """The wish is still the one that was verified: another one has taken the challenge away."""
    return and_(hub_subscriptions.c.id == wish.subscription, hub_subscriptions.c.challenge == wish.challenge)


def _holds(outgoing: Outgoing) -> ColumnElement[bool]:
    return and_(hub_deliveries.c.id == outgoing.id, hub_deliveries.c.claim == outgoing.claim)


def _finish(db: Connection, outgoing: Outgoing, now: datetime) -> bool:
    again = {"claim": None, "not_before": now, "touched": now, "again": False, "attempts": 0}
    renewed = db.execute(
        update(hub_deliveries).where(_holds(outgoing), hub_deliveries.c.again).values(**again)
    )
    if renewed.rowcount:
        return True
    return db.execute(delete(hub_deliveries).where(_holds(outgoing))).rowcount == 1


def _count_failure(db: Connection, outgoing: Outgoing, failures: ColumnElement[int]) -> None:
    ours = select(hub_deliveries.c.subscription).where(_holds(outgoing))
    db.execute(update(hub_subscriptions).where(hub_subscriptions.c.id.in_(ours)).values(failures=failures))


def _renewed(now: datetime) -> dict[str, Any]:
    """A delivery that is there already: under way, it is due once more; else it is due now, as if new."""
    free = hub_deliveries.c.claim.is_(None)
    return {
        "again": hub_deliveries.c.claim.is_not(None),
        "attempts": case((free, 0), else_=hub_deliveries.c.attempts),
        "not_before": case((free, literal(now, Moment)), else_=hub_deliveries.c.not_before),
        "touched": case((free, literal(now, Moment)), else_=hub_deliveries.c.touched),
    }


def _full(db: Connection, host: str, known: Row[Any] | None, now: datetime) -> bool:
    """Whether one more is too much. A subscription in force may always be renewed or ended."""
    if known and (known.wish or (known.expires and known.expires > now)):
        return False
    of_host = hub_subscriptions.c.host == host
    waits = hub_subscriptions.c.wish.is_not(None)
    counts: list[tuple[ColumnElement[bool], int]] = [(waits & of_host, HOST_WAITING), (waits, ALL_WAITING)]
    if not known:
        counts += [(of_host, HOST_SUBSCRIPTIONS), (true(), ALL_SUBSCRIPTIONS)]
    return any(_count(db, which) >= most for which, most in counts)


def _busy_hosts(now: datetime) -> Any:
    return (
        select(hub_subscriptions.c.host)
        .where(hub_subscriptions.c.asked > now - MINUTE)
        .group_by(hub_subscriptions.c.host)
        .having(func.count() >= HOST_A_MINUTE)
        .scalar_subquery()
    )


def _asked(db: Connection, now: datetime) -> int:
    return _count(db, hub_subscriptions.c.asked > now - MINUTE)


def _count(db: Connection, which: ColumnElement[bool]) -> int:
    counted: int = db.execute(select(func.count()).select_from(hub_subscriptions).where(which)).scalar_one()
    return counted


def _slices(topics: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(topics), SLICE):
        yield topics[start : start + SLICE]


def _insert(db: Connection) -> Any:
    """INSERT … ON CONFLICT, as both databases have it, each in its own class."""
    return (sqlite if db.dialect.name == "sqlite" else postgresql).insert(hub_deliveries)
