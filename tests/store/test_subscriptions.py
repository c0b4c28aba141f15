"""Subscriptions: asked for, confirmed once, ended for good; and nobody is bombed with our mail."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from syndicate import store
from syndicate.model import Choice, Rhythm, Subscription, SubscriptionState, Wish
from syndicate.store import deliveries, digests, plans, subscriptions, suppressions
from tests.samples import DAY, MINUTE, NOW, PAPER, subscribe

SLUG = PAPER.slug


def ask(db: Connection, address: str = "li@example.org", minutes: float = 0) -> Subscription:
    wish = Wish(Choice(("yaowen",)), Rhythm.WEEKLY, "en")
    return subscriptions.sign_up(db, PAPER, address, wish, NOW + minutes * MINUTE)


def test_who_asks_is_pending_and_is_asked_back(engine: Engine) -> None:
    with store.writing(engine) as db:
        wish = ask(db)

    assert (wish.address, wish.sections, wish.rhythm, wish.language) == (
        "li@example.org",
        ("yaowen",),
        Rhythm.WEEKLY,
        "en",
    )
    assert (wish.state, wish.created, wish.confirmed) == (SubscriptionState.PENDING, NOW, None)
    with store.reading(engine) as db:
        assert subscriptions.find(db, wish.id) == wish
        assert subscriptions.find(db, 999) is None
        assert subscriptions.unasked(db, NOW, 10) == (wish.id,)


def test_a_confirmation_mail_is_claimed_once(engine: Engine) -> None:
    wish = subscribe(engine, confirmed=False)

    with store.writing(engine) as db:
        assert subscriptions.claim_asking(db, wish.id, NOW) == wish
        assert subscriptions.claim_asking(db, wish.id, NOW) is None
        assert subscriptions.unasked(db, NOW + timedelta(days=9), 10) == ()


def test_a_mail_that_was_not_accepted_is_due_again_a_little_later(engine: Engine) -> None:
    wish = subscribe(engine, confirmed=False)
    waits = []

    with store.writing(engine) as db:
        now = NOW
        while subscriptions.claim_asking(db, wish.id, now):
            subscriptions.unclaim_asking(db, wish.id)
            subscriptions.unclaim_asking(db, wish.id)  # said twice is said once
            assert subscriptions.unasked(db, now, 10) == ()
            before = now
            while now < before + timedelta(days=1) and not subscriptions.unasked(db, now, 10):
                now += MINUTE
            waits.append((now - before) // MINUTE)

    assert waits == [1, 2, 4, 8, 16, 32, 64, 24 * 60]  # and then no more


def test_a_second_wish_within_ten_minutes_makes_no_second_mail(engine: Engine) -> None:
    with store.writing(engine) as db:
        wish = ask(db)
        assert ask(db, minutes=1).id == wish.id
        assert subscriptions.unasked(db, NOW + MINUTE, 10) == (wish.id,)
        subscriptions.claim_asking(db, wish.id, NOW + MINUTE)

        ask(db, minutes=10)
        ask(db, "LI@Example.org", minutes=10.9)
        assert subscriptions.unasked(db, NOW + timedelta(days=1), 10) == ()

        ask(db, minutes=11)
        assert subscriptions.unasked(db, NOW + 11 * MINUTE, 10) == (wish.id,)


def test_leaving_and_asking_again_is_no_way_around_the_ten_minutes(engine: Engine) -> None:
    with store.writing(engine) as db:
        wish = ask(db)
        subscriptions.claim_asking(db, wish.id, NOW)
        subscriptions.end(db, wish.id, NOW)

        assert ask(db, minutes=5).state is SubscriptionState.PENDING
        assert subscriptions.unasked(db, NOW + timedelta(days=1), 10) == ()


def test_a_new_wish_replaces_the_one_not_confirmed_yet(engine: Engine) -> None:
    with store.writing(engine) as db:
        wish = ask(db)
        again = subscriptions.sign_up(db, PAPER, "Li@example.org", Wish(), NOW)

    assert again.id == wish.id
    assert (again.address, again.sections, again.rhythm) == ("Li@example.org", (), Rhythm.ISSUE)


def test_confirming_is_possible_once_and_repeatable(engine: Engine) -> None:
    wish = subscribe(engine, confirmed=False)

    with store.writing(engine) as db:
        first = subscriptions.confirm(db, wish.id, NOW + MINUTE)
        second = subscriptions.confirm(db, wish.id, NOW + 2 * MINUTE)
        assert subscriptions.confirm(db, 999, NOW) is None
        assert subscriptions.unasked(db, NOW + MINUTE, 10) == ()

    assert first == second
    assert first is not None
    assert (first.state, first.confirmed) == (SubscriptionState.CONFIRMED, NOW + MINUTE)


def test_asking_for_a_confirmed_address_changes_nothing_but_reminds_its_owner(engine: Engine) -> None:
    known = subscribe(engine, "li@example.org")

    with store.writing(engine) as db:
        assert ask(db, minutes=60) == known
        assert subscriptions.unasked(db, NOW + timedelta(hours=1), 10) == (known.id,)
        assert subscriptions.claim_asking(db, known.id, NOW + timedelta(hours=1)) == known
        ask(db, minutes=65)
        assert subscriptions.unasked(db, NOW + timedelta(days=1), 10) == ()


def test_an_address_that_does_not_answer_is_asked_ever_more_rarely(engine: Engine) -> None:
    mails, now = [], NOW
    with store.writing(engine) as db:
        wish = ask(db)
        while now < NOW + timedelta(days=14):
            if subscriptions.claim_asking(db, wish.id, now):
                mails.append(now)
            ask(db, minutes=(now - NOW) / MINUTE)
            now += 5 * MINUTE
        waits = [(later - earlier) // MINUTE for earlier, later in pairwise(mails)]

    assert len(mails) == 7  # after 10, 40, 160, 640, 2 560 minutes and a week
    assert all(10 <= wait <= 7 * 24 * 60 + 5 for wait in waits)
    assert waits == sorted(waits)


def test_asking_takes_one_write_whoever_asks(engine: Engine) -> None:
    subscribe(engine, "confirmed@example.org")
    subscribe(engine, "pending@example.org", confirmed=False)
    written: dict[str, int] = {}
    with store.writing(engine) as db:

        @event.listens_for(db, "after_cursor_execute")
        def count(*executed: Any) -> None:
            written[address] += not executed[2].startswith("SELECT")

        for address in ("confirmed@example.org", "pending@example.org", "new@example.org"):
            written[address] = 0
            ask(db, address, minutes=60)

    assert set(written.values()) == {1}


def test_who_left_stays_away_until_they_ask_and_confirm_again(engine: Engine) -> None:
    known = subscribe(engine, "li@example.org")

    with store.writing(engine) as db:
        assert subscriptions.end(db, known.id, NOW + MINUTE)
        assert not subscriptions.end(db, known.id, NOW + MINUTE)
        assert not subscriptions.end(db, 999, NOW)
        assert subscriptions.confirm(db, known.id, NOW + MINUTE) is None
        left = subscriptions.find(db, known.id)
        assert left is not None
        assert (left.state, left.ended) == (SubscriptionState.ENDED, NOW + MINUTE)

        wish = ask(db, minutes=60)
        assert wish.state is SubscriptionState.PENDING
        assert subscriptions.unasked(db, NOW + timedelta(hours=1), 10) == (known.id,)
        back = subscriptions.confirm(db, known.id, NOW + timedelta(hours=2))

    assert back is not None
    assert (back.rhythm, back.ended) == (Rhythm.WEEKLY, None)


def test_papers_have_their_own_subscribers(engine: Engine) -> None:
    subscribe(engine, "a@example.org")
    subscribe(engine, "b@example.org", confirmed=False)

    with store.reading(engine) as db:
        assert subscriptions.counts(db, SLUG) == {
            SubscriptionState.PENDING: 1,
            SubscriptionState.CONFIRMED: 1,
            SubscriptionState.ENDED: 0,
        }
        assert not any(subscriptions.counts(db, "another").values())


@pytest.mark.parametrize("address", ["李雷@例子.中国", "o'hara+x@example.org", "a" * 300 + "@example.org"])
def test_any_address_is_kept_as_it_is(engine: Engine, address: str) -> None:
    assert subscribe(engine, address).address == address


def test_a_move_takes_choices_and_planned_mail_along_and_old_links_open_nothing_there(engine: Engine) -> None:
    old = subscribe(engine, "old@example.org", sections=("yaowen",), language="en")
    with store.writing(engine) as db:
        digest = digests.decide(db, SLUG, Rhythm.ISSUE, DAY, DAY, NOW)
        assert digest is not None
        plans.write(db, digest, PAPER.host, [(one, NOW) for one in plans.lot(db, digest, 99)])
        assert subscriptions.ask_move(db, old.id, "New@elsewhere.example", NOW)
        new = subscriptions.move(db, old.id, NOW)
        (due,) = deliveries.claim(db, "worker", NOW, 9)
        left = subscriptions.find(db, old.id)

    assert new is not None
    assert left is not None
    assert new.id != old.id
    assert (new.address, new.wish, new.state) == (
        "New@elsewhere.example",
        old.wish,
        SubscriptionState.CONFIRMED,
    )
    assert (left.state, left.why) == (SubscriptionState.ENDED, subscriptions.MOVED)
    assert (due.subscription, due.address, due.domain) == (
        new.id,
        "New@elsewhere.example",
        "elsewhere.example",
    )


def test_moving_to_somebody_who_is_subscribed_leaves_theirs_alone(engine: Engine) -> None:
    mover = subscribe(engine, "mover@example.org", language="en")
    there = subscribe(engine, "there@example.org", sections=("yaowen",))

    with store.writing(engine) as db:
        subscriptions.ask_move(db, mover.id, there.address, NOW)
        assert subscriptions.move(db, mover.id, NOW) == there
        assert subscriptions.move(db, mover.id, NOW) is None
        subscriptions.end(db, mover.id, NOW)
        assert subscriptions.find(db, there.id) == there


def test_two_may_want_the_same_address_and_one_gets_it(engine: Engine) -> None:
    first, second = (subscribe(engine, f"{name}@example.org") for name in ("first", "second"))
    with store.writing(engine) as db:
        for one in (first, second):
            subscriptions.ask_move(db, one.id, "new@example.org", NOW)
        moved = subscriptions.move(db, first.id, NOW)
        again = subscriptions.move(db, second.id, NOW)

    assert moved is not None
    assert again is not None
    assert moved.id == again.id


def test_nobody_is_bombed_by_moves_from_several_subscriptions(engine: Engine) -> None:
    movers = [subscribe(engine, f"m{n}@example.org") for n in range(4)]
    sent = []
    with store.writing(engine) as db:
        for one in movers:
            subscriptions.ask_move(db, one.id, "victim@example.org", NOW)
            sent += [n for n in subscriptions.unasked(db, NOW, 9) if subscriptions.claim_asking(db, n, NOW)]

    assert sent == [movers[0].id]


def test_pausing_takes_back_what_is_planned(engine: Engine) -> None:
    reader = subscribe(engine)
    with store.writing(engine) as db:
        digest = digests.decide(db, SLUG, Rhythm.ISSUE, DAY, DAY, NOW)
        assert digest is not None
        plans.write(db, digest, PAPER.host, [(one, NOW) for one in plans.lot(db, digest, 99)])

        assert subscriptions.pause(db, reader.id, NOW + timedelta(days=7), NOW)

        assert deliveries.claim(db, "worker", NOW, 9) == ()
        for days, found in ((6, 0), (7, 1)):
            day = DAY + timedelta(days=days)
            later = digests.decide(db, SLUG, Rhythm.ISSUE, day, day, NOW + timedelta(days=days))
            assert later is not None
            assert len(plans.lot(db, later, 9)) == found


def test_confirming_anew_lifts_what_servers_said_but_not_what_a_person_decided(engine: Engine) -> None:
    for reason, stays in ((suppressions.BOUNCED, False), (suppressions.OPERATOR, True)):
        address = f"{reason}@example.org"
        wish = subscribe(engine, address, confirmed=False)
        with store.writing(engine) as db:
            suppressions.add(db, address, reason, "", NOW)
            subscriptions.confirm(db, wish.id, NOW)
            assert bool(suppressions.find(db, address)) is stays
