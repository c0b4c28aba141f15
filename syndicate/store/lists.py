"""Whole lists of subscribers, taken in by the hundred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from syndicate.model import SubscriptionState, Wish
from syndicate.store import subscriptions as living
from syndicate.store import suppressions
from syndicate.store.tables import subscriptions

AT_ONCE = 500  # rows: SQLite took 999 values in a statement until 3.32

Known = dict[str, str]
"""By mailbox: its state in this paper, or `suppressed`."""

SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on a list, who agreed at that moment; or who left."""

    address: str
    wish: Wish
    agreed: datetime | None
    source: str
    paused_until: datetime | None = None
    ended: datetime | None = None  # when they left

    @property
    def mailbox(self) -> str:
        """The address in lower case."""
        return self.address.lower()


def known(db: Connection, publication: str, members: Sequence[Member]) -> Known:
    """What is known of these already, at most AT_ONCE of them."""
    mailboxes = [member.mailbox for member in members]
    query = select(subscriptions.c.mailbox, subscriptions.c.state).where(
        subscriptions.c.publication == publication, subscriptions.c.mailbox.in_(mailboxes)
    )
    states: Known = {row.mailbox: row.state for row in db.execute(query)}
    return states | dict.fromkeys(suppressions.suppressed(db, mailboxes), SUPPRESSED)


def add(db: Connection, publication: str, members: Sequence[Member], pending: Known, now: datetime) -> None:
    """Subscribe them, confirmed at the moment they agreed; those that are `pending` are so no more.

    Of those who left it is noted that they did.
    """
    values = [
        living.columns(member.wish)
        | {"address": member.address, "mailbox": member.mailbox, "source": member.source}
        | {"confirmed": member.agreed, "publication": publication, "paused_until": member.paused_until}
        | {"created": now, "asks": 0, "ask_after": None}
        | _state(member)
        for member in members
    ]
    new = [one for one in values if one["mailbox"] not in pending]
    waiting = [one for one in values if one["mailbox"] in pending]
    if new:
        db.execute(insert(subscriptions), new)
    if waiting:
        theirs = update(subscriptions).where(
            subscriptions.c.publication == publication, subscriptions.c.mailbox == bindparam("of")
        )
        kept = ("publication", "mailbox", "created")
        agreed = [{k: v for k, v in one.items() if k not in kept} | {"of": one["mailbox"]} for one in waiting]
        db.execute(theirs, agreed)


def _state(member: Member) -> dict[str, Any]:
    if member.ended is None:
        return {"state": SubscriptionState.CONFIRMED.value, "ended": None, "why": None}
    return {"state": SubscriptionState.ENDED.value, "ended": member.ended, "why": living.LEFT}
