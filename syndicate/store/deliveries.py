"""The ledger of deliveries: who gets which digest, and how far it came.

due → claimed → sent. A batch is claimed by one UPDATE that must find its rows due, under a claim that only its worker
knows; what became of them is written by that claim. Of two workers that try the same rows, one wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    cast,
    func,
    literal_column,
    select,
    update,
)

from syndicate.model import Choice, Delivery, DeliveryState, SubscriptionState
from syndicate.store import at_once
from syndicate.store.tables import Moment, deliveries, digests, subscriptions, suppressions

_DUE, _CLAIMED, _SENT, _FAILED, _VOID, _DOUBTFUL, _BOUNCED = (
    state.value
    for state in (
        DeliveryState.DUE,
        DeliveryState.CLAIMED,
        DeliveryState.SENT,
        DeliveryState.FAILED,
        DeliveryState.VOID,
        DeliveryState.DOUBTFUL,
        DeliveryState.BOUNCED,
    )
)
_IS_DUE = deliveries.c.state == literal_column(f"'{_DUE}'")  # as the index of these has it, see tables.py
_IS_CLAIMED = and_(deliveries.c.claim.is_not(None), deliveries.c.state == _CLAIMED)
_IS_DOUBTFUL = deliveries.c.state == literal_column(f"'{_DOUBTFUL}'")
READ = 4096  # choices that are not read again


class Claimed(NamedTuple):
    """A delivery that a worker has taken upon itself, and all that its letter is made of."""

    id: int
    digest: int
    attempts: int  # this one included
    message_id: str
    domain: str
    subscription: int
    address: str
    date: datetime  # of its letter, however often it is sent
    language: str
    choice: Choice


class Settled(NamedTuple):
    """What became of a claimed delivery."""

    id: int
    state: DeliveryState
    said: str | None = None
    not_before: datetime | None = None  # of one that is due again
    tried: bool = True  # False: it was given back without an attempt


# ── sending ──────────────────────────────────────────────────────────────────────────────


def claim(
    db: Connection, mark: str, now: datetime, most: int, *, but: Sequence[str] = ()
) -> tuple[Claimed, ...]:
    """Take upon oneself what is due, at most so many, under a mark that nobody else has; `but`: not for these domains.

    The least often tried first, so that one that ends the process each time holds up no other. Those whose
    subscribers have left, and those of cancelled digests, become void.
    """
    due = _next_due(db, now, most, but)
    among = _among(db, due)
    taken = update(deliveries).where(among, _is_still(_DUE))
    anew = {"state": _CLAIMED, "claim": mark, "touched": now, "error": None}
    count = db.execute(taken.values(**anew, attempts=deliveries.c.attempts + 1)).rowcount if due else 0
    ours = among, _is_still(_CLAIMED, mark)
    rows = at_once.rows(db, _CLAIM.where(*ours)) if count else []
    if len(rows) < count:
        void = update(deliveries).where(*ours, ~_staying())
        db.execute(void.values(state=_VOID, error="no subscriber any more", claim=None))
    planned = _planned(db, {row[1] for row in rows})
    return tuple(_claimed(row, planned) for row in sorted(rows, key=_alike))


def _next_due(db: Connection, now: datetime, most: int, but: Sequence[str]) -> list[int]:
    """The deliveries that are claimed next. An index has them in this order: it takes as long for many as for few."""
    found: list[int] = []
    for attempts in _attempts(db):
        query = (
            select(deliveries.c.id)
            .where(
                _IS_DUE,
                deliveries.c.attempts == attempts,
                deliveries.c.not_before <= now,
                deliveries.c.domain.not_in(but),
                deliveries.c.digest.not_in(select(digests.c.id).where(digests.c.held.is_not(None))),
            )
            .order_by(deliveries.c.not_before, deliveries.c.id)
        )
        found += at_once.values(db, query.limit(most - len(found)))
        if len(found) == most:
            break
    return found


def _attempts(db: Connection) -> Iterator[int]:
    """How often what is due was tried, each number once, the smallest first."""
    tried: int | None = -1
    least = select(func.min(deliveries.c.attempts)).where(_IS_DUE)
    while (tried := db.execute(least.where(deliveries.c.attempts > tried)).scalar()) is not None:
        yield tried


_WANTED = and_(
    subscriptions.c.state == SubscriptionState.CONFIRMED.value,
    subscriptions.c.mailbox.not_in(select(suppressions.c.mailbox)),
)


def _staying() -> ColumnElement[bool]:
    """Whether the delivery's subscriber still wants mail and may get it."""
    return select(subscriptions.c.id).where(subscriptions.c.id == deliveries.c.subscription, _WANTED).exists()


