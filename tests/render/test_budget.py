from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as some

from syndicate.render.budget import Unit, cut, noted, size, whole_blocks

LEAD = "清晨六点四十分，第一辆公交车驶上青溪二桥，车里坐着十九位上早班的人。桥面上还留着露水。"


def test_what_fits_stays_whole() -> None:
    assert cut(f"  {LEAD} ", 100) == LEAD


def test_a_whole_sentence_is_kept() -> None:
    assert cut(LEAD, 40) == "清晨六点四十分，第一辆公交车驶上青溪二桥，车里坐着十九位上早班的人。"


def test_else_a_clause() -> None:
    assert cut(LEAD, 30) == "清晨六点四十分，第一辆公交车驶上青溪二桥…"


def test_else_a_character() -> None:
    assert cut(LEAD, 16) == "清晨六点四十分，第一辆公交车驶…"


def test_a_latin_word_or_number_is_not_broken() -> None:
    assert cut("总投资额为12345.67万元", 10) == "总投资额为…"
    assert cut("The committee deliberated", 16) == "The committee…"


def test_a_word_longer_than_the_budget_is() -> None:
    assert cut("x" * 50, 10) == "x" * 9 + "…"


def test_a_quotation_is_not_left_open() -> None:
    assert cut("他说：“好的。我们这就走，大家都别等了，天色已经晚了。”", 13) == "他说：“好的。我们这就走…"


def test_a_decimal_point_ends_no_sentence() -> None:
    assert cut("Growth was 3.5 per cent. Prices fell again later.", 30) == "Growth was 3.5 per cent."


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("👨‍👩‍👧‍👦" * 3, 10, "👨‍👩‍👧‍👦…"),
        ("e\u0301" * 9, 4, "e\u0301…"),
        ("🇨🇳🇨🇳🇨🇳", 5, "🇨🇳🇨🇳…"),
        ("👍🏽👍🏽👍🏽", 4, "👍🏽…"),
        ("\u1112\u1161\u11ab\u1112\u1161\u11ab", 5, "\u1112\u1161\u11ab…"),
        ("각나다라마바사아자차", 5, "각나다라…"),
        ("a" + "\u0301" * 20, 5, "…"),
    ],
)
def test_no_grapheme_is_cut_in_two(text: str, limit: int, kept: str) -> None:
    assert cut(text, limit) == kept


@given(some.text(), some.integers(0, 40))
def test_the_budget_holds_for_any_text(text: str, limit: int) -> None:
    short = cut(text, limit)

    assert len(short) <= limit
    assert text.strip().startswith(short.removesuffix("…"))


UNITS = some.sampled_from(Unit)
HARD = some.text(
    some.sampled_from("青岚日报，。！“”（）abc 0123456789.5%é\u0301👨\u200d👩🇨🇳🏽\u1112\u1161\u11ab\ud83d\n")
)


@given(some.text() | HARD, some.integers(0, 60), UNITS)
def test_every_budget_holds_in_its_unit(text: str, limit: int, unit: Unit) -> None:
    short = cut(text, limit, unit)

    assert size(short, unit) <= limit
    assert text.strip().startswith(short.removesuffix("…"))
    assert cut(short, limit, unit) == short


@given(HARD, some.integers(1, 60), UNITS)
def test_nothing_is_cut_inside_a_grapheme(text: str, limit: int, unit: Unit) -> None:
    kept = cut(text, limit, unit).removesuffix("…")

    assert regex.findall(r"\X", text.strip())[: len(regex.findall(r"\X", kept))] == regex.findall(r"\X", kept)


@given(some.integers(10, 10**9), some.integers(0, 40), UNITS)
def test_nothing_is_cut_inside_a_number(number: int, before: int, unit: Unit) -> None:
    text = "总" * before + str(number) + "万元的项目落户青岚，明年年底以前全部建成"
    limit = size(text[: before + 4], unit) + size("…", unit)

    kept = cut(text, limit, unit).removesuffix("…")

    assert not (len(kept) < len(text) and kept[-1:].isdigit() and text[len(kept)].isdigit())


SEPARATOR = some.sampled_from([".", ",", "，", "．", ":", "：", "∶", "/"])
GROUPS = some.lists(some.sampled_from(["1", "23", "456", "７", "８９"]), min_size=1, max_size=5)
THOUSANDS = some.lists(some.sampled_from(["234", "567", "０８９"]), min_size=1, max_size=3)
WRITTEN = (
    some.builds(lambda groups, mark: mark.join(groups), GROUPS, SEPARATOR)
    | some.builds(lambda groups, space: space.join(["1", *groups]), THOUSANDS, some.sampled_from("  \u202f"))
    | some.text("〇一二三四五六七八九十百千万亿", min_size=1, max_size=25)
)


