"""Items that stand beside each other in a feed, packed once: for the other feeds that show them so, and for tomorrow's.

Packing whole feeds took a third of the time until an issue could be read, and most of what is in a feed was in it
yesterday. Packing items one by one would make feeds a third larger, because each would be packed without those before
it; bundles of about six cost a twelfth (measured).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from syndicate.deliver import codings
from syndicate.deliver.codings import Packed
from syndicate.deliver.shelf import Shelf
from syndicate.jobs.renderings import Told
from syndicate.render import feeds
from syndicate.store.renderings import Pieces

Bundle = tuple[Told, ...]

_LENGTH = 6  # items of a bundle, on an average


def bundled(told: Iterable[Told]) -> tuple[Bundle, ...]:
    """Items in bundles. Where one ends is told by its last item alone, so what comes before it moves no other."""
    found: list[Bundle] = []
    bundle: list[Told] = []
    for one in told:
        bundle.append(one)
        if zlib.crc32(one.item.encode()) % _LENGTH == 0:
            found.append(tuple(bundle))
            bundle = []
    return (*found, tuple(bundle)) if bundle else tuple(found)


def gzip(
    shelf: Shelf[Packed], frame: feeds.Frame, told: Sequence[Bundle], pieces: Mapping[Told, Pieces], form: str
) -> bytes:
    """A feed as a gzip file, in one of feeds.FORMS; `shelf`: bundles that were packed before."""
    return codings.gzip_of(_parts(shelf, frame, told, pieces, form))


def _parts(
    shelf: Shelf[Packed], frame: feeds.Frame, told: Sequence[Bundle], pieces: Mapping[Told, Pieces], form: str
) -> Iterator[Packed]:
    yield codings.packed(frame[0])
    for n, bundle in enumerate(told):
        yield _once_packed(feeds.separator(form, first=n == 0))
        yield _packed(shelf, bundle, pieces, form)
    yield _once_packed(frame[1])


def _packed(shelf: Shelf[Packed], bundle: Bundle, pieces: Mapping[Told, Pieces], form: str) -> Packed:
    key = (form, bundle)
    found = shelf.find(key)
    if found is None:
        n, between = feeds.FORMS.index(form), feeds.separator(form, first=False)
        found = codings.packed(between.join(pieces[one][n] for one in bundle))
        shelf.put(key, found, len(found.blocks))
    return found


_once_packed = cache(codings.packed)  # what stands between and after items is always the same
