"""The ledger of messages to robots and of drafts: what is due, what went out, what nobody knows.

due → claimed → handed → pushed. Every step is an UPDATE that must find the row as it was: of two
that try it, one wins. A robot is told one thing at a time, in order; of what is waiting only the
oldest can be claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    insert,
    select,
    update,
)

from syndicate.model import Push, PushKind, PushState
from syndicate.store import relays
from syndicate.store.tables import entries, push_entries, pushes, relay_events, robots

FROM = {
    PushState.PUSHED: (PushState.HANDED, PushState.DOUBTFUL),
    PushState.FAILED: (PushState.CLAIMED, PushState.HANDED, PushState.DOUBTFUL),
    PushState.DUE: (PushState.CLAIMED, PushState.HANDED),
    PushState.DOUBTFUL: (PushState.HANDED,),
    PushState.DROPPED: (PushState.CLAIMED,),
}
"""To which state from which: what is pushed stays so; a doubtful or failed one may be settled by a person."""

ROUND = 100
"""Attempts before a person says that it is to go out again, at most; then they are counted anew, each number once."""

_TOLD = (PushState.CLAIMED, PushState.HANDED, PushState.PUSHED, PushState.DOUBTFUL)
_BUSY = (PushState.CLAIMED, PushState.HANDED)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an article, in the order in which it did."""

    seq: int
    entry: str
    kind: str
    section: str
    date: date  # of its issue
    at: datetime


def follow(db: Connection, publication: str, robot: str) -> int:
    """Up to which event the robot was looked after; from the newest on, when it is new: no old news."""
    own = (robots.c.publication == publication, robots.c.robot == robot)
    seq = db.execute(select(robots.c.seq).where(*own)).scalar_one_or_none()
    if seq is None:
        seq = relays.newest(db, publication)
        db.execute(insert(robots).values(publication=publication, robot=robot, seq=seq))
    return int(seq)


def followed(db: Connection, publication: str, robot: str, seq: int) -> None:
    """Every event up to this one has been looked at for the robot."""
    own = (robots.c.publication == publication, robots.c.robot == robot)
    db.execute(update(robots).where(*own).values(seq=seq))


def behind(db: Connection, publication: str, names: Sequence[str]) -> bool:
    """Whether any of these robots is new, or something has happened since it was looked after."""
    seqs = select(robots.c.seq).where(robots.c.publication == publication, robots.c.robot.in_(names))
    known = db.execute(seqs).scalars().all()
    return len(known) < len(names) or relays.newest(db, publication) > min(known, default=0)


def events(db: Connection, publication: str, after: int, limit: int) -> tuple[Event, ...]:
    """What happened after that event, in order."""
    rows = db.execute(
        select(
            relay_events.c.seq,
            relay_events.c.entry,
            relay_events.c.kind,
            relay_events.c.section,
            entries.c.date,
            relay_events.c.at,
        )
        .join(entries, entries.c.id == relay_events.c.entry)
        .where(relay_events.c.publication == publication, relay_events.c.seq > after)
        .order_by(relay_events.c.seq)
        .limit(limit)
    )
    return tuple(Event(*row) for row in rows)


def told(db: Connection, publication: str, robot: str, ids: Iterable[str]) -> frozenset[str]:
    """Those of the articles of which the robot has been told, or is just being told."""
    return _new_in(db, publication, robot, ids, _TOLD)


def planned(db: Connection, publication: str, robot: str, ids: Iterable[str]) -> frozenset[str]:
    """Those of the articles of which the robot was told, is to be told, or could not be told."""
    return _new_in(
        db, publication, robot, ids, [state for state in PushState if state is not PushState.DROPPED]
    )


def _new_in(
    db: Connection, publication: str, robot: str, ids: Iterable[str], states: Iterable[PushState]
) -> frozenset[str]:
    rows = db.execute(
        select(push_entries.c.entry)
        .join(pushes, pushes.c.id == push_entries.c.push)
        .where(
            *_of(publication, robot),
            pushes.c.kind == PushKind.NEW.value,
            pushes.c.state.in_([state.value for state in states]),
            push_entries.c.entry.in_(list(ids)),
        )
    )
    return frozenset(rows.scalars())


