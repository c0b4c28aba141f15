"""The ledger of mail: decided once, claimed by one, and never turned back once it is out."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from syndicate import store
from syndicate.model import DeliveryState, Rhythm, StoredDigest
from syndicate.store import deliveries, digests, plans, subscriptions
from syndicate.store.deliveries import Claimed, Settled
from tests.conftest import opened
from tests.samples import DAY, MINUTE, NOW, PAPER, subscribe

LEASE = 15 * MINUTE
SENT, FAILED, DUE, DOUBTFUL, VOID, BOUNCED = (
    DeliveryState.SENT,
    DeliveryState.FAILED,
    DeliveryState.DUE,
    DeliveryState.DOUBTFUL,
    DeliveryState.VOID,
    DeliveryState.BOUNCED,
)


def plan(db: Connection, rhythm: Rhythm = Rhythm.ISSUE, day: date = DAY) -> StoredDigest | None:
    digest = digests.decide(db, PAPER.slug, rhythm, day, day, NOW)
    if digest:
        plans.write(db, digest, PAPER.host, [(one, NOW) for one in plans.lot(db, digest, 99)])
    return digest


def claimed(db: Connection, mark: str = "a") -> Claimed:
    (found,) = deliveries.claim(db, mark, NOW, 1)
    return found


def state(db: Connection, number: int) -> DeliveryState:
    found = deliveries.find(db, number)
    assert found is not None
    return found.state


def test_a_digest_is_planned_once_for_everybody_who_confirmed(engine: Engine) -> None:
    reader = subscribe(engine, "a@Example.org", sections=("yaowen",))
    subscribe(engine, "weekly@example.org", rhythm=Rhythm.WEEKLY)
    subscribe(engine, "pending@example.org", confirmed=False)

    with store.writing(engine) as db:
        planned = plan(db)
        assert plan(db) is None
        delivery = claimed(db)
        assert deliveries.claim(db, "a", NOW, 10) == ()

    assert planned is not None
    assert (planned.first, planned.last, planned.rhythm, planned.planned) == (DAY, DAY, Rhythm.ISSUE, NOW)
    assert (delivery.digest, delivery.subscription, delivery.address) == (
        planned.id,
        reader.id,
        "a@Example.org",
    )
    assert (delivery.choice, delivery.attempts, delivery.domain) == (reader.choice, 1, "example.org")


def test_who_confirms_after_the_planning_is_not_written_to(engine: Engine) -> None:
    with store.writing(engine) as db:
        assert plan(db) is not None
    subscribe(engine)

    with store.writing(engine) as db:
        assert plan(db) is None
        assert deliveries.claim(db, "a", NOW, 10) == ()


def test_message_ids_are_well_formed_and_all_different(engine: Engine) -> None:
    for n in range(20):
        subscribe(engine, f"{n}@example.org")

    with store.writing(engine) as db:
        plan(db)
        ids = [one.message_id for one in deliveries.claim(db, "a", NOW, 100)]

    assert all(re.fullmatch(r"<[0-9a-f]{32}@qinglan\.example>", i) for i in ids)
    assert len(set(ids)) == 20


def test_digests_of_both_rhythms_and_every_day_are_apart(engine: Engine) -> None:
    with store.writing(engine) as db:
        assert plan(db)
        assert plan(db, Rhythm.WEEKLY)
        later = plan(db, day=DAY + timedelta(days=1))
        assert plan(db) is None
        assert later is not None
        assert digests.find(db, later.id) == replace(later, reached=None)  # all is written


def test_a_delivery_is_not_due_before_its_time(engine: Engine) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        assert deliveries.claim(db, "a", NOW - MINUTE, 10) == ()
        assert deliveries.find(db, 999) is None


def test_a_delivery_goes_its_way(engine: Engine) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        number = claimed(db).id
        assert deliveries.settle(db, "b", [Settled(number, SENT)], NOW) == 0
        assert deliveries.settle(db, "a", [Settled(number, SENT)], NOW) == 1
        assert deliveries.counts(db) == {state: int(state is SENT) for state in DeliveryState}


@pytest.mark.parametrize("end", [SENT, FAILED, VOID, DOUBTFUL])
def test_what_is_settled_stays_so(engine: Engine, end: DeliveryState) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        number = claimed(db).id
        deliveries.settle(db, "a", [Settled(number, end)], NOW)

        for other in (DUE, FAILED, DOUBTFUL, SENT):
            assert deliveries.settle(db, "a", [Settled(number, other)], NOW + MINUTE) == 0
        assert deliveries.release(db, "a", NOW) == 0
        assert deliveries.expire(db, NOW + timedelta(days=9), LEASE) == 0
        assert deliveries.claim(db, "b", NOW + timedelta(days=9), 10) == ()
        assert state(db, number) is end


def test_nothing_is_settled_that_was_not_claimed(engine: Engine) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        for end in (SENT, FAILED, DOUBTFUL, DUE):
            assert deliveries.settle(db, "a", [Settled(1, end)], NOW) == 0
        assert state(db, 1) is DUE


def test_a_refusal_for_now_is_tried_again_later(engine: Engine) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        first = claimed(db)
        deliveries.settle(db, "a", [Settled(first.id, DUE, "451 later", NOW + MINUTE)], NOW)
        assert deliveries.claim(db, "b", NOW, 1) == ()
        waiting = deliveries.find(db, first.id)
        (again,) = deliveries.claim(db, "b", NOW + MINUTE, 1)

    assert waiting is not None
    assert waiting.error == "451 later"
    assert (again.attempts, again.message_id) == (2, first.message_id)


def test_what_was_not_tried_is_due_again_as_if_it_had_never_been_claimed(engine: Engine) -> None:
    for n in range(3):
        subscribe(engine, f"{n}@example.org")

    with store.writing(engine) as db:
        plan(db)
        deliveries.claim(db, "a", NOW, 3)
        assert deliveries.release(db, "a", NOW, but=(2,)) == 3
        again = deliveries.claim(db, "b", NOW, 3)

    assert {one.id: one.attempts for one in again} == {1: 1, 2: 2, 3: 1}


def test_a_worker_that_is_never_heard_of_again_loses_its_claim(engine: Engine) -> None:
    subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        sleeper = claimed(db, "sleeper")
        assert deliveries.expire(db, NOW + LEASE - MINUTE, LEASE) == 0
        assert deliveries.expire(db, NOW + LEASE, LEASE) == 1
        (other,) = deliveries.claim(db, "other", NOW + LEASE, 1)

        assert deliveries.settle(db, "sleeper", [Settled(sleeper.id, DUE)], NOW + LEASE) == 0
        assert deliveries.settle(db, "other", [Settled(other.id, SENT)], NOW + LEASE) == 1


def test_who_left_is_not_written_to(engine: Engine) -> None:
    reader = subscribe(engine)

    with store.writing(engine) as db:
        plan(db)
        subscriptions.end(db, reader.id, NOW)
        assert deliveries.claim(db, "a", NOW, 1) == ()
        delivery = deliveries.find(db, 1)

    assert delivery is not None
    assert (delivery.state, delivery.error) == (VOID, "no subscriber any more")


def test_the_least_often_tried_are_first_and_then_the_longest_waiting(engine: Engine) -> None:
    for n in range(5):
        subscribe(engine, f"{n}@example.org")

    with store.writing(engine) as db:
        plan(db)
        numbers = [one.id for one in deliveries.claim(db, "a", NOW, 4)]
        later = [
            Settled(number, DUE, None, NOW + wait * MINUTE)
            for number, wait in zip(numbers, (3, 1, 2, 0), strict=True)
        ]
        deliveries.settle(db, "a", later, NOW)
        order = [deliveries.claim(db, "b", NOW + 10 * MINUTE, 1)[0].id for _ in range(3)]

    assert order == [5, numbers[3], numbers[1]]


def test_a_domain_that_has_enough_waiting_is_left_out(engine: Engine) -> None:
    for address in ("a@qq.com", "b@qq.com", "c@example.org"):
        subscribe(engine, address)

    with store.writing(engine) as db:
        plan(db)
        assert [one.address for one in deliveries.claim(db, "a", NOW, 9, but=("qq.com",))] == [
            "c@example.org"
        ]
        assert len(deliveries.claim(db, "a", NOW, 9)) == 2


def test_a_paused_digest_waits_and_a_cancelled_one_is_over(engine: Engine) -> None:
    for n in range(2):
        subscribe(engine, f"{n}@example.org")

    with store.writing(engine) as db:
        planned = plan(db)
        assert planned is not None
        assert digests.hold(db, planned.id, "paused", NOW)
        assert deliveries.claim(db, "a", NOW, 9) == ()
        assert digests.hold(db, planned.id, None, NOW)
        (one,) = deliveries.claim(db, "a", NOW, 1)
        assert digests.hold(db, planned.id, "cancelled", NOW)
        assert deliveries.cancel(db, planned.id, NOW) == 1
        assert not digests.hold(db, planned.id, None, NOW)
        assert digests.held(db) == {planned.id: "cancelled"}
        assert deliveries.settle(db, "a", [Settled(one.id, SENT)], NOW) == 1


def test_what_is_too_late_is_not_sent(engine: Engine) -> None:
    subscribe(engine)
    late = timedelta(days=2)

    with store.writing(engine) as db:
        plan(db)
        assert deliveries.outdate(db, NOW + late - MINUTE, late) == 0
        assert deliveries.outdate(db, NOW + late, late) == 1
        assert state(db, 1) is VOID


def test_only_a_doubtful_delivery_is_repeated_by_a_person(engine: Engine) -> None:
    for n in range(2):
        subscribe(engine, f"{n}@example.org")

    with store.writing(engine) as db:
        plan(db)
        first, second = deliveries.claim(db, "a", NOW, 2)
        deliveries.settle(db, "a", [Settled(first.id, SENT), Settled(second.id, DOUBTFUL, "no answer")], NOW)
        assert [one.id for one in deliveries.doubtful(db)] == [second.id]
        assert not deliveries.decide(db, first.id, NOW, arrived=False)
        assert deliveries.decide(db, second.id, NOW, arrived=False)
        (again,) = deliveries.claim(db, "b", NOW, 9)

    assert again.message_id == second.message_id


def test_a_doubtful_delivery_that_arrived_is_sent_and_never_repeated(engine: Engine) -> None:
    subscribe(engine)
    with store.writing(engine) as db:
        plan(db)
        (one,) = deliveries.claim(db, "a", NOW, 1)
        deliveries.settle(db, "a", [Settled(one.id, DOUBTFUL, "no answer")], NOW)

        assert deliveries.decide(db, one.id, NOW, arrived=True)

        assert state(db, one.id) is SENT
        assert deliveries.doubtful(db) == ()
        assert not deliveries.decide(db, one.id, NOW, arrived=True)


def test_what_was_sent_may_come_back(engine: Engine) -> None:
    for n in range(2):
        subscribe(engine, f"{n}@example.org")

    with store.writing(engine) as db:
        plan(db)
        number = claimed(db).id
        deliveries.settle(db, "a", [Settled(number, SENT)], NOW)
        assert deliveries.came_back(db, number, "550 no such user", NOW)
        assert not deliveries.came_back(db, 2, "550 no such user", NOW)
        assert state(db, number) is BOUNCED


def test_what_is_due_is_found_in_order_without_sorting_all_of_it(
    sqlite_template: Path, tmp_path: Path
) -> None:
    shutil.copy(sqlite_template, tmp_path / "file.sqlite")
    with opened(f"sqlite:///{tmp_path / 'file.sqlite'}") as engine:
        subscribe(engine)
        asked: list[tuple[str, Any]] = []
        event.listen(engine, "before_cursor_execute", lambda *said: asked.append((said[2], said[3])))
        with store.writing(engine) as db:
            plan(db)
            claimed(db)
            ((query, values),) = [
                one for one in asked if "ORDER BY deliveries.not_before" in one[0] and "LIMIT" in one[0]
            ]
            steps = [row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]

    assert any("ix_deliveries_due" in step for step in steps)
    assert not any("TEMP B-TREE" in step for step in steps)
