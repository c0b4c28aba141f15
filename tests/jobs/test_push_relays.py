"""Robots are told of what is new, once; a draft is made of each issue; faults are told apart."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from syndicate import store
from syndicate.errors import IssueError
from syndicate.jobs import cards, push_relays, watch_pushes
from syndicate.model import (
    ACCOUNT,
    Article,
    Grouping,
    Kind,
    MessageForm,
    OfficialAccount,
    Push,
    PushState,
    Robot,
    RobotKind,
)
from syndicate.services import Services
from syndicate.store import accounts, pushes
from tests.jobs.conftest import Clock
from tests.samples import PAPER, article, issue
from tests.samples import ingest as store_issue
from tests.subscriber import client
from tests.wechat.loopback import APPID, APPSECRET, WECOM, WeChat, wechat

TODAY = date(2026, 11, 18)


@pytest.fixture
def group(clock: Clock) -> Iterator[WeChat]:
    with wechat() as group:
        group.now = lambda: clock.now.timestamp()
        yield group


def robot(group: WeChat, **said: Any) -> Robot:
    values = {"name": "readers", "kind": RobotKind.WECOM, "url": group.robot("wecom")}
    return Robot(**(values | said))


def account(group: WeChat) -> OfficialAccount:
    return OfficialAccount(APPID, APPSECRET, api=group.url)


def with_(services: Services, *robots: Robot, official: OfficialAccount | None = None) -> Services:
    """The services with these robots, which have been there since before the first issue."""
    paper = replace(PAPER, robots=robots, official_account=official)
    made = replace(services, settings=replace(services.settings, publications=(paper,)))
    push(made)
    return made


def push(services: Services, *, lease: timedelta = push_relays.LEASE) -> None:
    push_relays.work(services, client(), lease=lease)


def printed(services: Services, *articles: Article, day: date = TODAY) -> None:
    store_issue(services.db, issue(*articles, day=day), now=services.now())


def ledger(services: Services, name: str = "readers") -> list[Push]:
    with store.reading(services.db) as db:
        found = [pushes.find(db, number) for number in range(1, 200)]
    return [one for one in found if one and one.robot == name]


def states(services: Services, name: str = "readers") -> list[PushState]:
    return [one.state for one in ledger(services, name)]


def text(group: WeChat, at: int = -1) -> str:
    return str(group.shown[at].body)


def test_an_issue_is_one_message_of_cards(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group))

    printed(services)
    push(services)
    push(services)

    (message,) = group.shown
    shown = message.body["news"]["articles"]
    assert [card["title"] for card in shown] == [
        f"第{n}号消息：{article(n).paragraphs[0][:9]}" for n in (1, 2, 3)
    ]
    assert shown[0]["url"] == f"https://paper.example/qinglan/{TODAY}/1/1"
    assert shown[0]["picurl"].startswith(f"https://paper.example/qinglan/cards/{TODAY}/1-1-wide.png?v=")
    assert states(services) == [PushState.PUSHED]
    assert (group.refused, group.cut) == ([], [])


def test_what_was_published_before_a_robot_came_is_not_pushed(services: Services, group: WeChat) -> None:
    printed(services, article(1), article(2), article(3))

    services = with_(services, robot(group))
    push(services)

    assert group.shown == []
    printed(services, article(1), article(2), article(3), article(4))
    push(services)
    assert len(group.shown) == 1
    assert "第4号" in text(group)
    assert "第1号" not in text(group)


def test_without_robots_nothing_happens(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "syndicate")
    printed(services)

    push(services)

    assert ledger(services) == []
    assert caplog.messages == []


def test_pages_that_come_one_by_one_are_one_message(services: Services, group: WeChat, clock: Clock) -> None:
    services = with_(
        replace(services, settings=replace(services.settings, digest_pause_seconds=15)), robot(group)
    )
    printed(services, article(1))
    push(services)
    printed(services, article(1), article(2))
    push(services)
    assert group.shown == []

    clock.pass_(timedelta(seconds=20))
    push(services)

    assert len(group.shown) == 1
    assert len(group.shown[0].body["news"]["articles"]) == 2


def test_a_page_that_comes_late_is_a_message_of_its_own(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group))
    printed(services, article(1))
    push(services)
    printed(services, article(1), article(2))
    push(services)

    assert [len(m.body["news"]["articles"]) for m in group.shown] == [1, 1]
    assert "第2号" in text(group)


def test_a_large_issue_leads_to_all_of_it(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group))

    printed(services, *(article(n, headline=f"第{n}条") for n in range(1, 24)))
    push(services)

    shown = group.shown[0].body["news"]["articles"]
    assert len(shown) == 8
    assert shown[-1]["title"] == "另有16篇，查看全部"
    assert shown[-1]["url"] == f"https://paper.example/qinglan/{TODAY}"


def test_one_message_for_each_article_when_wanted(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group, each=Grouping.ARTICLE, form=MessageForm.MARKDOWN))

    printed(services)
    push(services)

    assert [[f"第{n}号" in text(group, at) for n in (1, 2, 3)] for at in range(3)] == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]


def test_a_robot_of_a_section_is_told_of_that_section_only(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group, feed="section-zonghe", form=MessageForm.TEXT))

    printed(services)
    push(services)

    assert "第3号" in text(group)
    assert "第1号" not in text(group)


def test_what_moves_into_a_robot_s_section_is_new_to_it(services: Services, group: WeChat) -> None:
    services = with_(
        services,
        robot(group, feed="section-zonghe", form=MessageForm.TEXT),
        robot(group, name="editors", feed="all", form=MessageForm.TEXT),
    )
    printed(services, article(1), article(2))
    push(services)
    moved = article(1, section="zonghe")
    printed(services, moved, article(2))
    push(services)
    printed(services, article(1), article(2))  # back
    printed(services, moved, article(2))  # and there again
    push(services)

    assert states(services) == [PushState.PUSHED]
    assert states(services, "editors") == [PushState.PUSHED]
    assert "第1号" in text(group)
    printed(services, article(2))
    push(services)
    assert states(services) == [PushState.PUSHED] * 2
    assert "撤稿" in text(group)


def test_what_moves_about_before_it_is_pushed_is_told_once(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group, feed="section-zonghe", each=Grouping.ARTICLE))
    printed(services, article(1, section="zonghe"), article(2))
    printed(services, article(1), article(2))
    printed(services, article(1, section="zonghe"), article(2))
    push(services)

    assert len(group.shown) == 1


def test_an_old_issue_is_no_news(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group))

    printed(services, day=date(2026, 11, 2))
    push(services)

    assert group.shown == []
    assert states(services) == []


def test_a_stop_of_days_does_not_end_in_a_flood(services: Services, group: WeChat, clock: Clock) -> None:
    services = with_(services, robot(group))
    printed(services)
    clock.pass_(timedelta(days=4))

    push(services)

    assert group.shown == []


def test_a_correction_and_a_withdrawal_reach_the_group(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group))
    printed(services, article(1), article(2))
    push(services)

    printed(
        services,
        article(1, paragraphs=("昨天上午，县里召开会议，时间应为上午九时，特此更正，要求月底前全部开工。",)),
        article(2),
    )
    push(services)
    assert "更正：第1号消息" in text(group)

    printed(
        services,
        article(1, paragraphs=("昨天上午，县里召开会议，时间应为上午九时，特此更正，要求月底前全部开工。",)),
    )
    push(services)
    assert "撤稿" in text(group)
    assert "第2号消息" in text(group)
    assert len(group.shown) == 3


def test_a_robot_may_do_without_corrections(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group, corrections=False))
    printed(services, article(1), article(2))
    push(services)

    printed(services, article(1))
    push(services)

    assert len(group.shown) == 1


def test_what_was_corrected_before_it_was_pushed_is_pushed_as_it_is(
    services: Services, group: WeChat
) -> None:
    services = with_(services, robot(group))
    printed(services, article(1), article(2))
    printed(services, article(1))

    push(services)

    (message,) = group.shown
    assert [card["title"][:3] for card in message.body["news"]["articles"]] == ["第1号"]


def test_what_was_withdrawn_before_it_was_pushed_is_not_pushed(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group, each=Grouping.ARTICLE))
    printed(services, article(1), article(2))
    printed(services, article(1))

    push(services)

    assert states(services) == [PushState.PUSHED, PushState.DROPPED]
    assert len(group.shown) == 1


def test_twenty_a_minute_and_no_more(services: Services, group: WeChat, clock: Clock) -> None:
    services = with_(services, robot(group, each=Grouping.ARTICLE))
    printed(services, *(article(n, headline=f"第{n}条") for n in range(1, 51)))

    shown = []
    for _ in range(60):
        push(services)
        shown.append(len(group.shown))
        clock.pass_(timedelta(seconds=5))

    assert shown[0] == 20
    assert shown[-1] == 50
    assert group.refused == []
    assert states(services) == [PushState.PUSHED] * 50
    assert [one.attempts for one in ledger(services)] == [1] * 50


def test_a_rate_that_others_use_up_is_waited_for(services: Services, group: WeChat, clock: Clock) -> None:
    services = with_(services, robot(group))
    group.faults.append("45009")
    printed(services)

    push(services)
    assert states(services) == [PushState.DUE]
    clock.pass_(timedelta(minutes=2))
    push(services)

    assert states(services) == [PushState.PUSHED]
    assert len(group.shown) == 1


@pytest.mark.parametrize("fault", ["500", "-1", "429"])
def test_a_busy_robot_is_tried_again_later_and_for_a_day(
    services: Services, group: WeChat, clock: Clock, fault: str
) -> None:
    services = with_(services, robot(group))
    printed(services)
    began = clock.now
    while PushState.DUE in states(services) or not ledger(services):
        group.faults.append(fault)
        push(services)
        clock.pass_(timedelta(minutes=5))

    assert states(services) == [PushState.FAILED]
    assert ledger(services)[0].attempts == push_relays.ATTEMPTS
    assert timedelta(hours=12) < clock.now - began < timedelta(days=2)


def test_a_refusal_is_not_repeated_and_says_why(
    services: Services, group: WeChat, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    services = with_(services, robot(group, url=group.robot("wecom") + "x"))
    printed(services)

    push(services)
    clock.pass_(timedelta(hours=3))
    push(services)

    (only,) = ledger(services)
    assert only.state is PushState.FAILED
    assert "copy it anew" in (only.said or "")
    assert len(group.refused) == 1
    assert WECOM not in caplog.text + str(only)


@pytest.mark.parametrize("fault", ["drop-before", "drop-after"])
def test_a_lost_connection_is_a_doubt_for_a_person(
    services: Services, group: WeChat, clock: Clock, fault: str
) -> None:
    services = with_(services, robot(group))
    group.faults.append(fault)
    printed(services)

    push(services)
    clock.pass_(timedelta(hours=3))
    push(services)

    (doubted,) = ledger(services)
    assert doubted.state is PushState.DOUBTFUL
    assert len(group.shown) == (fault == "drop-after")

    push_relays.decide(services, doubted.id, PushState.DUE)
    push(services)
    assert states(services) == [PushState.PUSHED]


@pytest.mark.parametrize("code", ["93000", "40058", "45033"])
def test_what_was_refused_goes_out_once_a_person_has_mended_it(
    services: Services, group: WeChat, clock: Clock, code: str
) -> None:
    services = with_(services, robot(group))
    printed(services)
    group.faults.extend([code] * push_relays.ATTEMPTS)
    while not group.faults or states(services) != [PushState.FAILED]:
        push(services)
        clock.pass_(timedelta(minutes=5))
        if states(services) == [PushState.FAILED]:
            break
    group.faults.clear()

    (line,) = [line for line in watch_pushes.run(services).lines if "failed (" in line]
    push_relays.decide(services, 1, PushState.DUE)
    push(services)

    assert "push 1 to qinglan readers" in line
    assert "`syndicate robots again 1`" in line
    assert states(services) == [PushState.PUSHED]
    assert len(group.shown) == 1
    assert watch_pushes.run(services).failed == ()


def test_a_failed_push_did_not_arrive_whoever_says_so(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group))
    group.faults.append("93000")
    printed(services)
    push(services)

    with pytest.raises(IssueError, match="push 1: failed, not doubtful"):
        push_relays.decide(services, 1, PushState.PUSHED)


def test_only_a_doubt_is_decided_by_a_person(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group))
    printed(services)
    push(services)

    with pytest.raises(IssueError, match="push 1: pushed, not doubtful or failed"):
        push_relays.decide(services, 1, PushState.DUE)
    with pytest.raises(IssueError, match="push 7: there is none"):
        push_relays.decide(services, 7, PushState.PUSHED)


def test_after_a_doubt_the_next_message_goes_out(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group, each=Grouping.ARTICLE))
    group.faults.append("drop-before")
    printed(services)

    push(services)

    assert states(services) == [PushState.DOUBTFUL, PushState.PUSHED, PushState.PUSHED]


def test_a_crash_before_the_call_costs_nothing_and_one_during_it_is_a_doubt(
    services: Services, group: WeChat, clock: Clock
) -> None:
    services = with_(services, robot(group), robot(group, name="editors"))
    printed(services)
    push_relays._plan(services, services.settings.publications[0])
    with store.writing(services.db) as db:
        first = pushes.claim(db, 1, services.now())
        second = pushes.claim(db, 2, services.now())
        assert first
        assert second
        assert pushes.hand(db, second, services.now(), limit=20, within=timedelta(minutes=1))

    push(services)
    assert group.shown == []
    clock.pass_(push_relays.LEASE)
    push(services)

    assert states(services) == [PushState.PUSHED]
    assert states(services, "editors") == [PushState.DOUBTFUL]
    assert len(group.shown) == 1


def test_who_slept_over_the_lease_sends_nothing(services: Services, group: WeChat, clock: Clock) -> None:
    services = with_(services, robot(group))
    printed(services)
    push_relays._plan(services, services.settings.publications[0])
    with store.writing(services.db) as db:
        slept = pushes.claim(db, 1, services.now())
    assert slept
    clock.pass_(push_relays.LEASE)
    push(services)
    assert states(services) == [PushState.PUSHED]

    with store.writing(services.db) as db:
        assert not pushes.hand(db, slept, services.now(), limit=20, within=timedelta(minutes=1))
        assert not pushes.settle(db, slept, PushState.FAILED, services.now())


def test_robots_of_three_kinds_are_told_the_same(services: Services, group: WeChat) -> None:
    kinds = (RobotKind.WECOM, RobotKind.FEISHU, RobotKind.DINGTALK)
    services = with_(services, *(Robot(kind.value, kind, group.robot(kind)) for kind in kinds))

    printed(services)
    push(services)

    assert len(group.shown) == 3
    assert all("第1号消息" in str(message.body) for message in group.shown)
    assert group.refused == []


def test_a_robot_that_was_taken_out_is_told_nothing_more(services: Services, group: WeChat) -> None:
    both = with_(services, robot(group), robot(group, name="editors"))
    printed(both)
    push_relays._plan(both, both.settings.publications[0])

    one = replace(both.settings.publications[0], robots=(robot(group, name="editors"),))
    push(replace(both, settings=replace(both.settings, publications=(one,))))

    assert states(both) == [PushState.DROPPED]
    assert states(both, "editors") == [PushState.PUSHED]


def test_a_test_message_is_asked_for_and_sent_once(services: Services, group: WeChat) -> None:
    services = with_(services, robot(group))

    push_relays.ask_for_test(services, "readers", None)
    push_relays.ask_for_test(services, "readers", None)
    push(services)

    assert len(group.shown) == 1
    assert "测试消息" in text(group)
    with pytest.raises(IssueError, match="no robot 'nobody'; there are qinglan readers"):
        push_relays.ask_for_test(services, "nobody", "qinglan")


# ── the Official Account ─────────────────────────────────────────────────────────────────


def refuse_draft(group: WeChat, *faults: str) -> None:
    """What is asked before the draft is answered: the token, covers and pictures of three articles."""
    group.faults.extend([*[""] * 7, *faults])


def test_an_issue_becomes_one_draft_with_covers(services: Services, group: WeChat) -> None:
    services = with_(services, official=account(group))

    printed(services, *(article(n, headline=f"第{n}条" * 20) for n in range(1, 12)))
    push(services)
    printed(services, *(article(n, headline=f"第{n}条" * 20) for n in range(1, 14)))
    push(services)

    (draft,) = group.drafts
    assert len(draft) == 8
    assert [a["title"][:3] for a in draft] == [f"第{n}条" for n in range(1, 9)]
    assert draft[0]["content_source_url"] == f"https://paper.example/qinglan/{TODAY}/1/1"
    assert {a["thumb_media_id"] for a in draft} == set(group.covers)
    assert (group.garbled, group.cut, group.filtered) == (0, [], [])
    assert states(services, ACCOUNT) == [PushState.PUSHED]
    assert ledger(services, ACCOUNT)[0].said == "draft-1"


def test_a_photo_without_a_word_is_drafted_too(services: Services, group: WeChat) -> None:
    services = with_(services, official=account(group))

    printed(services, article(1, headline=None, paragraphs=(), captions=(), kind=Kind.PHOTO))
    push(services)

    assert len(group.drafts) == 1
    assert group.drafts[0][0]["digest"]


def test_the_token_is_fetched_once_and_renewed_before_its_end(
    services: Services, group: WeChat, clock: Clock
) -> None:
    services = with_(services, official=account(group))
    printed(services)
    push(services)
    assert group.token_asked == 1

    clock.pass_(timedelta(minutes=117))
    printed(services, article(4), day=date(2026, 11, 17))
    push(services)

    assert group.token_asked == 2
    assert len(group.drafts) == 2


def test_a_token_that_was_ended_elsewhere_is_renewed_once(services: Services, group: WeChat) -> None:
    services = with_(services, official=account(group))
    printed(services)
    push(services)
    group.tokens.clear()

    printed(services, article(4), day=date(2026, 11, 17))
    push(services)

    assert group.token_asked == 2
    assert len(group.drafts) == 2


def test_while_one_process_renews_the_token_others_use_the_old_one(
    services: Services, group: WeChat, clock: Clock
) -> None:
    services = with_(services, official=account(group))
    printed(services)
    push(services)
    clock.pass_(timedelta(minutes=117))
    with store.writing(services.db) as db:
        assert accounts.claim_renewal(db, APPID, services.now(), timedelta(minutes=1))

    printed(services, article(4), day=date(2026, 11, 17))
    push(services)

    assert group.token_asked == 1
    assert len(group.drafts) == 2


def test_a_cover_that_is_there_is_not_uploaded_again(services: Services, group: WeChat, clock: Clock) -> None:
    services = with_(services, official=account(group))
    refuse_draft(group, "500")
    printed(services)
    push(services)
    assert group.drafts == []

    clock.pass_(timedelta(minutes=2))
    push(services)

    assert len(group.drafts) == 1
    assert len(group.covers) == 3


def test_a_cover_that_somebody_deleted_is_uploaded_again(
    services: Services, group: WeChat, clock: Clock
) -> None:
    services = with_(services, official=account(group))
    refuse_draft(group, "40007")
    printed(services)
    push(services)

    clock.pass_(timedelta(minutes=2))
    push(services)

    assert len(group.drafts) == 1
    assert len(group.covers) == 6


@pytest.mark.parametrize("fault", ["504", "drop-after", "html"])
def test_a_token_that_does_not_come_leaves_no_doubt_of_the_draft(
    services: Services, group: WeChat, clock: Clock, fault: str
) -> None:
    services = with_(services, official=account(group))
    printed(services)
    push_relays._plan(services, services.settings.publications[0])
    refuse_draft(group, "45009")
    push(services)
    clock.pass_(timedelta(hours=3))
    group.faults.append(fault)  # to stable_token
    push(services)
    between = states(services, ACCOUNT)
    clock.pass_(timedelta(hours=3))
    push(services)

    assert between == [PushState.DUE]
    assert states(services, ACCOUNT) == [PushState.PUSHED]
    assert len(group.drafts) == 1


def test_a_stale_token_that_cannot_be_renewed_leaves_no_doubt_of_the_draft(
    services: Services, group: WeChat, clock: Clock
) -> None:
    services = with_(services, official=account(group))
    printed(services)
    refuse_draft(group, "40001", "504")
    push(services)

    assert states(services, ACCOUNT) == [PushState.DUE]
    assert group.drafts == []


@pytest.mark.parametrize("fault", ["drop-before", "drop-after"])
def test_a_draft_that_may_be_there_is_not_made_again(
    services: Services, group: WeChat, clock: Clock, fault: str
) -> None:
    services = with_(services, official=account(group))
    refuse_draft(group, fault)
    printed(services)

    push(services)
    clock.pass_(timedelta(hours=1))
    push(services)

    assert states(services, ACCOUNT) == [PushState.DOUBTFUL]
    assert len(group.drafts) == (fault == "drop-after")


@pytest.mark.parametrize(("what", "words"), [("whitelisted", "IP whitelist"), ("permitted", "草稿箱")])
def test_what_the_account_may_not_do_is_said(
    services: Services, group: WeChat, what: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    services = with_(services, official=account(group))
    setattr(group, what, False)
    printed(services, article(1))

    push(services)

    (failed,) = ledger(services, ACCOUNT)
    assert failed.state is PushState.FAILED
    assert words in (failed.said or "")
    assert APPSECRET not in caplog.text
    assert not any(token in caplog.text for token in group.tokens)

    setattr(group, what, True)
    printed(services, article(1), article(2), article(3, page=2))
    push(services)
    assert group.drafts == []  # nothing is tried again by itself
    push_relays.decide(services, failed.id, PushState.DUE)
    push(services)

    assert states(services, ACCOUNT) == [PushState.PUSHED]
    assert [len(draft) for draft in group.drafts] == [3]


def test_each_article_of_a_draft_shows_its_card_above_the_text(services: Services, group: WeChat) -> None:
    services = with_(services, official=account(group))

    printed(services)
    push(services)

    shown = [re.findall(r'<img src="([^"]+)"', a["content"]) for a in group.drafts[0]]
    assert [len(addresses) for addresses in shown] == [1, 1, 1]
    assert {address for addresses in shown for address in addresses} == set(group.pictures)
    assert {Image.open(BytesIO(picture)).size for picture in group.pictures.values()} == {(1068, 455)}
    assert group.filtered == []


def test_pictures_that_are_there_are_not_uploaded_again(
    services: Services, group: WeChat, clock: Clock
) -> None:
    services = with_(services, official=account(group))
    refuse_draft(group, "500")
    printed(services)
    push(services)

    clock.pass_(timedelta(minutes=2))
    push(services)

    assert len(group.drafts) == 1
    assert (len(group.covers), len(group.pictures)) == (3, 3)


def test_without_a_font_a_draft_has_a_cover_without_words(
    services: Services, group: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "available", tuple)
    services = with_(services, official=account(group))
    printed(services)

    push(services)

    assert len(group.drafts) == 1
    assert {Image.open(BytesIO(cover)).size for cover in group.covers.values()} == {(900, 383)}
