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


def shown(sizes: Sequence[tuple[int, int]], room: int, promised: int) -> tuple[Shown, ...]:
    """How each of the newest items is told; what is left out at the end stands in the archive.

    `sizes`: bytes of each item, whole and brief, newest first; `room`: bytes there are for all; `promised`: how many of
    the newest are told whole, as long as these take no more than three quarters of the room. As many of the others as
    fit are told briefly; what room is left makes more of them whole, newest first: never an item in part.
    """
    whole = _fitting([_costs(*size) for size in sizes[:promised]], room * 3 // 4)
    costs = [_costs(*size) if n < whole else size[1] for n, size in enumerate(sizes)]
    told = _fitting(costs, room)
    left = room - sum(costs[:told])
    for size in sizes[whole:told]:
        left -= _costs(*size) - size[1]
        if left < 0:  # an older item is never whole below a brief one
            break
        whole += 1
    return tuple(
        Shown.WHOLE if n < whole and size[0] <= GIANT else Shown.BRIEF for n, size in enumerate(sizes[:told])
    )


def _costs(whole: int, brief: int) -> int:
    """Bytes of an item that is told whole, unless it is a giant."""
    return whole if whole <= GIANT else brief


def _fitting(sizes: Sequence[int], room: int) -> int:
    """How many of these fit."""
    taken = 0
    for n, size in enumerate(sizes):
        taken += size
        if taken > room:
            return n
    return len(sizes)
