"""What is old is forgotten, and what numbers need of it stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syndicate import store
from syndicate.jobs import ingest, mail_digests, prune, watch_digests
from syndicate.model import BounceKind, DeliveryState, Report, SubscriptionState, Wish
from syndicate.services import Services
from syndicate.store import bounces, deliveries, subscriptions
from tests.jobs.conftest import Clock, sample
from tests.jobs.mailing import paper, subscribe

A_DAY = timedelta(days=1)


def asked(services: Services, address: str) -> int:
    """Somebody signed up and was asked."""
    with store.writing(services.db) as db:
        known = subscriptions.sign_up(db, paper(services), address, Wish(), services.now())
        subscriptions.claim_asking(db, known.id, services.now())
    return known.id


def test_who_never_confirmed_is_forgotten_a_week_after_the_last_mail(
    services: Services, clock: Clock
) -> None:
    silent = asked(services, "silent@example.org")
    with store.writing(services.db) as db:
        subject = bounces.of_confirmation(db, silent)
        assert subject
        bounces.record(db, subject, BounceKind.SOFT, Report("key", BounceKind.SOFT), services.now())
    clock.pass_(6 * A_DAY)
    asked(services, "late@example.org")
    there = subscribe(services, "there@example.org")

    prune.run(services)
    assert len(everybody(services)) == 3
    clock.pass_(A_DAY + timedelta(hours=1))
    prune.run(services)

    assert everybody(services) == ["late@example.org", there.address]


def test_who_left_and_asked_again_without_confirming_has_left(services: Services, clock: Clock) -> None:
    known = subscribe(services, "a@example.org")
    with store.writing(services.db) as db:
        subscriptions.end(db, known.id, services.now())
    clock.pass_(A_DAY)
    asked(services, "a@example.org")
    clock.pass_(8 * A_DAY)

    prune.run(services)

    with store.reading(services.db) as db:
        found = subscriptions.find(db, known.id)
    assert found is not None
    assert (found.state, found.why) == (SubscriptionState.ENDED, subscriptions.LEFT)


def test_of_old_digests_only_the_numbers_are_kept(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "LOT", 2)
    readers = [subscribe(services, f"{n}@example.org") for n in range(5)]
    ingest.ingest(services, sample(16))
    mail_digests.run(services)
    with store.writing(services.db) as db:
        subscriptions.end(db, readers[0].id, services.now() + A_DAY)
        subject = bounces.of_delivery(db, 2)
        assert subject
        bounces.record(db, subject, BounceKind.SOFT, Report("key", BounceKind.SOFT), services.now())
    before = watch_digests.statistics(services, 1)
    clock.pass_(366 * A_DAY)

    prune.run(services)

    after = watch_digests.statistics(services, 1)
    assert (after.progress.counts, after.left) == (before.progress.counts, before.left)
    assert (after.left, after.progress.counts[DeliveryState.BOUNCED]) == (1, 1)
    with store.reading(services.db) as db:
        assert not any(deliveries.counts(db).values())


def test_it_is_done_once_a_day(services: Services, clock: Clock) -> None:
    asked(services, "a@example.org")
    clock.pass_(7 * A_DAY - timedelta(hours=1))
    prune.run(services)

    clock.pass_(timedelta(hours=2))
    prune.run(services)
    assert everybody(services) == ["a@example.org"]
    clock.pass_(timedelta(hours=22))
    prune.run(services)

    assert everybody(services) == []


def everybody(services: Services) -> list[str]:
    with store.reading(services.db) as db:
        return sorted(one.address for one in subscriptions.every(db, "qinglan"))
