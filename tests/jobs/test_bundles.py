import gzip
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from syndicate.deliver.codings import Packed
from syndicate.deliver.shelf import Shelf
from syndicate.jobs import bundles
from syndicate.jobs.bundles import bundled
from syndicate.jobs.renderings import Told
from syndicate.render import feeds
from syndicate.render.window import Shown

FRAME = (b"<feed>", b"</feed>")
NUMBERS = st.lists(st.integers(0, 10_000), unique=True)


def told(numbers: list[int]) -> list[Told]:
    return [Told(f"tag:paper.example,2026:{n}", Shown.WHOLE, "x") for n in numbers]


@given(NUMBERS)
def test_bundles_hold_all_items_in_their_order(numbers: list[int]) -> None:
    assert list(chain(*bundled(told(numbers)))) == told(numbers)


@given(NUMBERS, st.integers(0, 50))
def test_newer_items_change_only_the_first_bundle(numbers: list[int], new: int) -> None:
    before, after = bundled(told(numbers[new:])), bundled(told(numbers))
    assert after[len(after) - len(before) + 1 :] == before[1:]


def test_bundles_are_neither_single_items_nor_whole_feeds() -> None:
    found = bundled(told(list(range(2000))))
    assert 4 < 2000 / len(found) < 9


@given(NUMBERS, NUMBERS)
def test_what_is_remembered_of_other_feeds_changes_no_byte(shown: list[int], other: list[int]) -> None:
    pieces = {one: (f"<item>{one.item}</item>".encode(),) * 3 for one in told(shown + other)}
    remembering, fresh = Shelf[Packed](1_000_000), Shelf[Packed](1_000_000)
    for form in feeds.FORMS:
        bundles.gzip(remembering, FRAME, bundled(told(other)), pieces, form)
        packed = bundles.gzip(remembering, FRAME, bundled(told(shown)), pieces, form)
        assert packed == bundles.gzip(fresh, FRAME, bundled(told(shown)), pieces, form)
        body = feeds.joined(FRAME, [pieces[one][0] for one in told(shown)], form)
        assert gzip.decompress(packed) == b"".join(body)
