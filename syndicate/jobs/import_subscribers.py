"""A list of subscribers who agreed elsewhere becomes subscriptions; no mail is sent. What is refused is told, line by line.

    a row → judged by itself (address, consent, wish) → held against what is known → subscribed

Rows are taken in by the hundred, each lot in one transaction: cut short, it may be run again, and takes nobody twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from syndicate import mailboxes, store, wishes
from syndicate.model import Fault, Publication, SubscriptionState, address_part
from syndicate.readers.lists import Row
from syndicate.render.templates import LANGUAGES
from syndicate.services import Services
from syndicate.store import entries, erasure, lists
from syndicate.store.lists import AT_ONCE, Member

SOURCE = "list"  # where neither row nor operator says whence it comes
LONGEST_SOURCE = 200  # characters

_FAULTS = {
    Fault.MALFORMED: "malformed address",
    Fault.DISPOSABLE: "disposable address",
    Fault.MIXED: "letters that look like others in the address",
}
_CONFIRMED, _ENDED = SubscriptionState.CONFIRMED.value, SubscriptionState.ENDED.value
_KNOWN = {
    _CONFIRMED: "subscribed already",
    _ENDED: "left before",
    lists.SUPPRESSED: "suppressed: it bounced, complained, or was ruled out",
}
_RHYTHMS = {
    "每期": "issue",
    "每期一封": "issue",
    "每周": "weekly",
    "每周一封": "weekly",
    "更正": "corrections",
}
_LANGUAGES = {"zh": "zh-CN", "zh-cn": "zh-CN", "zh-hans": "zh-CN", "中文": "zh-CN", "en": "en", "英文": "en"}
_MANY = ("sections", "bylines", "series", "words")
_NAMES = ("bylines", "series")
_ONE = ("rhythm", "weekly_day", "hour", "zone", "language")
_MOMENT = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?"
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that was not taken, and why."""

    line: int
    address: str
    why: str


class _RefusedError(Exception):
    """Why a row is not taken."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of some rows."""

    rows: int
    taken: int
    refused: tuple[Refused, ...]
    left: int = 0  # of whom it is noted that they left: no list brings them back


class Import:
    """A list on its way into a paper; `dry`: it is only judged. `source`: where rows do not say whence they come."""

    def __init__(
        self, services: Services, paper: Publication, source: str = "", *, dry: bool = False
    ) -> None:
        self._services = services
        self._paper = paper
        self._source = source or SOURCE
        self._dry = dry
        self._zone = ZoneInfo(paper.zone)
        self._now = services.now()
        self._lines: dict[str, int] = {}  # by mailbox: where it stands first
        with store.reading(services.db) as db:
            names = dict(entries.bylines(db, paper.slug)), dict(entries.series(db, paper.slug))
            self._erased = erasure.marks(db, paper.slug)
        self._offer = wishes.Offer(paper, LANGUAGES, *names)

    def run(self, rows: Sequence[Row]) -> Iterator[Done]:
        """Take the rows in, some hundred at a time, and say each time what became of them."""
        for start in range(0, len(rows), AT_ONCE):
            yield self._take(rows[start : start + AT_ONCE])

    def _take(self, rows: Sequence[Row]) -> Done:
        members: dict[int, Member] = {}
        refused: list[Refused] = []
        for row in rows:
            try:
                members[row.line] = self._judged(row)
            except _RefusedError as e:
                refused.append(Refused(row.line, row.said.get("address", ""), str(e)))
        slug, now = self._paper.slug, self._services.now()
        with (store.reading if self._dry else store.writing)(self._services.db) as db:
            states = lists.known(db, slug, tuple(members.values()))
            new = [one for one in members.values() if states.get(one.mailbox) not in _KNOWN]
            welcome = [one for one in new if one.ended is None or one.mailbox not in states]
            if not self._dry:
                lists.add(db, slug, welcome, states, now)
        for line, one in members.items():
            if why := _KNOWN.get(states.get(one.mailbox, "")):
                refused.append(Refused(line, one.address, why))
        left = sum(one.ended is not None for one in welcome)
        return Done(len(rows), len(welcome) - left, tuple(sorted(refused, key=lambda r: r.line)), left)

    def _judged(self, row: Row) -> Member:
        """Who it is, by what the row says alone."""
        if row.fault:
            raise _RefusedError(row.fault)
        said = row.said
        address, fault = mailboxes.read(said.get("address", ""))
        if fault is not None:
            raise _RefusedError(_FAULTS[fault])
        left = said.get("state") == _ENDED
        agreed = None if left else self._agreed(said)
        told = _told(said, self._paper)
        wish, faults = wishes.read(told, _with_names(self._offer, told), self._paper.language)
        if faults:
            raise _RefusedError("; ".join(f"{name}: {fault}" for name, fault in faults.items()))
        if self._erased and self._services.tokens.erased(address) in self._erased:
            raise _RefusedError("asked to be erased")
        first = self._lines.setdefault(address.lower(), row.line)
        if first != row.line:
            raise _RefusedError(f"twice in the list, first in line {first}")
        source = " ".join(said.get("source", "").split())[:LONGEST_SOURCE]
        ended = (moment(said.get("ended", ""), self._zone) or self._now) if left else None
        paused = moment(said.get("paused_until", ""), self._zone)
        return Member(address, wish, agreed, source or self._source, paused, ended)

    def _agreed(self, said: Mapping[str, str]) -> datetime:
        state = said.get("state") or _CONFIRMED
        if state != _CONFIRMED:
            raise _RefusedError(f"its state is {state!r}")
        text = said.get("consent", "")
        agreed = moment(text, self._zone)
        if agreed is None:
            raise _RefusedError(f"{text!r} is no date of consent" if text else "no consent date")
        if agreed > self._now:
            raise _RefusedError("consent in the future")
        return agreed


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """The moment of 2026-03-05, 2026/3/5 10:00, 2026年3月5日 (a day begins), or of an ISO 8601 time; None for none."""
    try:
        if found := _MOMENT.fullmatch(text.strip()):
            year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=zone)
        said = datetime.fromisoformat(text.strip().replace("/", "-"))
    except (ValueError, OverflowError):
        return None
    return said if said.tzinfo else said.replace(tzinfo=zone)


def _with_names(offer: wishes.Offer, told: wishes.Said) -> wishes.Offer:
    """What may be chosen, with the names on the list: whoever has not written here yet may do so."""
    names = {kind: {address_part(n): n.strip() for n in told.get(kind, ()) if n.strip()} for kind in _NAMES}
    if not any(names.values()):
        return offer
    return replace(
        offer, bylines=names["bylines"] | {**offer.bylines}, series=names["series"] | {**offer.series}
    )


def _told(said: Mapping[str, str], paper: Publication) -> wishes.Said:
    """The wish of a row, in the words of the forms."""
    many = {name: re.split(r"[;；|、\n]", said[name]) for name in _MANY if said.get(name)}
    one = {name: said[name] for name in _ONE if said.get(name)}
    slugs = {section.title: section.slug for section in paper.sections}
    if "sections" in many:
        many["sections"] = [slugs.get(title.strip(), title.strip()) for title in many["sections"]]
    if "rhythm" in one:
        one["rhythm"] = _RHYTHMS.get(one["rhythm"], one["rhythm"].lower())
    if "language" in one:
        one["language"] = _LANGUAGES.get(one["language"].lower(), one["language"])
    return many | {name: (value,) for name, value in one.items()}
