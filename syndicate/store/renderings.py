"""Items of feeds as they were rendered, so that each is rendered once a change.

An item's formats are packed together: they say the same, and packed alone each would take as much as all of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from isal import isal_zlib
from sqlalchemy import Connection, delete, insert, select

from syndicate.store.tables import entries, renderings

_AT_ONCE = 400  # ids in one query

Pieces = tuple[bytes, ...]
"""An item in each format, in an order that the caller knows."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """One item, whole and brief."""

    item: str
    made_of: str
    whole: Pieces
    brief: Pieces

    @property
    def measure(self) -> Measure:
        """How large it is."""
        return Measure(self.made_of, max(map(len, self.whole)), max(map(len, self.brief)))


@dataclass(frozen=True, slots=True)
class Measure:
    """How large an item is in the format in which it is largest, and what it was made of."""

    made_of: str
    size: int
    brief_size: int


def measures(db: Connection, items: Sequence[str]) -> dict[str, Measure]:
    """Of those items that are rendered."""
    column = renderings.c
    asked = select(column.item, column.made_of, column.size, column.brief_size)
    return {
        item: Measure(*said)
        for some in _batches(items)
        for item, *said in db.execute(asked.where(column.item.in_(some)))
    }


def pieces(db: Connection, shown: str, items: Sequence[str]) -> dict[str, Pieces]:
    """These items, those that are rendered; `shown`: whole or brief."""
    column = renderings.c
    asked = select(column.item, column[shown].label("packed"))
    return {
        row.item: _unpacked(row.packed)
        for some in _batches(items)
        for row in db.execute(asked.where(column.item.in_(some)))
    }


def save(db: Connection, made: Sequence[Rendering]) -> None:
    """Keep these, in place of what was kept of the same items."""
    for some in _batches([one.item for one in made]):
        db.execute(delete(renderings).where(renderings.c.item.in_(some)))
    if made:
        db.execute(insert(renderings), [_row(one) for one in made])


def prune(db: Connection, publication: str, before: date) -> None:
    """Forget those of entries printed before that day: they are rendered again if a feed still wants them."""
    old = select(entries.c.id).where(entries.c.publication == publication, entries.c.date < before)
    db.execute(delete(renderings).where(renderings.c.item.in_(old)))


def _row(one: Rendering) -> dict[str, object]:
    measure = one.measure
    return {
        "item": one.item,
        "made_of": one.made_of,
        "size": measure.size,
        "brief_size": measure.brief_size,
        "whole": _packed(one.whole),
        "brief": _packed(one.brief),
    }


_RAW = -15  # deflate (RFC 1951) with the largest window, without head and checksum
_LENGTH = struct.Struct("<I")  # of each piece, before it


def _packed(pieces: Pieces) -> bytes:
    whole = b"".join(part for piece in pieces for part in (_LENGTH.pack(len(piece)), piece))
    return isal_zlib.compress(whole, isal_zlib.ISAL_BEST_COMPRESSION, wbits=_RAW)


def _unpacked(packed: bytes) -> Pieces:
    return tuple(_parted(isal_zlib.decompress(packed, wbits=_RAW)))


def _parted(whole: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(whole):
        (length,) = _LENGTH.unpack_from(whole, at)
        begin = at + _LENGTH.size
        at = begin + length
        yield whole[begin:at]


def _batches(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
