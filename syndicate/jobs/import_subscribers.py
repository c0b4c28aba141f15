"""A list of subscribers who agreed elsewhere is taken in: who is refused, and why, is told line by line.

It goes in batches, each by itself: cut short and run again, it takes in nobody twice. No mail is sent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from syndicate import mailboxes, store, wishes
from syndicate.model import Publication
from syndicate.readers import lists
from syndicate.readers.lists import Line
from syndicate.render.templates import LANGUAGES
from syndicate.services import Services
from syndicate.store import entries, erasure, subscriber_lists
from syndicate.store.subscriber_lists import Newcomer, Verdict
from syndicate.wishes import Offer

BATCH = 1000  # lines: a transaction
SOURCE = 200  # characters that are kept of it

_RHYTHMS = {"每期": "issue", "每周": "weekly", "仅更正": "corrections", "更正": "corrections", "暂停": "none"}
_LANGUAGES = {"中文": "zh-CN", "zh": "zh-CN", "english": "en", "英文": "en"}
_DIVIDER = re.compile(r"[;；、|]")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")

Refused = Callable[[int, str, str], object]
"""Is told of a line's number, its address, and why it is not taken."""


@dataclass(slots=True)
class Imported:
    """How many were taken, or would be."""

    lines: int = 0
    taken: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def run(
    services: Services,
    paper: Publication,
    file: Path,
    refused: Refused,
    *,
    source: str = "import",
    dry_run: bool = False,
    progress: Callable[[int], object] = lambda _: None,
) -> Imported:
    """Subscribe everybody on the list, confirmed since the day on which they agreed.

    Raises ReadError when the file cannot be read.
    """
    done, seen = Imported(), set[str]()
    with store.reading(services.db) as db:
        offer = Offer(
            paper,
            LANGUAGES,
            dict(entries.bylines(db, paper.slug)),
            dict(entries.series(db, paper.slug)),
        )
        erased = erasure.marks(db, paper.slug)

    def refuse(line: Line, why: str) -> None:
        done.refused[why.partition(":")[0]] += 1
        refused(line.number, line.said.get("address", ""), why)

    lines = lists.read(file, progress)
    while batch := tuple(islice(lines, BATCH)):
        done.lines += len(batch)
        good = list(_newcomers(services, batch, offer, source, seen, refuse))
        for line, verdict in _decided(services, paper, good, erased, dry_run=dry_run):
            if verdict in (Verdict.LEFT, Verdict.SUPPRESSED):
                refuse(line, verdict.value)
            done.taken += verdict is Verdict.NEW
            done.known += verdict is Verdict.KNOWN
    return done


def _newcomers(
    services: Services,
    batch: tuple[Line, ...],
    offer: Offer,
    source: str,
    seen: set[str],
    refuse: Callable[[Line, str], None],
) -> Iterator[tuple[Line, Newcomer]]:
    for line in batch:
        try:
            newcomer = _newcomer(services, line, offer, source)
        except ValueError as e:
            refuse(line, str(e))
            continue
        mailbox = newcomer.address.lower()
        if mailbox in seen:
            refuse(line, "duplicate")
            continue
        seen.add(mailbox)
        yield line, newcomer


def _decided(
    services: Services,
    paper: Publication,
    good: list[tuple[Line, Newcomer]],
    erased: frozenset[str],
    *,
    dry_run: bool,
) -> Iterator[tuple[Line, Verdict]]:
    newcomers = [newcomer for _, newcomer in good]
    if dry_run:
        with store.reading(services.db) as db:
            verdicts = subscriber_lists.judge(db, paper.slug, newcomers, erased)
    else:
        with store.writing(services.db) as db:
            verdicts = subscriber_lists.add(db, paper.slug, newcomers, erased, services.now())
    return zip((line for line, _ in good), verdicts, strict=True)


def _newcomer(services: Services, line: Line, offer: Offer, source: str) -> Newcomer:
    """Raises ValueError, saying why the line is not taken."""
    address, fault = mailboxes.read(line.said.get("address", ""))
    if fault:
        raise ValueError(f"{fault.value} address")
    consent = _consent(line.said.get("consent", ""), services.now(), offer.paper.zone)
    wish, faults = wishes.read(_wish(line.said, offer.paper), offer, LANGUAGES[0])
    for name, what in faults.items():
        raise ValueError(f"{name} {what.value}: {line.said.get(name, '')}")
    said = " ".join(line.said.get("source", "").split()) or source
    return Newcomer(address, wish, consent, said[:SOURCE], services.tokens.erased(address))


def _consent(text: str, now: datetime, zone: str) -> datetime:
    """The moment at which they agreed; a day counts from its beginning, where the paper is."""
    if not text:
        raise ValueError("no consent date")
    try:
        if day := _DAY.fullmatch(text):
            given = datetime.combine(date(*map(int, day.groups())), time())
        else:
            given = datetime.fromisoformat(text)
        moment = given if given.tzinfo else given.replace(tzinfo=ZoneInfo(zone))
        future = moment > now
    except (ValueError, OverflowError) as e:
        raise ValueError(f"consent date not understood: {text[:40]}") from e
    if future:
        raise ValueError(f"consent in the future: {text[:40]}")
    return moment


def _wish(said: Mapping[str, str], paper: Publication) -> dict[str, list[str]]:
    """What a line says, in the words of wishes: sections also by their titles, rhythms and languages in Chinese."""
    titles = {section.title: section.slug for section in paper.sections}
    told = {name: [part.strip() for part in _DIVIDER.split(value)] for name, value in said.items()}
    told["sections"] = [titles.get(part, part) for part in told.get("sections", [])]
    told["words"] = [said.get("words", "").replace("|", ";")]
    for name, known in (("rhythm", _RHYTHMS), ("language", _LANGUAGES)):
        value = said.get(name, "")
        told[name] = [known.get(value.lower(), value)]
    return told
