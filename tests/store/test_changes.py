"""What subscribers change: choices, pauses, addresses; and what that does to mail that is planned."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Engine

from syndicate import store
from syndicate.model import Choice, Rhythm, Subscription, SubscriptionState, Wish
from syndicate.store import deliveries, digests, plans, subscriptions
from tests.samples import MINUTE, NOW, PAPER, subscribe

SLUG = PAPER.slug
OLD, NEW = "old@example.org", "New@example.net"
WISH = Wish(Choice((), ("何晓楠",), ("老街故事",), ("水利",)), Rhythm.WEEKLY, "en", 2, 7, "Europe/Berlin")


def planned(engine: Engine, day: int = 16) -> None:
    """The digest of an issue, for everybody there is."""
    with store.writing(engine) as db:
        digest = digests.decide(db, SLUG, Rhythm.ISSUE, date(2026, 11, day), date(2026, 11, day), NOW)
        assert digest is not None
        plans.write(db, digest, PAPER.host, [(one, NOW) for one in plans.lot(db, digest, 99)])


def due(engine: Engine) -> list[str]:
    """To whom something is sent now."""
    with store.writing(engine) as db:
        found = deliveries.claim(db, "worker", NOW, 100)
        deliveries.release(db, "worker", NOW)
    return [one.address for one in found]


def moving(engine: Engine, address: str = NEW) -> Subscription:
    known = subscribe(engine, OLD, sections=("yaowen",), rhythm=Rhythm.ISSUE)
    with store.writing(engine) as db:
        assert subscriptions.ask_move(db, known.id, address, NOW)
    return known


def test_what_is_chosen_can_be_changed(engine: Engine) -> None:
    known = subscribe(engine)

    with store.writing(engine) as db:
        assert subscriptions.change(db, known.id, WISH, NOW)
        changed = subscriptions.find(db, known.id)
        assert changed is not None
        assert changed.wish == WISH
        subscriptions.end(db, known.id, NOW)
        assert not subscriptions.change(db, known.id, Wish(), NOW)


def test_who_pauses_gets_nothing_even_if_it_was_planned(engine: Engine) -> None:
    paused, other = subscribe(engine, "paused@example.org"), subscribe(engine, "other@example.org")
    planned(engine, 16)

    with store.writing(engine) as db:
        subscriptions.pause(db, paused.id, NOW + timedelta(days=7), NOW)
    planned(engine, 17)
    assert due(engine) == [other.address] * 2

    with store.writing(engine) as db:
        subscriptions.pause(db, paused.id, None, NOW)
    planned(engine, 18)
    assert sorted(due(engine)) == ["other@example.org"] * 3 + ["paused@example.org"]


def test_who_wants_no_mail_gets_none_that_was_planned(engine: Engine) -> None:
    known = subscribe(engine)
    planned(engine)

    with store.writing(engine) as db:
        subscriptions.change(db, known.id, Wish(rhythm=Rhythm.NONE), NOW)

    assert due(engine) == []


def test_an_old_mail_still_ends_what_has_moved(engine: Engine) -> None:
    old = moving(engine)

    with store.writing(engine) as db:
        new = subscriptions.move(db, old.id, NOW)
        assert new is not None
        assert subscriptions.end(db, old.id, NOW)
        left = subscriptions.find(db, new.id)
        assert left is not None
        assert left.state is SubscriptionState.ENDED
        assert not subscriptions.end(db, old.id, NOW)


def test_a_move_to_who_left_or_waits_begins_anew_there(engine: Engine) -> None:
    waiting = subscribe(engine, NEW.lower(), rhythm=Rhythm.WEEKLY, confirmed=False)
    old = moving(engine)

    with store.writing(engine) as db:
        new = subscriptions.move(db, old.id, NOW)

    assert new is not None
    assert (new.id, new.address, new.wish, new.state) == (
        waiting.id,
        NEW,
        old.wish,
        SubscriptionState.CONFIRMED,
    )


def test_a_move_that_was_taken_back_does_not_happen(engine: Engine) -> None:
    old = moving(engine)

    with store.writing(engine) as db:
        subscriptions.ask_move(db, old.id, None, NOW)
        assert subscriptions.unasked(db, NOW, 9) == ()
        assert subscriptions.move(db, old.id, NOW) is None
        subscriptions.ask_move(db, old.id, NEW, NOW)
        subscriptions.end(db, old.id, NOW)
        assert subscriptions.move(db, old.id, NOW) is None


def test_strangers_who_sign_the_address_up_do_not_delay_a_move(engine: Engine) -> None:
    reader, now = subscribe(engine, OLD), NOW
    with store.writing(engine) as db:
        for _ in range(9):
            now += timedelta(days=8)
            subscriptions.sign_up(db, PAPER, OLD, Wish(), now)
            assert subscriptions.claim_asking(db, reader.id, now)

        subscriptions.ask_move(db, reader.id, NEW, now)
        assert subscriptions.claim_asking(db, reader.id, now)
        subscriptions.ask_move(db, reader.id, "third@example.org", now)
        assert subscriptions.unasked(db, now, 9) == ()
        assert subscriptions.unasked(db, now + subscriptions.QUIET, 9) == (reader.id,)


def test_who_signs_up_where_somebody_moved_away_learns_nothing_of_it(engine: Engine) -> None:
    old = moving(engine)

    with store.writing(engine) as db:
        subscriptions.move(db, old.id, NOW)
        again = subscriptions.sign_up(db, PAPER, OLD, Wish(), NOW + 60 * MINUTE)
        assert again.moving is None
        back = subscriptions.confirm(db, again.id, NOW)
        assert back is not None
        assert (back.moving, back.why) == (None, None)
        assert subscriptions.current(db, old.id) == back


def test_a_move_waits_for_the_quiet_time_of_the_other_address(engine: Engine) -> None:
    asked = subscribe(engine, NEW, confirmed=False)
    with store.writing(engine) as db:
        subscriptions.claim_asking(db, asked.id, NOW - MINUTE + subscriptions.QUIET)

    old = moving(engine)

    with store.reading(engine) as db:
        assert old.id not in subscriptions.unasked(db, NOW, 9)
        assert old.id in subscriptions.unasked(db, NOW + 2 * subscriptions.QUIET, 9)
