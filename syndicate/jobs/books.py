"""Issues as files to keep: a book for e-readers, pages set anew for print, a cover."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from syndicate.deliver import fonts
from syndicate.errors import RenderError
from syndicate.model import Enclosure, Entry, Publication, StoredIssue
from syndicate.render import covers, epub, pdf
from syndicate.services import Services

log = logging.getLogger(__name__)


def made(
    services: Services, paper: Publication, issue: StoredIssue, inside: Sequence[Entry]
) -> tuple[Enclosure, ...]:
    """The files of an issue, as they now are in the public folder: the book, the print, the cover.

    What cannot be made (no font, an issue beyond all measure) is left out; the log says why.
    """
    if not services.settings.books:
        return ()
    base, families = services.settings.base_url, _fonts()
    cover = _tried(issue, lambda: covers.cover(issue, inside, paper, families)) if families else None
    files = {
        (".epub", epub.TYPE): _tried(issue, lambda: epub.epub(issue, inside, paper, base, cover)),
        (".pdf", pdf.TYPE): _tried(issue, lambda: pdf.pdf(issue, inside, paper, base, families))
        if families
        else None,
        (".png", covers.TYPE): cover,
    }
    enclosed = []
    for (ending, kind), body in files.items():
        if body is not None:
            name = f"books/{issue.date.isoformat()}{ending}"
            services.public.keep(paper.slug, name, body, packed=False)
            enclosed.append(Enclosure(f"{base}/{paper.slug}/{name}", kind, len(body)))
    return tuple(enclosed)


def _tried(issue: StoredIssue, make: Callable[[], bytes]) -> bytes | None:
    try:
        return make()
    except RenderError as e:
        log.warning("%s: %s", issue.path, e)
        return None


@cache
def _fonts() -> tuple[Path, ...]:
    found = fonts.installed()
    if found is None:
        log.warning(
            "no open font for Chinese is installed (Debian: fonts-noto-cjk): issues have no PDF and no cover"
        )
    return found or ()