def add(
    db: Connection,
    publication: str,
    robot: str,
    kind: PushKind,
    day: date,
    ids: Sequence[str],
    seq: int | None,
    now: datetime,
    not_before: datetime,
    *,
    alone: bool = False,
) -> int:
    """Decide on a message; its number. Joined to one of that kind and issue that is still waiting, unless it is to stand alone."""
    waiting = None if alone else _waiting(db, publication, robot, kind, day)
    if waiting is None:
        waiting = db.execute(
            insert(pushes)
            .values(
                publication=publication,
                robot=robot,
                seq=seq,
                kind=kind.value,
                date=day,
                state=PushState.DUE.value,
                attempts=0,
                not_before=not_before,
                touched=now,
            )
            .returning(pushes.c.id)
        ).scalar_one()
    there = set(db.execute(select(push_entries.c.entry).where(push_entries.c.push == waiting)).scalars())
    if rows := [{"push": waiting, "entry": id_} for id_ in dict.fromkeys(ids) if id_ not in there]:
        db.execute(insert(push_entries), rows)
    return waiting


def any_of(db: Connection, publication: str, robot: str, kind: PushKind, day: date) -> bool:
    """Whether one of that kind and issue was ever decided on and has left the queue."""
    query = select(pushes.c.id).where(
        *_of(publication, robot),
        pushes.c.kind == kind.value,
        pushes.c.date == day,
        pushes.c.state != PushState.DUE.value,
    )
    return db.execute(query.limit(1)).first() is not None


def test(db: Connection, publication: str, robot: str, day: date, now: datetime) -> int:
    """Decide on a test message; its number. While one is waiting there is no second."""
    return add(db, publication, robot, PushKind.TEST, day, (), None, now, now)


def due(db: Connection, now: datetime) -> tuple[int, ...]:
    """What can be claimed: the oldest of each robot, when its time has come."""
    open_states = [state.value for state in (PushState.DUE, *_BUSY)]
    first = (
        select(func.min(pushes.c.id))
        .where(pushes.c.state.in_(open_states))
        .group_by(pushes.c.publication, pushes.c.robot)
    )
    rows = db.execute(
        select(pushes.c.id)
        .where(pushes.c.id.in_(first), pushes.c.state == PushState.DUE.value, pushes.c.not_before <= now)
        .order_by(pushes.c.attempts, pushes.c.id)
    )
    return tuple(rows.scalars())


def claim(db: Connection, number: int, now: datetime) -> Push | None:
    """Take a message upon oneself; None when it is not due, or another was faster, or the robot is busy."""
    other = pushes.alias()
    before = (
        select(other.c.id)
        .where(
            other.c.publication == pushes.c.publication,
            other.c.robot == pushes.c.robot,
            other.c.state.in_([state.value for state in _BUSY]),
        )
        .exists()
    )
    claimed = db.execute(
        update(pushes)
        .where(
            pushes.c.id == number, pushes.c.state == PushState.DUE.value, pushes.c.not_before <= now, ~before
        )
        .values(state=PushState.CLAIMED.value, attempts=pushes.c.attempts + 1, touched=now)
    )
    return find(db, number) if claimed.rowcount == 1 else None


def hand(db: Connection, push: Push, now: datetime, *, limit: int, within: timedelta) -> bool:
    """Say that it goes out next. False: do not send it, the claim is not ours any more or the robot has had enough.

    `limit` messages `within` a time, counted by this ledger: every process is held to it.
    """
    recent = select(pushes.c.tried).where(*_of(push.publication, push.robot), pushes.c.tried > now - within)
    query = recent.order_by(pushes.c.tried.desc()).limit(1).offset(limit - 1)
    first = db.execute(query).scalar_one_or_none()  # of so many: when it is past, there is room for another
    if first is not None:
        _step(
            db,
            push,
            (PushState.CLAIMED,),
            state=PushState.DUE.value,
            touched=now,
            not_before=first + within,
            attempts=pushes.c.attempts - 1,  # it was not tried
        )
        return False
    return _step(db, push, (PushState.CLAIMED,), state=PushState.HANDED.value, touched=now, tried=now)


def settle(
    db: Connection,
    push: Push,
    state: PushState,
    now: datetime,
    *,
    said: str | None = None,
    not_before: datetime | None = None,
) -> bool:
    """Write down what became of it. False: it was settled already, or recovered and claimed anew."""
    values: dict[str, Any] = {"state": state.value, "touched": now, "said": said}
    if state is PushState.DUE:
        values["not_before"] = not_before or now
    _step(db, push, (PushState.HANDED,), tried=now)  # it reached the other side between then and now
    return _step(db, push, FROM[state], **values)