def _among(db: Connection, numbers: Sequence[int]) -> ColumnElement[bool]:
    """Whether it is one of these deliveries; SQLite takes thousands sooner as one value than as so many."""
    if db.dialect.name != "sqlite":
        return deliveries.c.id.in_(numbers)
    each = func.json_each(json.dumps(numbers)).table_valued("value")
    return deliveries.c.id.in_(select(each.c.value))


def _is_still(state: str, mark: str | None = None) -> ColumnElement[bool]:
    """Whether a delivery of known number is in that state, under that mark; by an index SQLite would read all that are."""
    so = func.coalesce(deliveries.c.state, "") == state
    return so if mark is None else and_(so, func.coalesce(deliveries.c.claim, "") == mark)


def settle(db: Connection, mark: str, settled: Iterable[Settled], now: datetime) -> int:
    """Write down what became of deliveries claimed under that mark; how many were still so."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for one in settled:
        alike.setdefault(one[1:], []).append(one.id)
    return sum(_become(db, mark, Settled(0, *became), them, now) for became, them in alike.items())


def _become(db: Connection, mark: str, one: Settled, numbers: Sequence[int], now: datetime) -> int:
    """The same became of all of these."""
    query = update(deliveries).where(_among(db, numbers), _is_still(_CLAIMED, mark))
    values: dict[str, Any] = {"state": one.state.value, "touched": now, "claim": None, "error": one.said}
    if one.state is DeliveryState.DUE:
        values["not_before"] = one.not_before or now
    if not one.tried:
        values["attempts"] = deliveries.c.attempts - 1
    return db.execute(query.values(**values)).rowcount


def release(db: Connection, mark: str, now: datetime, *, but: Sequence[int] = ()) -> int:
    """All that is still claimed under that mark is due again, as if it had never been; how many.

    `but`: those that were begun: their attempt counts, so that one which ends its worker comes after all others.
    """
    ours = update(deliveries).where(deliveries.c.claim == mark, _IS_CLAIMED)
    free = ours.values(state=_DUE, claim=None, touched=now)
    begun = db.execute(free.where(deliveries.c.id.in_(but))).rowcount if but else 0
    return begun + db.execute(free.values(attempts=deliveries.c.attempts - 1)).rowcount


def expire(db: Connection, now: datetime, lease: timedelta) -> int:
    """What was claimed longer ago than the lease, by a worker that has never been heard of again, is due again."""
    query = update(deliveries).where(_IS_CLAIMED, deliveries.c.touched <= now - lease)
    return db.execute(query.values(state=_DUE, claim=None, touched=now)).rowcount


def cancel(db: Connection, digest: int, now: datetime) -> int:
    """What is still due of a digest is not sent any more; how many."""
    query = update(deliveries).where(deliveries.c.digest == digest, _IS_DUE)
    return db.execute(query.values(state=_VOID, touched=now, error="cancelled")).rowcount


def outdate(db: Connection, now: datetime, late: timedelta) -> int:
    """What is still due of digests that were planned, or let go on, longer ago than that is not sent any more.

    One that is held does not age.
    """
    going = func.coalesce(digests.c.resumed, digests.c.planned, type_=Moment)
    old = select(digests.c.id).where(going <= now - late, digests.c.held.is_(None))
    query = update(deliveries).where(
        _IS_DUE, deliveries.c.not_before <= now - late, deliveries.c.digest.in_(old)
    )
    query = query.values(state=_VOID, touched=now, error="too late")
    return sum(
        db.execute(query.where(deliveries.c.attempts == attempts)).rowcount
        for attempts in list(_attempts(db))
    )


def renew(db: Connection, mark: str, now: datetime) -> int:
    """The worker of that mark is still there: what it has claimed stays its own; how many."""
    ours = update(deliveries).where(deliveries.c.claim == mark, _IS_CLAIMED)
    return db.execute(ours.values(touched=now)).rowcount


def retry(db: Connection, digest: int, now: datetime) -> int:
    """What failed of a digest is due again, as if it had never been tried, where it is still wanted; how many."""
    failed = update(deliveries).where(
        deliveries.c.digest == digest, deliveries.c.state == _FAILED, _staying()
    )
    anew = {"state": _DUE, "attempts": 0, "not_before": now, "touched": now, "error": None}
    return db.execute(failed.values(**anew)).rowcount


def decide(db: Connection, number: int, now: datetime, *, arrived: bool) -> bool:
    """What a person knows of a doubtful delivery: it was sent, or is due again. False: it is not doubtful."""
    query = update(deliveries).where(deliveries.c.id == number, _IS_DOUBTFUL)
    state = _SENT if arrived else _DUE
    return db.execute(query.values(state=state, not_before=now, touched=now, error=None)).rowcount == 1


def came_back(db: Connection, number: int, said: str, now: datetime) -> bool:
    """A delivery that was sent, or may have been, bounced. False: it was neither."""
    query = update(deliveries).where(
        deliveries.c.id == number, deliveries.c.state.in_((_SENT, _DOUBTFUL, _CLAIMED))
    )
    return db.execute(query.values(state=_BOUNCED, touched=now, error=said, claim=None)).rowcount == 1


# ── looking ──────────────────────────────────────────────────────────────────────────────


def find(db: Connection, number: int) -> Delivery | None:
    """The delivery of that number."""
    row = db.execute(_ALL.where(deliveries.c.id == number)).first()
    return None if row is None else _delivery(row)


def doubtful(db: Connection) -> tuple[Delivery, ...]:
    """What may or may not have arrived, and waits for a person."""
    rows = db.execute(_ALL.where(_IS_DOUBTFUL).order_by(deliveries.c.id))
    return tuple(_delivery(row) for row in rows)


def counts(db: Connection, digest: int | None = None) -> dict[DeliveryState, int]:
    """How many there are in each state; of one digest, or of all."""
    query = select(deliveries.c.state, func.count().label("number")).group_by(deliveries.c.state)
    if digest is not None:
        query = query.where(deliveries.c.digest == digest)
    found = {row.state: row.number for row in db.execute(query)}
    return {state: found.get(state.value, 0) for state in DeliveryState}


def gone_out(db: Connection, digest: int) -> int:
    """How many deliveries of a digest were sent, whatever came of it."""
    query = select(func.count()).where(
        deliveries.c.digest == digest, deliveries.c.state.in_((_SENT, _BOUNCED))
    )
    return db.execute(query).scalar_one()


def sent_since(db: Connection, digest: int, since: datetime) -> int:
    """How many deliveries of a digest were sent from then on."""
    query = select(func.count()).where(
        deliveries.c.digest == digest, deliveries.c.state == _SENT, deliveries.c.touched >= since
    )
    return db.execute(query).scalar_one()


_sections, _bylines, _series, _words = (
    cast(column, Text)
    for column in (
        subscriptions.c.sections,
        subscriptions.c.bylines,
        subscriptions.c.series,
        subscriptions.c.words,
    )
)
_CHOICE = _sections + "\n" + _bylines + "\n" + _series + "\n" + _words
_CLAIM = (  # in the order of what is claimed, its date where it is its own, its choice as lines
    select(
        deliveries.c.id,
        deliveries.c.digest,
        deliveries.c.attempts,
        deliveries.c.message_id,
        deliveries.c.domain,
        deliveries.c.subscription,
        subscriptions.c.address,
        deliveries.c.opens,
        subscriptions.c.language,
        _CHOICE,
    )
    # Not by the index of subscriptions: SQLite would look at all who stay, and then whether they are among these.
    .join(subscriptions, subscriptions.c.id == func.coalesce(deliveries.c.subscription, 0))
    .where(_WANTED)
)
_ALL: Select[Any] = select(deliveries, subscriptions.c.address, subscriptions.c.publication).join(
    subscriptions, subscriptions.c.id == deliveries.c.subscription
)


_alike = itemgetter(2, 1, 8, 9)  # the least often tried first, and beside each other those that get the same


def _planned(db: Connection, numbers: Iterable[int]) -> dict[int, datetime]:
    """When these digests were."""
    query = select(digests.c.id, digests.c.planned).where(digests.c.id.in_(list(numbers)))
    return dict(db.execute(query).all())


def _claimed(row: list[Any], planned: Mapping[int, datetime]) -> Claimed:
    """A row of _CLAIM, in its place: there are thousands."""
    row[7] = at_once.moment(row[7]) if row[7] else planned[row[1]]
    row[9] = _choice(row[9])
    return Claimed._make(row)


@lru_cache(READ)
def _choice(lines: str) -> Choice:
    """What was chosen, read once for all who chose the same."""
    return Choice(*(tuple(json.loads(line)) for line in lines.split("\n")))


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        digest=row.digest,
        publication=row.publication,
        subscription=row.subscription,
        address=row.address,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        not_before=row.not_before,
        message_id=row.message_id,
        error=row.error,
    )
