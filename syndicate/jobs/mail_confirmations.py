"""Who signed up is asked once, by mail, whether it was really they."""

from __future__ import annotations

import hashlib
import logging

from syndicate import store
from syndicate.errors import DeliveryError, DoubtfulDeliveryError
from syndicate.model import Publication, Subscription
from syndicate.render import digest
from syndicate.services import Services
from syndicate.store import subscriptions

log = logging.getLogger(__name__)

BATCH = 50


def run(services: Services) -> None:
    """Send every confirmation mail that is due.

    A crash between claim and answer loses at most that one mail; signing up again asks again.
    """
    with store.reading(services.db) as db:
        due = subscriptions.unasked(db, services.now(), BATCH)
    for number in due:
        with store.writing(services.db) as db:
            subscription = subscriptions.claim_asking(db, number, services.now())
        if subscription is None:
            continue
        if paper := services.settings.publication(subscription.publication):
            _ask(services, paper, subscription)
        else:
            log.error("confirmation %d: no newspaper %r is described", number, subscription.publication)
            _put_off(services, subscription)
    services.mailer.close()


def _ask(services: Services, paper: Publication, subscription: Subscription) -> None:
    token = services.tokens.confirm(subscription.id)
    now = services.now()
    message = digest.confirmation(
        paper,
        subscription,
        f"{services.settings.base_url}/{paper.slug}/confirm/{token}",
        services.settings.mail_from,
        services.settings.base_url,
        f"<confirm.{hashlib.sha256(f'{token}{now}'.encode()).hexdigest()[:24]}@{paper.host}>",
        now,
    )
    try:
        services.mailer.send(message, services.settings.mail_from, subscription.address, lambda: True)
    except DoubtfulDeliveryError as e:
        log.warning("confirmation %d: %s", subscription.id, e)
    except DeliveryError as e:
        log.warning("confirmation %d: %s", subscription.id, e)
        if not e.permanent:
            _put_off(services, subscription)


def _put_off(services: Services, subscription: Subscription) -> None:
    with store.writing(services.db) as db:
        subscriptions.unclaim_asking(db, subscription.id)