@given(
    some.lists(some.tuples(some.text("青岚日报，。！ \r\n", max_size=8), WRITTEN), min_size=1, max_size=6),
    some.integers(0, 60),
    UNITS,
)
def test_however_a_number_is_written_it_stays_whole(
    words: list[tuple[str, str]], limit: int, unit: Unit
) -> None:
    pieces = [piece for before, number in words for piece in (f"青{before}青", number)]
    text = "".join([*pieces, "青"])
    ends, at = set(), 0
    for piece in pieces:
        if not piece.startswith("青"):
            ends |= set(range(at + 1, at + len(piece)))
        at += len(piece)

    kept = cut(text, limit, unit).removesuffix("…")

    assert len(kept) not in ends
    assert not kept.endswith("\r")


def test_what_no_number_is_so_long_for_may_be_cut() -> None:
    assert cut("9" * 50, 10) == "9" * 9 + "…"


def test_bytes_and_units_are_counted_as_others_count_them() -> None:
    assert [size("青a👍", unit) for unit in Unit] == [3, 8, 4]
    assert cut("青岚日报数字报今天上线了", 20, Unit.BYTES) == "青岚日报数…"
    assert cut("👍👍👍👍", 5, Unit.UTF16) == "👍👍…"


@given(some.lists(some.text()), some.integers(0, 100))
def test_blocks_are_kept_whole_or_left_out(blocks: list[str], limit: int) -> None:
    kept = whole_blocks(blocks, [(limit, Unit.UTF16), (2 * limit, Unit.BYTES)])

    assert size("".join(blocks[:kept]), Unit.UTF16) <= limit
    assert kept == len(blocks) or (
        size("".join(blocks[: kept + 1]), Unit.UTF16) > limit
        or size("".join(blocks[: kept + 1]), Unit.BYTES) > 2 * limit
    )


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("比分是3：2，主队在最后一分钟才赢下来", 5, "比分是…"),
        ("总投资共计12,345.67万元的项目", 10, "总投资共计…"),
        ("全县实现总产值6.8亿元的目标", 10, "全县实现总产值…"),
        ("全镇一共有二百三十五户人家", 9, "全镇一共有…"),
        ("见网页https://a.example/b?c=d_e#f，或者来电", 33, "见网页https://a.example/b?c=d_e#f…"),
        ("大家请看这一个网页https://a.example/", 18, "大家请看这一个网页…"),
        ("会议定于明日15:30开始", 9, "会议定于明日…"),
        ("好。\u0301再来一次吧", 4, "好。\u0301…"),
        ("全长1 234 567米的大桥", 6, "全长…"),
        ("全长1\u202f234\u202f567米的大桥", 9, "全长…"),
        ("今年产量约３．５万吨，比去年多", 8, "今年产量约…"),
        ("最后比分为3∶2，主队获胜", 8, "最后比分为…"),
        ("捐款１，２３４元的老人", 6, "捐款…"),
        ("现有一百二十三万四千五百六十七人", 9, "现有…"),
        ("早上六点四十分发车", 5, "早上…"),
        ("增长12.5％以上的企业", 7, "增长…"),
        ("1 234 567米", 6, "…"),
        ("第一行\r\n第二行\r\n第三行", 5, "第一行…"),
        ("第一行字\r\n第二行", 6, "第一行字…"),
    ],
)
def test_numbers_addresses_and_marks_stay_whole(text: str, limit: int, kept: str) -> None:
    assert cut(text, limit) == kept


def test_a_note_says_how_much_is_left_out() -> None:
    def note(left: int) -> str:
        return f"（还有{left}字）"

    assert noted(LEAD, 100, Unit.CHARACTERS, note) == LEAD
    assert noted(LEAD, 42, Unit.CHARACTERS, note) == f"{LEAD[:34]}（还有9字）"


@given(HARD, some.integers(0, 60), UNITS)
def test_a_note_keeps_to_the_budget_and_to_the_truth(text: str, limit: int, unit: Unit) -> None:
    short = noted(text, limit, unit, lambda left: f"[{left}]")

    assert size(short, unit) <= limit
    if found := regex.search(r"\[(\d+)\]$", short):
        assert len(short[: found.start()].removesuffix("…")) + int(found[1]) == len(text.strip())
