"""Who gets a digest: written down lot by lot, and others write between two lots.

Each lot is one transaction, and says in it how far it came: cut short, the next run goes on there; of two that write at
once, the second one finds the first one's lot written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    String,
    Text,
    and_,
    column,
    func,
    insert,
    literal,
    or_,
    select,
    update,
    values,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from syndicate.model import DeliveryState, StoredDigest, SubscriptionState
from syndicate.store.tables import Moment, deliveries, digests, subscriptions, suppressions

Opening = tuple[str | None, int | None]
"""A time zone and the hour of the day from which mail may come; None: the paper's, none."""

Days = tuple[int | None, ...]
"""Days of the week on which weekly digests are wanted, 0 is Monday; None: where the subscriber chose none."""

_WRITTEN = ["digest", "subscription", "state", "attempts"]
_WRITTEN += ["opens", "not_before", "touched", "message_id", "domain"]


def upto(db: Connection, digest: StoredDigest, most: int) -> int | None:
    """The last subscription of the next lot, of at most so many; None: the next lot is the last one."""
    theirs = subscriptions.c
    query = (
        select(theirs.id)
        .where(theirs.publication == digest.publication, theirs.id > digest.reached)
        .order_by(theirs.id)
    )
    return db.execute(query.offset(most - 1).limit(1)).scalar()


def openings(
    db: Connection, digest: StoredDigest, last: int | None = None, *, days: Days = ()
) -> tuple[Opening, ...]:
    """The different hours and zones of those in the next lot; `days`: only who wants it on one of these."""
    found = select(subscriptions.c.zone, subscriptions.c.hour).where(*_recipients(digest, last, days))
    return tuple((row.zone, row.hour) for row in db.execute(found.distinct()))


def write(
    db: Connection,
    digest: StoredDigest,
    host: str,
    opened: Mapping[Opening, datetime],
    last: int | None = None,
    *,
    days: Days = (),
) -> None:
    """Write down those of the next lot who get the digest, each from the moment that their hour gives.

    `opened`: for each of `openings`, the moment from which it may be sent. Who chose alike stand together: their
    letters come of one mould.
    """
    if opened:
        query = _lot(digest, host, opened, last, days)
        db.execute(insert(deliveries).from_select(_WRITTEN, query))
    db.execute(update(digests).where(digests.c.id == digest.id).values(reached=last))


def _lot(
    digest: StoredDigest, host: str, opened: Mapping[Opening, datetime], last: int | None, days: Days
) -> Any:
    theirs = subscriptions.c
    told = [(zone or "", -1 if hour is None else hour, moment) for (zone, hour), moment in opened.items()]
    named = values(column("zone", Text), column("hour", Integer), column("moment", Moment), name="opened")
    when = named.data(told).cte()  # SQLite gives no names to the columns of VALUES elsewhere
    chosen = and_(
        func.coalesce(theirs.zone, "") == when.c.zone, func.coalesce(theirs.hour, -1) == when.c.hour
    )
    query = select(
        literal(digest.id),
        theirs.id,
        literal(DeliveryState.DUE.value),
        literal(0),
        when.c.moment,
        when.c.moment,
        literal(digest.planned, Moment),
        literal("<") + _Unguessable() + literal(f"@{host}>"),
        _Domain(theirs.mailbox),
    )
    alike = (theirs.language, theirs.sections, theirs.bylines, theirs.series, theirs.words)
    return (
        query.select_from(subscriptions.join(when, chosen))
        .where(*_recipients(digest, last, days))
        .order_by(*alike, theirs.id)
    )


def _recipients(digest: StoredDigest, last: int | None, days: Days) -> list[ColumnElement[bool]]:
    """Who had confirmed when the digest was decided on, from where the lot before ended."""
    their, decided = subscriptions.c, digest.planned
    wanted = [
        their.publication == digest.publication,
        their.rhythm == digest.rhythm.value,
        their.state == SubscriptionState.CONFIRMED.value,
        their.created <= decided,
        their.confirmed <= decided,
        or_(their.paused_until.is_(None), their.paused_until <= decided),
        their.mailbox.not_in(select(suppressions.c.mailbox)),
        their.id > digest.reached,
    ]
    if last is not None:
        wanted.append(their.id <= last)
    if days:
        wanted.append(or_(*(their.weekly_day.is_not_distinct_from(day) for day in days)))
    return wanted


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
