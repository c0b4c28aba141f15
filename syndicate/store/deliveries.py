"""Digests that were decided on, and the ledger of their deliveries: who gets which, and how far it came.

due → claimed → handed → sent. Every step is an UPDATE that must find the row as it was: of two
that try it, one wins. A step may name the attempt it belongs to (`Delivery.attempts`), so that
one who slept longer than the lease cannot act on the claim of another.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, String, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from syndicate.model import (
    Delivery,
    DeliveryState,
    Rhythm,
    StoredDigest,
    Subscription,
    SubscriptionState,
)
from syndicate.store.tables import Moment, deliveries, digests, subscriptions

FROM = {
    DeliveryState.SENT: (DeliveryState.HANDED, DeliveryState.DOUBTFUL),
    DeliveryState.FAILED: (DeliveryState.CLAIMED, DeliveryState.HANDED, DeliveryState.DOUBTFUL),
    DeliveryState.DUE: (DeliveryState.CLAIMED, DeliveryState.HANDED, DeliveryState.DOUBTFUL),
    DeliveryState.DOUBTFUL: (DeliveryState.HANDED,),
}
"""To which state from which: what is sent or failed stays so; a doubtful one may be settled by a person."""


def plan(
    db: Connection, publication: str, rhythm: Rhythm, first: date, last: date, host: str, now: datetime
) -> StoredDigest | None:
    """Decide on a digest and on everybody who gets it, at once; None when that was done before."""
    number = db.execute(
        _insert(db)
        .values(publication=publication, rhythm=rhythm.value, first=first, last=last, part="", planned=now)
        .on_conflict_do_nothing(index_elements=["publication", "rhythm", "last", "part"])
        .returning(digests.c.id)
    ).scalar_one_or_none()
    if number is None:
        return None
    confirmed = (
        select(
            literal(number),
            subscriptions.c.id,
            literal(DeliveryState.DUE.value),
            literal(0),
            literal(now, Moment),
            literal(now, Moment),
            literal("<") + _Unguessable() + literal(f"@{host}>"),
            _Domain(subscriptions.c.mailbox),
        )
        .where(
            subscriptions.c.publication == publication,
            subscriptions.c.rhythm == rhythm.value,
            subscriptions.c.state == SubscriptionState.CONFIRMED.value,
        )
        .order_by(subscriptions.c.id)
    )
    columns = ["digest", "subscription", "state", "attempts", "not_before", "touched", "message_id", "domain"]
    db.execute(insert(deliveries).from_select(columns, confirmed))
    return digest(db, number)


def digest(db: Connection, number: int) -> StoredDigest:
    """The digest of that number."""
    return _digest(db.execute(select(digests).where(digests.c.id == number)).one())


def due(db: Connection, now: datetime, limit: int) -> tuple[int, ...]:
    """Deliveries to be claimed, the least often tried first, then the longest waiting.

    So one that ends the process each time it is tried holds up no other.
    """
    rows = db.execute(
        select(deliveries.c.id)
        .where(deliveries.c.state == DeliveryState.DUE.value, deliveries.c.not_before <= now)
        .order_by(deliveries.c.attempts, deliveries.c.not_before, deliveries.c.id)
        .limit(limit)
    )
    return tuple(rows.scalars())


def claim(db: Connection, number: int, now: datetime) -> Delivery | None:
    """Take a delivery upon oneself; None when it is not due, or another was faster, or they have left."""
    waiting = (
        update(deliveries)
        .where(
            deliveries.c.id == number,
            deliveries.c.state == DeliveryState.DUE.value,
            deliveries.c.not_before <= now,
        )
        .values(touched=now)
    )
    staying = deliveries.c.subscription.in_(
        select(subscriptions.c.id).where(subscriptions.c.state == SubscriptionState.CONFIRMED.value)
    )
    claimed = db.execute(
        waiting.where(staying).values(
            state=DeliveryState.CLAIMED.value, attempts=deliveries.c.attempts + 1, error=None
        )
    )
    if claimed.rowcount == 1:
        return find(db, number)
    db.execute(waiting.where(~staying).values(state=DeliveryState.FAILED.value, error="unsubscribed"))
    return None


def hand(db: Connection, number: int, now: datetime, *, attempt: int | None = None) -> bool:
    """Say that the last byte goes out next. False: the claim is no longer ours, do not send it."""
    return _step(db, number, (DeliveryState.CLAIMED,), attempt, state=DeliveryState.HANDED.value, touched=now)


def settle(
    db: Connection,
    number: int,
    state: DeliveryState,
    now: datetime,
    *,
    error: str | None = None,
    not_before: datetime | None = None,
    attempt: int | None = None,
) -> bool:
    """Write down what became of a delivery. False: it was settled already, or recovered and claimed anew."""
    values = {"state": state.value, "touched": now, "error": error}
    if state is DeliveryState.DUE:
        values["not_before"] = not_before or now
    return _step(db, number, FROM[state], attempt, **values)


def recover(db: Connection, now: datetime, lease: timedelta) -> tuple[int, int]:
    """After a crash: what was claimed is due again, what was handed over is doubtful. How many of each."""
    old = update(deliveries).where(deliveries.c.touched <= now - lease).values(touched=now)
    again = db.execute(
        old.where(deliveries.c.state == DeliveryState.CLAIMED.value).values(state=DeliveryState.DUE.value)
    )
    doubted = db.execute(
        old.where(deliveries.c.state == DeliveryState.HANDED.value).values(state=DeliveryState.DOUBTFUL.value)
    )
    return again.rowcount, doubted.rowcount


def find(db: Connection, number: int) -> Delivery | None:
    """The delivery of that number."""
    row = db.execute(_all().where(deliveries.c.id == number)).first()
    return None if row is None else _delivery(row)


def counts(db: Connection) -> dict[DeliveryState, int]:
    """How many there are in each state."""
    rows = db.execute(select(deliveries.c.state, func.count().label("number")).group_by(deliveries.c.state))
    found = {row.state: row.number for row in rows}
    return {state: found.get(state.value, 0) for state in DeliveryState}


def doubtful(db: Connection) -> tuple[Delivery, ...]:
    """What may or may not have arrived, and waits for a person."""
    rows = db.execute(
        _all().where(deliveries.c.state == DeliveryState.DOUBTFUL.value).order_by(deliveries.c.id)
    )
    return tuple(_delivery(row) for row in rows)


class _Unguessable(GenericFunction[str]):
    """32 random hexadecimal digits, other ones for each row."""

    type = String()
    inherit_cache = True
    name = "unguessable"


@compiles(_Unguessable, "sqlite")
def _in_sqlite(_element: _Unguessable, _compiler: SQLCompiler, **_options: Any) -> str:
    return "lower(hex(randomblob(16)))"


@compiles(_Unguessable, "postgresql")
def _in_postgresql(_element: _Unguessable, _compiler: SQLCompiler, **_options: Any) -> str:
    return "replace(CAST(gen_random_uuid() AS text), '-', '')"


class _Domain(GenericFunction[str]):
    """What stands behind the @ of a mailbox."""

    type = String()
    inherit_cache = True
    name = "domain"


@compiles(_Domain, "sqlite")
def _domain_in_sqlite(element: _Domain, compiler: SQLCompiler, **options: Any) -> str:
    mailbox = compiler.process(element.clauses, **options)
    return f"substr({mailbox}, instr({mailbox}, '@') + 1)"


@compiles(_Domain, "postgresql")
def _domain_in_postgresql(element: _Domain, compiler: SQLCompiler, **options: Any) -> str:
    mailbox = compiler.process(element.clauses, **options)
    return f"split_part({mailbox}, '@', 2)"


def _insert(db: Connection) -> Any:
    # Both write ON CONFLICT the same way, but SQLAlchemy has no common word for it.
    return sqlite.insert(digests) if db.dialect.name == "sqlite" else postgresql.insert(digests)


def _step(
    db: Connection, number: int, before: tuple[DeliveryState, ...], attempt: int | None, **values: Any
) -> bool:
    query = update(deliveries).where(
        deliveries.c.id == number, deliveries.c.state.in_([state.value for state in before])
    )
    if attempt is not None:
        query = query.where(deliveries.c.attempts == attempt)
    return db.execute(query.values(**values)).rowcount == 1


_SUBSCRIPTION = (
    "publication",
    "address",
    "sections",
    "rhythm",
    "language",
    "state",
    "created",
    "confirmed",
    "ended",
)


def _all() -> Select[Any]:
    theirs = [subscriptions.c[name].label(f"their_{name}") for name in _SUBSCRIPTION]
    return select(deliveries, *theirs).join(subscriptions, subscriptions.c.id == deliveries.c.subscription)


def _delivery(row: Row[Any]) -> Delivery:
    theirs = {name: row._mapping[f"their_{name}"] for name in _SUBSCRIPTION}
    theirs |= {"rhythm": Rhythm(theirs["rhythm"]), "state": SubscriptionState(theirs["state"])}
    return Delivery(
        id=row.id,
        digest=row.digest,
        subscription=Subscription(id=row.subscription, **theirs),
        state=DeliveryState(row.state),
        attempts=row.attempts,
        not_before=row.not_before,
        message_id=row.message_id,
        error=row.error,
    )


def _digest(row: Row[Any]) -> StoredDigest:
    return StoredDigest(**dict(row._mapping) | {"rhythm": Rhythm(row.rhythm)})
