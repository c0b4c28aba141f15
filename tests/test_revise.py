"""The ledger's laws: an id is given once and found again; `published` never moves."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.errors import IssueError
from syndicate.model import (
    Article,
    Byline,
    Entry,
    Issue,
    Jump,
    Kind,
    Masthead,
    Part,
    Publication,
    Revision,
    StoredIssue,
)
from syndicate.revise import date_warnings, fingerprint, foreign_pages, mails, number_warnings, revise
from tests.samples import DAY, LEADS, MINUTE, NOW, PAPER, article, entries_after, issue, photo, printed

LATER = NOW + timedelta(hours=3)
LONG = tuple(lead + text for lead, text in zip(LEADS, LEADS[1:] + LEADS[:1], strict=True))


def again(known: Sequence[Entry], *articles: Article, now: datetime = LATER) -> Revision:
    """What a second version of the issue changes."""
    return revise(PAPER, issue(*articles), known, now)


def story(*paragraphs: str, **said: object) -> Article:
    """An article of these paragraphs."""
    return article(1, **({"headline": "标题", "paragraphs": paragraphs} | said))


def scanned_worse(text: str, share: float = 0.1) -> str:
    """The text as a bad scan gives it: that share of its characters is wrong."""
    rng = random.Random(text)  # the same for the same text
    wrong = set(rng.sample(range(len(text)), round(len(text) * share)))
    return "".join(rng.choice("日曰目田口囗己已") if i in wrong else c for i, c in enumerate(text))


def moved(entry: Entry, **said: object) -> Article:
    """The entry's article with other fields."""
    return replace(entry.article, **said)  # type: ignore[arg-type]  # the test knows the fields


# ── ids, addresses, moments ──────────────────────────────────────────────────────────────


def test_a_new_article_gets_id_address_and_moment() -> None:
    first, second, third = printed(article(1), article(2), article(3, page=2))

    assert first.id == "tag:qinglan.example,2026-11-16:qinglan/4711/1"
    assert [e.id.rsplit("/", 1)[1] for e in (first, second, third)] == ["1", "2", "3"]
    assert [e.path for e in (first, second, third)] == [
        "/qinglan/2026-11-16/1/1",
        "/qinglan/2026-11-16/1/2",
        "/qinglan/2026-11-16/2/1",
    ]
    assert first.published == datetime(2026, 11, 15, 22, 0, tzinfo=UTC) - timedelta(seconds=101)
    assert first.published > second.published > third.published
    assert first.updated == first.published
    assert first.article.spans == {}


def test_without_an_issue_number_the_date_stands_in_the_id() -> None:
    revision = revise(PAPER, issue(article(), number=None), (), NOW)

    assert revision.new[0].entry.id == "tag:qinglan.example,2026-11-16:qinglan/20261116/1"


def test_a_number_read_later_changes_no_id_and_repeats_none() -> None:
    known = entries_after(revise(PAPER, issue(article(1), number=None), (), NOW))

    revision = again(known, article(1), article(2))

    assert revision.same == known
    assert revision.new[0].entry.id == "tag:qinglan.example,2026-11-16:qinglan/4711/2"


def test_an_issue_that_comes_before_its_print_time_is_published_now() -> None:
    early = datetime(2026, 11, 15, 16, 0, 7, 123456, tzinfo=UTC)  # midnight in the paper's town

    (entry,) = printed(article(), now=early)

    assert entry.published == early.replace(microsecond=0) - timedelta(seconds=101)


def test_an_article_found_later_stands_behind_the_others_of_its_page() -> None:
    early = datetime(2026, 11, 15, 16, 0, tzinfo=UTC)
    known = printed(article(1), article(2, page=2), now=early)

    revision = again(known, article(1), article(3), article(2, page=2))

    (new,) = revision.new
    assert (new.entry.page, new.entry.n) == (1, 2)
    assert known[0].published > new.entry.published > known[1].published
    assert new.entry.updated == LATER


