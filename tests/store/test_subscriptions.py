"""Subscriptions: asked for, confirmed once, ended for good; and nobody is bombed with our mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from syndicate import store
from syndicate.model import Rhythm, Subscription, SubscriptionState
from syndicate.store import subscriptions
from tests.samples import MINUTE, NOW, PAPER, subscribe

SLUG = PAPER.slug


def ask(db: Connection, address: str = "li@example.org", minutes: float = 0) -> Subscription:
    return subscriptions.ask(db, PAPER, address, ("yaowen",), Rhythm.WEEKLY, "en", NOW + minutes * MINUTE)


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
        again = subscriptions.ask(db, PAPER, "Li@example.org", (), Rhythm.ISSUE, "zh-CN", NOW)

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


def test_asking_for_a_confirmed_address_changes_nothing(engine: Engine) -> None:
    known = subscribe(engine, "li@example.org")

    with store.writing(engine) as db:
        assert ask(db, minutes=60) == known
        assert subscriptions.unasked(db, NOW + timedelta(days=1), 10) == ()


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
