"""Cards of articles, each drawn once: when it is first asked for, by whichever process that is.

    <data>/cards/qinglan/2026-11-16/1-3-wide.5f0c….png

The last part of the name tells of what it was drawn; a card that says something else is another file.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from syndicate.deliver import fonts
from syndicate.errors import RenderError
from syndicate.model import Entry, Publication
from syndicate.render import cards, covers, lines, pen
from syndicate.services import Services

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """A card as it is served: PNG, and a mark that changes when it does."""

    body: bytes
    mark: str


def picture(services: Services, paper: Publication, entry: Entry, shape: str) -> Picture:
    """The card of an article in that shape (`cards.SHAPES`); without a word where no font for Chinese can be opened."""
    folder = _folder(services, paper.slug, entry)
    return _kept(folder, f"{entry.page}-{entry.n}-{shape}", cards.card_of(entry, paper), shape)


def picture_of_paper(services: Services, paper: Publication, shape: str) -> Picture:
    """The card of the paper itself, for pages that no article stands for."""
    return _kept(
        services.settings.data / "cards" / paper.slug, f"paper-{shape}", cards.card_of_paper(paper), shape
    )


def forget(services: Services, entries: Iterable[Entry]) -> None:
    """Remove what is drawn of these articles: they were withdrawn."""
    for entry in entries:
        folder = _folder(services, entry.publication, entry)
        try:
            _forget(folder, f"{entry.page}-{entry.n}-*")
        except OSError as e:  # its address says 410 all the same
            log.warning("%s: %s", folder, e.strerror)


def _folder(services: Services, paper: str, entry: Entry) -> Path:
    return services.settings.data / "cards" / paper / entry.date.isoformat()


def _kept(folder: Path, name: str, told: cards.Card, shape: str) -> Picture:
    families = available()
    mark = hashlib.sha256(f"{_program()}:{families}:{cards.mark(told)}".encode()).hexdigest()[:16]
    kept = folder / f"{name}.{mark}.png"
    with suppress(OSError):
        return Picture(kept.read_bytes(), mark)
    drawn = _drawn(told, cards.SHAPES[shape], families)
    try:
        _keep(kept, drawn)
        _forget(folder, name, kept)
    except OSError as e:  # it is drawn again next time
        log.warning("%s: %s", kept, e.strerror)
    return Picture(drawn, mark)


def _drawn(told: cards.Card, size: tuple[int, int], families: Sequence[Path]) -> bytes:
    try:
        return cards.card(told, size, families) if families else cards.plain(told, size)
    except RenderError as e:
        log.warning("%s", e)
        return cards.plain(told, size)


@cache
def available() -> tuple[Path, ...]:
    """The fonts that cards are drawn with, none where there are none."""
    found = fonts.installed()
    if found is None:
        log.warning("no open font for Chinese is installed (Debian: fonts-noto-cjk): cards have no words")
    return found or ()


def _keep(kept: Path, drawn: bytes) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_name(f".{kept.name}.{os.getpid()}")
    part.write_bytes(drawn)
    part.replace(kept)


def _forget(folder: Path, name: str, kept: Path | None = None) -> None:
    for old in folder.glob(f"{name}.*.png"):
        if old != kept:
            old.unlink(missing_ok=True)


@cache
def _program() -> str:
    """The program that draws: a release that draws otherwise draws anew what is kept."""
    modules = (cards, covers, lines, pen)
    return hashlib.sha256(b"".join(Path(str(m.__file__)).read_bytes() for m in modules)).hexdigest()