def test_moments_differ_on_pages_with_more_articles_than_seconds() -> None:
    pages = [
        *(article(n, headline=f"甲{n}") for n in range(150)),
        *(article(n, headline=f"乙{n}", page=2) for n in range(150)),
        article(headline="丙", page=10**9),
    ]

    found = printed(*pages)

    assert len({e.published for e in found}) == 301


def test_an_entry_without_a_section_is_in_the_last_one() -> None:
    (entry,) = printed(article(section=None))
    (bare,) = printed(article(section=None), paper=Publication("q", "Q"))

    assert entry.section == "zonghe"
    assert bare.section == ""


def test_an_issue_without_a_date_has_no_place() -> None:
    with pytest.raises(IssueError, match="without a date"):
        revise(PAPER, issue(day=None), (), NOW)


# ── the same, changed, withdrawn ─────────────────────────────────────────────────────────


def test_the_same_issue_changes_nothing() -> None:
    known = printed(article(1), photo(2), article(3, page=2))

    revision = again(known, article(1), photo(2), article(3, page=2))

    assert revision.empty
    assert revision.same == known


def test_what_we_think_of_an_article_is_no_change() -> None:
    known = printed(article(1))

    revision = again(known, article(1, confidence=0.3, warnings=("no headline found",)))

    assert revision == Revision(same=known)


def test_a_corrected_text_changes_its_entry_only() -> None:
    known = printed(article(1), article(2))

    revision = again(known, article(1), article(2, paragraphs=(LEADS[1].replace("三个", "四个"),)))

    (change,) = revision.changed
    assert revision.same == known[:1]
    assert change.before == known[1]
    assert change.after == replace(
        known[1], article=change.after.article, fingerprint=change.after.fingerprint, updated=LATER
    )
    assert change.after.fingerprint != known[1].fingerprint
    assert not revision.new + revision.withdrawn


@pytest.mark.parametrize(
    "said",
    [
        {"page": 3},
        {"page_title": "综合"},
        {"section": "zonghe"},
        {"kind": Kind.NOTICE},
        {"jump": Jump(to_page=3, joined=True)},
    ],
    ids=lambda said: next(iter(said)),
)
def test_a_moved_article_keeps_id_address_and_date(said: dict[str, object]) -> None:
    known = printed(article(1), article(2))

    (change,) = again(known, article(1), article(2, **said)).changed

    after = change.after
    assert (after.id, after.path, after.published) == (known[1].id, known[1].path, known[1].published)
    assert after.updated == known[1].updated  # not a word of it changed
    assert after.article == moved(known[1], **said)
    assert after.section == after.article.section


def test_an_update_is_never_dated_before_the_last_one() -> None:
    known = printed(article(1), now=NOW)
    once = entries_after(again(known, article(1, headline="改过")), known)

    (change,) = again(once, article(1, headline="又改"), now=NOW).changed

    assert change.after.updated == LATER


def test_changes_made_at_once_have_a_second_each() -> None:
    known = printed(article(1), article(2), article(3))

    changed = again(known, *(article(n, headline=f"改过的第{n}条标题") for n in (1, 2, 3))).changed

    assert len({change.after.updated for change in changed}) == 3


def test_what_is_withdrawn_at_once_has_a_second_each_too() -> None:
    known = printed(article(1), article(2), article(3), article(4))

    revision = again(known, article(4, headline="改过的标题"))

    moments = [change.after.updated for change in revision.changed]
    assert len({*moments, *(entry.withdrawn for entry in revision.withdrawn)}) == 4


def test_a_change_has_another_second_than_one_of_another_issue() -> None:
    known = printed(article(1))
    elsewhere = {LATER, LATER - timedelta(seconds=1, microseconds=-7)}

    (changed,) = revise(PAPER, issue(article(1, headline="改过的标题")), known, LATER, elsewhere).changed

    assert changed.after.updated == LATER - timedelta(seconds=2)


