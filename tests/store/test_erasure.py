"""What is stored about an address is told whole, and erased whole; deliveries stay as numbers."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from syndicate import store
from syndicate.model import BounceKind, DeliveryState, Report, Rhythm, Subscription, SubscriptionState
from syndicate.store import bounces, deliveries, digests, erasure, plans, subscriptions, suppressions
from syndicate.store.deliveries import Settled
from tests.samples import DAY, NOW, PAPER, subscribe

ADDRESS = "Reader.Li@private.example"
SAID = f"550 5.1.1 <{ADDRESS}>: no such user"


@pytest.fixture
def reader(engine: Engine) -> Subscription:
    """A subscriber whose mail came back, with their address in what the server said."""
    known = subscribe(engine, ADDRESS, sections=("yaowen",))
    with store.writing(engine) as db:
        digest = digests.decide(db, PAPER.slug, Rhythm.ISSUE, DAY, DAY, NOW)
        assert digest is not None
        plans.write(db, digest, PAPER.host, [(one, NOW) for one in plans.lot(db, digest, 99)])
        (claimed,) = deliveries.claim(db, "worker", NOW, 1)
        deliveries.settle(db, "worker", [Settled(claimed.id, DeliveryState.SENT)], NOW)
        subject = bounces.of_delivery(db, claimed.id)
        assert subject is not None
        bounces.record(
            db, subject, BounceKind.HARD, Report("k", BounceKind.HARD, status="5.1.1", said=SAID), NOW
        )
    return known


def test_all_that_is_stored_is_told(engine: Engine, reader: Subscription) -> None:
    with store.reading(engine) as db:
        told = erasure.told(db, reader.id)

    assert told["subscription"]["address"] == ADDRESS
    assert told["subscription"]["sections"] == ("yaowen",)
    assert [(one["last"], one["state"], one["touched"]) for one in told["deliveries"]] == [
        (DAY, "bounced", NOW)
    ]
    assert [(one["kind"], one["said"], one["at"]) for one in told["bounces"]] == [("hard", SAID, NOW)]
    assert [one["reason"] for one in told["suppressions"]] == ["bounced"]


def test_nothing_of_the_address_is_left_anywhere(engine: Engine, reader: Subscription) -> None:
    mover = subscribe(engine, "mover@example.org")
    with store.writing(engine) as db:
        subscriptions.ask_move(db, mover.id, ADDRESS, NOW)

        assert erasure.erase(db, reader.id, "mark", NOW)

    with store.reading(engine) as db:
        for table in ("subscriptions", "deliveries", "bounces", "suppressions"):
            rows = str(db.execute(text(f"SELECT * FROM {table}")).all()).lower()
            assert "li@" not in rows, table
            assert "private" not in rows, table
        assert deliveries.counts(db)[DeliveryState.BOUNCED] == 1


def test_who_was_erased_is_not_brought_back_by_old_links_and_may_come_anew(engine: Engine) -> None:
    old = subscribe(engine, ADDRESS, confirmed=False)
    with store.writing(engine) as db:
        erasure.erase(db, old.id, "mark", NOW)
        assert not erasure.erase(db, old.id, "mark", NOW)
        assert subscriptions.confirm(db, old.id, NOW) is None
        assert not subscriptions.pause(db, old.id, None, NOW)
        assert erasure.marks(db, PAPER.slug) == {"mark"}

        new = subscriptions.sign_up(db, PAPER, ADDRESS, old.wish, NOW)

    assert new.id != old.id
    assert new.state is SubscriptionState.PENDING


def test_a_complaint_outlives_the_subscription(engine: Engine) -> None:
    known = subscribe(engine, ADDRESS)
    with store.writing(engine) as db:
        suppressions.add(db, ADDRESS, suppressions.COMPLAINED, SAID, NOW)
        erasure.erase(db, known.id, "mark", NOW)
        left = suppressions.find(db, ADDRESS)

    assert left is not None
    assert (left.reason, left.said) == ("complained", "")
