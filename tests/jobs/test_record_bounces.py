"""What comes back: from the mailbox to the ledger, once, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate import store
from syndicate.deliver import reports as sources
from syndicate.deliver.tokens import Tokens
from syndicate.errors import SourceError
from syndicate.jobs import record_bounces
from syndicate.model import BounceKind, DeliveryState, Subscription, SubscriptionState
from syndicate.readers import reports
from syndicate.services import Services
from syndicate.sources import folder
from syndicate.store import bounces, deliveries, subscriptions, suppressions
from tests.deliver.imap import imap_server
from tests.jobs.conftest import Clock, lying_in
from tests.readers.test_reports import MEANT, NOTHING, OURS, sample
from tests.samples import subscribe
from tests.store.test_bounces import deliver


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    return tmp_path / "Maildir"


@pytest.fixture
def listening(services: Services, maildir: Path) -> Services:
    """Services to whose Maildir mail comes back."""
    settings = replace(services.settings, bounce_address="bounces@paper.example", bounce_mailbox=str(maildir))
    return replace(services, settings=settings)


@pytest.fixture
def reader(listening: Services) -> Subscription:
    """Who got the first delivery: the samples are about that."""
    reader = subscribe(listening.db, "reader@town.example")
    assert listening.return_path(deliver(listening.db, reader)) == OURS
    return reader


def post(maildir: Path, *names: str) -> None:
    for name in names:
        (maildir / "new" / name).write_bytes(sample(name))


def state(services: Services, reader: Subscription) -> tuple[SubscriptionState, str | None]:
    with store.reading(services.db) as db:
        found = subscriptions.find(db, reader.id)
    assert found
    return found.state, found.why


def recorded(services: Services, reader: Subscription) -> list[tuple[BounceKind, str | None]]:
    with store.reading(services.db) as db:
        return [(one.kind, one.status) for one in bounces.history(db, reader.id)]


@pytest.mark.parametrize("name", sorted(MEANT))
def test_each_report_finds_its_reader(
    listening: Services, reader: Subscription, maildir: Path, name: str
) -> None:
    post(maildir, name)

    record_bounces.run(listening)

    assert recorded(listening, reader) == [MEANT[name]]
    kind = MEANT[name][0]
    why = {BounceKind.HARD: "bounced", BounceKind.COMPLAINT: "complained"}.get(kind)
    assert state(listening, reader) == (SubscriptionState.ENDED if why else SubscriptionState.CONFIRMED, why)
    with store.reading(listening.db) as db:
        assert suppressions.suppressed(db, [reader.address]) == ({reader.address} if why else set())
        found = deliveries.find(db, 1)
        assert found
        assert (found.state is DeliveryState.BOUNCED) == (kind is not BounceKind.COMPLAINT)
    assert lying_in(maildir) == [f"cur/{name}:2,S"]


def test_what_changes_nothing_changes_nothing(
    listening: Services, reader: Subscription, maildir: Path
) -> None:
    post(maildir, *NOTHING)

    record_bounces.run(listening)

    assert recorded(listening, reader) == []
    assert state(listening, reader) == (SubscriptionState.CONFIRMED, None)
    assert all(name.startswith("cur/") for name in lying_in(maildir))
    assert folder.quarantined(listening.settings.data / "quarantine") == ()


def test_mail_to_the_leave_address_unsubscribes(
    listening: Services, reader: Subscription, maildir: Path
) -> None:
    assert listening.leave_mail(reader.id) == "leave+l1-3pusqd7xqsvvt@paper.example"
    post(maildir, "leave")

    record_bounces.run(listening)

    assert state(listening, reader)[0] is SubscriptionState.ENDED
    with store.reading(listening.db) as db:
        assert suppressions.listed(db) == ()


def test_a_confirmation_comes_back(listening: Services) -> None:
    asked = subscribe(listening.db, "typo@town.example", confirmed=False)
    mail = sample("postfix-unknown").replace(OURS.encode(), listening.confirmation_path(asked.id).encode())

    assert record_bounces.record(listening, mail) == "hard"

    assert state(listening, asked) == (SubscriptionState.ENDED, "bounced")


def test_a_letter_is_known_by_its_message_id_alone(listening: Services, reader: Subscription) -> None:
    with store.reading(listening.db) as db:
        delivery = deliveries.find(db, 1)
    assert delivery
    mail = sample("postfix-unknown").replace(OURS.encode(), b"digest@paper.example")

    assert record_bounces.record(listening, mail) == "kept"
    letter = mail.replace(b"<5f0c2d@qinglan.example>", delivery.message_id.encode())
    assert record_bounces.record(listening, letter) == "hard"

    assert state(listening, reader) == (SubscriptionState.ENDED, "bounced")


def test_who_forges_a_report_removes_nobody(listening: Services, reader: Subscription) -> None:
    forged = OURS.replace("+d1-y", "+d1-z").encode()

    assert (
        record_bounces.record(listening, sample("postfix-unknown").replace(OURS.encode(), forged)) == "kept"
    )
    assert (
        record_bounces.record(replace(listening, tokens=Tokens("other")), sample("yahoo-feedback")) == "kept"
    )

    assert state(listening, reader) == (SubscriptionState.CONFIRMED, None)


def test_what_is_not_understood_is_kept_with_the_reason(listening: Services, reader: Subscription) -> None:
    mail = b"From: x@y.example\nDelivered-To: " + OURS.encode() + b"\nSubject: ?\n\nHm.\n"

    assert record_bounces.record(listening, mail) == "kept"

    place = listening.settings.data / "quarantine"
    (kept,) = (place / "reports").glob("*.eml")
    assert kept.read_bytes() == mail
    assert kept.with_name(f"{kept.name}.reason.txt").read_text() == "not understood: x@y.example: ?\n"
    (found,) = folder.quarantined(place)
    assert (found.name, found.reason) == (
        "reports",
        "mail that came back and is not clear; why stands beside each",
    )
    assert recorded(listening, reader) == []


@pytest.mark.parametrize("at", ["reading", "recording", "marking"])
def test_killed_anywhere_it_is_recorded_once(
    listening: Services,
    reader: Subscription,
    maildir: Path,
    clock: Clock,
    at: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    post(maildir, "postfix-unknown")
    killed: list[str] = []

    def dying(where: str, done: Callable[..., object]) -> Callable[..., object]:
        def once(*args: object) -> object:
            if where == at and not killed:
                killed.append(at)
                raise KeyboardInterrupt
            return done(*args)

        return once

    monkeypatch.setattr(reports, "read", dying("reading", reports.read))
    monkeypatch.setattr(bounces, "record", dying("recording", bounces.record))
    monkeypatch.setattr(sources.Maildir, "mark", dying("marking", sources.Maildir.mark))
    with pytest.raises(KeyboardInterrupt):
        record_bounces.run(listening)
    clock.pass_(timedelta(minutes=2))
    record_bounces.run(listening)

    assert recorded(listening, reader) == [(BounceKind.HARD, "5.1.1")]
    assert lying_in(maildir) == ["cur/postfix-unknown:2,S"]


def test_the_mailbox_is_looked_into_once_a_minute(
    listening: Services, reader: Subscription, maildir: Path, clock: Clock
) -> None:
    record_bounces.run(listening)
    post(maildir, "postfix-full")
    clock.pass_(timedelta(seconds=30))
    record_bounces.run(listening)
    before = recorded(listening, reader)
    clock.pass_(timedelta(seconds=31))
    record_bounces.run(listening)

    assert before == []
    assert recorded(listening, reader) == [(BounceKind.SOFT, "5.2.2")]


def test_reports_come_from_a_mail_server(listening: Services, reader: Subscription, tmp_path: Path) -> None:
    mails = {4: sample("spam"), 7: sample("163-unknown")}
    with imap_server(mails, tmp_path) as server:
        settings = replace(listening.settings, bounce_mailbox=server.url("imap"))
        record_bounces.run(replace(listening, settings=settings))

    assert server.seen == {4, 7}
    assert state(listening, reader) == (SubscriptionState.ENDED, "bounced")


def test_without_a_mailbox_nothing_is_done(services: Services) -> None:
    record_bounces.run(services)

    assert services.return_path(1) == "syndicate@localhost"
    assert services.confirmation_path(1) == "syndicate@localhost"
    assert services.leave_mail(1) == ""


def test_a_mailbox_that_is_not_there_is_named(listening: Services, maildir: Path) -> None:
    (maildir / "new").rmdir()

    with pytest.raises(SourceError, match=f"{maildir}: not a Maildir"):
        record_bounces.run(listening)


@pytest.fixture(autouse=True)
def _signed(services: Services) -> None:
    """The samples were signed with the tests' secret."""
    assert services.tokens.returned(OURS) == 1