def test_what_is_gone_is_withdrawn_once() -> None:
    known = printed(article(1), article(2))

    revision = again(known, article(2))
    after = entries_after(revision, known)

    assert revision.withdrawn == (replace(known[0], withdrawn=LATER),)
    assert again(after, article(2)).empty


def test_what_comes_back_has_its_old_id() -> None:
    known = printed(article(1), article(2))
    without = entries_after(again(known, article(2)), known)

    same = again(without, article(1), article(2))
    corrected = again(without, article(1, headline="改过的标题"), article(2))

    assert same.changed[0].after == known[0]
    assert corrected.changed[0].after.id == known[0].id
    assert corrected.changed[0].after.withdrawn is None


def test_a_tombstone_gives_way_to_a_living_entry_of_the_same_text() -> None:
    known = printed(article(1), article(1, page=2))
    without = entries_after(again(known, article(1, page=2)), known)

    assert without[0].withdrawn
    assert again(without, article(1, page=2)).same == without[1:]
    assert [c.after.id for c in again(without, article(1, page=3)).changed] == [without[1].id]


def test_a_number_in_an_id_is_not_given_twice_even_after_a_withdrawal() -> None:
    known = printed(article(1), article(2))
    without = entries_after(again(known, article(1)), known)

    (new,) = again(without, article(1), article(3)).new

    assert new.entry.id.endswith("/3")
    assert new.entry.path.endswith("/1/3")


# ── finding an article again ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_a_better_scan_keeps_every_id(share: float) -> None:
    bad = [story(scanned_worse(text, share), headline=scanned_worse("标题", share)) for text in LONG]
    good = [story(text) for text in LONG]
    known = printed(*bad)

    revision = again(known, *reversed(good))

    assert not revision.new
    assert {c.after.id: c.after.article.paragraphs for c in revision.changed} == {
        e.id: g.paragraphs for e, g in zip(known, good, strict=True)
    }


def test_a_changed_headline_keeps_the_id() -> None:
    known = printed(article(1), article(2))

    revision = again(known, article(1, headline="另一个标题"), article(2, headline=None))

    assert [c.after.id for c in revision.changed] == [e.id for e in known]


def test_another_setting_of_the_same_words_keeps_the_id() -> None:
    known = printed(story("他说:“3月5日前”完成。", "一共ABC三户人家搬迁。"))

    (change,) = again(known, story("他说：「３月５日前」完成。一共 ＡＢＣ 三户", "人家搬迁。")).changed

    assert change.after.id == known[0].id
    assert change.after.fingerprint == known[0].fingerprint


def test_split_at_the_desk_the_larger_half_keeps_the_id() -> None:
    for larger_first in (True, False):
        halves = (LONG[0] + LEADS[2], LEADS[3]) if larger_first else (LEADS[3], LONG[0] + LEADS[2])
        known = printed(story(*halves))

        revision = again(known, *(story(half, headline=None) for half in halves))

        (change,) = revision.changed
        assert change.after.article.paragraphs == (max(halves, key=len),)
        assert [new.entry.article.paragraphs for new in revision.new] == [(min(halves, key=len),)]


@pytest.mark.parametrize("parts", [(LEADS[0], LONG[2]), (LONG[2], LEADS[0]), (LEADS[0], LONG[2], LEADS[5])])
def test_merged_the_first_keeps_the_id(parts: tuple[str, ...]) -> None:
    known = printed(*(story(text, headline=f"标题{text[:4]}") for text in parts))

    revision = again(known, story(*parts, headline=known[0].article.headline))

    assert [c.after.id for c in revision.changed] == [known[0].id]
    assert [e.id for e in revision.withdrawn] == [e.id for e in known[1:]]


def test_split_again_after_a_merge_both_have_their_old_ids() -> None:
    apart = (story(LEADS[0], headline="甲"), story(LONG[2], headline="乙"))
    known = printed(*apart)
    merged = entries_after(again(known, story(LEADS[0], LONG[2], headline="甲")), known)

    revision = again(merged, *apart)

    assert {c.after.id: c.after.article.headline for c in revision.changed} == {
        e.id: e.article.headline for e in known
    }


