"""The ledger of mail: planned once, claimed by one, and never turned back once it is out."""

from __future__ import annotations

import itertools
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, Engine

from syndicate import store
from syndicate.model import Delivery, DeliveryState, Rhythm, StoredDigest
from syndicate.store import deliveries, subscriptions
from tests.samples import DAY, MINUTE, NOW, PAPER, subscribe

LEASE = 15 * MINUTE
SENT, FAILED, DUE, DOUBTFUL = (
    DeliveryState.SENT,
    DeliveryState.FAILED,
    DeliveryState.DUE,
    DeliveryState.DOUBTFUL,
)


def plan(db: Connection, rhythm: Rhythm = Rhythm.ISSUE, day: date = DAY) -> StoredDigest | None:
    return deliveries.plan(db, PAPER.slug, rhythm, day, day, "qinglan.example", NOW)


def claimed(db: Connection) -> Delivery:
    (number,) = deliveries.due(db, NOW, 1)
    delivery = deliveries.claim(db, number, NOW)
    assert delivery is not None
    return delivery


def test_a_digest_is_planned_once_for_everybody_who_confirmed(engine: Engine) -> None:
    reader = subscribe(engine, "a@example.org", sections=("yaowen",))
    subscribe(engine, "weekly@example.org", rhythm=Rhythm.WEEKLY)
    subscribe(engine, "pending@example.org", confirmed=False)

    with store.writing(engine) as db:
        planned = plan(db)
        assert plan(db) is None
        delivery = claimed(db)
        assert deliveries.due(db, NOW, 10) == ()

    assert planned is not None
    assert (planned.first, planned.last, planned.rhythm, planned.planned) == (DAY, DAY, Rhythm.ISSUE, NOW)
    assert (delivery.digest, delivery.subscription) == (planned.id, reader)
    assert (delivery.state, delivery.attempts, delivery.error) == (DeliveryState.CLAIMED, 1, None)


def test_who_confirms_after_the_planning_is_not_written_to(engine: Engine) -> None:
    with store.writing(engine) as db:
        assert plan(db) is not None
    subscribe(engine)

    with store.writing(engine) as db:
        assert plan(db) is None
        assert deliveries.due(db, NOW, 10) == ()


def test_message_ids_are_well_formed_and_all_different(engine: Engine) -> None:
    for n in range(20):
        subscribe(engine, f"{n}@example.org")

    with store.writing(engine) as db:
        plan(db)
        found = [deliveries.find(db, number) for number in deliveries.due(db, NOW, 100)]
        again = [deliveries.find(db, number) for number in deliveries.due(db, NOW, 100)]

    ids = [delivery and delivery.message_id for delivery in found]
    assert all(re.fullmatch(r"<[0-9a-f]{32}@qinglan\.example>", i or "") for i in ids)
    assert len(set(ids)) == 20
    assert found == again


def test_digests_of_both_rhythms_and_every_day_are_apart(engine: Engine) -> None:
    with store.writing(engine) as db:
        assert plan(db)
        assert plan(db, Rhythm.WEEKLY)
        later = plan(db, day=DAY + timedelta(days=1))
        assert later
        assert plan(db) is None
        assert later is not None
        assert deliveries.digest(db, later.id) == later


def test_a_delivery_is_not_due_before_its_time(engine: Engine) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        assert deliveries.due(db, NOW - MINUTE, 10) == ()
        assert deliveries.claim(db, 1, NOW - MINUTE) is None
        assert deliveries.find(db, 999) is None
        assert deliveries.claim(db, 999, NOW) is None


def test_a_delivery_goes_its_way(engine: Engine) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        number = claimed(db).id
        assert deliveries.claim(db, number, NOW) is None
        assert deliveries.hand(db, number, NOW)
        assert not deliveries.hand(db, number, NOW)
        assert deliveries.settle(db, number, SENT, NOW)
        assert deliveries.counts(db) == {state: int(state is SENT) for state in DeliveryState}


def test_what_was_sent_stays_sent(engine: Engine) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        number = claimed(db).id
        deliveries.hand(db, number, NOW)
        deliveries.settle(db, number, SENT, NOW)

        for state in (DUE, FAILED, DOUBTFUL, SENT):
            assert not deliveries.settle(db, number, state, NOW + MINUTE)
        assert not deliveries.hand(db, number, NOW + MINUTE)
        assert deliveries.recover(db, NOW + timedelta(days=9), LEASE) == (0, 0)
        assert deliveries.due(db, NOW + timedelta(days=9), 10) == ()


