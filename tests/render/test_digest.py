from __future__ import annotations

import re
from dataclasses import replace

import pytest

from syndicate.model import (
    Article,
    Byline,
    DigestSection,
    Rhythm,
    Section,
)
from syndicate.render import columns, digest
from tests.golden import Golden
from tests.render import digests, paper
from tests.render.digests import ENVELOPE, LEAVE, MANAGE
from tests.render.inbox import links, part, received, shown

LANGUAGES = ["zh-CN", "en"]


# ── what it says ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rhythm", [Rhythm.ISSUE, Rhythm.WEEKLY, Rhythm.CORRECTIONS])
def test_a_digest_is_written_as_its_golden_files(language: str, rhythm: Rhythm, golden: Golden) -> None:
    corrections = rhythm is Rhythm.CORRECTIONS
    contents = digests.corrections(language) if corrections else digests.full(language, rhythm)

    golden(f"digests/{rhythm}.{language}.html", digest.html(contents, LEAVE, MANAGE).encode())
    golden(f"digests/{rhythm}.{language}.txt", digest.text(contents, LEAVE, MANAGE).encode())


@pytest.mark.parametrize("kind", ["html", "plain"])
def test_both_parts_tell_every_story_in_the_papers_order(kind: str) -> None:
    told = shown(part(received(digest.message(paper.digest(), ENVELOPE)), kind))

    places = [
        told.index(words)
        for words in (
            "要闻",
            "两岸乡亲等了三十年",
            "青溪二桥今起试通车",
            "何晓楠 郑文海",
            "沙洲段堤防加固提前完工",
            "文体",
            "石埠队挺进",
            "综合",
            "两所山村小学的午饭",
        )
    ]
    assert places == sorted(places)
    assert all(paper.BASE + entry.path in told for entry in paper.ENTRIES)


@pytest.mark.parametrize("kind", ["html", "plain"])
def test_the_way_out_stands_at_top_and_bottom_and_the_way_to_choose_below(kind: str) -> None:
    told = part(received(digest.message(paper.digest(), ENVELOPE)), kind)

    first, last = told.index(LEAVE), told.rindex(LEAVE)

    assert first < told.index("何晓楠") < last < told.index(MANAGE)


@pytest.mark.parametrize("kind", ["html", "plain"])
def test_without_a_page_of_their_own_nobody_is_sent_to_one(kind: str) -> None:
    told = part(digest.message(paper.digest(), replace(ENVELOPE, manage_url="")), kind)

    assert "更改订阅" not in told


def test_the_subject_names_day_and_first_headline() -> None:
    def subject(language: str, rhythm: Rhythm) -> str:
        return str(received(digest.message(paper.digest(language, rhythm), ENVELOPE))["Subject"])

    assert subject("zh-CN", Rhythm.ISSUE) == "青岚日报 11月16日：青溪二桥今起试通车"
    assert subject("en", Rhythm.ISSUE) == "Qinglan Daily, 16 November: 青溪二桥今起试通车"
    assert subject("zh-CN", Rhythm.WEEKLY) == "青岚日报一周选读（11月16日—11月17日）"
    assert subject("en", Rhythm.WEEKLY) == "Qinglan Daily, the week of 16 November to 17 November"


def test_the_inbox_shows_what_the_subject_does_not_name() -> None:
    def preheader(contents: str) -> str:
        found = re.search(r"<div class=.hidden[^>]*>([^&<]*)", contents)
        return found.group(1) if found else ""

    one = paper.digest(entries=paper.ENTRIES[:1])

    assert preheader(digest.html(paper.digest(), LEAVE)).startswith("沙洲段堤防加固提前完工 · 石埠队挺进")
    assert preheader(digest.html(paper.digest(rhythm=Rhythm.WEEKLY), LEAVE)).startswith("青溪二桥今起试通车")
    assert preheader(digest.html(one, LEAVE)).startswith("清晨六点四十分")
    assert preheader(digest.html(digests.corrections(), LEAVE)).startswith("沙洲段堤防加固提前完工")


def test_a_digest_without_stories_can_be_previewed() -> None:
    empty = replace(paper.digest(), sections=(), issues=())

    assert empty.empty
    assert not paper.digest().empty
    assert not digests.corrections().empty
    assert "青岚日报" in digest.html(empty, LEAVE)
    assert str(digest.message(empty, ENVELOPE)["Subject"]) == "青岚日报"


@pytest.mark.parametrize("rhythm", list(Rhythm))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rhythm_can_be_written_with_anything_missing(rhythm: Rhythm, language: str) -> None:
    whole = digests.full(language, rhythm)

    for contents in (
        whole,
        replace(whole, issues=()),
        replace(whole, sections=()),
        replace(whole, issues=(), sections=(), corrected=()),
        replace(whole, issues=(), sections=(), corrected=(), withdrawn=()),
    ):
        assert digest.html(contents, LEAVE).count(LEAVE) == 2
        assert digest.text(contents, LEAVE).count(LEAVE) == 2
        assert digest.message(contents, ENVELOPE)["Subject"]


# ── what was wrong ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["html", "plain"])
def test_what_was_put_right_and_taken_back_is_named_with_its_days(kind: str) -> None:
    told = shown(part(received(digest.message(digests.full(), ENVELOPE)), kind))

    right = told[told.index("更正与撤回") :]
    assert "11月13日刊出，11月16日更正" in right
    assert "误作“提前三十六天”" in right
    assert "https://news.example/qinglan/2026-11-13/1/2" in right
    assert "11月13日刊出，11月16日撤回" in right
    assert "https://news.example/qinglan/2026-11-13/2/4" in right


