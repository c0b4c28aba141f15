"""The split's rules one by one, where a sentence says more than a page."""

from __future__ import annotations

from datetime import date

import pytest

from syndicate.model import Article, Document, Masthead, Publication, Section, Source
from syndicate.split import bylines, explain, jumps, masthead, sections, split, text


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        (["县里召 开会议,部署 冬修。"], "县里召开会议，部署冬修。"),
        (["增长 7.9 %,到 14:30 结束"], "增长7.9%，到14:30结束"),
        (["1,200 亩", "和3:2"], "1,200亩和3:2"),
        (['他说:"好。"又说:"行。"'], "他说：“好。”又说：“行。”"),
        (["见 https://a.cn/b?c=1,2 网页"], "见https://a.cn/b?c=1,2网页"),
        (["产业招商专", "业团队"], "产业招商专业团队"),
        (["记者 郑 **文海)**"], "记者郑文海）"),
        (["a bridge over the ri-", "ver"], "a bridge over the ri-ver"),
        (["说--是", "的"], "说——是的"),
    ],
)
def test_print_is_restored_as_it_should_be_read(printed: list[str], read: str) -> None:
    assert text.readable(printed) == read


def test_a_blank_in_a_title_means_something_unless_it_pads_a_word() -> None:
    assert text.readable(["用心用力用情  做好政策处理"], title=True) == "用心用力用情 做好政策处理"
    assert text.readable(["引  子"], title=True) == "引子"


@pytest.mark.parametrize(
    ("line", "reporters", "correspondents", "photographers"),
    [
        ("记者 丰莉莎 林 明 徐 家和", ("丰莉莎", "林明", "徐家和"), (), ()),
        ("本报记者 苏  锦 通讯员 吴丽君", ("苏锦",), ("吴丽君",), ()),
        ("(本报记者甲乙、丙丁)", ("甲乙", "丙丁"), (), ()),
        ("本报记 者 汪海涛摄", (), (), ("汪海涛",)),
        ("本报记者 张志文", ("张志文",), (), ()),
        ("劳拉·布咏", ("劳拉·布咏",), (), ()),
        ("□ 陆一鸣", ("陆一鸣",), (), ()),
        ("By Ann Lee and Tom Reed", ("Ann Lee", "Tom Reed"), (), ()),
    ],
)
def test_a_credit_tells_names_and_roles(
    line: str, reporters: tuple[str, ...], correspondents: tuple[str, ...], photographers: tuple[str, ...]
) -> None:
    said = bylines.credit(line)

    assert said
    assert (said.reporters, said.correspondents, said.photographers) == (
        reporters,
        correspondents,
        photographers,
    )


@pytest.mark.parametrize(
    "line", ["县里召开会议", "记者从县里获悉，会议昨天召开", "国防大学党委理论学习中心组"]
)
def test_other_lines_are_no_credit(line: str) -> None:
    assert bylines.credit(line) is None


@pytest.mark.parametrize(
    ("printed", "place", "day", "rest"),
    [
        ("新华社北京5月2日电 （记者王一）五一假期", "北京", date(2020, 5, 2), "五一假期"),
        ("本报青岚11月15日电 戴口罩", "青岚", date(2019, 11, 15), "戴口罩"),
        ("据县融媒体中心消息，昨天", None, None, "昨天"),
        ("本报讯（记者 甲乙）昨天", None, None, "昨天"),
    ],
)
def test_a_reports_opening_tells_where_and_when(
    printed: str, place: str | None, day: date | None, rest: str
) -> None:
    lead = bylines.lead(printed, date(2020, 5, 3))

    assert lead
    assert (lead.dateline.date, printed[lead.text_at :]) == (day, rest)
    assert lead.dateline.place == place or place is None


@pytest.mark.parametrize(
    ("printed", "page"),
    [("支持力度空前。 (下转第二版)", 2), ("【下转A3版②】", 3), ("下转02版", 2), ("(Continued on page 3)", 3)],
)
def test_a_jump_mark_names_its_page_in_any_bracket(printed: str, page: int) -> None:
    mark = jumps.to_mark(printed)

    assert mark
    assert mark.page == page
    assert not printed[mark.end :].strip()


@pytest.mark.parametrize(
    ("line", "number", "title"),
    [
        ("第02版:要闻", 2, "要闻"),
        ("02 要闻 2020年10月20日 星期二", 2, "要闻"),
        ("A03", 3, None),
        ("三版", 3, None),
        ("Page 3", 3, None),
    ],
)
def test_a_page_line_tells_number_and_title(line: str, number: int, title: str | None) -> None:
    assert masthead.page_line(line) == masthead.PageLine(number, title)


@pytest.mark.parametrize(
    "line", ["今日 8 版", "(下转第二版)", "长者食堂的一张餐桌 3版", "县里出台第二版方案,请大家提意见"]
)
def test_other_lines_open_no_page(line: str) -> None:
    assert masthead.page_line(line) is None


def test_the_calendar_contradicts_a_wrong_weekday_and_lunar_date() -> None:
    head = Masthead(date=date(2020, 10, 20), weekday="星期三", lunar_date="农历庚子年九月初五")

    warnings = masthead.calendar_warnings(head)

    assert len(warnings) == 2
    assert "星期二" in warnings[0]
    assert "初四" in warnings[1]


def test_the_calendar_agrees_with_a_right_masthead() -> None:
    right = Masthead(date=date(2020, 10, 20), weekday="星期二", lunar_date="农历庚子年九月初四")

    assert masthead.calendar_warnings(right) == ()


def test_an_article_belongs_to_the_first_section_that_fits_and_else_to_the_last() -> None:
    paper = Publication(
        slug="p",
        title="报",
        sections=(Section("a", "A", words=("油茶",)), Section("b", "B", pages=(2,)), Section("c", "C")),
    )

    assert sections.section_of(Article("油茶丰收", page=2), paper) == "a"
    assert sections.section_of(Article("别的事", page=2), paper) == "b"
    assert sections.section_of(Article("别的事", page=3), paper) == "c"
    assert sections.section_of(Article("别的事"), None) is None


def test_the_publication_is_known_by_any_of_its_names() -> None:
    source = Source(
        "x.txt",
        "QING LAN RI BAO 今日 4 版 总第 7 期\n\n2026年11月19日 星期四\n\n县里召开会议，部署冬修水利。",
    )

    issue = split(
        Document((source,)), (Publication(slug="qinglan", title="青岚日报", names=("QING LAN RI BAO",)),)
    )

    assert issue.masthead.publication == "青岚日报"
    assert (issue.masthead.number, issue.masthead.page_count) == (7, 4)


def test_an_unknown_papers_name_is_read_off_as_printed() -> None:
    source = Source("x.txt", "東嶼日報\n\n2026年4月9日 星期四 今日12版\n\n縣府昨天開會，討論漁港擴建計畫。")

    assert split(Document((source,))).masthead.publication == "東嶼日報"


def test_an_explanation_gives_reasons() -> None:
    told = explain(
        Document((Source("x.txt", "县里召开冬修会议\n\n本报讯 (记者 甲乙)昨天，县里召开冬修会议。"),))
    )

    assert [e.label for e in told] == ["headline", "body"]
    assert all(0 < e.score <= 1 and e.reasons for e in told)
