"""What came back: recorded once, and what follows from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from syndicate import store
from syndicate.model import BounceKind, DeliveryState, Report, Subscription, SubscriptionState
from syndicate.store import bounces, deliveries, subscriptions, suppressions
from syndicate.store.bounces import Recorded, Subject
from syndicate.store.tables import deliveries as ledger
from syndicate.store.tables import digests
from syndicate.store.tables import subscriptions as people
from tests.samples import DAY, NOW, PAPER, subscribe

HARD, SOFT, COMPLAINT = BounceKind.HARD, BounceKind.SOFT, BounceKind.COMPLAINT
A_DAY = timedelta(days=1)


def deliver(engine: Engine, to: Subscription, *, number: int = 1, state: str = "sent") -> int:
    """A digest that went out to them on the n-th day."""
    with store.writing(engine) as db:
        last = DAY + number * A_DAY
        digest = db.execute(
            insert(digests)
            .values(
                publication=PAPER.slug, rhythm="issue", first=last, last=last, part=f"{to.id}", planned=NOW
            )
            .returning(digests.c.id)
        ).scalar_one()
        made = insert(ledger).values(
            digest=digest,
            subscription=to.id,
            state=state,
            attempts=1,
            not_before=NOW,
            touched=NOW,
            message_id=f"<{digest}.{to.id}@qinglan.example>",
            domain=to.address.lower().rpartition("@")[2],
        )
        return int(db.execute(made.returning(ledger.c.id)).scalar_one())


def come_back(
    engine: Engine, delivery: int, kind: BounceKind, *, key: str = "", now: datetime = NOW
) -> Recorded:
    with store.writing(engine) as db:
        subject = bounces.of_delivery(db, delivery)
        assert subject
        report = Report(key or f"{kind}{delivery}", kind, status="5.1.1", said="550 no")
        return bounces.record(db, subject, kind, report, now)


def state(engine: Engine, subscription: Subscription) -> tuple[SubscriptionState, str | None]:
    with store.reading(engine) as db:
        found = subscriptions.find(db, subscription.id)
    assert found
    return found.state, found.why


def suppressed(engine: Engine, address: str = "reader@example.org") -> str | None:
    with store.reading(engine) as db:
        found = suppressions.find(db, address)
    return found.reason if found else None


def test_a_hard_bounce_suppresses_the_address(engine: Engine) -> None:
    reader = subscribe(engine, "Reader@Example.org")
    delivery = deliver(engine, reader)

    recorded = come_back(engine, delivery, HARD)

    assert recorded == Recorded(HARD, reader.id, new=True, ended=True)
    assert state(engine, reader) == (SubscriptionState.ENDED, "bounced")
    assert suppressed(engine) == "bounced"
    with store.reading(engine) as db:
        found = deliveries.find(db, delivery)
        assert found
        assert (found.state, found.error) == (DeliveryState.BOUNCED, "550 no")
        assert suppressions.suppressed(db, ["READER@example.org", "other@example.org"]) == {
            "reader@example.org"
        }
        assert [one.kind for one in bounces.history(db, reader.id)] == [HARD]


def test_all_papers_of_the_address_end(engine: Engine) -> None:
    reader = subscribe(engine)
    with store.writing(engine) as db:
        values: dict[str, Any] = {
            "publication": "other",
            "mailbox": "reader@example.org",
            "address": reader.address,
        }
        values |= dict.fromkeys(("sections", "bylines", "series", "words"), ())
        values |= {
            "rhythm": "issue",
            "language": "en",
            "state": "confirmed",
            "created": NOW,
            "source": "site",
            "asks": 0,
        }
        other = db.execute(insert(people).values(**values).returning(people.c.id)).scalar_one()

    come_back(engine, deliver(engine, reader), HARD)

    with store.reading(engine) as db:
        found = subscriptions.find(db, other)
        assert found
        assert (found.state, found.why) == (SubscriptionState.ENDED, "bounced")


def test_a_complaint_ends_it_at_once_and_outweighs_a_bounce(engine: Engine) -> None:
    reader = subscribe(engine)
    delivery = deliver(engine, reader)

    assert come_back(engine, delivery, COMPLAINT).ended

    assert state(engine, reader) == (SubscriptionState.ENDED, "complained")
    assert suppressed(engine) == "complained"
    with store.reading(engine) as db:
        found = deliveries.find(db, delivery)
        assert found
        assert found.state is DeliveryState.SENT  # it arrived, after all
    with store.writing(engine) as db:
        assert not suppressions.add(db, "reader@example.org", suppressions.BOUNCED, "", NOW)
    assert suppressed(engine) == "complained"


def test_the_same_report_twice_changes_nothing(engine: Engine) -> None:
    reader = subscribe(engine)
    delivery = deliver(engine, reader)
    come_back(engine, delivery, HARD, key="one")
    with store.writing(engine) as db:
        suppressions.remove(db, "reader@example.org")

    again = come_back(engine, delivery, HARD, key="one")

    assert again == Recorded(HARD, reader.id, new=False)
    assert suppressed(engine) is None
    with store.reading(engine) as db:
        assert len(bounces.history(db, reader.id)) == 1


def test_nobody_is_removed_for_one_soft_bounce(engine: Engine) -> None:
    reader = subscribe(engine)

    assert not come_back(engine, deliver(engine, reader), SOFT).ended

    assert state(engine, reader)[0] is SubscriptionState.CONFIRMED
    assert suppressed(engine) is None


def test_soft_bounces_day_after_day_end_it(engine: Engine) -> None:
    reader = subscribe(engine)
    went = [deliver(engine, reader, number=n) for n in range(20)]

    ended = [come_back(engine, went[n], SOFT, now=NOW + (5 + n) * A_DAY).ended for n in range(11)]

    assert ended == [False] * 10 + [True]  # what is still under way since proves nothing
    assert state(engine, reader) == (SubscriptionState.ENDED, "bounced")


def test_who_confirmed_anew_begins_anew(engine: Engine) -> None:
    reader = subscribe(engine)
    went = [deliver(engine, reader, number=n) for n in range(5)]
    for n in range(4):
        come_back(engine, went[n], SOFT, now=NOW + 4 * n * A_DAY)
    assert state(engine, reader)[0] is SubscriptionState.ENDED
    subscribe(engine, now=NOW + 40 * A_DAY)

    assert not come_back(engine, went[4], SOFT, now=NOW + 41 * A_DAY).ended

    assert state(engine, reader)[0] is SubscriptionState.CONFIRMED


@pytest.mark.parametrize("before", [suppressions.BOUNCED, suppressions.COMPLAINED])
def test_what_a_person_decides_outweighs_what_servers_said(engine: Engine, before: str) -> None:
    with store.writing(engine) as db:
        suppressions.add(db, "reader@example.org", before, "550", NOW)
        assert not suppressions.add(db, "reader@example.org", suppressions.OPERATOR, "wrote us", NOW)
        assert not suppressions.add(db, "reader@example.org", before, "550", NOW)

    subscribe(engine)

    assert suppressed(engine) == "operator"


def test_a_digest_that_arrived_between_them_is_a_new_beginning(engine: Engine) -> None:
    reader = subscribe(engine)
    went = [deliver(engine, reader, number=n) for n in range(21)]

    ended = [come_back(engine, went[n], SOFT, now=NOW + n * A_DAY).ended for n in range(21) if n != 9]

    assert not any(ended[:-1])
    assert ended[-1]


def test_a_refusal_while_sending_follows_the_same_rule(engine: Engine) -> None:
    gone, blocked = subscribe(engine, "gone@example.org"), subscribe(engine, "here@example.org")
    first, second = deliver(engine, gone, state="failed"), deliver(engine, blocked, state="failed")

    with store.writing(engine) as db:
        hard = bounces.record_refusal(db, first, 550, "5.1.1", "mx: 550 5.1.1 user unknown", NOW)
        soft = bounces.record_refusal(db, second, 550, None, "mx: 550 Ip frequency limited", NOW)
        again = bounces.record_refusal(db, first, 550, "5.1.1", "mx: 550 5.1.1 user unknown", NOW)
        assert bounces.record_refusal(db, 999, 550, None, "", NOW) is None

    assert hard == Recorded(HARD, gone.id, new=True, ended=True)
    assert soft == Recorded(SOFT, blocked.id, new=True, ended=False)
    assert again == Recorded(HARD, gone.id, new=False)
    with store.reading(engine) as db:
        found = deliveries.find(db, first)
        assert found
        assert found.state is DeliveryState.FAILED


def test_a_confirmation_that_came_back_ends_the_wish(engine: Engine) -> None:
    asked = subscribe(engine, confirmed=False)

    with store.writing(engine) as db:
        subject = bounces.of_confirmation(db, asked.id)
        assert subject == Subject(asked.id, "reader@example.org")
        assert bounces.record(db, subject, HARD, Report("key", HARD), NOW).ended
        assert bounces.of_confirmation(db, 999) is None

    assert state(engine, asked) == (SubscriptionState.ENDED, "bounced")


def test_what_came_back_from_an_old_address_does_not_follow_who_moved(engine: Engine) -> None:
    reader = subscribe(engine, "reader@old.example")
    delivery = deliver(engine, reader)
    with store.writing(engine) as db:
        new = {"address": "reader@new.example", "mailbox": "reader@new.example"}
        db.execute(update(people).where(people.c.id == reader.id).values(**new))

    assert not come_back(engine, delivery, HARD).ended

    assert state(engine, reader)[0] is SubscriptionState.CONFIRMED
    assert suppressed(engine, "reader@new.example") is None


def test_a_letter_is_found_by_its_message_id(engine: Engine) -> None:
    reader = subscribe(engine)
    delivery = deliver(engine, reader)

    with store.reading(engine) as db:
        found = deliveries.find(db, delivery)
        assert found
        assert bounces.of_letters(db, ("<other@example.org>", found.message_id)) == Subject(
            reader.id, "reader@example.org", delivery
        )
        assert bounces.of_letters(db, ("<other@example.org>",)) is None
        assert bounces.of_letters(db, ()) is None


@pytest.mark.parametrize(("reason", "lifted"), [("bounced", True), ("complained", True), ("operator", False)])
def test_an_own_confirmation_lifts_all_but_what_a_person_decided(
    engine: Engine, reason: str, *, lifted: bool
) -> None:
    with store.writing(engine) as db:
        assert suppressions.add(db, "A@b.example", reason, "said", NOW)
        assert suppressions.lift(db, "a@B.example") is lifted
        assert suppressions.remove(db, "a@b.example") is not lifted
        assert suppressions.listed(db) == ()


def test_the_list_is_read_in_parts(engine: Engine) -> None:
    with store.writing(engine) as db:
        for name in "cab":
            suppressions.add(db, f"{name}@b.example", "operator", "", NOW)

        assert [one.mailbox for one in suppressions.listed(db, 2)] == ["a@b.example", "b@b.example"]
        assert [one.mailbox for one in suppressions.listed(db, 2, after="b@b.example")] == ["c@b.example"]
        assert suppressions.suppressed(db, (f"{n}@b.example" for n in range(1200))) == set()
