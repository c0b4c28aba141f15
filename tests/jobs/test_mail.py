"""Who signed up is asked once; a digest goes out once."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from syndicate import store
from syndicate.deliver.journal import Journal
from syndicate.errors import IssueError
from syndicate.jobs import (
    compose,
    examine,
    ingest,
    mail_confirmations,
    mail_digests,
    plan_digests,
    watch_digests,
)
from syndicate.model import Choice, DeliveryState, Rhythm, Wish
from syndicate.services import Services
from syndicate.store import deliveries, subscriptions
from syndicate.store.tables import deliveries as ledger
from syndicate.store.tables import digests as digest_table
from tests.jobs.conftest import Clock, sample
from tests.jobs.mailing import (
    LATER,
    NO_ANSWER,
    NO_SERVER,
    REFUSED,
    Server,
    letters,
    paper,
    states,
    subscribe,
)

SATURDAY = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)  # half past six on Saturday in the paper's town


def test_a_confirmation_goes_out_once_and_its_link_names_the_subscription(services: Services) -> None:
    with store.writing(services.db) as db:
        asked = subscriptions.sign_up(db, paper(services), "a@example.com", Wish(), services.now())

    mail_confirmations.run(services)
    mail_confirmations.run(services)

    (letter,) = letters(services)
    text = letter.get_body(("plain",))
    assert text is not None
    link = re.search(r"https://paper\.example/qinglan/confirm/(\S+)", text.get_content())
    assert link
    assert services.tokens.confirmed(link[1]) == asked.id


def test_a_confirmation_that_was_refused_for_now_is_tried_again(
    services: Services, server: Server, clock: Clock
) -> None:
    services = replace(services, mailer=server)
    with store.writing(services.db) as db:
        subscriptions.sign_up(db, paper(services), "a@example.com", Wish(), services.now())
    server.fault = NO_SERVER
    mail_confirmations.run(services)
    server.fault = None

    clock.pass_(timedelta(minutes=2))
    mail_confirmations.run(services)

    assert server.taken == ["a@example.com"]


def test_a_new_issue_is_mailed_once_to_each_confirmed_subscriber(services: Services) -> None:
    subscribe(services, "a@example.com")
    subscribe(services, "b@example.com", "wenti", language="en")
    with store.writing(services.db) as db:
        subscriptions.sign_up(db, paper(services), "pending@example.com", Wish(), services.now())

    ingest.ingest(services, sample(16))
    mail_digests.run(services)
    mail_digests.run(services)
    ingest.ingest(services, sample(16))
    mail_digests.run(services)

    whole, culture = letters(services)
    assert (whole["To"], culture["To"]) == ("a@example.com", "b@example.com")
    text = whole.get_body(("plain",))
    assert text is not None
    assert "蓝谷竹基新材料项目落户青岚" in text.get_content()
    text = culture.get_body(("plain",))
    assert text is not None
    assert "蓝谷" not in text.get_content()
    assert "石埠队挺进乡村足球联赛决赛" in text.get_content()
    assert states(services) == {DeliveryState.SENT: 2}


def test_an_older_issue_mails_nobody_unless_told_to(services: Services) -> None:
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(17))
    mail_digests.run(services)

    ingest.ingest(services, sample(16))
    mail_digests.run(services)
    assert len(letters(services)) == 1

    assert mail_digests.order(services, "qinglan", date(2026, 11, 16)).endswith("will be mailed")
    mail_digests.run(services)
    assert len(letters(services)) == 2
    assert mail_digests.order(services, "qinglan", date(2026, 11, 16)).endswith("was mailed before")


def test_who_left_gets_nothing_more(services: Services) -> None:
    leaving = subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    plan_digests.run(services)
    with store.writing(services.db) as db:
        subscriptions.end(db, leaving.id, services.now())

    mail_digests.run(services)

    assert letters(services) == []
    assert states(services) == {DeliveryState.VOID: 1}


def test_a_subscriber_whose_sections_have_nothing_gets_no_mail(services: Services) -> None:
    subscribe(services, "a@example.com", "wenti")
    ingest.ingest(services, [sample(18)[0]])

    mail_digests.run(services)

    assert letters(services) == []


def test_a_temporary_refusal_is_tried_again_later(services: Services, server: Server, clock: Clock) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    server.fault = LATER
    mail_digests.run(services)
    server.fault = None
    mail_digests.run(services)
    assert server.taken == []

    clock.pass_(timedelta(minutes=1))
    mail_digests.run(services)

    assert server.taken == ["a@example.com"]


def test_a_permanent_refusal_is_final(services: Services, server: Server, clock: Clock) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    server.fault = REFUSED
    mail_digests.run(services)
    server.fault = None

    clock.pass_(timedelta(days=1))
    mail_digests.run(services)

    assert server.taken == []
    assert states(services) == {DeliveryState.FAILED: 1}


def test_a_doubtful_delivery_waits_for_a_person(services: Services, server: Server, clock: Clock) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    server.fault = NO_ANSWER
    mail_digests.run(services)
    server.fault = None
    clock.pass_(timedelta(days=1))
    mail_digests.run(services)
    assert server.taken == []
    report = examine.run(services)
    (doubtful,) = report.doubtful
    assert report.ailing

    watch_digests.decide(services, doubtful.id, arrived=False)
    mail_digests.run(services)

    assert server.taken == ["a@example.com"]
    assert states(services) == {DeliveryState.SENT: 1}
    with pytest.raises(IssueError, match="sent, not doubtful"):
        watch_digests.decide(services, doubtful.id, arrived=False)


@pytest.mark.parametrize(
    ("moment", "letters"),
    [("before", 1), ("between", 2), ("after", 1)],  # 'between' is the window of docs/decisions/0002
)
def test_a_killed_worker_loses_nothing_and_repeats_only_what_it_could_not_know(
    services: Services, server: Server, moment: str, letters: int, caplog: pytest.LogCaptureFixture
) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    server.killed = moment
    with pytest.raises(KeyboardInterrupt), killed():
        mail_digests.run(services)
    server.killed = ""

    mail_digests.run(services)
    mail_digests.run(services)

    assert server.taken == ["a@example.com"] * letters
    assert ("it may come twice" in caplog.text) == (moment == "between")
    assert states(services) == {DeliveryState.SENT: 1}
    assert list((services.settings.data / "mail").glob("*.journal")) == []


@contextmanager
def killed() -> Iterator[None]:
    """A kill lets nobody settle: what the worker would do at its end does not happen."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mail_digests._Run, "_end", lambda _self: None)
        yield


