"""What may be wished for, however it is said: in a form, in JSON, on a list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate import wishes
from syndicate.model import Choice, Fault, Rhythm, Wish
from syndicate.wishes import Offer
from tests.samples import PAPER

OFFER = Offer(PAPER, ("zh-CN", "en"), {"何晓楠": "何晓楠", "li-ming-1a2b3c": "Li Ming"}, {"xi": "溪边谈"})
NAMES = (
    "sections",
    "bylines",
    "series",
    "words",
    "rhythm",
    "weekly_day",
    "hour",
    "zone",
    "language",
)


def test_who_says_nothing_gets_the_whole_paper_with_each_issue() -> None:
    assert wishes.read({}, OFFER, "en") == (Wish(Choice(), Rhythm.ISSUE, "en"), {})


def test_everything_can_be_said() -> None:
    said = {
        "sections": ["zonghe"],
        "bylines": ["Li Ming", "何晓楠"],
        "series": ["溪边谈"],
        "words": ["水利  灌区，橘农;橘农"],
        "rhythm": ["weekly"],
        "weekly_day": ["0"],
        "hour": ["23"],
        "zone": ["Europe/Berlin"],
        "language": ["en"],
    }

    choice = Choice(("zonghe",), ("li-ming-1a2b3c", "何晓楠"), ("xi",), ("水利 灌区", "橘农"))
    assert wishes.read(said, OFFER, "zh-CN") == (
        Wish(choice, Rhythm.WEEKLY, "en", 0, 23, "Europe/Berlin"),
        {},
    )


def test_all_sections_and_the_papers_own_day_and_zone_are_no_choice() -> None:
    said = {
        "sections": ["zonghe", "yaowen"],
        "weekly_day": [str(PAPER.weekly_day)],
        "zone": [PAPER.zone],
        "hour": [""],
    }

    assert wishes.read(said, OFFER, "zh-CN") == (Wish(), {})


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("sections", "nix", Fault.UNKNOWN),
        ("bylines", "Nobody", Fault.UNKNOWN),
        ("rhythm", "daily", Fault.UNKNOWN),
        ("weekly_day", "7", Fault.UNKNOWN),
        ("hour", "-1", Fault.UNKNOWN),
        ("hour", "07", Fault.UNKNOWN),
        ("zone", "../etc/passwd", Fault.UNKNOWN),
        ("language", "fr", Fault.UNKNOWN),
        ("words", "一,二,三,四,五,六", Fault.TOO_MANY),
        ("words", "长" * 41, Fault.TOO_LONG),
        ("words", "a\0b", Fault.MALFORMED),
        ("words", "——", Fault.MALFORMED),
    ],
)
def test_what_cannot_be_had_is_named(name: str, value: str, fault: Fault) -> None:
    assert wishes.read({name: [value]}, OFFER, "zh-CN")[1] == {name: fault}


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.text(max_size=60), max_size=60)))
def test_whatever_is_said_gives_a_wish_that_can_be_kept(said: dict[str, list[str]]) -> None:
    wish, faults = wishes.read(said, OFFER, "en")

    assert set(faults) <= set(said)
    assert set(wish.choice.sections) <= {section.slug for section in PAPER.sections}
    assert set(wish.choice.bylines) <= set(OFFER.bylines)
    assert wish.language in OFFER.languages
    assert wish.zone is None or wish.zone in wishes.zones()
