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
    assert shown([(3000, 300)] * 50, LARGEST, 0) == (Shown.WHOLE,) * 50


def test_what_does_not_fit_whole_is_told_briefly_oldest_first() -> None:
    assert shown([(3000, 300)] * 3, 4000, 0) == (Shown.WHOLE, Shown.BRIEF, Shown.BRIEF)


def test_what_does_not_even_fit_briefly_is_left_to_the_archive() -> None:
    assert shown([(3000, 300)] * 10, 700, 0) == (Shown.BRIEF, Shown.BRIEF)


def test_a_giant_makes_no_summaries_of_the_others() -> None:
    assert shown([(GIANT + 1, 300), (3000, 300)], LARGEST, 0) == (Shown.BRIEF, Shown.WHOLE)


def test_the_newest_issue_is_whole_before_older_ones_are_told_at_all() -> None:
    told = shown([(4500, 900)] * 1760, LARGEST, 80)

    assert told[:80] == (Shown.WHOLE,) * 80
    assert len(told) > 200


def test_thirty_days_of_a_section_are_told_with_the_newest_fifty_whole() -> None:
    told = shown([(4500, 900)] * 220, LARGEST, 50)

    assert len(told) == 220
    assert told[:50] == (Shown.WHOLE,) * 50


def test_a_promise_takes_no_more_than_three_quarters_of_the_room() -> None:
    told = shown([(4000, 400)] * 100, 40_000, 100)

    assert told.count(Shown.WHOLE) == 7
    assert told.count(Shown.BRIEF) == 30


@given(SIZES, some.integers(0, LARGEST), some.integers(0, 300))
def test_whatever_comes_it_fits_and_no_older_item_is_whole_below_a_brief_one(
    sizes: list[tuple[int, int]], room: int, promised: int
) -> None:
    told = shown(sizes, room, promised)

    used = sum(size[0] if how is Shown.WHOLE else size[1] for size, how in zip(sizes, told, strict=False))
    assert used <= room
    ordinary = [how for size, how in zip(sizes, told, strict=False) if size[0] <= GIANT]
    assert ordinary == sorted(ordinary, key=lambda how: how is Shown.BRIEF)
