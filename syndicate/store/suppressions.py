"""Addresses that no paper writes to any more; only their own new confirmation, or a person, lifts that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from syndicate.model import Suppression
from syndicate.store.tables import suppressions

BOUNCED, COMPLAINED, OPERATOR = _WEIGHT = ("bounced", "complained", "operator")
_AT_ONCE = 500  # of the values that a statement may hold


def add(db: Connection, mailbox: str, reason: str, said: str, now: datetime) -> bool:
    """Write to that address no more. False: it was so already; what weighs more then stands as the reason.

    A person's word weighs most, then a complaint.
    """
    mailbox = mailbox.lower()
    if not suppressed(db, (mailbox,)):
        db.execute(insert(suppressions).values(mailbox=mailbox, reason=reason, said=said, since=now))
        return True
    lighter = _WEIGHT[: _WEIGHT.index(reason)]
    known = update(suppressions).where(suppressions.c.mailbox == mailbox, suppressions.c.reason.in_(lighter))
    db.execute(known.values(reason=reason, said=said))
    return False


def remove(db: Connection, mailbox: str) -> bool:
    """It may be written to again, whatever the reason was. False: it might be all the time."""
    return db.execute(delete(suppressions).where(suppressions.c.mailbox == mailbox.lower())).rowcount == 1


def lift(db: Connection, mailbox: str) -> bool:
    """Its owner has confirmed anew, so mail arrives and is wanted; what a person decided stays."""
    query = delete(suppressions).where(
        suppressions.c.mailbox == mailbox.lower(), suppressions.c.reason != OPERATOR
    )
    return db.execute(query).rowcount == 1


def suppressed(db: Connection, mailboxes: Iterable[str]) -> set[str]:
    """Which of them are not to be written to, in lower case."""
    asked = sorted({mailbox.lower() for mailbox in mailboxes})
    found: set[str] = set()
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        found |= set(
            db.execute(select(suppressions.c.mailbox).where(suppressions.c.mailbox.in_(some))).scalars()
        )
    return found


def find(db: Connection, mailbox: str) -> Suppression | None:
    """Why an address is not written to, None if it is."""
    row = db.execute(select(suppressions).where(suppressions.c.mailbox == mailbox.lower())).first()
    return None if row is None else Suppression(**row._mapping)


def listed(db: Connection, most: int = 1000, *, after: str = "") -> tuple[Suppression, ...]:
    """All of them by address, so many at a time."""
    query = select(suppressions).where(suppressions.c.mailbox > after).order_by(suppressions.c.mailbox)
    return tuple(Suppression(**row._mapping) for row in db.execute(query.limit(most)))
