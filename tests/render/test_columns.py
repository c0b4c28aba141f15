from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from syndicate.render import columns


def test_a_han_character_takes_two_columns_and_a_mark_on_a_letter_none() -> None:
    assert columns.width("青岚日报") == 8
    assert columns.width("Qinglan") == 7
    assert columns.width("e\u0301") == 1


def test_what_terminals_differ_about_is_counted_as_wide() -> None:
    assert columns.width("■“”") == 6


def test_a_paragraph_is_indented_behind_its_mark() -> None:
    assert columns.block("青" * 40, 2, "■ ") == f"■ {'青' * 34}\n  {'青' * 6}"


def test_no_line_begins_with_a_mark_that_belongs_to_the_one_before() -> None:
    assert all(not line.startswith("，") for line in columns.block("青岚" * 18 + "，日报").splitlines())


@pytest.mark.parametrize(
    "title", ["", "要闻", "Culture and sport", "这个栏目的名字比一行的一半还要长得多得多得多"]
)
def test_a_rule_fits_even_where_box_lines_are_wide(title: str) -> None:
    assert columns.width(columns.rule(title)) <= columns.COLUMNS
    assert title in columns.rule(title)


@given(text=some.text(), indent=some.integers(0, 8))
def test_a_block_loses_nothing_and_is_never_too_wide(text: str, indent: int) -> None:
    made = columns.block(text, indent)

    assert all(columns.width(line) <= columns.COLUMNS for line in made.split("\n"))
    assert "".join(made.split()) == "".join(text.split())
