"""How many entries a live feed holds, and which of them whole."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

LARGEST = 512 * 1024
"""Bytes of a live feed, in each of its formats: a poll over a telephone network must stay cheap."""

GIANT = LARGEST // 4
"""Bytes of an item that is never told whole, or it alone would make summaries of all others."""


class Shown(StrEnum):
    """How an item stands in a live feed."""

    WHOLE = "whole"
    BRIEF = "brief"


def shown(sizes: Sequence[tuple[int, int]], room: int) -> tuple[Shown, ...]:
    """How each of the newest items is told; what is left out at the end stands in the archive.

    `sizes`: bytes of each item, whole and brief, newest first; `room`: bytes there are for all. As many items as
    fit briefly are told; of these the newest are told whole, as long as there is room: never an item in part.
    """
    told = _fitting([brief for _, brief in sizes], room)
    left = room - sum(brief for _, brief in sizes[:told])
    found: list[Shown] = []
    for whole, brief in sizes[:told]:
        grown = whole - brief
        if whole <= GIANT and grown <= left:
            found.append(Shown.WHOLE)
            left -= grown
        else:
            found.append(Shown.BRIEF)
            if whole <= GIANT:
                left = 0  # or an older item would be whole below a brief one, until the next issue
    return tuple(found)


def _fitting(sizes: Sequence[int], room: int) -> int:
    """How many of these fit."""
    taken = 0
    for n, size in enumerate(sizes):
        taken += size
        if taken > room:
            return n
    return len(sizes)
