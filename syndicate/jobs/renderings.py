"""The items of feeds, each rendered once a change and kept."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from syndicate import store
from syndicate.errors import StoreError
from syndicate.jobs import books
from syndicate.model import Item, Publication, StoredIssue
from syndicate.render import articles, budget, feeds, jsonfeed
from syndicate.render.window import Shown
from syndicate.services import Services
from syndicate.store import entries, renderings
from syndicate.store.entries import Listed
from syndicate.store.renderings import Measure, Pieces, Rendering

log = logging.getLogger(__name__)

AT_ONCE = 200  # items that are rendered and saved together: what a crash may cost


class Told(NamedTuple):
    """An item as a feed shows it: with what it was made of, the key of its rendering."""

    item: str
    shown: Shown
    made_of: str


Fresh = list[Rendering]
"""What was rendered and is not saved yet; what a crash takes is rendered again."""


def configuration(services: Services, paper: Publication) -> str:
    """What every item of a paper is made of besides itself; another value: render all anew."""
    told = (services.settings.base_url, paper, _program())
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def of_entries(
    services: Services, paper: Publication, listed: Iterable[Listed], fresh: Fresh | None = None
) -> dict[str, Measure]:
    """How large these entries are, after those that changed were rendered; `fresh`: they are saved later."""
    base = configuration(services, paper)
    made_of = {one.id: f"{base}:{one.changed}" for one in listed}
    known = _known(services, made_of)
    stale = [id_ for id_ in made_of if id_ not in known]
    for some in _batches(stale):
        with store.reading(services.db) as db:
            items = [articles.item(e, paper, services.settings.base_url) for e in entries.with_ids(db, some)]
        known |= _rendered(services, items, made_of, fresh)
    return known


def of_issues(
    services: Services, paper: Publication, found: Iterable[StoredIssue], fresh: Fresh | None = None
) -> dict[str, Measure]:
    """As of_entries; how large the items of these issues are, by the issues' ids."""
    base, by_id = configuration(services, paper), {articles.issue_id(i, paper): i for i in found}
    made_of = {id_: f"{base}:{issue.updated.isoformat()}" for id_, issue in by_id.items()}
    known = _known(services, made_of)
    for id_, issue in by_id.items():
        if id_ not in known:
            with store.reading(services.db) as db:
                inside = entries.of_issue(db, paper.slug, issue.date)
            enclosed = books.made(services, paper, issue, inside)
            item = articles.issue_item(issue, inside, paper, services.settings.base_url, enclosed)
            known |= _rendered(services, [item], made_of, fresh)
    return known


def save(services: Services, fresh: Fresh) -> None:
    """Save what was rendered and not saved."""
    if fresh:
        with store.writing(services.db) as db:
            renderings.save(db, fresh)
        fresh.clear()


def pieces(services: Services, wanted: Collection[Told], fresh: Fresh | None = None) -> dict[Told, Pieces]:
    """The bytes of these items, which are rendered: from the shelf, else from the store.

    `fresh`: what is rendered and not saved yet.
    Raises StoreError when somebody else has removed them meanwhile; they are rendered anew when asked for again.
    """
    found = services.shelf.found(wanted)
    if lacking := {told for told in wanted if told not in found}:
        unsaved = _unsaved(fresh or ())
        found |= {told: unsaved[told] for told in lacking & unsaved.keys()}
        try:
            found |= _stored(services, sorted(lacking - unsaved.keys()))
        except KeyError as e:
            services.measures.clear()
            raise StoreError(f"the rendering of {e.args[0]} is gone: it is made anew") from e
    return found


def _unsaved(fresh: Iterable[Rendering]) -> dict[Told, Pieces]:
    return {
        Told(one.item, how, one.made_of): one.whole if how is Shown.WHOLE else one.brief
        for one in fresh
        for how in Shown
    }


def _stored(services: Services, lacking: Sequence[Told]) -> dict[Told, Pieces]:
    found: dict[Told, Pieces] = {}
    with store.reading(services.db) as db:
        for how in Shown:
            keys = [told for told in lacking if told.shown is how]
            stored = renderings.pieces(db, how.value, [told.item for told in keys])
            found |= {told: stored[told.item] for told in keys}
    for told, kept in found.items():
        _shelve(services, told, kept)
    return found


def _shelve(services: Services, told: Told, kept: Pieces) -> None:
    services.shelf.put(told, kept, sum(map(len, kept)))


def _known(services: Services, made_of: Mapping[str, str]) -> dict[str, Measure]:
    """The measures of those items whose renderings are kept and made of just that."""
    found = {id_: one for (id_, _), one in services.measures.found(made_of.items()).items()}
    if asked := [id_ for id_ in made_of if id_ not in found]:
        with store.reading(services.db) as db:
            kept = renderings.measures(db, asked)
        _remember(services, one_of := {id_: m for id_, m in kept.items() if m.made_of == made_of[id_]})
        found |= one_of
    return found


def _remember(services: Services, measures: Mapping[str, Measure]) -> None:
    for id_, one in measures.items():
        services.measures.put((id_, one.made_of), one, 1)


def _rendered(
    services: Services, items: Sequence[Item], made_of: Mapping[str, str], fresh: Fresh | None
) -> dict[str, Measure]:
    made = [Rendering(item.id, made_of[item.id], *feeds.fragments(item)) for item in items]
    unsaved = [] if fresh is None else fresh
    unsaved += made
    if fresh is None or len(unsaved) > AT_ONCE:
        save(services, unsaved)
    for one in made:
        _shelve(services, Told(one.item, Shown.WHOLE, one.made_of), one.whole)
        _shelve(services, Told(one.item, Shown.BRIEF, one.made_of), one.brief)
    found = {one.item: one.measure for one in made}
    _remember(services, found)
    if len(items) == AT_ONCE:
        log.info("rendered %d items", len(items))
    return found


@cache
def _program() -> str:
    """The program that renders: a release that renders otherwise renders anew what is kept."""
    modules = (articles, budget, feeds, jsonfeed)
    return hashlib.sha256(b"".join(Path(str(m.__file__)).read_bytes() for m in modules)).hexdigest()


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]
