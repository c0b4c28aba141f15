"""Each digest is decided on once, and each subscriber gets it when they wanted it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from syndicate import store
from syndicate.jobs import plan_digests
from syndicate.model import DeliveryState, Publication, Rhythm, StoredDigest
from syndicate.services import Services
from syndicate.store import deliveries, digests
from syndicate.store.tables import deliveries as ledger
from syndicate.store.tables import subscriptions as table
from tests.jobs.conftest import Clock
from tests.samples import DAY, article, issue, subscribe
from tests.samples import ingest as store_issue

NO_PAUSE = timedelta(0)


def paper(services: Services) -> Publication:
    found = services.settings.publication("qinglan")
    assert found is not None
    return found


def plan_issue(services: Services, day: date = DAY) -> bool:
    with store.writing(services.db) as db:
        return plan_digests.plan_issue(db, paper(services), day, services.now(), NO_PAUSE)


def planned(services: Services) -> list[StoredDigest]:
    with store.reading(services.db) as db:
        return [one for one in digests.latest(db, 99) if any(deliveries.counts(db, one.id).values())]


def moments(services: Services) -> dict[int, datetime]:
    """From when each subscriber's delivery may go out."""
    with store.reading(services.db) as db:
        rows = db.execute(select(ledger.c.subscription, ledger.c.not_before))
        return {row.subscription: row.not_before for row in rows}


def choose(services: Services, number: int, **wish: object) -> None:
    with store.writing(services.db) as db:
        db.execute(update(table).where(table.c.id == number).values(**wish))


def test_an_issue_s_digest_is_planned_once_however_often_it_is_asked_for(services: Services) -> None:
    subscribe(services.db)

    assert plan_issue(services)
    assert not plan_issue(services)
    assert len(planned(services)) == 1


def test_mail_comes_from_the_chosen_hour_on(services: Services, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 17, 22, 5, tzinfo=UTC)  # five past six in the paper's town
    at_once = subscribe(services.db, "a@example.org")
    evening = subscribe(services.db, "b@example.org")
    early = subscribe(services.db, "c@example.org")
    abroad = subscribe(services.db, "d@example.org")
    choose(services, evening.id, hour=20)
    choose(services, early.id, hour=5)
    choose(services, abroad.id, hour=7, zone="America/New_York")

    plan_issue(services)

    assert moments(services) == {
        at_once.id: clock.now,
        evening.id: datetime(2026, 11, 18, 12, 0, tzinfo=UTC),
        early.id: clock.now,  # that hour is over: the news does not wait for tomorrow
        abroad.id: clock.now,  # five in the afternoon there
    }


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", date(2026, 3, 29)),  # 02:00 becomes 03:00
        ("Europe/Berlin", date(2026, 10, 25)),  # 03:00 becomes 02:00
        ("America/New_York", date(2026, 3, 8)),
        ("America/New_York", date(2026, 11, 1)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
    ],
)
@pytest.mark.parametrize("hour", range(24))
def test_on_the_day_the_clocks_change_each_hour_opens_once_and_on_that_day(
    services: Services, zone: str, day: date, hour: int
) -> None:
    midnight = datetime.combine(day, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)

    opened = plan_digests.opening(paper(services), (zone, hour), midnight)

    local = opened.astimezone(ZoneInfo(zone))
    assert local.date() == day
    assert timedelta(0) <= opened - midnight <= timedelta(hours=24)
    assert local.hour in (hour, hour + 1)  # an hour that the clock leaves out opens with the next


def test_who_paused_gets_nothing_until_then(services: Services, clock: Clock) -> None:
    pausing = subscribe(services.db)
    choose(services, pausing.id, paused_until=clock.now + timedelta(days=1))

    plan_issue(services)
    assert planned(services) == []
    clock.pass_(timedelta(days=1))
    plan_issue(services, DAY + timedelta(days=1))

    assert len(planned(services)) == 1


def test_a_week_goes_out_on_the_day_that_each_chose(services: Services, clock: Clock) -> None:
    saturday = subscribe(services.db, "a@example.org", rhythm=Rhythm.WEEKLY)
    tuesday = subscribe(services.db, "b@example.org", rhythm=Rhythm.WEEKLY)
    choose(services, tuesday.id, weekly_day=1)
    came: dict[int, list[str]] = {saturday.id: [], tuesday.id: []}

    clock.now = datetime(2026, 11, 15, 21, 0, tzinfo=UTC)  # Monday, five in the morning
    for _ in range(14 * 4):
        clock.pass_(timedelta(hours=6))
        plan_digests.run(services)
        plan_digests.run(services)
    with store.reading(services.db) as db:
        query = select(ledger.c.subscription, ledger.c.digest).order_by(ledger.c.id)
        for row in db.execute(query):
            digest = digests.find(db, row.digest)
            assert digest is not None
            assert digest.last - digest.first == timedelta(days=6)
            came[row.subscription].append(f"{digest.last:%a %d}")

    assert came == {saturday.id: ["Sat 21", "Sat 28"], tuesday.id: ["Tue 17", "Tue 24"]}


def test_a_week_that_was_missed_is_made_up_for_two_days(services: Services, clock: Clock) -> None:
    subscribe(services.db, rhythm=Rhythm.WEEKLY)
    clock.now = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)  # Monday, before Saturday's hour two days ago

    plan_digests.run(services)

    assert [digest.last for digest in planned(services)] == [date(2026, 11, 21)]


def test_corrections_of_one_sitting_make_one_mail(services: Services, clock: Clock) -> None:
    subscribe(services.db, rhythm=Rhythm.CORRECTIONS)
    store_issue(services.db, issue(), now=clock.now)
    plan_issue(services)
    plan_digests.run(services)
    assert planned(services) == []

    clock.pass_(timedelta(hours=2))
    wrong = issue(article(1, paragraphs=("更正后的第一段。",)), article(2), article(3))
    store_issue(services.db, wrong, now=clock.now)
    clock.pass_(timedelta(minutes=5))
    plan_digests.run(services)
    assert planned(services) == []
    clock.pass_(timedelta(minutes=6))
    plan_digests.run(services)
    clock.pass_(timedelta(hours=1))
    plan_digests.run(services)

    (digest,) = planned(services)
    assert (digest.rhythm, digest.first, digest.last) == (Rhythm.CORRECTIONS, DAY, DAY)


def test_a_digest_s_name_is_a_file_s_name() -> None:
    digest = StoredDigest(
        1, "qinglan", Rhythm.CORRECTIONS, DAY, DAY, datetime(2026, 11, 16, tzinfo=UTC), part="2026-11-16"
    )

    assert plan_digests.name(digest) == "qinglan.corrections.2026-11-16.2026-11-16"
    assert plan_digests.name(replace(digest, part="", rhythm=Rhythm.ISSUE)) == "qinglan.issue.2026-11-16"


def test_a_subscriber_who_wants_no_mail_gets_none(services: Services) -> None:
    subscribe(services.db, rhythm=Rhythm.NONE)

    plan_issue(services)
    plan_digests.run(services)

    with store.reading(services.db) as db:
        assert not any(deliveries.counts(db).values())
        assert DeliveryState.DUE in deliveries.counts(db)