def test_a_scrap_and_a_photo_do_not_take_the_place_of_the_article_they_join() -> None:
    scrap, caption, text = (
        "图为采摘现场。",
        "图为白鹭镇橘农在采摘、分级和装箱，准备发往邻省的三个城市。",
        LONG[2],
    )
    known = printed(story(scrap, headline=None), photo(captions=(caption,)), story(text))

    revision = again(known, story(scrap, text, captions=(caption,)))

    assert [c.after.id for c in revision.changed] == [known[2].id]
    assert len(revision.withdrawn) == 2


def test_a_torn_scan_is_found_in_the_whole_article() -> None:
    known = printed(story(LEADS[0][:32], headline=None))

    revision = again(known, story(*LEADS))

    assert [c.after.id for c in revision.changed] == [known[0].id]


def test_photos_are_told_apart_by_their_captions() -> None:
    captions = ("橘农在白鹭镇采摘橘子", "冷链车在合作社装货", "孩子们在新图书馆看书")
    known = printed(*(photo(captions=(c,)) for c in captions))

    revision = again(known, *(photo(captions=(c.replace("在", "正在"),)) for c in reversed(captions)))

    assert {c.after.id: c.after.article.captions[0].replace("正在", "在") for c in revision.changed} == {
        e.id: e.article.captions[0] for e in known
    }


def test_another_photo_is_another_entry() -> None:
    known = printed(photo(captions=("橘农在白鹭镇采摘橘子",)))

    revision = again(known, photo(captions=("消防员在老街演练",)))

    assert len(revision.new) == len(revision.withdrawn) == 1


def weather(day: int, sky: str, low: int, high: int) -> Article:
    return story(f"11月{day}日，{sky}，气温{low}到{high}度，偏北风二到三级。", headline="天气预报")


def test_near_identical_weather_lines_keep_their_ids_when_one_is_corrected() -> None:
    lines = [weather(17, "晴", 9, 18), weather(18, "多云", 8, 17), weather(19, "小雨", 6, 11)]
    known = printed(*lines)
    corrected = weather(18, "多云转阴", 8, 16)

    revision = again(known, lines[2], corrected, lines[0])

    (change,) = revision.changed
    assert change.before == known[1]
    assert {e.id for e in revision.same} == {known[0].id, known[2].id}


def test_all_weather_lines_changed_at_once_keep_their_ids() -> None:
    known = printed(weather(17, "晴天", 9, 18), weather(18, "多云", 8, 17), weather(19, "小雨", 6, 11))

    revision = again(
        known, weather(19, "小雨", 6, 12), weather(17, "晴天", 9, 19), weather(18, "多云", 8, 16)
    )

    assert {c.after.id for c in revision.changed} == {e.id for e in known}
    for change in revision.changed:
        assert change.before.article.paragraphs[0][:8] == change.after.article.paragraphs[0][:8]


def lost(name: str, number: int) -> Article:
    return story(f"{name}遗失居民身份证，号码尾数{number}，声明作废。", headline=None, kind=Kind.NOTICE)


def test_a_notice_in_set_phrases_is_not_taken_for_another() -> None:
    notices = [lost("赵大明", 1021), lost("钱小红", 5577), lost("孙立国", 8830), lost("李秀英", 6402)]
    known = printed(*notices)

    revision = again(known, *notices[:3], lost("欧阳建军", 9314))

    assert [e.id for e in revision.withdrawn] == [known[3].id]
    assert len(revision.new) == 1
    assert not revision.changed


def test_an_article_that_is_only_a_headline_is_found_again() -> None:
    known = printed(
        story(headline="县图书馆新馆本周试开放"),
        story(headline="青岚中学机器人社团获奖"),
        story(headline="简讯"),
    )

    revision = again(
        known,
        story(headline="青岚中学机器人社团获大奖"),
        story(headline="简讯"),
        story(headline="县图书馆新馆本周开放"),
    )

    assert [c.after.id for c in revision.changed] == [known[1].id, known[0].id]
    assert revision.same == known[2:]


