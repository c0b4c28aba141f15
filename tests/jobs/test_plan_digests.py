"""Each digest is decided on once, and each subscriber gets it when they wanted it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select, update

from syndicate import store
from syndicate.jobs import compose, plan_digests
from syndicate.model import DeliveryState, Publication, Rhythm, StoredDigest
from syndicate.services import Services
from syndicate.store import deliveries, digests
from syndicate.store.tables import deliveries as ledger
from syndicate.store.tables import digests as digest_table
from syndicate.store.tables import subscriptions as table
from tests.jobs.conftest import Clock
from tests.samples import DAY, MINUTE, article, issue, subscribe
from tests.samples import ingest as store_issue

NO_PAUSE = timedelta(0)


def paper(services: Services) -> Publication:
    found = services.settings.publication("qinglan")
    assert found is not None
    return found


def plan_issue(services: Services, day: date = DAY) -> bool:
    with store.writing(services.db) as db:
        new = plan_digests.plan_issue(db, paper(services), day, services.now(), NO_PAUSE)
    plan_digests.run(services)
    return new


def planned(services: Services) -> list[StoredDigest]:
    with store.reading(services.db) as db:
        return [one for one in digests.latest(db, 99) if any(deliveries.counts(db, one.id).values())]


def moments(services: Services) -> dict[int, datetime]:
    """From when each subscriber's delivery may go out."""
    with store.reading(services.db) as db:
        rows = db.execute(select(ledger.c.subscription, ledger.c.not_before))
        return {row.subscription: row.not_before for row in rows}