def test_a_letter_that_ends_its_worker_holds_up_no_other(services: Services, server: Server) -> None:
    services = replace(services, mailer=server)
    for address in ("a@example.com", "b@example.com", "c@example.com"):
        subscribe(services, address)
    ingest.ingest(services, sample(16))
    plan_digests.run(services)
    with store.writing(services.db) as db:
        (first,) = deliveries.claim(db, "dead", services.now(), 1)
    with suppress(KeyboardInterrupt), Journal(services.settings.data / "mail", "dead") as written:
        written.begun(first.id)
        raise KeyboardInterrupt

    mail_digests.run(services)

    assert server.taken == ["b@example.com", "c@example.com", "a@example.com"]


def test_a_letter_that_cannot_be_written_fails_alone(
    services: Services, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com", language="en")
    subscribe(services, "b@example.com")
    ingest.ingest(services, sample(16))
    compose_well = compose.compose

    def compose_ill(services: Services, told: compose.Told, choice: Choice, language: str) -> object:
        if language == "en":
            raise RuntimeError("a fault")
        return compose_well(services, told, choice, language)

    monkeypatch.setattr(compose, "compose", compose_ill)
    mail_digests.run(services)

    assert server.taken == ["b@example.com"]
    assert states(services) == {DeliveryState.SENT: 1, DeliveryState.FAILED: 1}


def test_where_the_mail_server_is_down_nothing_else_is_tried(services: Services, server: Server) -> None:
    services = replace(services, mailer=server)
    for n in range(9):
        subscribe(services, f"{n}@example.com")
    ingest.ingest(services, sample(16))
    server.fault = NO_SERVER

    mail_digests.run(services)

    with store.reading(services.db) as db:
        found = [deliveries.find(db, number) for number in range(1, 10)]
    assert sorted(one.attempts for one in found if one) == [0] * 8 + [1]
    assert states(services) == {DeliveryState.DUE: 9}


def test_a_digest_that_is_paused_while_it_goes_out_stops(services: Services, server: Server) -> None:
    services = replace(services, mailer=server)
    for n in range(9):
        subscribe(services, f"{n}@example.com")
    ingest.ingest(services, sample(16))

    def pause() -> None:
        if len(server.taken) == 3:
            watch_digests.hold(services, 1, "paused")
            time.sleep(mail_digests.SETTLE)
            server.between = lambda: time.sleep(0.3)

    server.between = pause
    mail_digests.run(services)

    assert 3 <= len(server.taken) <= 5
    watch_digests.hold(services, 1, None)
    mail_digests.run(services)
    assert sorted(server.taken) == [f"{n}@example.com" for n in range(9)]


def test_who_is_asked_to_end_stops_at_the_next_letter(services: Services, server: Server) -> None:
    services = replace(services, mailer=server)
    for n in range(9):
        subscribe(services, f"{n}@example.com")
    ingest.ingest(services, sample(16))
    server.between = services.stopping.set

    mail_digests.run(services)
    assert len(server.taken) == 1
    services.stopping.clear()
    server.between = lambda: None
    mail_digests.run(services)

    assert len(server.taken) == 9


def test_a_database_brought_back_from_yesterday_mails_nobody_again(
    services: Services, server: Server
) -> None:
    services = replace(services, mailer=server)
    for n in range(3):
        subscribe(services, f"{n}@example.com")
    ingest.ingest(services, sample(16))
    mail_digests.run(services)
    with store.writing(services.db) as db:  # as it was before any of them went out
        db.execute(update(ledger).values(state="due", attempts=0))

    mail_digests.run(services)

    assert len(server.taken) == 3
    assert states(services) == {DeliveryState.SENT: 3}


def test_a_digest_that_is_planned_anew_after_a_restore_mails_nobody_again(
    services: Services, server: Server
) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    mail_digests.run(services)
    with store.writing(services.db) as db:  # as it was before the issue came
        db.execute(delete(ledger))
        db.execute(delete(digest_table))
    mail_digests.order(services, "qinglan", date(2026, 11, 16))

    mail_digests.run(services)

    assert server.taken == ["a@example.com"]


@pytest.mark.parametrize(
    ("hours", "hour", "silent"),
    [
        ("", 3, False),
        ("22-6", 21, False),
        ("22-6", 22, True),
        ("22-6", 3, True),
        ("22-6", 6, False),
        ("1-5", 0, False),
        ("1-5", 4, True),
        ("1-5", 5, False),
    ],
)
def test_quiet_hours_may_reach_over_midnight(hours: str, hour: int, silent: bool) -> None:
    assert mail_digests.quiet(hours, datetime(2026, 11, 16, hour, tzinfo=UTC)) == silent


def test_a_digest_of_a_paper_that_is_no_longer_configured_is_not_sent(services: Services) -> None:
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    plan_digests.run(services)
    other = replace(services.settings.publications[0], slug="other")
    without = replace(services, settings=replace(services.settings, publications=(other,)))

    mail_digests.run(without)

    assert letters(services) == []
    assert states(services) == {DeliveryState.VOID: 1}


def test_a_confirmation_waits_for_its_paper_to_be_configured_again(services: Services, clock: Clock) -> None:
    with store.writing(services.db) as db:
        subscriptions.sign_up(db, paper(services), "a@example.com", Wish(), services.now())
    mail_confirmations.run(replace(services, settings=replace(services.settings, publications=())))

    clock.pass_(timedelta(minutes=2))
    mail_confirmations.run(services)

    assert [letter["To"] for letter in letters(services)] == ["a@example.com"]


def test_a_weekly_digest_gathers_the_week_and_goes_out_once(services: Services, clock: Clock) -> None:
    subscribe(services, "weekly@example.com", rhythm=Rhythm.WEEKLY)
    for day in (16, 17, 18):
        ingest.ingest(services, sample(day))
    mail_digests.run(services)
    assert letters(services) == []

    clock.now = SATURDAY
    mail_digests.run(services)
    mail_digests.run(services)
    clock.pass_(timedelta(days=1))
    mail_digests.run(services)

    (letter,) = letters(services)
    text = letter.get_body(("plain",))
    assert text is not None
    for headline in ("蓝谷竹基新材料项目落户青岚", "老茶厂里飘出咖啡香", "山里的包裹跑得更勤了"):
        assert headline in text.get_content()
    assert "11月15日" in letter["Subject"]  # the week, whatever came out in it
    assert "11月21日" in letter["Subject"]
    html = letter.get_body(("html",))
    assert html is not None
    assert 'alt="蓝谷竹基新材料项目落户青岚"' in html.get_content()


def test_a_preview_is_the_mail_that_would_be_sent(services: Services) -> None:
    ingest.ingest(services, sample(16))

    letter = mail_digests.preview(services, "qinglan", None, "en")

    assert "Qinglan Daily" in str(letter["Subject"])
    assert "https://paper.example/qinglan/leave/" in letter.as_string()


@pytest.mark.parametrize(
    ("slug", "day", "told"), [("nobody", None, "no newspaper"), ("qinglan", date(2020, 1, 1), "no issue of")]
)
def test_a_preview_of_nothing_says_so(services: Services, slug: str, day: date | None, told: str) -> None:
    with pytest.raises(IssueError, match=told):
        mail_digests.preview(services, slug, day, "zh-CN")


def test_a_slow_domain_holds_up_no_other_and_a_resting_one_is_not_waited_for(
    services: Services, server: Server, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_digests, "BATCH", 4)
    monkeypatch.setattr(mail_digests, "CROWD", 3)
    services = replace(services, mailer=server)
    for n in range(9):
        subscribe(services, f"{n}@slow.example")
    for n in range(3):
        subscribe(services, f"{n}@fast.example")
    ingest.ingest(services, sample(16))
    server.fault = LATER  # whoever comes first
    server.between = lambda: setattr(server, "fault", None)

    mail_digests.run(services)

    assert sorted(server.taken) == [f"{n}@fast.example" for n in range(3)]
    with store.reading(services.db) as db:
        waiting = [deliveries.find(db, number) for number in range(1, 10)]
    assert [one.attempts for one in waiting if one] == [1] + [0] * 8
    clock.pass_(timedelta(minutes=2))
    mail_digests.run(services)
    assert len(server.taken) == 12
