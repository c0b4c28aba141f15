"""A list of subscribers is taken in once, by what each row can show; nobody is written to."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from syndicate import store
from syndicate.jobs.import_subscribers import Done, Import, moment
from syndicate.model import Choice, Rhythm, Subscription, SubscriptionState
from syndicate.readers import lists
from syndicate.services import Services
from syndicate.store import erasure, subscriptions, suppressions
from tests.samples import NOW, PAPER, subscribe

HEAD = "address,consent,source,sections,words,rhythm,weekly_day,language,state\n"


def take(services: Services, *rows: str, head: str = HEAD, dry: bool = False) -> Done:
    raw = (head + "\n".join(rows)).encode()
    parts = list(Import(services, PAPER, "fair.csv", dry=dry).run(tuple(lists.rows(raw))))
    return Done(
        sum(part.rows for part in parts),
        sum(part.taken for part in parts),
        tuple(one for part in parts for one in part.refused),
        sum(part.left for part in parts),
    )


def found(services: Services, address: str) -> Subscription:
    with store.reading(services.db) as db:
        (one,) = subscriptions.of_address(db, address)
    return one


def test_who_agreed_elsewhere_is_subscribed_since_then_and_not_asked_again(services: Services) -> None:
    done = take(
        services,
        "A@Example.org,2026-03-05,fair in Linxi,要闻,水利 灌区;橘农,每周,2,en,",
        "b@example.org,2026/3/6",
        "c@example.org,2026-03-06T08:00:00+00:00,,,,,,,confirmed",
    )

    assert (done.taken, done.refused) == (3, ())
    first, second, third = (found(services, f"{name}@example.org") for name in "abc")
    assert (first.state, first.source) == (SubscriptionState.CONFIRMED, "fair in Linxi")
    assert first.confirmed == datetime(2026, 3, 5, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert first.choice == Choice(("yaowen",), words=("水利 灌区", "橘农"))
    assert (first.rhythm, first.weekly_day, first.language) == (Rhythm.WEEKLY, 2, "en")
    assert (second.source, second.rhythm, second.language) == ("fair.csv", Rhythm.ISSUE, "zh-CN")
    assert third.confirmed == datetime(2026, 3, 6, 8, tzinfo=UTC)
    with store.reading(services.db) as db:
        assert subscriptions.unasked(db, NOW, 9) == ()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("nix,2026-01-01", "malformed address"),
        (",2026-01-01", "malformed address"),
        ("a@mailinator.com,2026-01-01", "disposable address"),
        ("a@example.org,", "no consent date"),
        ("a@example.org,yes", "'yes' is no date of consent"),
        ("a@example.org,2026-02-30", "'2026-02-30' is no date of consent"),
        ("a@example.org,2026-12-01", "consent in the future"),
        ("a@example.org,2026-01-01,,nix", "sections: unknown"),
        ("a@example.org,2026-01-01,,,,daily", "rhythm: unknown"),
        ("a@example.org,2026-01-01,,,,,,,cleaned", "its state is 'cleaned'"),
    ],
)
def test_a_row_that_shows_too_little_is_refused_with_its_line(services: Services, row: str, why: str) -> None:
    done = take(services, "good@example.org,2026-01-01", row)

    assert done.taken == 1
    assert [(one.line, one.why) for one in done.refused] == [(3, why)]


def test_who_is_known_is_left_as_they_are(services: Services) -> None:
    subscribe(services.db, "there@example.org")
    left = subscribe(services.db, "left@example.org")
    gone = subscribe(services.db, "gone@example.org")
    with store.writing(services.db) as db:
        subscriptions.end(db, left.id, NOW)
        erasure.erase(db, gone.id, services.tokens.erased(gone.address), NOW)
        suppressions.add(db, "bad@example.org", suppressions.BOUNCED, "", NOW)
    names = ("there", "left", "gone", "bad", "new", "New")

    done = take(services, *(f"{name}@example.org,2026-01-01" for name in names))

    assert done.taken == 1
    assert [(one.line, one.why.partition(":")[0]) for one in done.refused] == [
        (2, "subscribed already"),
        (3, "left before"),
        (4, "asked to be erased"),
        (5, "suppressed"),
        (7, "twice in the list, first in line 6"),
    ]


def test_who_left_elsewhere_has_left_here_too_and_no_list_brings_them_back(services: Services) -> None:
    first = take(services, "a@example.org,,,,,,,,ended,2026-02-03", head=HEAD.replace("\n", ",ended\n"))
    again = take(services, "a@example.org,2026-01-01")

    known = found(services, "a@example.org")
    assert (first.taken, first.left, first.refused) == (0, 1, ())
    assert (known.state, known.why) == (SubscriptionState.ENDED, subscriptions.LEFT)
    assert known.ended == datetime(2026, 2, 3, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert [one.why for one in again.refused] == ["left before"]


def test_who_paused_elsewhere_is_paused_here_too(services: Services) -> None:
    take(
        services, "a@example.org,2026-01-01,2026-12-01T00:00:00+00:00", head="address,consent,paused_until\n"
    )

    assert found(services, "a@example.org").paused_until == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_line_that_cannot_be_read_is_refused(services: Services) -> None:
    done = take(services, '"a@example.org,2026-01-01', "b@example.org,2026-01-01")

    assert done.taken == 1
    assert [(one.line, one.address) for one in done.refused] == [(2, "a@example.org")]


@pytest.mark.parametrize(
    "text", ["2026-3-5 10:00", "2026/03/05 10:00:00", "2026年3月5日 10:00", "2026-03-05T10:00:00+08:00"]
)
def test_a_moment_is_read_as_it_is_written_elsewhere(text: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")

    assert moment(text, zone) == datetime(2026, 3, 5, 10, tzinfo=zone)


def test_who_was_only_asked_so_far_is_asked_no_more(services: Services) -> None:
    pending = subscribe(services.db, "a@example.org", confirmed=False)

    done = take(services, "a@example.org,2026-01-01,,zonghe")

    known = found(services, "a@example.org")
    assert done.taken == 1
    assert (known.id, known.state, known.sections) == (pending.id, SubscriptionState.CONFIRMED, ("zonghe",))
    assert known.created == pending.created
    with store.reading(services.db) as db:
        assert subscriptions.unasked(db, NOW, 9) == ()


def test_a_second_run_takes_nobody_twice_and_goes_on_where_the_first_was_cut_short(
    services: Services,
) -> None:
    rows = tuple(lists.rows((HEAD + "".join(f"r{n}@example.org,2026-01-01\n" for n in range(1200))).encode()))

    first = next(Import(services, PAPER).run(rows))
    rest = list(Import(services, PAPER).run(rows))
    again = list(Import(services, PAPER).run(rows))

    assert first.taken == 500
    assert [done.taken for done in rest] == [0, 500, 200]
    assert sum(done.taken for done in again) == 0
    with store.reading(services.db) as db:
        assert subscriptions.counts(db, "qinglan")[SubscriptionState.CONFIRMED] == 1200


def test_a_dry_run_says_the_same_and_writes_nothing(services: Services) -> None:
    done = take(services, "a@example.org,2026-01-01", "nix,2026-01-01", dry=True)

    assert (done.taken, len(done.refused)) == (1, 1)
    with store.reading(services.db) as db:
        assert not any(subscriptions.counts(db, "qinglan").values())


@pytest.mark.parametrize("text", ["", "5.3.2026", "2026", "20261301", "0000-01-01", "9" * 40])
def test_what_is_no_date_is_no_moment(text: str) -> None:
    assert moment(text, ZoneInfo("Asia/Shanghai")) is None
