"""Real mail that came back, in other people's words, which a person has read before."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bench import bounces
from bench.bounces import Meant
from syndicate.model import Report
from tests.split.shared import shared


@pytest.fixture(scope="module")
def told() -> Mapping[str, Meant]:
    return bounces.truth(bounces.FLUFL)


@pytest.fixture(scope="module")
def found(told: Mapping[str, Meant]) -> Mapping[str, Report]:
    return bounces.read(shared("hostile/bounce-flufl"), told)


def test_each_mail_of_the_collection_was_read_by_a_person(told: Mapping[str, Meant]) -> None:
    folder = shared("hostile/bounce-flufl")

    assert {file.name for file in folder.glob("*_[0-9]*.txt")} == set(told)


def test_nine_of_ten_hard_bounces_are_known_by_their_status(
    told: Mapping[str, Meant], found: Mapping[str, Report]
) -> None:
    right, wrong = bounces.hard_ones(told, found)

    assert len(right) >= 0.9 * len(right + wrong), wrong


def test_nobody_is_removed_for_one_soft_bounce(
    told: Mapping[str, Meant], found: Mapping[str, Report]
) -> None:
    assert bounces.removed(told, found) == []


def test_what_is_no_bounce_counts_as_none(told: Mapping[str, Meant], found: Mapping[str, Report]) -> None:
    silent = [name for name, meant in told.items() if meant.word == "nothing"]

    assert [found[name].kind for name in silent] == [None] * len(silent)
