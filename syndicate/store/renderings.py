"""Items of feeds as they were rendered, so that each is rendered once a change; packed, they are text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from isal import isal_zlib
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from syndicate.store.tables import entries, renderings

_AT_ONCE = 400  # ids in one query


@dataclass(frozen=True, slots=True)
class Rendering:
    """One item in one format, whole and brief."""

    item: str
    form: str
    made_of: str
    whole: bytes
    brief: bytes


@dataclass(frozen=True, slots=True)
class Measure:
    """How large an item is in the format in which it is largest, and what it was made of."""

    made_of: str
    size: int
    brief_size: int


def measures(db: Connection, items: Sequence[str]) -> dict[str, Measure]:
    """Of those items that are rendered."""
    column = renderings.c
    largest = select(
        column.item, func.min(column.made_of), func.max(column.size), func.max(column.brief_size)
    )
    return {
        item: Measure(made_of, size, brief_size)
        for some in _batches(items)
        for item, made_of, size, brief_size in db.execute(
            largest.where(column.item.in_(some)).group_by(column.item)
        )
    }


def pieces(db: Connection, form: str, shown: str, items: Sequence[str]) -> dict[str, bytes]:
    """These items in one format; `shown`: whole or brief."""
    column = renderings.c
    return {
        row.item: _unpacked(row.packed)
        for some in _batches(items)
        for row in db.execute(
            select(column.item, column[shown].label("packed")).where(
                column.form == form, column.item.in_(some)
            )
        )
    }


def save(db: Connection, made: Iterable[Rendering]) -> None:
    """Keep these, in place of what was kept of the same items."""
    made = list(made)
    if not made:
        return
    replaced = [{"of": item} for item in sorted({one.item for one in made})]
    db.execute(delete(renderings).where(renderings.c.item == bindparam("of")), replaced)
    db.execute(insert(renderings), [_row(one) for one in made])


def prune(db: Connection, publication: str, before: date) -> None:
    """Forget those of entries printed before that day: they are rendered again if a feed still wants them."""
    old = select(entries.c.id).where(entries.c.publication == publication, entries.c.date < before)
    db.execute(delete(renderings).where(renderings.c.item.in_(old)))


def _row(one: Rendering) -> dict[str, object]:
    return {
        "item": one.item,
        "form": one.form,
        "made_of": one.made_of,
        "size": len(one.whole),
        "brief_size": len(one.brief),
        "whole": _packed(one.whole),
        "brief": _packed(one.brief),
    }


_RAW = -15  # deflate (RFC 1951) with the largest window, without head and checksum


def _packed(piece: bytes) -> bytes:
    return isal_zlib.compress(piece, isal_zlib.ISAL_BEST_COMPRESSION, wbits=_RAW)


def _unpacked(piece: bytes) -> bytes:
    return isal_zlib.decompress(piece, wbits=_RAW)


def _batches(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