def test_articles_without_a_word_are_matched_by_their_place_only() -> None:
    silent = Article(None, page=1, section="yaowen")
    known = printed(silent, replace(silent, page=2))

    revision = again(known, replace(silent, page=2), replace(silent, byline=Byline(raw="本报讯")))

    assert revision.same == known[1:]
    assert len(revision.new) == len(revision.withdrawn) == 1


def test_an_article_printed_twice_stays_two_entries() -> None:
    known = printed(article(1), article(1, page=2), article(1, page=2))

    revision = again(known, article(1, page=2), article(1), article(1, page=2))

    assert revision.empty
    assert len(revision.same) == 3


def test_parts_notes_and_subheads_are_text_too() -> None:
    known = printed(
        Article(
            "家风故事",
            kicker="好家风",
            subheads=("两代人的坚守",),
            editor_note=LEADS[0],
            parts=(Part("其一", "人物", "李伯", (LEADS[1],)), Part(paragraphs=(LEADS[2],))),
            section="yaowen",
        )
    )

    revision = again(known, story(LEADS[0], LEADS[1], LEADS[2]))

    assert [c.after.id for c in revision.changed] == [known[0].id]


def test_a_fingerprint_is_of_the_body_and_of_the_headline_without_one() -> None:
    assert fingerprint(story("正文。", headline="甲")) == fingerprint(story("正文", headline="乙"))
    assert fingerprint(story(headline="甲")) != fingerprint(story(headline="乙"))


# ── the laws, whatever comes ─────────────────────────────────────────────────────────────

pieces = st.sampled_from(
    [*LEADS, *(scanned_worse(text) for text in LEADS), "图为现场。", "遗失声明作废", "晴"]
)
some_article = st.builds(
    lambda texts, headline, page, kind: story(*texts, headline=headline, page=page, kind=kind),
    st.lists(pieces, max_size=3),
    st.none() | st.sampled_from(["简讯", "天气预报", "第三届运动会开幕"]),
    st.integers(1, 4),
    st.sampled_from([Kind.ARTICLE, Kind.PHOTO, Kind.NOTICE]),
)
some_articles = st.lists(some_article, max_size=8)


def an_issue(articles: Sequence[Article]) -> Issue:
    return Issue(Masthead(date=DAY, number=4711), (), tuple(articles))