def test_a_mail_of_corrections_says_so() -> None:
    message = received(digest.message(digests.corrections(), ENVELOPE))

    assert str(message["Subject"]) == "青岚日报 11月16日：更正与撤回"
    assert "《青岚日报》有 2 篇文章更正或撤回" in part(message, "plain")
    assert "更正时得到通知" in part(message, "plain")
    assert "https://news.example/qinglan/feeds/corrections.rss" in links(part(message, "html"))


def test_the_day_of_a_correction_is_the_papers() -> None:
    late = replace(digests.CORRECTED, at=paper.PRINTED.replace(hour=15, minute=59))
    later = replace(digests.CORRECTED, at=paper.PRINTED.replace(hour=16))

    told = digest.text(replace(digests.corrections(), corrected=(late, later), withdrawn=()), LEAVE)

    assert "11月15日更正" in told
    assert "11月16日更正" in told


def test_of_very_many_corrections_some_are_counted() -> None:
    told = digest.html(replace(digests.corrections(), corrected=(digests.CORRECTED,) * 50), LEAVE)

    assert told.count("已更正") == digest.AMENDED
    assert "还有 31 处更正" in told


# ── pictures and links ───────────────────────────────────────────────────────────────────


def test_a_cover_stands_beside_the_first_story_and_leads_to_the_issue() -> None:
    page = digest.html(digests.full(), LEAVE)

    cover = page.index(digests.COVER.url)
    assert page.index("要闻</a>") < cover < page.index(">青溪二桥今起试通车<")
    assert re.search(r'<a href="https://news.example/qinglan/2026-11-16"[^>]*><img', page)
    assert 'alt="11月16日头版" width="144" height="192"' in page


def test_a_picture_that_only_adorns_is_no_link() -> None:
    page = digest.html(digests.full(), LEAVE)

    assert 'alt="" width="536" height="228"' in page
    assert not re.search(r'<a [^>]*><img[^>]*alt=""', page)


def test_clicks_are_counted_for_the_digest_and_not_for_a_person() -> None:
    go = "https://news.example/qinglan/go/7/"
    counted = replace(digests.full(), go_url=go)

    for told in (digest.html(counted, LEAVE), digest.text(counted, LEAVE)):
        assert f"{go}2026-11-16/1/1" in told
        assert "news.example/qinglan/2026-11-16/1/1" not in told


# ── how large ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("entries", [30, 90, 300, 2000])
def test_a_long_digest_stays_below_what_gmail_shows(entries: int) -> None:
    page = digest.html(digests.long(entries), LEAVE)

    assert len(page.encode()) <= digest.HTML_BYTES < 102 * 1024
    assert page.count(LEAVE) == 2


def test_an_ordinary_issue_is_told_whole() -> None:
    page = digest.html(digests.long(45), LEAVE)

    assert page.count("导语说得很细。" * 17) == 45


def test_what_is_not_told_is_named_and_what_is_not_named_is_counted() -> None:
    named = shown(digest.html(digests.long(150), LEAVE))
    counted = shown(digest.html(digests.long(2000), LEAVE))

    assert named.count("一条不短的标题写满十四个字") == 150
    assert 9 < named.count("导语说得很细。" * 17) < 150
    left = [int(n) for n in re.findall(r"还有 (\d+) 篇", counted)]
    assert len(left) == 3
    assert counted.count("一条不短的标题写满十四个字") + sum(left) == 2000
    assert "https://news.example/qinglan/sections/s0" in counted


def test_the_text_of_a_huge_issue_is_no_longer_than_its_html() -> None:
    told = digest.text(digests.long(2000), LEAVE)

    assert len(told.encode()) <= digest.HTML_BYTES
    assert "还有" in told


def test_a_page_that_was_read_as_one_headline_is_cut() -> None:
    huge = "一整版都成了标题" * 50_000
    article = Article(huge, kicker=huge, byline=Byline((huge,)), paragraphs=(huge,))
    section = DigestSection(Section("yaowen", "要闻"), (paper.entry(article, 1),))

    mail = digest.message(replace(paper.digest(), sections=(section,)), ENVELOPE)

    assert len(str(mail["Subject"])) < 200
    assert len(mail.as_bytes()) < 200_000


def test_sections_beyond_number_are_left_out_at_last() -> None:
    page = digest.html(digests.long(700, sections=700), LEAVE)

    assert page.count(LEAVE) == 2
    assert 50 < page.count("还有 1 篇") < 700
    assert len(page.encode()) <= digest.HTML_BYTES


# ── the text part ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_of_the_text_is_wider_than_a_terminal(language: str) -> None:
    told = digest.text(digests.full(language), LEAVE, MANAGE)

    for line in told.splitlines():
        assert columns.width(line) <= columns.COLUMNS or line.strip().startswith("https://"), line


def test_links_stand_on_lines_of_their_own() -> None:
    told = digest.text(digests.full(), LEAVE, MANAGE)

    assert all(line.strip().startswith("https://") for line in told.splitlines() if "https://" in line)


def test_paragraphs_of_the_text_are_one_blank_line_apart_and_sections_two() -> None:
    told = digest.text(digests.full(), LEAVE, MANAGE)

    assert "\n\n\n\n" not in told
    assert told.count("\n\n\n━━") == 5
    assert not re.search(r"[ \t]\n", told)


def test_the_same_digest_gives_the_same_bytes() -> None:
    assert (
        digest.message(digests.full(), ENVELOPE).as_bytes()
        == digest.message(digests.full(), ENVELOPE).as_bytes()
    )
