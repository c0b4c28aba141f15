"""The log of what happened to articles, in order: what relay bots and robots are told from.

It only grows. Events are written in the transaction that changes the entries, in print order; whoever writes holds the
one write lock, so what is committed later has the greater number, and who has seen a number has seen all below it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from syndicate.model import PUBLISHED_KINDS, ChangedEntry, Entry, PushKind, Revision, address_part
from syndicate.store import entries as ledger
from syndicate.store.tables import entries, relay_events, relay_names


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a bot has come.

    Of what happened up to `seen` it was told as things were then. Each stretch reaches from the one before up to an
    event, and was told as things were at a later one: what happened in between is not said again of the same article.
    """

    seen: int
    stretches: tuple[tuple[int, int], ...] = ()  # up to which event, as of which

    @property
    def at(self) -> int:
        """The last event that it was told of."""
        return self.stretches[-1][0] if self.stretches else self.seen

    def come(self, at: int, newest: int) -> Cursor:
        """Further on, up to `at`, told as things were at the newest event."""
        if at >= newest:
            return Cursor(at)
        before = self.stretches
        if before and before[-1][1] == newest:
            before = before[:-1]
        if len(before) > _STRETCHES:  # told as of the earlier: something may be said twice, nothing is lost
            before = ((before[1][0], max(before[1][0], before[0][1])), *before[2:])
        return Cursor(self.seen, (*before, (at, newest)))


@dataclass(frozen=True, slots=True)
class Happened:
    """What a bot is to be told next, in the order of the log."""

    seq: int
    kind: PushKind
    entry: Entry
    again: bool = False  # new once more: it had been taken back


class _Event(NamedTuple):
    seq: int
    entry: str
    kind: str
    section: str


_EVENT = (relay_events.c.seq, relay_events.c.entry, relay_events.c.kind, relay_events.c.section)
_STRETCHES = 40
_AT_A_TIME = 400  # events looked at


def note(db: Connection, revision: Revision, now: datetime) -> None:
    """Add what a revision means to those who are told of articles."""
    happened = [(new.entry, "new") for new in revision.new if _published(new.entry)]
    happened += [(change.after, kind) for change in revision.changed for kind in _kinds(change)]
    happened += [(entry, "withdrawn") for entry in revision.withdrawn if _published(entry)]
    rows = [
        {
            "publication": entry.publication,
            "entry": entry.id,
            "kind": kind,
            "section": entry.section,
            "at": now,
        }
        for entry, kind in sorted(happened, key=lambda one: (one[0].article.page, one[0].page, one[0].n))
    ]
    if rows:
        db.execute(insert(relay_events), rows)
    _note_names(db, [entry for entry, kind in happened if kind != "withdrawn"])


def knows(db: Connection, publication: str, feed: str) -> bool:
    """Whether an article ever stood in that feed of a name (byline-何晓楠, series-…)."""
    query = select(relay_names.c.seq).where(
        relay_names.c.publication == publication, relay_names.c.feed == feed
    )
    return db.execute(query.limit(1)).first() is not None


def newest(db: Connection, publication: str) -> int:
    """The number of the paper's last event; 0 before the first."""
    query = select(func.coalesce(func.max(relay_events.c.seq), 0)).where(
        relay_events.c.publication == publication
    )
    return int(db.execute(query).scalar_one())


def happened(
    db: Connection, publication: str, feed: str, after: Cursor, limit: int
) -> tuple[tuple[Happened, ...], Cursor]:
    """What a bot that came so far is to be told of a feed (all, section-yaowen …), and how far it has come then.

    Each article as it is now: one that it never had is new, however often it was corrected since, and is not
    mentioned if it has been taken back. Bots of a section, a byline or a series are told of all that ever stood
    there: what moves away, or gets another byline, is still corrected and taken back for them.
    """
    last, at = newest(db, publication), after.at
    told: list[Happened] = []
    while at < last:
        found = _next(db, publication, at)
        if not found:  # the events that follow are another paper's
            break
        for one in _to_tell(db, publication, feed, after, found, {h.entry.id for h in told}):
            if len(told) == limit:
                return tuple(told), after.come(told[-1].seq, last)
            told.append(one)
        at = found[-1].seq
    return tuple(told), after.come(max(at, last), last)


def beginning(db: Connection, publication: str, day: date) -> Cursor:
    """Where a bot begins that wants the issue of that day from its first article on."""
    first = (
        select(func.min(relay_events.c.seq))
        .join(entries, entries.c.id == relay_events.c.entry)
        .where(relay_events.c.publication == publication, entries.c.date == day)
    )
    seq = db.execute(first).scalar_one()
    return Cursor(newest(db, publication) if seq is None else seq - 1)


