"""How much a live feed holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from syndicate.render.window import GIANT, LARGEST, Shown, shown

SIZES = some.lists(
    some.tuples(some.integers(200, 300_000), some.integers(50, 200)).map(lambda s: (max(s), s[1])),
    max_size=300,
)


def test_a_small_feed_is_whole() -> None:
    assert shown([(3000, 300)] * 50, LARGEST) == (Shown.WHOLE,) * 50


def test_what_does_not_fit_whole_is_told_briefly_oldest_first() -> None:
    assert shown([(3000, 300)] * 3, 4000) == (Shown.WHOLE, Shown.BRIEF, Shown.BRIEF)


def test_what_does_not_even_fit_briefly_is_left_to_the_archive() -> None:
    assert shown([(3000, 300)] * 10, 700) == (Shown.BRIEF, Shown.BRIEF)


def test_a_giant_makes_no_summaries_of_the_others() -> None:
    assert shown([(GIANT + 1, 300), (3000, 300)], LARGEST) == (Shown.BRIEF, Shown.WHOLE)


@given(SIZES, some.integers(0, LARGEST))
def test_whatever_comes_it_fits_and_no_older_item_is_whole_below_a_brief_one(
    sizes: list[tuple[int, int]], room: int
) -> None:
    told = shown(sizes, room)

    used = sum(size[0] if how is Shown.WHOLE else size[1] for size, how in zip(sizes, told, strict=False))
    assert used <= room
    ordinary = [how for size, how in zip(sizes, told, strict=False) if size[0] <= GIANT]
    assert ordinary == sorted(ordinary, key=lambda how: how is Shown.BRIEF)
