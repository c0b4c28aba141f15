"""Who is asked, where the answer would come back to, and who is not written to."""

from __future__ import annotations

from dataclasses import replace

from syndicate import store
from syndicate.jobs import mail_confirmations
from syndicate.model import Subscription
from syndicate.services import Services
from syndicate.store import bounces, subscriptions, suppressions
from tests.jobs.conftest import Clock
from tests.jobs.mailing import REFUSED, Server
from tests.samples import PAPER, subscribe


def watched(services: Services, server: Server) -> Services:
    """Services whose mail comes back to an address of ours."""
    settings = replace(services.settings, bounce_address="bounces@paper.example")
    return replace(services, settings=settings, mailer=server)


def reader(services: Services, clock: Clock, *, confirmed: bool = True) -> Subscription:
    return subscribe(services.db, "reader@example.org", confirmed=confirmed, now=clock())


def test_what_comes_back_names_who_was_asked(services: Services, server: Server, clock: Clock) -> None:
    services = watched(services, server)
    asked = reader(services, clock, confirmed=False)

    mail_confirmations.run(services)

    assert services.tokens.confirmation_returned(server.senders[0]) == asked.id


def test_what_comes_back_from_a_new_address_says_nothing_of_the_old_one(
    services: Services, server: Server, clock: Clock
) -> None:
    services = watched(services, server)
    known = reader(services, clock)
    with store.writing(services.db) as db:
        subscriptions.ask_move(db, known.id, "new@example.net", clock())

    mail_confirmations.run(services)

    assert server.taken == ["new@example.net"]
    assert services.tokens.confirmation_returned(server.senders[0]) is None
    with store.reading(services.db) as db:
        assert bounces.history(db, known.id) == ()


def test_a_refused_address_is_not_tried_again(services: Services, server: Server, clock: Clock) -> None:
    services = watched(services, server)
    reader(services, clock, confirmed=False)
    server.fault = REFUSED

    mail_confirmations.run(services)
    server.fault = None
    mail_confirmations.run(services)

    assert server.taken == []


def test_nobody_is_reminded_who_is_not_to_be_written_to(
    services: Services, server: Server, clock: Clock
) -> None:
    services = watched(services, server)
    known = reader(services, clock)
    with store.writing(services.db) as db:
        suppressions.add(db, known.address, suppressions.COMPLAINED, "", clock())
        subscriptions.sign_up(db, PAPER, known.address, known.wish, clock())

    mail_confirmations.run(services)

    assert server.taken == []