def test_nothing_is_sent_that_was_not_handed_over(engine: Engine) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        (number,) = deliveries.due(db, NOW, 1)
        assert not deliveries.hand(db, number, NOW)
        for state in (SENT, FAILED, DOUBTFUL, DUE):
            assert not deliveries.settle(db, number, state, NOW)
        deliveries.claim(db, number, NOW)
        assert not deliveries.settle(db, number, SENT, NOW)
        assert not deliveries.settle(db, number, DOUBTFUL, NOW)


def test_a_refusal_for_now_is_tried_again_later(engine: Engine) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        first = claimed(db)
        assert deliveries.settle(db, first.id, DUE, NOW, error="451 later", not_before=NOW + MINUTE)
        assert deliveries.due(db, NOW, 1) == ()
        assert deliveries.due(db, NOW + MINUTE, 1) == (first.id,)
        waiting = deliveries.find(db, first.id)
        again = deliveries.claim(db, first.id, NOW + MINUTE)

    assert waiting is not None
    assert waiting.error == "451 later"
    assert again is not None
    assert (again.attempts, again.error, again.message_id) == (2, None, first.message_id)


def test_after_a_crash_the_claimed_are_due_and_the_handed_doubtful(engine: Engine) -> None:
    for n in range(3):
        subscribe(engine, f"{n}@example.org")

    with store.writing(engine) as db:
        plan(db)
        first, second = claimed(db), claimed(db)
        deliveries.hand(db, second.id, NOW)
        assert deliveries.recover(db, NOW + LEASE - MINUTE, LEASE) == (0, 0)
        assert deliveries.recover(db, NOW + LEASE, LEASE) == (1, 1)
        assert deliveries.recover(db, NOW + 2 * LEASE, LEASE) == (0, 0)

        assert first.id in deliveries.due(db, NOW + LEASE, 10)
        (doubt,) = deliveries.doubtful(db)
        assert (doubt.id, doubt.state, doubt.subscription.address) == (second.id, DOUBTFUL, "1@example.org")
        assert deliveries.settle(db, second.id, DUE, NOW + LEASE)  # a person wants it sent again
        assert deliveries.doubtful(db) == ()


@pytest.mark.parametrize("state", [SENT, FAILED])
def test_a_late_answer_settles_a_doubt(engine: Engine, state: DeliveryState) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        delivery = claimed(db)
        deliveries.hand(db, delivery.id, NOW)
        deliveries.recover(db, NOW + LEASE, LEASE)

        assert deliveries.settle(db, delivery.id, state, NOW + LEASE, attempt=delivery.attempts)


def test_one_who_slept_past_the_lease_cannot_act_on_anothers_claim(engine: Engine) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        sleeper = claimed(db)
        deliveries.recover(db, NOW + LEASE, LEASE)
        other = deliveries.claim(db, sleeper.id, NOW + LEASE)
        assert other is not None

        assert not deliveries.hand(db, sleeper.id, NOW + LEASE, attempt=sleeper.attempts)
        assert not deliveries.settle(db, sleeper.id, DUE, NOW + LEASE, attempt=sleeper.attempts)
        assert deliveries.hand(db, other.id, NOW + LEASE, attempt=other.attempts)
        assert deliveries.settle(db, other.id, SENT, NOW + LEASE, attempt=other.attempts)


def test_who_left_is_not_written_to(engine: Engine) -> None:
    reader = subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        (number,) = deliveries.due(db, NOW, 1)
        subscriptions.end(db, reader.id, NOW)
        assert deliveries.claim(db, number, NOW) is None
        assert deliveries.due(db, NOW, 1) == ()
        delivery = deliveries.find(db, number)

    assert delivery is not None
    assert (delivery.state, delivery.error, delivery.attempts) == (FAILED, "unsubscribed", 0)


def test_the_longest_waiting_is_due_first(engine: Engine) -> None:
    for n in range(5):
        subscribe(engine, f"{n}@example.org")

    with store.writing(engine) as db:
        plan(db)
        numbers = deliveries.due(db, NOW, 10)
        for number, wait in zip(numbers, (3, 1, 2, 0, 4), strict=True):
            deliveries.claim(db, number, NOW)
            deliveries.settle(db, number, DUE, NOW, not_before=NOW + wait * MINUTE)
        order = deliveries.due(db, NOW + 10 * MINUTE, 3)

    assert order == tuple(numbers[i] for i in (3, 1, 2))


def test_no_way_through_the_states_leads_from_sent_to_anything() -> None:
    onward = {(before, after) for after, allowed in deliveries.FROM.items() for before in allowed}

    assert not any(before in (SENT, FAILED) for before, _ in onward)
    assert {after for _, after in onward} == {SENT, FAILED, DUE, DOUBTFUL}
    assert (DeliveryState.CLAIMED, SENT) not in onward
    assert len(onward) == len(list(itertools.chain(*deliveries.FROM.values())))