@settings(max_examples=200)
@given(st.lists(some_articles, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_laws_of_the_ledger_hold(versions: list[list[Article]], rng: random.Random) -> None:
    ledger: tuple[Entry, ...] = ()
    promised: dict[str, tuple[str, datetime]] = {}
    now = NOW
    for articles in versions:
        now += MINUTE
        revision = revise(PAPER, an_issue(articles), ledger, now)
        given_before = set(promised)
        ledger = entries_after(revision, ledger)

        assert not {new.entry.id for new in revision.new} & given_before  # ids are never reused
        for entry in ledger:
            assert promised.setdefault(entry.id, (entry.path, entry.published)) == (
                entry.path,
                entry.published,
            )
        assert len({e.id for e in ledger}) == len({e.path for e in ledger}) == len(ledger)
        assert len({e.published for e in ledger}) == len(ledger)
        assert set(promised) == {e.id for e in ledger}  # nobody is forgotten
        assert sorted(repr(e.article) for e in ledger if not e.withdrawn) == sorted(
            repr(replace(a, spans={})) for a in articles
        )
        assert all(e.published <= e.updated <= now for e in ledger)
        shuffled = rng.sample(articles, len(articles))
        assert revise(PAPER, an_issue(shuffled), rng.sample(ledger, len(ledger)), now + MINUTE).empty


@given(some_articles, some_articles, st.randoms(use_true_random=False))
def test_the_order_in_which_the_ledger_comes_does_not_matter(
    first: list[Article], second: list[Article], rng: random.Random
) -> None:
    ledger = entries_after(revise(PAPER, an_issue(first), (), NOW))

    wanted = revise(PAPER, an_issue(second), ledger, LATER)

    assert revise(PAPER, an_issue(second), rng.sample(ledger, len(ledger)), LATER) == wanted


def two_hundred(mark: str) -> list[Article]:
    rng = random.Random(7)
    letters = [chr(code) for code in range(0x4E00, 0x4E00 + 2500)]
    return [story("".join(rng.choices(letters, k=800)) + mark, headline=f"第{n}条") for n in range(200)]


def test_two_hundred_articles_that_all_changed_take_no_time() -> None:
    known = printed(*two_hundred("旧"))
    start = time.perf_counter()

    revision = again(known, *two_hundred("新的一句"))

    assert time.perf_counter() - start < 15  # two seconds on an idle machine
    assert [c.after.id for c in revision.changed] == [e.id for e in known]


def test_two_hundred_articles_that_are_nearly_one_take_no_time() -> None:
    same = "".join(LEADS) * 4
    known = printed(*(story(f"{same}{n}", headline=f"甲{n}") for n in range(200)))
    start = time.perf_counter()

    revision = again(known, *(story(f"{same}{n}", headline=f"乙{n}") for n in range(200)))

    assert time.perf_counter() - start < 15  # two seconds on an idle machine
    assert len(revision.changed) + len(revision.new) == 200


# ── the issue among its neighbours ───────────────────────────────────────────────────────


def stored(day: date, number: int | None) -> StoredIssue:
    return StoredIssue("qinglan", day, number, None, None, None, None, (), (), NOW, NOW)


@pytest.mark.parametrize(
    ("number", "before", "warned"),
    [
        (101, stored(date(2026, 11, 13), 100), False),
        (103, stored(date(2026, 11, 13), 100), True),  # Friday to Monday: one print day
        (100, stored(date(2026, 11, 13), 100), True),
        (99, stored(date(2026, 11, 13), 100), True),
        (103, stored(date(2026, 11, 11), 100), False),  # issues of two days are not stored
        (101, stored(date(2026, 11, 11), 100), False),  # there were holidays
        (None, stored(date(2026, 11, 13), 100), False),
        (101, stored(date(2026, 11, 13), None), False),
        (101, None, False),
        (101, stored(date(2026, 11, 15), 100), False),  # a special edition on a Sunday came before
    ],
)
def test_a_number_must_follow_the_one_before(
    number: int | None, before: StoredIssue | None, warned: bool
) -> None:
    assert bool(number_warnings(issue(number=number), before, PAPER.print_days)) is warned


def test_a_wrong_number_is_told_with_the_one_before() -> None:
    before = stored(date(2026, 11, 13), 100)

    assert number_warnings(issue(number=107), before) == (
        "issue number 107 does not follow 100 of 2026-11-13",
    )


def test_an_undated_issue_has_no_number_to_check() -> None:
    assert number_warnings(issue(number=107, day=None), stored(DAY, 3)) == ()


def test_only_an_issue_newer_than_the_newest_mails() -> None:
    assert mails(DAY, None, DAY)
    assert mails(DAY, stored(DAY - timedelta(days=1), 1), DAY)
    assert not mails(DAY, stored(DAY, 1), DAY)
    assert not mails(DAY, stored(DAY + timedelta(days=1), 1), DAY)


def test_an_issue_dated_far_ahead_mails_nobody_and_says_so() -> None:
    today = DAY - timedelta(days=31)

    assert not mails(DAY, None, today)
    assert date_warnings(DAY, today) == (f"dated 31 days ahead, so it was mailed to nobody: is {DAY} right?",)
    assert mails(DAY, None, DAY - timedelta(days=1))
    assert date_warnings(DAY, DAY - timedelta(days=1)) == ()


def test_a_page_that_shares_no_article_with_the_stored_one_is_foreign() -> None:
    known = printed(article(1), article(2), article(3, page=2))

    revision = again(known, article(1), article(5, page=2), article(6, page=3))

    assert foreign_pages(revision, [1, 2, 3]) == (2,)
