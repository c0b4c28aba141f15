"""What somebody asks for, read from a form, from JSON or from a line of a list. Values in, values out."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from zoneinfo import available_timezones

from syndicate.model import Choice, Fault, Publication, Rhythm, Wish, address_part

WORDS = 5  # searches
WORD = 40  # characters of a search
NAMES = 50  # bylines, and series

_DAYS, _HOURS = (tuple(map(str, range(most))) for most in (7, 24))

NAMES_SAID = ("sections", "bylines", "series", "words", "rhythm", "weekly_day", "hour", "zone", "language")
"""Under what a wish is said."""

Said = Mapping[str, Sequence[str]]
"""What was said under each name; what is missing is as usual."""

Faults = dict[str, Fault]
"""What cannot be taken, by the name under which it was said."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be chosen of a paper: names as in addresses, and as printed."""

    paper: Publication
    languages: Sequence[str]
    bylines: Mapping[str, str] = field(default_factory=dict)
    series: Mapping[str, str] = field(default_factory=dict)


def read(said: Said, offer: Offer, language: str) -> tuple[Wish, Faults]:
    """The wish, as far as it can be taken, and what cannot; where no language is said, it is `language`.

    Names: NAMES_SAID.
    """
    faults: Faults = {}
    paper = offer.paper
    sections = _chosen("sections", said, [section.slug for section in paper.sections], faults)
    choice = Choice(
        # All of them is the whole paper, also when it gets another section.
        () if len(sections) == len(paper.sections) else sections,
        _named("bylines", said, offer.bylines, faults),
        _named("series", said, offer.series, faults),
        _words(said.get("words", ()), faults),
    )
    rhythm = _one("rhythm", said, [*Rhythm], faults)
    day = _one("weekly_day", said, _DAYS, faults)
    hour = _one("hour", said, _HOURS, faults)
    zone = _one("zone", said, zones(), faults)
    wish = Wish(
        choice=choice,
        rhythm=Rhythm(rhythm or Rhythm.ISSUE),
        language=_one("language", said, offer.languages, faults) or language,
        weekly_day=int(day) if day and int(day) != paper.weekly_day else None,
        hour=int(hour) if hour else None,
        zone=zone if zone != paper.zone else None,
    )
    return wish, faults


@cache
def zones() -> frozenset[str]:
    """The names of time zones that this machine knows."""
    return frozenset(available_timezones())


def _one(name: str, said: Said, known: Container[str], faults: Faults) -> str | None:
    value = next((value.strip() for value in said.get(name, ())), "")
    if value and value not in known:
        faults[name] = Fault.UNKNOWN
    return value if value in known else None


def _chosen(name: str, said: Said, known: Sequence[str], faults: Faults) -> tuple[str, ...]:
    """Those of the known ones that were said, in the paper's order."""
    wanted = {value.strip() for value in said.get(name, ()) if value.strip()}
    if not wanted <= set(known):
        faults[name] = Fault.UNKNOWN
    return tuple(one for one in known if one in wanted)


def _named(name: str, said: Said, known: Mapping[str, str], faults: Faults) -> tuple[str, ...]:
    """Names as in addresses, also where they were said as printed."""
    by_title = {title: part for part, title in known.items()}
    typed = [value.strip() for value in said.get(name, ()) if value.strip()]
    parts = {one if one in known else by_title.get(one, address_part(one)) for one in typed}
    if not parts <= set(known):
        faults[name] = Fault.UNKNOWN
    if len(parts) > NAMES:
        faults[name] = Fault.TOO_MANY
    return tuple(sorted(parts & set(known)))[:NAMES]


def _words(said: Sequence[str], faults: Faults) -> tuple[str, ...]:
    """Searches, however they are divided: by commas of any kind or in lines."""
    typed = (" ".join(search.split()) for line in said for search in re.split(r"[,，、;；\r\n]", line))
    searches = tuple(dict.fromkeys(search for search in typed if search))
    if any(len(search) > WORD for search in searches):
        faults["words"] = Fault.TOO_LONG
    elif any(not search.isprintable() or not any(map(str.isalnum, search)) for search in searches):
        faults["words"] = Fault.MALFORMED
    elif len(searches) > WORDS:
        faults["words"] = Fault.TOO_MANY
    return searches