def _note_names(db: Connection, told: Iterable[Entry]) -> None:
    """Since which event each article has stood under the names that it has now."""
    entry_of = {entry.id: entry for entry in told}
    newest_of = (
        select(relay_events.c.entry, func.max(relay_events.c.seq))
        .where(relay_events.c.entry.in_(entry_of))
        .group_by(relay_events.c.entry)
    )
    known_of = select(relay_names.c.entry, relay_names.c.feed).where(relay_names.c.entry.in_(entry_of))
    known = {(id_, feed) for id_, feed in db.execute(known_of)}
    rows = [
        {"publication": entry_of[id_].publication, "feed": feed, "entry": id_, "seq": seq}
        for id_, seq in db.execute(newest_of)
        for feed in _named_feeds(entry_of[id_])
        if (id_, feed) not in known
    ]
    if rows:
        db.execute(insert(relay_names), rows)


def _named_feeds(entry: Entry) -> frozenset[str]:
    article = entry.article
    series = [f"series-{address_part(article.series_name)}"] if article.series_name else []
    return frozenset((*(f"byline-{address_part(name)}" for name in article.byline.names), *series))


def _next(db: Connection, publication: str, after: int) -> list[_Event]:
    own = (relay_events.c.publication == publication, relay_events.c.seq > after)
    query = select(*_EVENT).where(*own).order_by(relay_events.c.seq).limit(_AT_A_TIME)
    return [_Event(*row) for row in db.execute(query)]


def _to_tell(
    db: Connection,
    publication: str,
    feed: str,
    after: Cursor,
    found: Sequence[_Event],
    told: set[str],
) -> Iterator[Happened]:
    """Of these events those that the bot is to hear of; an article once, at the first."""
    ids = list({event.entry for event in found} - told)
    whole: dict[str, list[_Event]] = defaultdict(list)
    query = select(*_EVENT).where(relay_events.c.entry.in_(ids)).order_by(relay_events.c.seq)
    for row in db.execute(query):
        whole[row.entry].append(_Event(*row))
    since = _since(db, publication, feed, whole)
    by_id = {entry.id: entry for entry in ledger.with_ids(db, list(since))}
    for event in found:
        entry = by_id.get(event.entry)
        if entry and (one := _happened(entry, event.seq, whole[entry.id], since[entry.id], after)):
            del by_id[event.entry]
            yield one


def _since(
    db: Connection, publication: str, feed: str, whole: Mapping[str, Sequence[_Event]]
) -> dict[str, int]:
    """Of these articles those that the feed holds or once held, and the event since which."""
    kind, _, part = feed.partition("-")
    if kind == "section":
        mine = {id_: [event for event in events if event.section == part] for id_, events in whole.items()}
        return {id_: events[0].seq for id_, events in mine.items() if events}
    if kind in ("byline", "series"):
        named = (relay_names.c.publication == publication, relay_names.c.feed == feed)
        query = select(relay_names.c.entry, relay_names.c.seq).where(*named, relay_names.c.entry.in_(whole))
        return {row.entry: row.seq for row in db.execute(query)}
    held = set(whole)
    if kind == "page":
        on_page = select(entries.c.id).where(entries.c.id.in_(whole), entries.c.page == int(part))
        held = set(db.execute(on_page).scalars())
    return {id_: whole[id_][0].seq for id_ in held}


def _happened(entry: Entry, seq: int, events: Sequence[_Event], first: int, after: Cursor) -> Happened | None:
    """What is to be said of an article at one of its events; `first` is the first in the bot's feed."""
    if first > seq:  # it was elsewhere
        return None
    as_of = _told_as_of(events, first, after)
    known = [event.kind for event in events if event.seq <= as_of and event.kind != "moved"]
    has = first <= as_of and known[-1:] not in ([], ["withdrawn"])
    if entry.withdrawn is not None or not _published(entry):
        return Happened(seq, PushKind.WITHDRAWN, entry) if has else None
    if not has:
        return Happened(seq, PushKind.NEW, entry, again="withdrawn" in known)
    changed = any(event.kind == "corrected" and event.seq > as_of for event in events)
    return Happened(seq, PushKind.CORRECTED, entry) if changed else None


def _told_as_of(events: Sequence[_Event], first: int, after: Cursor) -> int:
    """The event as of which the bot was last told of the article, if it was: `first` is the first in its feed."""
    as_of = begin = after.seen
    for end, then in after.stretches:
        if any(begin < event.seq <= end and event.seq >= first for event in events):
            as_of = then
        begin = end
    return as_of


def _kinds(change: ChangedEntry) -> Iterator[str]:
    before, after = change.before, change.after
    if _published(before) and not _published(after):
        yield "withdrawn"
    elif _published(after) and after.updated != before.updated and _published(before):
        yield "corrected"
    elif _published(after) and (before.withdrawn or not _published(before)):
        yield "new"
    if _published(before) and _published(after) and before.section != after.section:
        yield "moved"


def _published(entry: Entry) -> bool:
    return entry.article.kind in PUBLISHED_KINDS