def at(said: str, zone: str = "Asia/Shanghai") -> datetime:
    """A moment of November 2026 in the paper's town, or elsewhere."""
    return datetime.strptime(f"2026-11-{said}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone))


def choose(services: Services, number: int, **wish: object) -> None:
    with store.writing(services.db) as db:
        db.execute(update(table).where(table.c.id == number).values(**wish))


def test_an_issue_s_digest_is_planned_once_however_often_it_is_asked_for(services: Services) -> None:
    subscribe(services.db)

    assert plan_issue(services)
    assert not plan_issue(services)
    assert len(planned(services)) == 1


@pytest.mark.parametrize(
    ("ready", "hour", "zone", "comes"),
    [
        ("18 06:05", None, None, "18 06:05"),
        ("18 06:05", 20, None, "18 20:00"),
        ("18 06:05", 5, None, "18 06:05"),  # that hour is over: the news does not wait for tomorrow
        ("18 06:05", 7, "America/New_York", "18 07:00"),
        ("17 21:30", None, None, "17 21:30"),
        ("17 21:30", 8, None, "18 08:00"),
        ("17 21:30", 22, None, "18 22:00"),
        ("17 21:30", 0, None, "18 00:00"),
        ("17 21:30", 8, "America/New_York", "18 08:00"),
        ("17 21:30", 8, "Pacific/Kiritimati", "18 08:00"),
        ("18 23:30", 8, "Pacific/Kiritimati", "19 05:30"),  # too late there
        ("19 10:00", 8, None, "19 10:00"),
    ],
)
def test_the_paper_of_a_day_comes_on_that_day_at_the_chosen_hour_or_at_once_when_it_is_late(
    services: Services, clock: Clock, ready: str, hour: int | None, zone: str | None, comes: str
) -> None:
    clock.now = at(ready)
    reader = subscribe(services.db)
    choose(services, reader.id, hour=hour, zone=zone)

    plan_issue(services, date(2026, 11, 18))

    assert moments(services) == {reader.id: at(comes, zone or paper(services).zone)}


@pytest.mark.parametrize(
    ("hour", "zone", "comes"),
    [
        (None, None, "21 06:00"),
        (9, None, "21 09:00"),
        (9, "Europe/London", "21 09:00"),
        (8, "America/New_York", "21 08:00"),
        (None, "America/New_York", "21 06:00"),
        (5, "Pacific/Auckland", "21 11:00"),  # the week is over only then
    ],
)
def test_a_week_comes_on_the_chosen_day_and_hour_where_the_reader_lives(
    services: Services, clock: Clock, hour: int | None, zone: str | None, comes: str
) -> None:
    reader = subscribe(services.db, rhythm=Rhythm.WEEKLY)
    choose(services, reader.id, hour=hour, zone=zone)
    clock.now = at("21 06:00")

    plan_digests.run(services)

    assert moments(services) == {reader.id: at(comes, zone or paper(services).zone)}


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
    ready = midnight - timedelta(hours=9)
    digest = StoredDigest(1, "qinglan", Rhythm.ISSUE, day, day, ready, opens=ready)

    opened = plan_digests.opening(paper(services), digest, (zone, hour))

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


def test_the_first_correction_is_mailed_whatever_the_hour(services: Services, clock: Clock) -> None:
    subscribe(services.db, rhythm=Rhythm.CORRECTIONS)
    store_issue(services.db, issue(), now=clock.now)
    plan_issue(services)
    clock.now = datetime(2026, 11, 18, 23, 55, tzinfo=UTC)
    wrong = issue(article(1, paragraphs=("更正后的第一段。",)), article(2), article(3))
    store_issue(services.db, wrong, now=clock.now)
    clock.pass_(timedelta(minutes=15))

    plan_digests.run(services)

    (digest,) = planned(services)
    assert digest.part.startswith("2026-11-18T23:5")
    with store.reading(services.db) as db:
        told = compose.told(db, digest)
    assert [entry.date for entry, _ in told.wrong] == [DAY]


def test_planned_anew_from_an_older_database_a_correction_is_the_same_digest(
    services: Services, clock: Clock
) -> None:
    subscribe(services.db, rhythm=Rhythm.CORRECTIONS)
    store_issue(services.db, issue(), now=clock.now)
    plan_issue(services)
    clock.pass_(timedelta(hours=2))
    wrong = issue(article(1, paragraphs=("更正后的第一段。",)), article(2), article(3))
    store_issue(services.db, wrong, now=clock.now)
    clock.pass_(timedelta(minutes=11))
    plan_digests.run(services)
    (digest,) = planned(services)
    with store.writing(services.db) as db:  # as it was before that
        db.execute(delete(ledger).where(ledger.c.digest == digest.id))
        db.execute(delete(digest_table).where(digest_table.c.id == digest.id))

    clock.pass_(timedelta(hours=1))
    plan_digests.run(services)

    (again,) = planned(services)
    assert plan_digests.name(again) == plan_digests.name(digest)


def test_who_gets_a_digest_is_written_down_lot_by_lot_and_each_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = [subscribe(services.db, f"{n}@example.org").id for n in range(7)]
    monkeypatch.setattr(plan_digests, "LOT", 3)
    with store.writing(services.db) as db:
        plan_digests.plan_issue(db, paper(services), DAY, services.now(), NO_PAUSE)
    with store.writing(services.db) as db:  # a first lot, and a kill
        digest = digests.unwritten(db, "qinglan")
        assert digest is not None
        plan_digests.write_lot(db, paper(services), digest, 3)
    assert sorted(moments(services)) == everybody[:3]
    late = subscribe(services.db, "late@example.org", now=services.now() + MINUTE)

    plan_digests.run(services)
    plan_digests.run(services)

    assert sorted(moments(services)) == everybody
    assert late.id not in moments(services)


def test_a_tick_with_nothing_to_plan_writes_nothing(services: Services, clock: Clock) -> None:
    plan_issue(services)
    with store.reading(services.db) as db:
        before = [digest.id for digest in digests.latest(db, 99)]

    for _ in range(5):
        clock.pass_(timedelta(seconds=5))
        plan_digests.run(services)
    with store.writing(services.db) as db:
        plan_digests.plan_issue(db, paper(services), DAY, services.now(), NO_PAUSE)
        new = digests.decide(db, "qinglan", Rhythm.ISSUE, date(2026, 12, 1), date(2026, 12, 1), clock.now)

    assert new is not None
    assert new.id == max(before) + 1


def week(services: Services, clock: Clock) -> list[str]:
    """The headlines and corrections of the weekly digest planned last, as far as the time has come."""
    plan_digests.run(services)
    with store.reading(services.db) as db:
        told = compose.told(db, max(planned(services), key=lambda digest: digest.last))
    return [f"{issue.date:%d}" for issue in told.issues] + [f"!{e.date:%d}" for e, _ in told.wrong]


def test_an_issue_that_comes_after_its_week_has_ended_stands_in_the_next_one(
    services: Services, clock: Clock
) -> None:
    subscribe(services.db, rhythm=Rhythm.WEEKLY)
    for day in range(14, 21):
        store_issue(services.db, issue(day=date(2026, 11, day)), now=at(f"{day} 07:30"))

    clock.now = at("21 06:00")
    assert week(services, clock) == [str(day) for day in range(15, 21)]
    store_issue(services.db, issue(day=date(2026, 11, 21)), now=at("21 07:30"))
    store_issue(services.db, issue(day=date(2026, 11, 27)), now=at("26 21:30"))
    for day in range(22, 29):
        clock.now = at(f"{day} 06:30")
        last = week(services, clock)

    assert last == ["21", "27"]


@pytest.mark.parametrize("day", [22, 24, 27])
def test_a_weekly_reader_hears_of_what_was_corrected_on_any_day_of_the_week(
    services: Services, clock: Clock, day: int
) -> None:
    subscribe(services.db, rhythm=Rhythm.WEEKLY)
    store_issue(services.db, issue(day=date(2026, 11, 18)), now=at("18 06:00"))
    corrected = issue(
        article(1, paragraphs=("更正后的第一段。",)), article(2), article(3), day=date(2026, 11, 18)
    )

    for today in range(19, 29):
        clock.now = at(f"{today} 06:30")
        plan_digests.run(services)
        if today == day:
            store_issue(services.db, corrected, now=at(f"{today} 09:00"))

    assert week(services, clock) == ["!18"]


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
