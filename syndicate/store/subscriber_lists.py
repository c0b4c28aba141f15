"""Lists of subscribers: taken in and handed out, many at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from syndicate.model import Subscription, SubscriptionState, Wish
from syndicate.store import subscriptions as living
from syndicate.store import suppressions
from syndicate.store.tables import subscriptions

_AT_ONCE = 500  # of the values that a statement may hold


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who agreed elsewhere."""

    address: str
    wish: Wish
    consent: datetime
    source: str
    mark: str  # what would be kept of the address if it had been erased


class Verdict(StrEnum):
    """What becomes of one."""

    NEW = "new"
    KNOWN = "subscribed already"
    LEFT = "left before"
    SUPPRESSED = "suppressed"


def judge(
    db: Connection, publication: str, newcomers: Sequence[Newcomer], erased: frozenset[str]
) -> tuple[Verdict, ...]:
    """What is to become of each; who left, moved away or was erased is not brought back by a list."""
    mailboxes = [one.address.lower() for one in newcomers]
    known = _known(db, publication, mailboxes)
    barred = suppressions.suppressed(db, mailboxes)
    return tuple(
        Verdict.LEFT
        if one.mark in erased
        else Verdict.SUPPRESSED
        if mailbox in barred
        else _verdict(known.get(mailbox))
        for one, mailbox in zip(newcomers, mailboxes, strict=True)
    )


def add(
    db: Connection, publication: str, newcomers: Sequence[Newcomer], erased: frozenset[str], now: datetime
) -> tuple[Verdict, ...]:
    """Subscribe those who are new, confirmed since they agreed, each address once; what became of each."""
    verdicts = judge(db, publication, newcomers, erased)
    new = [one for one, verdict in zip(newcomers, verdicts, strict=True) if verdict is Verdict.NEW]
    waiting = _known(db, publication, [one.address.lower() for one in new])
    fresh = [_values(publication, one, now) for one in new if one.address.lower() not in waiting]
    if fresh:
        db.execute(insert(subscriptions), fresh)
    for one in new:
        if row := waiting.get(one.address.lower()):  # asked for at the site, and not confirmed there
            values = _values(publication, one, now) | {"created": row.created, "letters": 0}
            db.execute(update(subscriptions).where(subscriptions.c.id == row.id).values(**values))
    return verdicts


def listed(db: Connection, publication: str, *, everybody: bool = False) -> Iterator[Subscription]:
    """The confirmed subscriptions of a paper in the order in which they came.

    `everybody`: those too that wait or have ended; not those that were erased.
    """
    state = SubscriptionState.CONFIRMED.value
    wanted = subscriptions.c.address != "" if everybody else subscriptions.c.state == state
    return living.stream(db, subscriptions.c.publication == publication, wanted)


def _verdict(row: Row[Any] | None) -> Verdict:
    if row is None or row.state == SubscriptionState.PENDING.value:
        return Verdict.NEW
    return Verdict.KNOWN if row.state == SubscriptionState.CONFIRMED.value else Verdict.LEFT


def _known(db: Connection, publication: str, mailboxes: Sequence[str]) -> dict[str, Row[Any]]:
    their = subscriptions.c
    found: dict[str, Row[Any]] = {}
    for start in range(0, len(mailboxes), _AT_ONCE):
        some = their.mailbox.in_(mailboxes[start : start + _AT_ONCE])
        query = select(their.id, their.mailbox, their.state, their.created)
        found |= {row.mailbox: row for row in db.execute(query.where(their.publication == publication, some))}
    return found


def _values(publication: str, one: Newcomer, now: datetime) -> dict[str, Any]:
    return {
        "publication": publication,
        "address": one.address,
        "mailbox": one.address.lower(),
        **living.columns(one.wish),
        "state": SubscriptionState.CONFIRMED.value,
        "created": now,
        "confirmed": one.consent,
        "ended": None,
        "why": None,
        "ask_after": None,
        "source": one.source,
        "asks": 0,
    }
