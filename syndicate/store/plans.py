"""Who gets a digest: written down lot by lot, and others write between two lots.

Each lot is one transaction, and says in it how far it came: cut short, the next run goes on there; of two that write at
once, the second one finds the first one's lot written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, func, insert, literal, or_, select, update
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


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who gets a digest."""

    subscription: int
    opening: Opening


def lot(db: Connection, digest: StoredDigest, most: int, *, days: Days = ()) -> tuple[Recipient, ...]:
    """The next of those who get a digest, at most so many; `days`: only who wants it on one of these."""
    their = subscriptions.c
    some = select(their.id, their.zone, their.hour).where(*_wanting(digest, days)).order_by(their.id)
    return tuple(Recipient(row.id, (row.zone, row.hour)) for row in db.execute(some.limit(most)))


def write(
    db: Connection,
    digest: StoredDigest,
    host: str,
    recipients: Iterable[tuple[Recipient, datetime]],
    reached: int | None = None,
) -> None:
    """Write down that these get the digest, each from that moment on; so far the plan has come, None: it is whole.

    Who chose alike stand together: their letters come of one mould.
    """
    at = defaultdict[datetime, list[int]](list)
    for one, moment in recipients:
        at[moment].append(one.subscription)
    for moment, numbers in at.items():
        db.execute(insert(deliveries).from_select(_WRITTEN, _rows(digest, host, numbers, moment)))
    db.execute(update(digests).where(digests.c.id == digest.id).values(reached=reached))


def _rows(digest: StoredDigest, host: str, numbers: list[int], moment: datetime) -> Any:
    their = subscriptions.c
    query = select(
        literal(digest.id),
        their.id,
        literal(DeliveryState.DUE.value),
        literal(0),
        literal(moment, Moment),
        literal(moment, Moment),
        literal(digest.planned, Moment),
        literal("<") + _Unguessable() + literal(f"@{host}>"),
        _Domain(their.mailbox),
    )
    alike = (their.language, their.sections, their.bylines, their.series, their.words)
    return query.where(their.id.in_(numbers)).order_by(*alike, their.id)


def _wanting(digest: StoredDigest, days: Days) -> list[ColumnElement[bool]]:
    """Who had confirmed when the digest was decided on, from where the lot before ended."""
    their, decided = subscriptions.c, digest.planned
    wanted = [
        their.id > digest.reached,
        # By an index of these SQLite would read all subscribers for each lot.
        func.coalesce(their.publication, "") == digest.publication,
        func.coalesce(their.state, "") == SubscriptionState.CONFIRMED.value,
        their.rhythm == digest.rhythm.value,
        their.created <= decided,
        their.confirmed <= decided,
        or_(their.paused_until.is_(None), their.paused_until <= decided),
        their.mailbox.not_in(select(suppressions.c.mailbox)),
    ]
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
