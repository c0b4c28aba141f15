"""Who signed up, or moves, is asked once, by mail, whether it was really they."""

from __future__ import annotations

import hashlib
import logging
from email.utils import parseaddr

from sqlalchemy import Connection

from syndicate import store
from syndicate.deliver.mailer import send_one
from syndicate.model import Letter, Outcome, Publication, Subscription
from syndicate.render import confirmations, letters
from syndicate.render.confirmations import Asking, Sheet
from syndicate.render.templates import LANGUAGES
from syndicate.services import Services
from syndicate.store import subscriptions, suppressions

log = logging.getLogger(__name__)

BATCH = 50


def run(services: Services) -> None:
    """Send every such mail that is due.

    A crash between claim and answer loses at most that one mail; signing up again asks again.
    """
    with store.reading(services.db) as db:
        due = subscriptions.unasked(db, services.now(), BATCH)
    for number in due:
        with store.writing(services.db) as db:
            subscription = subscriptions.claim_asking(db, number, services.now())
            unwanted = subscription is not None and _unwanted(db, subscription)
        if subscription is None or unwanted:
            continue
        if paper := services.settings.publication(subscription.publication):
            _ask(services, paper, subscription)
        else:
            log.error("confirmation %d: no newspaper %r is described", number, subscription.publication)
            _put_off(services, subscription)


def _unwanted(db: Connection, subscription: Subscription) -> bool:
    """Whether the address gets no such mail: a person decided so, or it would only remind who gets none anyhow.

    One that bounced or complained is asked: who signs up anew may have a mailbox again.
    """
    about = confirmations.asking(subscription)
    known = suppressions.find(db, _recipient(subscription))
    return known is not None and (about is Asking.KNOWN or known.reason == suppressions.OPERATOR)


def _recipient(subscription: Subscription) -> str:
    moves = confirmations.asking(subscription) is Asking.MOVE
    return subscription.moving or "" if moves else subscription.address


def _ask(services: Services, paper: Publication, subscription: Subscription) -> None:
    about, now = confirmations.asking(subscription), services.now()
    page = _page(services, subscription, about)
    sheet = Sheet(
        url=f"{services.settings.base_url}/{paper.slug}/{page}{lang(subscription.language)}",
        sender=services.settings.mail_from,
        base_url=services.settings.base_url,
        message_id=f"<confirm.{hashlib.sha256(f'{page}{now}'.encode()).hexdigest()[:24]}@{paper.host}>",
        date=now,
    )
    message = confirmations.confirmation(paper, subscription, sheet)
    signed = services.signer.signed(letters.cast(message))
    sender = _sender(services, subscription, about)
    answer = send_one(services.mailer, Letter(subscription.id, sender, _recipient(subscription), signed))
    if answer.outcome is not Outcome.TAKEN:
        log.warning("confirmation %d: %s", subscription.id, answer.said)
    if answer.outcome is Outcome.LATER:
        _put_off(services, subscription)


def _page(services: Services, subscription: Subscription, about: Asking) -> str:
    tokens = services.tokens
    if about is Asking.MOVE:
        return f"move/{tokens.move(subscription.id, subscription.moving or '')}"
    if about is Asking.KNOWN:
        return f"mine/{tokens.manage(subscription.id)}"
    return f"confirm/{tokens.confirm(subscription.id)}"


def lang(language: str) -> str:
    """What makes a page come in the language of the letter that leads to it."""
    return "" if language == LANGUAGES[0] else f"?lang={language}"


def _sender(services: Services, subscription: Subscription, about: Asking) -> str:
    """The envelope sender. What comes back from an address to be moved to says nothing of the present one."""
    if about is Asking.MOVE:
        return parseaddr(services.settings.mail_from)[1]
    return services.confirmation_path(subscription.id)


def _put_off(services: Services, subscription: Subscription) -> None:
    with store.writing(services.db) as db:
        subscriptions.unclaim_asking(db, subscription.id)