def again(db: Connection, push: Push, now: datetime) -> bool:
    """It is to go out once more, with all its attempts: a person has mended what was in the way."""
    ours = (PushState.FAILED, PushState.DOUBTFUL)
    attempts = (push.attempts // ROUND + 1) * ROUND
    return _step(db, push, ours, state=PushState.DUE.value, touched=now, not_before=now, attempts=attempts)


def abandoned(db: Connection, now: datetime, lease: timedelta) -> bool:
    """Whether anything was claimed longer ago than `lease`: whoever claimed it is gone."""
    query = select(pushes.c.id).where(
        pushes.c.state.in_([state.value for state in _BUSY]), pushes.c.touched <= now - lease
    )
    return db.execute(query.limit(1)).first() is not None


def recover(db: Connection, now: datetime, lease: timedelta) -> tuple[int, int]:
    """After a crash: what was claimed is due again, what was handed over is doubtful. How many of each."""
    old = update(pushes).where(pushes.c.touched <= now - lease).values(touched=now)
    again = db.execute(old.where(pushes.c.state == PushState.CLAIMED.value).values(state=PushState.DUE.value))
    doubted = db.execute(
        old.where(pushes.c.state == PushState.HANDED.value).values(
            state=PushState.DOUBTFUL.value, said="the process ended while it went out"
        )
    )
    return again.rowcount, doubted.rowcount


def find(db: Connection, number: int) -> Push | None:
    """The push of that number."""
    return next(iter(_found(db, _all().where(pushes.c.id == number))), None)


def last(db: Connection, publication: str, robot: str) -> Push | None:
    """The robot's last push that came to an end, of whatever kind."""
    ended = [state.value for state in PushState if state not in (PushState.DUE, *_BUSY)]
    query = _all().where(*_of(publication, robot), pushes.c.state.in_(ended))
    return next(iter(_found(db, query.order_by(pushes.c.touched.desc(), pushes.c.id.desc()).limit(1))), None)


def waiting(db: Connection, publication: str, robot: str) -> int:
    """How many messages have not gone out yet."""
    states = [state.value for state in (PushState.DUE, *_BUSY)]
    query = select(func.count()).where(*_of(publication, robot), pushes.c.state.in_(states))
    return int(db.execute(query).scalar_one())


def doubtful(db: Connection) -> tuple[Push, ...]:
    """What may or may not have arrived, and waits for a person."""
    return _found(db, _all().where(pushes.c.state == PushState.DOUBTFUL.value).order_by(pushes.c.id))


def failed(db: Connection, since: datetime) -> tuple[Push, ...]:
    """What did not go out since then, for whatever reason, and may be pushed again by a person."""
    lost = (pushes.c.state == PushState.FAILED.value, pushes.c.kind != PushKind.TEST.value)
    return _found(db, _all().where(*lost, pushes.c.touched >= since).order_by(pushes.c.id))


def _of(publication: str, robot: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return pushes.c.publication == publication, pushes.c.robot == robot


def _waiting(db: Connection, publication: str, robot: str, kind: PushKind, day: date) -> int | None:
    query = select(pushes.c.id).where(
        *_of(publication, robot),
        pushes.c.kind == kind.value,
        pushes.c.date == day,
        pushes.c.state == PushState.DUE.value,
    )
    found: int | None = db.execute(query.order_by(pushes.c.id.desc()).limit(1)).scalar_one_or_none()
    return found


def _step(db: Connection, push: Push, before: tuple[PushState, ...], **values: Any) -> bool:
    ours = and_(
        pushes.c.id == push.id,
        pushes.c.attempts == push.attempts,
        pushes.c.state.in_([state.value for state in before]),
    )
    return db.execute(update(pushes).where(ours).values(**values)).rowcount == 1


def _all() -> Select[Any]:
    return select(pushes)


def _found(db: Connection, query: Select[Any]) -> tuple[Push, ...]:
    rows = db.execute(query).all()
    if not rows:
        return ()
    inside = db.execute(
        select(push_entries)
        .where(push_entries.c.push.in_([row.id for row in rows]))
        .order_by(push_entries.c.entry)
    ).all()
    return tuple(_push(row, tuple(one.entry for one in inside if one.push == row.id)) for row in rows)


def _push(row: Row[Any], ids: tuple[str, ...]) -> Push:
    return Push(
        id=row.id,
        publication=row.publication,
        robot=row.robot,
        kind=PushKind(row.kind),
        date=row.date,
        entries=ids,
        state=PushState(row.state),
        attempts=row.attempts,
        not_before=row.not_before,
        touched=row.touched,
        said=row.said,
    )
