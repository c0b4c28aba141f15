"""How far each digest came, and a person's hand on it: pause, go on, cancel, try again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from syndicate import store
from syndicate.errors import IssueError
from syndicate.model import DeliveryState, Entry, StoredDigest
from syndicate.services import Services
from syndicate.store import deliveries, digests, entries, tallies

RECENT = 10  # digests shown
PACE_OF = timedelta(minutes=5)  # the time from which the rest is reckoned


@dataclass(frozen=True, slots=True)
class Progress:
    """A digest, its deliveries by state, and when the rest may be out."""

    digest: StoredDigest
    counts: Mapping[DeliveryState, int]
    left: timedelta | None  # None: nothing is left, or nothing is going out

    @property
    def waiting(self) -> int:
        """Deliveries that are still to go out."""
        return self.counts[DeliveryState.DUE] + self.counts[DeliveryState.CLAIMED]

    @property
    def total(self) -> int:
        """All deliveries."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Statistics:
    """What became of a digest; counts only, no addresses."""

    progress: Progress
    left: int  # unsubscribed within a week of it
    clicked: tuple[tuple[Entry, int], ...]  # how often each article was opened, the most first


def statistics(services: Services, number: int) -> Statistics:
    """What became of the digest of that number. Raises IssueError when there is none."""
    with store.reading(services.db) as db:
        digest = digests.find(db, number)
        if digest is None:
            raise IssueError(f"digest {number}: there is none")
        clicks = dict(digests.clicked(db, number))
        found = entries.with_ids(db, list(clicks))
        return Statistics(
            _progress(db, digest, services.now()),
            tallies.of_digest(db, number).get(tallies.LEFT)
            or digests.left(db, number, digest.planned + tallies.WEEK),
            tuple(sorted(((e, clicks[e.id]) for e in found), key=lambda one: (-one[1], one[0].path))),
        )


def run(services: Services) -> tuple[Progress, ...]:
    """The digests planned last that go to anybody, newest first."""
    now = services.now()
    with store.reading(services.db) as db:
        found = [_progress(db, digest, now) for digest in digests.latest(db, RECENT)]
    return tuple(one for one in found if one.total)


def _progress(db: Connection, digest: StoredDigest, now: datetime) -> Progress:
    told = tallies.counts(db, digest.id)
    counts = {state: number + told[state] for state, number in deliveries.counts(db, digest.id).items()}
    sent = deliveries.sent_since(db, digest.id, now - PACE_OF)
    waiting = counts[DeliveryState.DUE] + counts[DeliveryState.CLAIMED]
    return Progress(digest, counts, PACE_OF * waiting / sent if sent and waiting else None)


def hold(services: Services, number: int, held: str | None) -> str:
    """Pause, cancel or (None) let go on the digest of that number; says in one line what it now does.

    What lies with the mail server already is sent: a few letters. Raises IssueError when there is no such digest,
    or it was cancelled.
    """
    now = services.now()
    with store.writing(services.db) as db:
        if not digests.hold(db, number, held, now):
            known = digests.find(db, number)
            raise IssueError(f"digest {number}: {'it was cancelled' if known else 'there is none'}")
        if held == "cancelled":
            return f"digest {number} is cancelled, {deliveries.cancel(db, number, now)} letters are not sent"
    return f"digest {number} {'is paused' if held else 'goes on'}"


def retry(services: Services, number: int) -> str:
    """What failed of the digest of that number is due again, where it is still wanted; says so in one line.

    Raises IssueError when there is no such digest.
    """
    with store.writing(services.db) as db:
        if digests.find(db, number) is None:
            raise IssueError(f"digest {number}: there is none")
        again = deliveries.retry(db, number, services.now())
    return f"digest {number}: {again} letters are tried again"


def decide(services: Services, delivery: int, *, arrived: bool) -> str:
    """A doubtful delivery arrived, or else is sent again with the same Message-ID; says so in one line.

    Raises IssueError when it is not doubtful.
    """
    with store.writing(services.db) as db:
        if not deliveries.decide(db, delivery, services.now(), arrived=arrived):
            found = deliveries.find(db, delivery)
            raise IssueError(
                f"delivery {delivery}: {found.state if found else 'there is none'}, not doubtful"
            )
    return f"delivery {delivery} {'arrived' if arrived else 'will be sent again'}"
