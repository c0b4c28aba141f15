"""How a digest goes out: at whose pace, in which hours, and what ends it before all have it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from syndicate import store
from syndicate.errors import StoreError
from syndicate.jobs import compose, examine, ingest, mail_digests, plan_digests, watch_digests
from syndicate.model import Answer, Choice, DeliveryState, Outcome, Wish
from syndicate.render import letters as render
from syndicate.render.letters import Mould, Write
from syndicate.services import Services
from syndicate.store import deliveries, resting, subscriptions
from tests.jobs.conftest import Clock, sample
from tests.jobs.mailing import LATER, Server, letters, paper, states, subscribe

NOT_OURS = Answer(0, Outcome.REFUSED, "relay:25: 553 5.7.1 sender rejected", 553, "5.7.1", "mail")
TICK = timedelta(seconds=10)


def test_a_domain_that_refuses_is_left_alone_from_tick_to_tick_and_longer_each_time(
    services: Services, server: Server, clock: Clock
) -> None:
    services = replace(services, mailer=server)
    for n in range(20):
        subscribe(services, f"{n}@slow.example")
    ingest.ingest(services, sample(16))
    server.fault = LATER
    begin, tried = clock.now, list[timedelta]()
    server.between = lambda: tried.append(clock.now - begin)

    for _ in range(30):
        mail_digests.run(services)
        clock.pass_(TICK)

    assert tried == [timedelta(seconds=n) for n in (0, 30, 90, 210)]
    server.fault = None
    clock.pass_(timedelta(minutes=10))
    mail_digests.run(services)
    assert len(server.taken) == 20
    with store.reading(services.db) as db:
        assert resting.listed(db) == {}


def test_the_hours_of_quiet_are_kept_while_mail_goes_out(
    services: Services, server: Server, clock: Clock
) -> None:
    services = replace(services, mailer=server, settings=replace(services.settings, mail_quiet_hours="22-6"))
    clock.now = datetime(2026, 11, 16, 13, 40, tzinfo=UTC)  # twenty to ten in the evening
    for n in range(9):
        subscribe(services, f"{n}@example.com")
    ingest.ingest(services, sample(16))
    server.between = lambda: clock.pass_(timedelta(minutes=7))

    mail_digests.run(services)

    assert len(server.taken) == 3
    clock.now = datetime(2026, 11, 16, 22, 0, tzinfo=UTC)
    server.between = lambda: None
    mail_digests.run(services)
    assert len(server.taken) == 9


def test_a_mail_server_that_refuses_our_sender_fails_nobody_and_holds_the_digest(
    services: Services, server: Server, clock: Clock
) -> None:
    services = replace(services, mailer=server)
    for n in range(20):
        subscribe(services, f"{n}@d{n}.example")
    ingest.ingest(services, sample(16))
    server.fault = NOT_OURS

    for _ in range(3):
        mail_digests.run(services)
        clock.pass_(timedelta(minutes=2))

    report = examine.run(services)
    assert report.ailing
    assert any("553 5.7.1 sender rejected" in line for line in report.lines)
    assert states(services) == {DeliveryState.DUE: 20}
    server.fault = None
    watch_digests.hold(services, 1, None)
    mail_digests.run(services)
    assert len(server.taken) == 20
    assert not examine.run(services).ailing


def test_a_person_may_have_what_failed_tried_again(services: Services, server: Server, clock: Clock) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    subscribe(services, "b@example.com")
    ingest.ingest(services, sample(16))
    server.fault = replace(LATER, outcome=Outcome.REFUSED, code=554, status="5.7.1", said="554 5.7.1 spam")
    mail_digests.run(services)
    assert states(services) == {DeliveryState.FAILED: 2}
    server.fault = None
    clock.pass_(timedelta(days=3))

    assert watch_digests.retry(services, 1) == "digest 1: 2 letters are tried again"
    mail_digests.run(services)

    assert sorted(server.taken) == ["a@example.com", "b@example.com"]


def test_a_letter_bears_the_date_at_which_it_was_wanted_however_late_it_is_taken(
    services: Services, server: Server, clock: Clock
) -> None:
    clock.now = datetime(2026, 11, 17, 22, 0, tzinfo=UTC)
    early, late = subscribe(services, "a@example.com"), subscribe(services, "b@example.com")
    with store.writing(services.db) as db:
        db.exec_driver_sql(f"UPDATE subscriptions SET hour = 20 WHERE id = {late.id}")
    ingest.ingest(services, sample(18))
    mail_digests.run(services)
    clock.now = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
    server.fault = LATER
    mail_digests.run(replace(services, mailer=server))
    clock.pass_(timedelta(hours=3))

    mail_digests.run(services)

    dates = {letter["To"]: letter["Date"].datetime for letter in letters(services)}
    assert dates == {
        early.address: datetime(2026, 11, 17, 22, 0, tzinfo=UTC),
        late.address: datetime(2026, 11, 18, 12, 0, tzinfo=UTC),
    }


def test_a_worker_that_takes_hours_keeps_what_it_has_claimed(
    services: Services, server: Server, clock: Clock
) -> None:
    services = replace(services, mailer=server)
    for n in range(6):
        subscribe(services, f"{n}@example.com")
    ingest.ingest(services, sample(16))
    expired: list[int] = []

    def elsewhere() -> None:
        clock.pass_(timedelta(minutes=20))
        time.sleep(0.1)  # the ledger's thread has as long
        with store.writing(services.db) as db:
            expired.append(deliveries.expire(db, services.now(), mail_digests.LEASE))

    server.between = elsewhere
    mail_digests.run(services)

    assert expired == [0] * 6
    assert len(server.taken) == 6


def test_a_digest_that_was_paused_for_days_goes_on(services: Services, server: Server, clock: Clock) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    plan_digests.run(services)
    watch_digests.hold(services, 1, "paused")
    clock.pass_(timedelta(days=3))
    mail_digests.run(services)

    watch_digests.hold(services, 1, None)
    mail_digests.run(services)

    assert server.taken == ["a@example.com"]


def test_who_gets_the_same_articles_gets_a_letter_from_one_mould(
    services: Services, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = replace(services, mailer=server)
    words = ("衢江", "的", "。", "，")  # one fits nothing, the others nearly all
    for n in range(12):
        with store.writing(services.db) as db:
            wish = Wish(Choice(words=(words[n % 4], f"没有这个词{n}")))
            asked = subscriptions.sign_up(db, paper(services), f"{n}@d{n}.example", wish, services.now())
            subscriptions.confirm(db, asked.id, services.now())
    ingest.ingest(services, sample(16))
    made: list[Mould] = []
    mould = render.mould

    def counted(write: Write) -> Mould:
        made.append(mould(write))
        return made[-1]

    monkeypatch.setattr(render, "mould", counted)

    mail_digests.run(services)

    assert len(server.taken) == 9
    assert len(made) < 4


def test_a_database_that_is_away_fails_no_letter(
    services: Services, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = replace(services, mailer=server)
    subscribe(services, "a@example.com")
    ingest.ingest(services, sample(16))
    plan_digests.run(services)
    with monkeypatch.context() as patched:
        patched.setattr(compose, "told", Mock(side_effect=StoreError("the server closed the connection")))
        with pytest.raises(StoreError):
            mail_digests.run(services)

    mail_digests.run(services)

    assert server.taken == ["a@example.com"]
    assert states(services) == {DeliveryState.SENT: 1}
