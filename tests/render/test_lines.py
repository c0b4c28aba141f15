from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from syndicate.render.lines import balance, wrap


def em(text: str) -> float:
    """As wide as printed: Latin letters and blanks are half as wide as a Han character."""
    return sum(0.5 if ord(char) < 0x2000 else 1.0 for char in text)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("两岸乡亲等了三十年。桥通了", 9, ("两岸乡亲等了三十", "年。桥通了")),
        ("他们说今年的“抢”字诀", 7, ("他们说今年的", "“抢”字诀")),
        ("本报讯（记者何晓楠）", 4, ("本报讯", "（记者何", "晓楠）")),
        ("a county that learned", 5, ("a county", "that", "learned")),
        ("总投资6.8亿元年产3万吨", 5, ("总投资", "6.8亿元年", "产3万吨")),
        ("到了11月16日那天", 4, ("到了11月", "16日那天")),
        ("aaaaaaaaaaaa", 3, ("aaaaaa", "aaaaaa")),
        ("", 9, ()),
        (" \n ", 9, ()),
    ],
)
def test_lines_break_as_chinese_is_set(text: str, width: float, lines: tuple[str, ...]) -> None:
    assert wrap(text, width, em) == lines


def test_an_accent_stays_on_its_letter() -> None:
    assert wrap("汉e\u0301汉", 1, em) == ("汉", "e\u0301", "汉")


def test_balanced_lines_are_even() -> None:
    assert wrap("三万石埠人有了第二座桥了", 10, em) == ("三万石埠人有了第二座", "桥了")
    assert balance("三万石埠人有了第二座桥了", 10, em) == ("三万石埠人有", "了第二座桥了")


def test_a_headline_of_two_thoughts_breaks_between_them() -> None:
    assert balance("柿子红了 整个小院都亮了", 10, em) == ("柿子红了", "整个小院都亮了")


def test_characters_that_stand_together_in_the_text_are_not_parted() -> None:
    headline = "岚江干流堤防加固工程沙洲段主体日前完工"
    prose = "堤防加固工程主体完工。这项工程去年开工，工程全长两公里。"

    assert balance(headline, 12, em) == ("岚江干流堤防加固工", "程沙洲段主体日前完工")
    assert balance(headline, 12, em, prose) == ("岚江干流堤防加固工程", "沙洲段主体日前完工")


@given(some.text(), some.floats(1, 40), some.text())
def test_no_character_is_lost_and_no_line_too_wide(text: str, width: float, prose: str) -> None:
    for lines in (wrap(text, width, em), balance(text, width, em, prose)):
        assert "".join("".join(lines).split()) == "".join(text.split())
        assert all(em(line) <= width for line in lines)
        assert all(line.strip() for line in lines)
    assert len(balance(text, width, em, prose)) == len(wrap(text, width, em))


PIECES = some.sampled_from(("桥", "路通", "“抢”", "（二）", "好，", "对。", "《谣》", "C919", "11月", " "))


@given(some.lists(PIECES, min_size=1).map("".join), some.floats(9, 40))
def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one(text: str, width: float) -> None:
    for lines in (wrap(text, width, em), balance(text, width, em)):
        assert not any(line[0] in "。，”）》月" for line in lines)
        assert not any(line[-1] in "“（《" for line in lines)
